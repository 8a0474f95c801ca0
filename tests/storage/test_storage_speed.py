"""What recording and opening may cost; `benchmarks/store` has the figures.

The fastest of several and a factor, since a busy machine is no failure.
"""

import time
from collections.abc import Callable

import numpy as np
import pytest
import sqlalchemy as sa

from deepwell.records import ChunkRecord, Event, TrialSpec
from deepwell.storage import Store, open_store

EPOCH = {"sqlite": 0.005, "postgresql": 0.020}  # what is wanted on a quiet machine
BUSY = 3
MEMBERS = 256
OPEN = 1.0
TRIALS = 100_000


def seconds(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def test_an_epoch_of_a_population_takes_milliseconds(
    store: Store, kind: str, make_chunk: Callable[..., ChunkRecord]
):
    study = store.create_study("wide", {})
    specs = [(n, TrialSpec({"learning_rate": 0.01}, seed=n)) for n in range(MEMBERS)]
    store.propose(study.id, specs, Event(1.0, "propose"))
    rng = np.random.default_rng(0)
    chunks = [make_chunk(epoch, rng.random(MEMBERS) / epoch) for epoch in range(1, 21)]
    taken = [
        seconds(lambda chunk=chunk: store.record_chunk(study.id, 0, chunk, seconds=1.0))
        for chunk in chunks
    ]
    assert min(taken) < BUSY * EPOCH[kind]


@pytest.mark.parametrize(
    "kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)], indirect=True
)
def test_a_long_study_opens_and_lists_its_best_at_once(where: str):
    spec = TrialSpec({"learning_rate": 0.01}, seed=0)
    with open_store(where) as store:
        study = store.create_study("long", {})
        store.propose(study.id, [(n, spec) for n in range(TRIALS)], Event(1.0, "propose"))
        scores = sa.text(
            "UPDATE trial SET epochs = 1, best_epoch = 1, cost = 1, "
            "score = (number * 7919) % 100003 / 100003.0"
        )
        with store._database.writing() as connection:
            connection.execute(scores)

    def best() -> list[int]:
        with open_store(where, create=False) as store:
            return [t.number for t in store.best_trials(store.study("long").id, 10)]

    assert min(seconds(best) for _ in range(3)) < OPEN
    numbers = np.arange(TRIALS)
    assert best() == np.argsort(numbers * 7919 % 100003, kind="stable")[:10].tolist()
