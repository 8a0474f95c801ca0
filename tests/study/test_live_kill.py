"""A run killed with SIGKILL around a change by hand: not lost, not done twice, exact."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from tests.study.babysat import (
    ACTS,
    BABYSAT,
    counting,
    events,
    last_asked,
    left,
    run,
    some_table,
)

import deepwell as dw
from deepwell._native._core_module import available
from deepwell.storage import open_store

# The nth change by hand ends the process: before its transaction, inside it, or after it.
RUNNER = """
import os, signal, sys
import deepwell as dw
from deepwell.storage import _requests
from tests.study.babysat import BABYSAT, run

table, store, program, nth, place = sys.argv[1:]
kept, calls = _requests.Requests.carry_out, [0]

def die():
    os.kill(os.getpid(), signal.SIGKILL)

def carry_out(self, study_id, deed):
    calls[0] += 1
    now = calls[0] == int(nth)
    if now and place == "before":
        die()
    if now and place == "inside":
        events = _requests._events.append_events
        def append(*given):
            events(*given)
            die()
        _requests._events.append_events = append
    kept(self, study_id, deed)
    if now:
        die()

_requests.Requests.carry_out = carry_out
data = dw.load(table, target="y", vault=store + "-vault")
run(data, __import__("pathlib").Path(store), BABYSAT, program)
"""


@pytest.fixture(scope="module")
def table(tmp_path_factory) -> Path:
    file = tmp_path_factory.mktemp("table") / "t.csv"
    pl.DataFrame(some_table()).write_csv(file)
    return file


@pytest.fixture(scope="module")
def whole(table, tmp_path_factory):
    """Return what an undisturbed run leaves, and the place of the last change asked for."""
    done = {}

    def of(program: str):
        if program not in done:
            store = tmp_path_factory.mktemp("whole")
            data = dw.load(str(table), target="y", vault=tmp_path_factory.mktemp("vault"))
            with pytest.MonkeyPatch.context() as patch, counting(patch) as seen:
                run(data, store, BABYSAT, program)
            done[program] = left(store), last_asked(seen)
        return done[program]

    return of


def killed(table: Path, store: Path, program: str, nth: int, place: str) -> None:
    given = [str(table), str(store), program, str(nth), place]
    ended = subprocess.run(
        [sys.executable, "-c", RUNNER, *given],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ended.returncode == -signal.SIGKILL, ended.stderr


def check(table: Path, store: Path, program: str, nth: int, place: str, whole) -> None:
    killed(table, store, program, nth, place)
    with open_store(store, create=False) as opened:
        record = opened.study("mine")
        before = len(opened.requests.waiting(record.id))
        known = opened.trials(record.id)
    study = dw.resume("mine", store=store)
    asked = [
        event.details["request"]
        for event in events(store, "nudge", "snapshot", "rollback", "race", "stop_by_hand")
    ]
    assert len(asked) == len(set(asked)) >= min(nth, len(BABYSAT)) - (nth == ACTS)
    assert len(study.trials()) >= len(known)
    assert before == 0 or place != "after" or nth < ACTS
    for number in {1, len(study.trials()) - 1}:
        assert dw.replay("mine", number, store=store).same
    expected, last = whole(program)
    if nth >= last and place == "after":
        assert left(store) == expected


@pytest.mark.skipif(not available(), reason="no compiled core")
@pytest.mark.parametrize(("nth", "place"), [(5, "inside"), (ACTS, "after")])
def test_a_kill_around_an_act(nth, place, table, whole, tmp_path):
    check(table, tmp_path / "store", "native", nth, place, whole)


@pytest.mark.slow
@pytest.mark.parametrize("place", ["before", "inside", "after"])
@pytest.mark.parametrize("nth", range(1, ACTS + 1))
@pytest.mark.skipif(not available(), reason="no compiled core")
def test_a_kill_around_each_act(nth, place, table, whole, tmp_path):
    check(table, tmp_path / "store", "native", nth, place, whole)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("nth", "place"), [(1, "after"), (4, "inside"), (5, "after"), (7, "after")]
)
def test_a_kill_of_a_run_of_compiled_programs(nth, place, table, whole, tmp_path):
    check(table, tmp_path / "store", "jax", nth, place, whole)
