"""Whole studies on a server, and on a store that was put back from its backup."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benchmarks.store.server import PASSWORD, PostgresqlServer

import deepwell as dw
from deepwell.cli import run as run_command
from deepwell.storage import Store, open_store
from deepwell.storage._backup import backups_of
from deepwell.storage._open import FOLDER_VARIABLE
from deepwell.study import _open_test

SPACE = {
    "learning_rate": dw.log(1e-3, 1e-1),
    "hidden_units": dw.integer(3, 9),
    "hidden_layers": 1,
    "batch_size": 16,
}
WORK = {"trials": 6, "epochs": 9}


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rng = np.random.default_rng(5)
    x = rng.normal(size=(120, 3)).round(3)
    y = (x[:, 0] + 0.3 * rng.normal(size=120) > 0).astype(int)
    file = tmp_path_factory.mktemp("table") / "t.csv"
    rows = [",".join(map(str, [*row, label])) for row, label in zip(x, y, strict=True)]
    file.write_text("\n".join(["a,b,c,y", *rows]) + "\n")
    return file


@pytest.fixture
def url(postgresql: PostgresqlServer, tmp_path: Path) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(FOLDER_VARIABLE, str(tmp_path / "files"))
        yield postgresql.empty_database("studies")


def study(table: Path, store: object, **options: Any) -> dw.Study:
    data = dw.load(table, target="y")
    return dw.Study(data, SPACE, name="mine", store=store, seed=1, program="native", **options)


def recorded(where: object) -> list[Any]:
    with open_store(where) as store:  # type: ignore[arg-type]
        trials = store.trials(store.study("mine").id, curves=True)
    return [
        (replace(t, curves={}), {k: c.tobytes() for k, c in sorted(t.curves.items())})
        for t in trials
    ]


def test_a_study_is_the_same_on_a_server(table: Path, url: str, tmp_path: Path):
    on_disk = study(table, tmp_path / "disk").run(**WORK)
    on_server = study(table, url).run(**WORK)
    assert recorded(url) == recorded(tmp_path / "disk")
    assert on_server.dev == on_disk.dev
    names = {p.name for p in (tmp_path / "files").iterdir() if not p.name.startswith(".")}
    assert names == {"mine", "vault"}  # the records are elsewhere
    server, disk = (dw.open_study("mine", store=place) for place in (url, tmp_path / "disk"))
    assert server.open_test()[0].test == disk.open_test()[0].test
    with open_store(url) as store:
        store.ledger.verify()


def test_a_mark_that_a_kill_left_out_is_made_up_on_a_server(
    table: Path, url: str, monkeypatch: pytest.MonkeyPatch
):
    study(table, url).run(trials=2, epochs=2)

    def die(*_: object) -> None:
        raise SystemExit

    monkeypatch.setattr(_open_test, "mark_model", die)
    with pytest.raises(SystemExit):
        dw.open_study("mine", store=url).open_test()
    (opening,) = dw.open_study("mine", store=url).openings()
    told = dw.open_study("mine", store=url).model().about["test"]
    assert (told["opened"], told["number"]) == (opening.time, 1)


KILLED = """
import os, signal, sys
from deepwell.storage._store import Store
real, calls = Store.record_chunk, [0]
def record(self, *given, **named):
    real(self, *given, **named)
    calls[0] += 1
    if calls[0] == 4:
        os.kill(os.getpid(), signal.SIGKILL)
Store.record_chunk = record
from deepwell.cli import run
sys.exit(run(sys.argv[1:]))
"""


def test_a_killed_study_goes_on_on_a_server(
    table: Path, url: str, postgresql: PostgresqlServer, tmp_path: Path
):
    words = [
        *("fit", str(table), "--target", "y", "--name", "mine", "--seed", "1", "--json"),
        *("--trials", "6", "--epochs", "9", "--hidden-layers", "1", "--hidden-units", "5"),
        *("--program", "native"),
    ]
    environment = {**os.environ, "PGPASSWORD": PASSWORD}
    port = postgresql.url_of_port("studies", "")
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, *words, "--store", port],
        env=environment,
        capture_output=True,
    )
    assert killed.returncode == -signal.SIGKILL
    with open_store(url) as store:
        assert {t.epochs for t in store.trials(store.study("mine").id)} == {4}
    assert run_command(["resume", "mine", "--store", url, "--json"]) == 0
    assert run_command([*words, "--store", str(tmp_path / "disk")]) == 0
    assert recorded(url) == recorded(tmp_path / "disk")


def test_commands_that_are_shown_hold_no_password(
    table: Path, url: str, postgresql: PostgresqlServer, capsys: pytest.CaptureFixture[str]
):
    place = postgresql.url_of_port("studies")
    assert PASSWORD in place
    words = ("--target", "y", "--trials", "2", "--epochs", "2", "--name", "mine")
    assert run_command(["fit", str(table), *words, "--store", place]) == 0
    told = capsys.readouterr()
    assert f"--store {place.replace(':' + PASSWORD, '')}" in told.out
    for command in (["show", "mine"], ["list"], ["doctor"], ["diagnose", "mine"]):
        assert run_command([*command, "--store", place]) == 0
        told_now = capsys.readouterr()
        told = told._replace(out=told.out + told_now.out, err=told.err + told_now.err)
    assert PASSWORD not in told.out + told.err
    with open_store(url) as store:
        assert PASSWORD not in json.dumps(store.study("mine").config)


def test_a_study_goes_on_from_a_backup_and_ends_the_same(
    table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    """With rounds: the backup is of the end of the first one."""
    place = tmp_path / "store"
    options = {"trials": 25, "epochs": 3}
    for where in (tmp_path / "undisturbed", place):
        study(table, where, search="coarse-to-fine").run(**options)
    expected = recorded(tmp_path / "undisturbed")
    made = backups_of(place / "store.db")
    assert len(made) > 1  # one a round, as time allows, and one at the end
    with open_store(f"sqlite:///{made[-1].file}") as earlier:
        assert 0 < len(earlier.trials(1)) < len(expected)
    for newer in made[:-1]:
        newer.file.unlink()
    with (place / "store.db").open("r+b") as cut:
        cut.truncate(10_000)
    assert run_command(["show", "mine", "--store", str(place)]) == 1
    assert f"deepwell restore --store {place}" in capsys.readouterr().err
    assert run_command(["restore", "--store", str(place)]) == 0
    told = capsys.readouterr().out
    assert "restored" in told
    assert "store-damaged-" in told
    assert run_command(["restore", "--store", str(place), "--json"]) == 2
    dw.resume("mine", store=place)
    assert recorded(place) == expected


def test_backups_that_fail_take_nothing_from_a_study(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def fail(*_: object, **__: object) -> None:
        raise dw.UsageError("the disk is full")

    monkeypatch.setattr(Store, "back_up", fail)
    study(table, tmp_path).run(trials=2, epochs=2)
    assert [trial.epochs for trial, _ in recorded(tmp_path)] == [2, 2]
    assert not (tmp_path / "backups").exists()
