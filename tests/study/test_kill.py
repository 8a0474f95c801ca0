"""E5: a study that is killed with SIGKILL, again and again, ends where an unkilled one ends."""

from __future__ import annotations

import contextlib
import json
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deepwell._native._core_module import available
from deepwell.records import Status, StudyResult, from_plain
from deepwell.storage import open_store

# A checkpoint after every record, so that kills fall into them and little may be repeated.
RUNNER = """
import math, sys
from deepwell.study import _checkpoint
_checkpoint.EVERY_SECONDS = _checkpoint.RUNG_SECONDS = 0.0
_checkpoint.SHARE = math.inf
from deepwell.cli import run
sys.exit(run(sys.argv[1:]))
"""
NAME = "killed"
SPACE = {
    # Some diverge, some stop early, batches of two sizes need two programs.
    "native": [
        *("--space", "learning_rate=choice(0.003, 0.03, 1000000)"),
        *("--space", "optimizer=choice(sgd, adam, momentum)"),
        *("--space", "batch_size=choice(16, 32)"),
        *("--space", "hidden_units=integer(3, 20)"),
        *("--space", "hidden_layers=choice(1, 2)"),
        *("--space", "patience=choice(0, 6)"),
    ],
    "jax": [
        *("--space", "learning_rate=choice(0.003, 0.03, 1000000)"),
        *("--space", "hidden_units=integer(3, 8)"),
        *("--optimizer", "sgd", "--patience", "6"),
        *("--hidden-layers", "1", "--activation", "relu", "--batch-size", "32"),
    ],
}
PROGRAMS = [
    pytest.param(
        "native", marks=pytest.mark.skipif(not available(), reason="no compiled core here")
    ),
    "jax",
]
CHUNKS = "SELECT count(*) FROM chunk"


def arguments(program: str, table: Path, store: Path) -> list[str]:
    program, _, scheduler = program.partition(" ")
    return [
        *("fit", str(table), "--target", "y", "--trials", "12", "--epochs", "30"),
        *("--name", NAME, "--store", str(store), "--program", program, "--json"),
        *("--memory", "1GB", "--scheduler", scheduler or "halving"),
        *SPACE[program],
    ]


def start(*given: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", RUNNER, *given],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ask(store: Path, query: str) -> int:
    """Return a number from the store, 0 while there is none."""
    try:
        connection = sqlite3.connect(f"file:{store / 'store.db'}?mode=ro", uri=True)
        with contextlib.closing(connection):
            return connection.execute(query).fetchone()[0]
    except sqlite3.Error:
        return 0


@dataclass(frozen=True)
class Moment:
    """When to kill: once something can be seen from outside, and so many seconds later."""

    seen: Callable[[Path], bool]
    delay: float


def at_once(store: Path) -> bool:
    return True


def chunks(wanted: int) -> Callable[[Path], bool]:
    return lambda store: ask(store, CHUNKS) >= wanted


def writing_a_checkpoint(store: Path) -> bool:
    """Whether states are being written, or lie there before the store names them."""
    folder = store / NAME / "checkpoint"
    try:
        return any(f.suffix == ".tmp" for f in folder.iterdir()) or (
            len(list(folder.glob("*.safetensors"))) > 1
        )
    except FileNotFoundError:
        return False


def run_and_kill(store: Path, fit: list[str], moments: list[Moment]) -> int:
    """Run the study to its end through the kills; return how many hit a living process."""
    hits = 0
    for moment in [*moments, None]:
        begun = ask(store, "SELECT count(*) FROM study")
        process = start(*(("resume", NAME, "--store", str(store), "--json") if begun else fit))
        if moment is not None:
            while process.poll() is None and not moment.seen(store):
                time.sleep(0.001)
            time.sleep(moment.delay)
            process.send_signal(signal.SIGKILL)
        told, complaints = process.communicate(timeout=120)
        if moment is not None and process.returncode == -signal.SIGKILL:
            hits += 1
            continue
        assert process.returncode == 0, told + complaints
        if moment is None or json.loads(told)["stopped"] == "":
            break
    return hits


def contents(store: Path) -> dict[str, Any]:
    """Return all that a study left, times and the account of kills apart."""
    with open_store(store, create=False) as opened:
        record = opened.study(NAME)
        plain = opened.result(record.id)
        assert plain is not None
        result = from_plain(StudyResult, plain)
        trials = opened.trials(record.id, curves=True)
        probes = opened.probes(record.id)
        events = {
            kind: [e.details for e in opened.events(record.id, kind)]
            for kind in ("propose", "plan", "finish", "prune", "promote", "interrupt", "fork")
        }
        rows = {
            part: opened.row_hashes.read(record.id, part).tobytes()
            for part in ("train", "dev", "test")
        }
        reuse = opened.row_hashes.reuse_of(record.id, opened.row_hashes.read(record.id, "test"))
        kept = opened.checkpoint(record.id)
    for details in events["plan"]:
        details["facts"]["seconds"] = 0.0  # type: ignore[index]
    return {
        "status": record.status,
        "trials": [replace(t, curves={}) for t in trials],
        "probes": [(p.trial, p.epoch, p.step, p.weights.tobytes()) for p in probes],
        "curves": [{k: c.tobytes() for k, c in t.curves.items()} for t in trials],
        "result": replace(
            result,
            plan=replace(result.plan, seconds=0.0),
            seconds=0.0,
            compile_seconds=0.0,
            networks_per_second=0.0,
            gemm_share=None,
            peak_memory_bytes=None,
            resumed=0,
            repeated_seconds=0.0,
            checks=result.checks and replace(result.checks, seconds=0.0),
            data_checks=result.data_checks and replace(result.data_checks, seconds=0.0),
        ),
        "events": events,
        "rows": rows,
        "reuse": reuse,
        "checkpoint": kept,
        "files": {
            str(f.relative_to(store)): f.read_bytes()
            for f in sorted(store.rglob("*"))
            if f.is_file() and not f.name.startswith("store.db") and f.name != "report.txt"
        },
        "report": (store / NAME / "report.txt").exists(),
    }


def check_nothing_was_trained_in_vain(store: Path) -> None:
    """What a checkpoint held was not trained again: at most one record is lost by a kill."""
    with open_store(store, create=False) as opened:
        study = opened.study(NAME).id
        resumes = [e.details for e in opened.events(study, "resume")]
        networks = len(opened.trials(study))
    with contextlib.closing(sqlite3.connect(store / "store.db")) as connection:
        seen: Counter[tuple[int, int]] = Counter()
        for epoch, blob in connection.execute("SELECT epoch, trials FROM chunk"):
            seen.update((int(n), epoch) for n in np.frombuffer(blob, "<i4"))
    assert set(seen.values()) == {1}
    for details in resumes:
        assert details["repeated_epochs"] <= networks, details  # type: ignore[operator]


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(160, 4)).round(3)
    y = (x[:, 0] + 0.3 * rng.normal(size=160) > 0).astype(int)
    file = tmp_path_factory.mktemp("table") / "t.csv"
    rows = [",".join(map(str, [*row, label])) for row, label in zip(x, y, strict=True)]
    file.write_text("\n".join(["a,b,c,d,y", *rows]) + "\n")
    return file


