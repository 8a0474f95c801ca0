"""Deepwell's store at one task, in a process of its own: `python -m benchmarks.store.ours`.

    python -m benchmarks.store.ours WHERE TASK SIZE REPEATS

It prints a list of seconds as JSON. The tasks:

- `epoch`: record an epoch of SIZE networks that train side by side, in one transaction: train
  cost, dev cost and dev score of each, its best epoch so far, and the working time.
- `propose`: record SIZE proposals, 256 at a time, as rounds do.
- `fill`: a study of SIZE trials that all have a score, for `open`.
- `open`: open the store and the study and read its ten best trials.
"""

from __future__ import annotations

import json
import sys
import time

import numpy as np

from deepwell.records import ChunkRecord, Event, TrialSpec
from deepwell.storage import Store, open_store

AT_ONCE = 256
_SPEC = {"learning_rate": 0.01, "hidden_units": 64, "hidden_layers": 2, "dropout": 0.1}


def epoch(where: str, size: int, repeats: int) -> list[float]:
    """Return the seconds of each epoch."""
    with open_store(where) as store:
        study = _proposed(store, size)
        return [_record(store, study, size, number) for number in range(1, repeats + 1)]


def propose(where: str, size: int, repeats: int) -> list[float]:
    """Return the seconds of all proposals, for each of some studies."""
    with open_store(where) as store:
        taken: list[float] = []
        for _ in range(repeats):
            began = time.perf_counter()
            _proposed(store, size)
            taken.append(time.perf_counter() - began)
        return taken


def fill(where: str, size: int, repeats: int) -> list[float]:
    """Return the seconds that it took to make the study."""
    del repeats
    began = time.perf_counter()
    with open_store(where) as store:
        _record(store, _proposed(store, size), size, 1)
    return [time.perf_counter() - began]


def open_(where: str, size: int, repeats: int) -> list[float]:
    """Return the seconds from the closed store to the best trials; imports come before."""
    taken: list[float] = []
    for _ in range(repeats):
        began = time.perf_counter()
        with open_store(where, create=False) as store:
            best = store.best_trials(store.study("filled").id, 10)
        taken.append(time.perf_counter() - began)
        assert len(best) == min(10, size)
    return taken


def _proposed(store: Store, size: int) -> int:
    study = store.create_study("filled", {})
    for first in range(0, size, AT_ONCE):
        numbers = range(first, min(first + AT_ONCE, size))
        specs = [(n, TrialSpec({**_SPEC, "l2": 1e-6 * (n + 1)}, seed=n)) for n in numbers]
        store.propose(study.id, specs, Event(0.0, "propose"))
    return study.id


def _record(store: Store, study: int, size: int, number: int) -> float:
    scores = np.random.default_rng(number).random(size) / number
    metrics = {"train_cost": scores, "dev_cost": 2 * scores, "dev_score": scores}
    chunk = ChunkRecord(number, np.arange(size), metrics, {}, np.full(size, 10 * number))
    began = time.perf_counter()
    store.record_chunk(study, 0, chunk, seconds=float(number))
    return time.perf_counter() - began


TASKS = {"epoch": epoch, "propose": propose, "fill": fill, "open": open_}

if __name__ == "__main__":
    print(json.dumps(TASKS[sys.argv[2]](sys.argv[1], int(sys.argv[3]), int(sys.argv[4]))))
