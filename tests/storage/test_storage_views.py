"""The documented views of a store, against what the store itself reads."""

import json
import math
import sqlite3
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from deepwell._base._constraints import EachOf, IntegerInterval, Interval
from deepwell._base._hyperparameters import HYPERPARAMETERS
from deepwell.records import (
    ChunkRecord,
    Estimate,
    Event,
    Finding,
    Opening,
    Status,
    TrialSpec,
    to_plain,
)
from deepwell.storage import Store, StudyRecord, open_store
from deepwell.storage._claim import new_claim
from deepwell.storage._lease import leased
from deepwell.storage._mark import marked
from deepwell.storage._view_dialects import SQLITE
from deepwell.storage._views import LISTS, NUMBERS, VIEWS, WHOLE_NUMBERS, WORDS

HARD_FLOATS = np.array(
    [
        *(0.0, -0.0, 1.0, -1.0, 0.1, 1 / 3, 1e-45, 1.1754942e-38, 1.1754944e-38, -3.4028235e38),
        *(2.0**-126, 2.0**-149, 2.0**23, 2.0**24 - 1, 2.0**50, 2.0**100, 2.0**127, np.inf, -np.inf),
        np.nan,
    ],
    np.float32,
)


def rows(store: Store, query: str) -> list[tuple[Any, ...]]:
    return list(store.query(query, 1_000_000).rows)


def test_every_view_answers(store: Store, study: StudyRecord):
    for name in VIEWS:
        rows(store, f"SELECT * FROM {name}")
    assert rows(store, "SELECT study, tags FROM studies") == [("churn", None)]


def test_what_nobody_runs_any_more_is_interrupted(store: Store, study: StudyRecord, where: str):
    """By the lease alone: a kill shows when it expires, a finished network stays as it is."""
    asked = "SELECT status, runner FROM studies"
    trials = "SELECT trial, status FROM trials ORDER BY trial"
    finished = {3: Status.FINISHED}
    store.record_statuses(study.id, finished, {}, Event(2.0, "finish"))
    left = [*((n, "interrupted") for n in range(3)), (3, "finished")]
    assert (rows(store, asked), rows(store, trials)) == ([("interrupted", None)], left)
    claim = new_claim()
    with marked(store.folder, claim), leased(store, study, claim):
        store.record_statuses(study.id, {0: Status.RUNNING, 1: Status.PAUSED}, {}, Event(3.0, "x"))
        assert rows(store, asked) == [("running", claim.holder)]
        assert [status for _, status in rows(store, trials)] == [
            *("running", "paused", "waiting", "finished"),
        ]
        with open_store(where) as other, other._database.writing() as connection:
            connection.exec_driver_sql("UPDATE lease SET expires = expires - 61")
        assert (rows(store, asked), rows(store, trials)) == ([("interrupted", None)], left)
        store.leases.renew()
        assert rows(store, asked) == [("running", claim.holder)]
    for status in ("stopped", "failed", "finished"):
        store.set_status(study.id, status)
        assert rows(store, asked) == [(status, None)]


def test_bits_of_any_float_are_read_exactly():
    with sqlite3.connect(":memory:") as connection:
        read = SQLITE.float32(f"({SQLITE.word('?1', 4)})")
        block = HARD_FLOATS.tobytes()
        query = f"SELECT {read} FROM {SQLITE.places('?1', 4).removeprefix('JOIN ')} ORDER BY i.key"
        told = [value for (value,) in connection.execute(query, (block,))]
    connection.close()
    assert told[-1] is None
    np.testing.assert_array_equal(np.array(told[:-1]), HARD_FLOATS[:-1].astype(np.float64))
    assert math.copysign(1.0, told[1]) == -1.0


def test_epochs_are_the_curves(
    store: Store, study: StudyRecord, make_chunk: Callable[..., ChunkRecord]
):
    store.record_chunk(
        study.id, 0, make_chunk(1, [0.5, 0.25, math.nan, 0.125], [9, 8, math.nan, 1])
    )
    store.record_chunk(study.id, 0, make_chunk(2, [0.1, math.inf], [math.inf, 3], trials=[3, 0]))
    store.record_chunk(study.id, 1, make_chunk(1, [0.75], trials=[1]))  # counts, being the last
    untrained = make_chunk(1, [math.nan], [math.nan], trials=[0])
    store.record_chunk(study.id, 1, untrained)
    told = rows(store, "SELECT trial, epoch, step, train_cost, dev_cost, dev_score FROM epochs")
    expected = {
        (trial.number, epoch + 1): [float(curve[epoch]) for curve in trial.curves.values()]
        for trial in store.trials(study.id, curves=True)
        for epoch in range(trial.epochs)
    }
    found = {(t, e): [dev_cost, score, train] for t, e, _, train, dev_cost, score in told}
    assert {key: expected[key] for key in found} == found
    assert set(found) == {(0, 1), (1, 1), (3, 1), (3, 2), (0, 2)}
    assert {(e, s) for _, e, s, *_ in told} == {(1, 10), (2, 20)}