@pytest.fixture(scope="module")
def unkilled(table: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return, by program, what a study leaves that nobody killed, and its number of records."""
    done: dict[str, tuple[dict[str, Any], int]] = {}

    def of(program: str) -> tuple[dict[str, Any], int]:
        if program not in done:
            store = tmp_path_factory.mktemp(program)
            assert run_and_kill(store, arguments(program, table, store), []) == 0
            done[program] = contents(store), ask(store, CHUNKS)
        return done[program]

    return of


def check(program: str, table: Path, store: Path, unkilled: Any, moments: list[Moment]) -> int:
    expected, _ = unkilled(program)
    hits = run_and_kill(store, arguments(program, table, store), moments)
    found = contents(store)
    for what, value in expected.items():
        assert found[what] == value, what
    check_nothing_was_trained_in_vain(store)
    return hits


def test_the_unkilled_study_has_every_kind_of_end(unkilled: Any) -> None:
    """Else the comparisons below would prove less than they seem to."""
    expected, total = unkilled("native" if available() else "jax")
    ends = {trial.status for trial in expected["trials"]}
    assert {Status.DIVERGED, Status.PRUNED} < ends
    assert ends <= {Status.DIVERGED, Status.PRUNED, Status.FINISHED, Status.EARLY_STOPPED}
    assert total >= 20
    assert len(expected["result"].plan.rungs) == 2
    assert expected["checkpoint"] is None
    assert not any("checkpoint" in name for name in expected["files"])


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_killed_study_ends_where_an_unkilled_one_ends(
    program: str, table: Path, tmp_path: Path, unkilled: Any
) -> None:
    _, total = unkilled(program)
    moments = [
        Moment(chunks(total // 3), 0.002),
        Moment(chunks(total), 0.0),  # the last record: what follows is the result
    ]
    if program == "native":
        moments.insert(1, Moment(writing_a_checkpoint, 0.0))
    assert check(program, table, tmp_path / "store", unkilled, moments) == len(moments)


@pytest.mark.skipif(not available(), reason="no compiled core here")
def test_a_killed_population_with_copies_ends_where_an_unkilled_one_ends(
    table: Path, tmp_path: Path, unkilled: Any
) -> None:
    expected, total = unkilled("native pbt")
    assert len(expected["events"]["fork"]) >= 5
    moments = [
        Moment(chunks(total // 3), 0.001),
        Moment(writing_a_checkpoint, 0.0),
        Moment(chunks(3 * total // 4), 0.0),
    ]
    hits = check("native pbt", table, tmp_path / "store", unkilled, moments)
    assert hits == len(moments)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("program", "kills"), [(PROGRAMS[0].values[0], 8), ("jax", 2)])
def test_killed_at_random_moments(
    program: str, kills: int, seed: int, table: Path, tmp_path: Path, unkilled: Any
) -> None:
    """Fifty kills in ten studies: during start-up, training, checkpoints and the result."""
    if program == "native" and not available():
        pytest.skip("no compiled core here")
    draw = random.Random(1000 * seed + kills)
    _, total = unkilled(program)
    moments = []
    for place in range(kills):
        reached = 1 + total * place // kills
        moments.append(
            draw.choice(
                [
                    Moment(at_once, draw.uniform(0.0, 4.0)),
                    Moment(chunks(reached), draw.uniform(0.0, 0.05)),
                    Moment(chunks(reached), 0.0),
                    Moment(writing_a_checkpoint, draw.uniform(0.0, 0.01)),
                ]
            )
        )
    moments[-1] = Moment(chunks(total), draw.uniform(0.0, 0.5))
    hits = check(program, table, tmp_path / "store", unkilled, moments)
    assert hits >= kills - 2  # one that comes after the end ends the series
