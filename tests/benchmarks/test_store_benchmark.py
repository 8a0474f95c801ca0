"""B6: every worker does every task alike, and the page says what was measured."""

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from benchmarks.store import ours
from benchmarks.store.plan import KINDS, PLANS, Job
from benchmarks.store.section import section

from deepwell.storage import open_store

PEER = Path(__file__).parents[2] / "benchmarks" / "peers" / "optuna_store.py"


@pytest.fixture(scope="module")
def peer() -> ModuleType:
    """Optuna is among what development needs, so its worker runs here as well."""
    spec = importlib.util.spec_from_file_location("optuna_store", PEER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_ours_records_what_it_times(tmp_path: Path):
    assert len(ours.epoch(str(tmp_path / "epoch"), 5, 3)) == 3
    with open_store(tmp_path / "epoch") as store:
        (study,) = store.studies()
        assert [t.epochs for t in store.trials(study.id)] == [3] * 5
    assert len(ours.propose(str(tmp_path / "propose"), 300, 2)) == 2
    with open_store(tmp_path / "propose") as store:
        assert [len(store.trials(s.id)) for s in store.studies()] == [300, 300]
    assert len(ours.fill(str(tmp_path / "open"), 300, 1)) == 1
    assert all(seconds > 0 for seconds in ours.open_(str(tmp_path / "open"), 300, 2))


@pytest.mark.parametrize("place", ["sqlite:///{}/optuna.db", "journal:{}/journal.log"])
def test_a_peer_does_the_same_tasks(peer: ModuleType, tmp_path: Path, place: str):
    where = place.format(tmp_path)
    assert peer.TASKS.keys() == ours.TASKS.keys()
    assert len(peer.epoch(where, 3, 2)) == 2
    opened = peer.storage(where)
    (study,) = opened.get_all_studies()
    told = [t.intermediate_values.keys() for t in opened.get_all_trials(study._study_id)]
    assert told == [{1: 0, 2: 0}.keys()] * 3
    assert len(peer.propose(where, 3, 2)) == 2
    peer.fill(where, 4, 1)
    assert len(peer.open_(where, 4, 2)) == 2


def test_the_page_tells_all_that_was_measured_and_what_was_not():
    cells: dict[str, Any] = {
        job.key: {"status": "ok", "seconds": [0.002, 0.004, 0.003]}
        for job in PLANS["full"].jobs()
        if KINDS[job.kind].ours
    }
    cells[Job("optuna-sqlite", "epoch", 256, 0).key] = {"status": "failed", "why": "it broke"}
    header = {"scale": "full", "machine": {"cpu": "x", "cores": 2, "date": "today"}}
    told = section({"header": header, "cells": cells})
    assert "| Deepwell, SQLite | 3 ms (4 ms) | 3 ms (4 ms) | 682,667 trials/s |" in told
    assert "| Optuna, RDB on SQLite | failed: it broke | - | - | - | - |" in told
    assert "an epoch of 256 networks on SQLite under 5 ms: reached (3 ms)" in told
    cells[Job("deepwell-postgresql", "epoch", 256, 0).key]["seconds"] = [0.5]
    assert "on PostgreSQL under 20 ms: missed (500 ms)" in section(
        {"header": header, "cells": cells}
    )