def test_scores_are_in_the_metrics_unit(store: Store, make_chunk: Callable[..., ChunkRecord]):
    made = store.create_study("houses", {"score_scale": 4.0})
    store.propose(made.id, [(0, TrialSpec({}, seed=0))], Event(1.0, "propose"))
    store.record_chunk(made.id, 0, make_chunk(1, [0.5], [0.25]))
    assert rows(store, "SELECT score, cost FROM trials") == [(2.0, 0.25)]
    assert rows(store, "SELECT dev_score, dev_cost FROM epochs") == [(2.0, 0.25)]


def test_every_hyperparameter_is_a_column_of_its_kind():
    known = {*NUMBERS, *WHOLE_NUMBERS, *WORDS, *LISTS, "epochs"}
    assert known <= set(HYPERPARAMETERS)  # one that was declared later is in the JSON
    for name in {*NUMBERS, *WHOLE_NUMBERS} - {"dropout"}:
        kind = IntegerInterval if name in WHOLE_NUMBERS else Interval
        assert isinstance(HYPERPARAMETERS[name].constraint, kind)
    for name in (*LISTS, "dropout"):
        assert isinstance(HYPERPARAMETERS[name].constraint, EachOf)


def test_hyperparameters_read_as_options_take_them(store: Store):
    made = store.create_study("churn", {"metric": "error"})
    specs = [
        TrialSpec({"hidden_layers": 2, "hidden_units": (64, 32), "dropout": 0.5, "l2": 0.1}, 7),
        TrialSpec({"hidden_layers": 2, "dropout": (0.1, 0.2), "epochs": 9}, seed=2**31),
    ]
    forked = Event(1.0, "fork", 1, {"source": 0, "epoch": 1})
    by_hand = Event(1.0, "branch", 2, {"source": 1, "epoch": 1, "request": 5, "changes": {}})
    numbered = enumerate([*specs, specs[1]])
    store.propose(made.id, list(numbered), Event(1.0, "propose"), forked, by_hand)
    store.save_result(made.id, {"best_trial": 1})
    told = rows(
        store,
        "SELECT trial, hidden_units, dropout, l2, seed, max_epochs, chosen, copied_from, "
        "optimizer FROM trials ORDER BY trial",
    )
    assert told == [
        (0, "64,32", 0.5, 0.1, 7, 50, 0, None, "adam"),
        (1, "64,64", None, 0.0, 2**31, 9, 1, 0, "adam"),
        (2, "64,64", None, 0.0, 2**31, 9, 0, 1, "adam"),
    ]
    (values,) = rows(store, "SELECT hyperparameters FROM trials WHERE trial = 1")[0]
    assert json.loads(values)["dropout"] == [0.1, 0.2]


def test_findings_openings_and_what_is_not_finite(store: Store, study: StudyRecord):
    finding = Finding(
        "DW101", "problem", "high variance", "gap", {"measured": math.inf, "p_value": 0.5}
    )
    result = {"dev": to_plain(Estimate(0.25, 0.125, math.inf)), "findings": [to_plain(finding)]}
    store.save_result(study.id, {**result, "best_trial": 2})
    assert rows(store, "SELECT study, place, code, level, measured, p_value FROM findings") == [
        ("churn", 1, "DW101", "problem", None, 0.5)
    ]
    assert rows(store, "SELECT dev, dev_low, dev_high, best_trial FROM studies") == [
        (0.25, 0.125, None, 2)
    ]
    found = Opening(0.0, "churn", 2, "error", Estimate(0.3, 0.2, math.nan), 0, ("a note",))
    store.ledger.append("f" * 64, found, "0" * 64)
    assert rows(store, "SELECT study, called, value, high, number, notes FROM openings") == [
        ("churn", "churn", 0.3, None, 1, '["a note"]')
    ]


def test_times_are_read_in_utc(store: Store, study: StudyRecord):
    assert rows(store, "SELECT time, kind FROM events") == [("1970-01-01 00:00:01", "propose")]


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_of_an_empty_store_is_empty(store: Store, view: str):
    assert rows(store, f"SELECT * FROM {view}") == []
