"""Studies in processes of their own that are killed with SIGKILL, and what they leave."""

from __future__ import annotations

import contextlib
import json
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deepwell._native._core_module import available
from deepwell.records import StudyResult, from_plain
from deepwell.storage import open_store

# A checkpoint after every record, so that kills fall into them and little may be repeated. It may
# be told to kill itself so many seconds after it began a record, a file of states or a model for
# the n-th time. Apart, it is like a process of another machine: its locks say nothing, and its
# lease expires.
RUNNER = """
import json, math, os, signal, sys, threading, time
from deepwell.storage import _lease, _leases, _mark
from deepwell.study import _checkpoint, _model, _worker
_checkpoint.EVERY_SECONDS = _checkpoint.RUNG_SECONDS = 0.0
_checkpoint.SHARE = math.inf
_worker.POLL_SECONDS = 0.01
place, nth, delay, apart = json.loads(sys.argv[1])
begun = 0

def no_locks(file):
    raise OSError

if apart:
    _mark._lock, _leases.LEASE_SECONDS, _lease.RENEW_SECONDS = no_locks, 1.0, 0.2

def die():
    time.sleep(delay)
    os.kill(os.getpid(), signal.SIGKILL)

def begins():
    global begun
    begun += 1
    if begun == nth:
        threading.Thread(target=die, daemon=True).start()

def record(connection):
    if connection.get_execution_options().get("writes"):
        begins()

def watched(module, name):
    real = getattr(module, name)
    def call(*given):
        begins()
        return real(*given)
    setattr(module, name, call)

if place == "record":
    import sqlalchemy
    sqlalchemy.event.listen(sqlalchemy.Engine, "commit", record)
elif place == "states":
    watched(_checkpoint, "save_arrays")
elif place == "model":
    watched(_model, "save_arrays")
from deepwell.cli import run
sys.exit(run(sys.argv[2:]))
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
        *("--checkpoints", "all" if scheduler else "3"),
        *SPACE[program],
    ]


@dataclass(frozen=True)
class Suicide:
    """When a process kills itself, from inside: in a record, in a file of states or a model.

    Attributes:
        place: `record`, `states` or `model`; else never.
        nth: the n-th of them.
        delay: seconds from its beginning.
    """

    place: str
    nth: int = 1
    delay: float = 0.0


NEVER = Suicide("")


def start(*given: str, dies: Suicide = NEVER, apart: bool = False) -> subprocess.Popen[str]:
    when = json.dumps([dies.place, dies.nth, dies.delay, apart])
    return subprocess.Popen(
        [sys.executable, "-c", RUNNER, when, *given],
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


def await_moment(process: subprocess.Popen[str], store: Path, seen: Callable[[Path], bool]) -> None:
    """Wait until something can be seen from outside, or the process has ended."""
    while process.poll() is None and not seen(store):
        time.sleep(0.001)


def finished(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Return exit code, output and complaints of a process when it has ended."""
    told, complaints = process.communicate(timeout=120)
    return process.returncode, told, complaints


def run_and_kill(store: Path, fit: list[str], kills: Sequence[Moment | Suicide]) -> int:
    """Run the study to its end through the kills; return how many hit a living process."""
    hits = 0
    for kill in [*kills, None]:
        begun = ask(store, "SELECT count(*) FROM study")
        given = ("resume", NAME, "--store", str(store), "--json") if begun else fit
        process = start(*given, dies=kill if isinstance(kill, Suicide) else NEVER)
        if isinstance(kill, Moment):
            await_moment(process, store, kill.seen)
            time.sleep(kill.delay)
            process.send_signal(signal.SIGKILL)
        code, told, complaints = finished(process)
        if kill is not None and code == -signal.SIGKILL:
            hits += 1
            continue
        assert code == 0, told + complaints
        if kill is None or json.loads(told)["stopped"] == "":
            break
    return hits


def contents(store: Path, name: str = NAME) -> dict[str, Any]:
    """Return all that a study left, its name, times and the account of kills apart."""
    with open_store(store, create=False) as opened:
        record = opened.study(name)
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
        left = opened.checkpoint(record.id)
        kept = [(s, opened.states.read(s)["epoch"]) for s in opened.states.of(record.id)]
    for details in events["plan"]:
        details["facts"]["seconds"] = 0.0  # type: ignore[index]
    return {
        "status": record.status,
        "trials": [replace(t, curves={}) for t in trials],
        "probes": [(p.trial, p.epoch, p.step, p.weights.tobytes()) for p in probes],
        "curves": [{k: c.tobytes() for k, c in t.curves.items()} for t in trials],
        "result": replace(
            result,
            name="",
            findings=tuple(replace(f, command="") for f in result.findings),
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
        "checkpoint": left,
        "files": {
            str(f.relative_to(store / name)): _unnamed(f, name)
            for f in sorted((store / name).rglob("*"))
            if f.is_file() and f.name not in ("report.txt", "study.toml")
        },
        "kept": kept,
        "vault": [f.read_bytes() for f in sorted((store / "vault").iterdir())],
        "texts": [(store / name / text).exists() for text in ("report.txt", "study.toml")],
    }


def _unnamed(file: Path, name: str) -> bytes:
    """Return a file's content without the study's name."""
    content = file.read_bytes()
    return content.replace(f'"{name}"'.encode(), b'""') if file.suffix == ".json" else content


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


def write_table(file: Path) -> None:
    """Write a small table of two classes."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(160, 4)).round(3)
    y = (x[:, 0] + 0.3 * rng.normal(size=160) > 0).astype(int)
    rows = [",".join(map(str, [*row, label])) for row, label in zip(x, y, strict=True)]
    file.write_text("\n".join(["a,b,c,d,y", *rows]) + "\n")
