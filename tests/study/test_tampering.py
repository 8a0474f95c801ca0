"""What was done to the vault, its ledger or a model afterwards is found, and said everywhere."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import deepwell as dw
from deepwell.cli import run
from deepwell.records import Estimate, Opening
from deepwell.report._json import fit_json, opening_json
from deepwell.report._terminal import study_lines
from deepwell.storage import open_store
from deepwell.storage._ledger import FIRST_HASH
from deepwell.study import _test_mark

FIXED = {"hidden_units": 4, "hidden_layers": 1, "batch_size": 32, "learning_rate": 0.05}


def rows(seed: int = 0, shared: int = 0) -> dict[str, np.ndarray]:
    """Return 120 rows; the first ones of every seed are the same where some are shared."""
    drawn = [np.random.default_rng(s).normal(size=(120, 3)).round(4) for s in (0, seed)]
    x = np.concatenate([drawn[0][:shared], drawn[1][shared:]])
    return {f"c{i}": x[:, i] for i in range(3)} | {"y": np.where(x[:, 0] > 0, "yes", "no")}


def fit(store: Path, name: str = "mine", seed: int = 0, shared: int = 0, split: int = 1) -> None:
    data = dw.load(rows(seed, shared), target="y", seed=split, vault=store.parent / "sealed")
    dw.Study(data, FIXED, name=name, store=store).run(trials=1, epochs=2)


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a study, and beside it a copy of its database from before the opening."""
    folder = tmp_path_factory.mktemp("untouched") / "store"
    fit(folder)
    with contextlib.closing(sqlite3.connect(folder / "store.db")) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copy(folder / "store.db", folder.parent / "older.db")
    dw.open_study("mine", folder).open_test()
    return folder


@pytest.fixture
def store(untouched: Path, tmp_path: Path) -> Path:
    shutil.copytree(untouched, tmp_path / "store")
    shutil.copy(untouched.parent / "older.db", tmp_path / "older.db")
    return tmp_path / "store"


@pytest.fixture
def deepwell(store: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    def call(*words: str) -> tuple[int, str]:
        code = run([*words, "--store", str(store)])
        told = capsys.readouterr()
        return code, " ".join((told.out + told.err).split())

    return call


@contextlib.contextmanager
def database(store: Path) -> Iterator[sqlite3.Connection]:
    with contextlib.closing(sqlite3.connect(store / "store.db")) as db, db:
        yield db


def touch_up(store: Path) -> None:
    with database(store) as db:
        db.execute("UPDATE opening SET value = 0.001")


def remove_last(store: Path) -> None:
    with database(store) as db:
        db.execute("DELETE FROM opening")


def remove_last_and_make_it_fit(store: Path) -> None:
    with database(store) as db:
        db.execute("DELETE FROM opening")
        db.execute("UPDATE ledger_head SET length = 0, hash = ?", [FIRST_HASH])


def put_an_older_copy_back(store: Path) -> None:
    for file in store.glob("store.db*"):
        file.unlink()
    shutil.copy(store.parent / "older.db", store / "store.db")


BROKEN = "tampered with"
GONE = "the vault remembers an opening of test sets that the ledger does not have"
ATTACKS = {
    touch_up: BROKEN,
    remove_last: BROKEN,
    remove_last_and_make_it_fit: GONE,
    put_an_older_copy_back: GONE,
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_ledger_that_does_not_hold_is_told_everywhere(
    attack: Callable[[Path], None], store: Path, deepwell: Callable[..., tuple[int, str]]
) -> None:
    study, says = dw.open_study("mine", store), ATTACKS[attack]
    assert study.result.ledger == ""
    assert deepwell("verify", "mine")[0] == 0
    attack(store)
    result = study.result
    assert says in result.ledger
    for text in (" ".join("\n".join(study_lines(result)).split()), study.report_text()):
        assert says in " ".join(text.split())
        assert "is an unbiased estimate" not in text
    told = fit_json(result)
    assert told["ledger"]["intact"] is False
    assert says in told["ledger"]["problem"]
    for words in (("show", "mine"), ("report", "mine"), ("show", "mine", "--json")):
        code, said = deepwell(*words)
        assert (code, says in said) == (0, True), words
    for words in (("verify", "mine"), ("doctor",), ("verify", "mine", "--json")):
        code, said = deepwell(*words)
        assert (code, says in said) == (1, True), words


@pytest.mark.parametrize("attack", [touch_up, remove_last])
def test_a_broken_ledger_is_not_added_to(
    attack: Callable[[Path], None], store: Path, deepwell: Callable[..., tuple[int, str]]
) -> None:
    attack(store)
    before = dw.open_study("mine", store).openings()
    code, said = deepwell("test", "mine")
    assert (code, BROKEN in said) == (1, True)
    assert dw.open_study("mine", store).openings() == before


@pytest.mark.parametrize("attack", [remove_last_and_make_it_fit, put_an_older_copy_back])
def test_openings_that_are_gone_still_count(
    attack: Callable[[Path], None], store: Path, deepwell: Callable[..., tuple[int, str]]
) -> None:
    attack(store)
    code, said = deepwell("test", "mine")
    assert code == 0
    assert GONE in said
    assert "is an unbiased estimate" not in said
    study = dw.open_study("mine", store)
    (opening,) = study.openings()
    assert (opening.number, opening.clean, opening.unbiased) == (2, False, False)
    code, said = deepwell("test", "mine", "--json")
    told = json.loads(said)
    assert (told["openings"], told["unbiased"]) == (3, False)
    assert GONE in told["ledger_problem"]


def test_of_a_whole_folder_that_was_put_back_nothing_can_be_known(store: Path) -> None:
    """As docs/vault.md says: all that remembers the opening was put back with it."""
    put_an_older_copy_back(store)
    (store / "vault" / "store.db.openings").unlink()
    study = dw.open_study("mine", store)
    assert study.result.ledger == ""
    assert study.openings() == ()


@pytest.mark.parametrize("damage", ["changed", "cut", "gone"])
def test_sealed_rows_that_are_not_as_they_were_are_not_opened(
    damage: str, store: Path, deepwell: Callable[..., tuple[int, str]]
) -> None:
    (file,) = (store / "vault").glob("*.parquet")
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.unlink() if damage == "gone" else file.write_bytes(
        content if damage == "changed" else content[:-9]
    )
    says = "is missing" if damage == "gone" else "was changed after it was sealed"
    before = dw.open_study("mine", store).openings()
    code, said = deepwell("test", "mine")
    assert (code, says in said) == (2, True)
    assert dw.open_study("mine", store).openings() == before
    code, said = deepwell("verify", "mine")
    assert (code, says in said) == (1, True)


@pytest.mark.parametrize("place", [-1, 200])
def test_weights_that_are_not_as_they_were_make_no_model(
    place: int, store: Path, deepwell: Callable[..., tuple[int, str]]
) -> None:
    file = store / "mine" / "model" / "model.safetensors"
    content = bytearray(file.read_bytes())
    content[place] ^= 1
    file.write_bytes(content)
    with pytest.raises(dw.UsageError, match=r"damaged|does not hold the weights that model\.json"):
        dw.load_model(store / "mine" / "model")
    assert deepwell("verify", "mine")[0] == 1


@pytest.mark.parametrize("gone", ["", "model.json", "model.safetensors"])
def test_a_model_that_is_gone_is_told(
    gone: str, store: Path, deepwell: Callable[..., tuple[int, str]]
) -> None:
    place = store / "mine" / "model"
    if gone:
        (place / gone).unlink()
    else:
        shutil.rmtree(place)
    told = {part.name: part for part in dw.verify("mine", store)}
    assert [name for name, part in told.items() if not part.ok] == ["model"]
    assert told["model"].told.isprintable()
    says = "no file" if gone == "model.safetensors" else "there is none in"
    code, said = deepwell("verify", "mine")
    assert (code, says in said) == (1, True)


def test_a_study_without_a_result_needs_no_model(tmp_path: Path) -> None:
    with open_store(tmp_path) as opened:
        opened.create_study("begun", {"vault": None})
    told = dw.verify("begun", tmp_path)
    assert [(part.name, part.ok) for part in told] == [
        *(("ledger", True), ("test rows", True), ("states", True)),
    ]
    assert run(["verify", "begun", "--store", str(tmp_path)]) == 0


def test_a_model_says_what_its_test_score_is_worth(store: Path) -> None:
    study = dw.open_study("mine", store)
    (opening,) = study.openings()
    told = study.model().about["test"]
    assert (told["value"], told["number"], told["unbiased"]) == (opening.test.value, 1, True)
    study.open_test()
    told = study.model().about["test"]
    assert (told["number"], told["unbiased"]) == (2, False)
    data = dw.load(rows(), target="y", seed=1, vault=None)
    study.calibrate(data=data)
    assert "test" not in study.model().about  # which scored a model that decided otherwise


def test_a_contaminated_test_set_is_marked_wherever_its_score_is_shown(store: Path) -> None:
    """Half of the rows of the new study were rows of an earlier one, split otherwise."""
    fit(store, "next", seed=7, shared=60, split=3)
    study = dw.open_study("next", store)
    openings = study.open_test()
    result = study.result
    (opening,) = openings
    notes = " ".join(opening.notes)
    assert "among the train rows of study mine" in notes
    assert (opening.number, opening.unbiased) == (1, False)
    for text in ("\n".join(study_lines(result)), study.report_text()):
        said = " ".join(text.split())
        assert "among the train rows of study mine" in said
        assert "but mind" in said
        assert "is an unbiased estimate" not in said
    (plain,) = fit_json(result)["openings"]
    assert (plain["unbiased"], plain["notes"]) == (False, list(opening.notes))
    told = opening_json(result, openings)
    assert told["unbiased"] is False
    assert told["findings"]
    for finding in told["findings"]:
        assert "had been seen before" in finding["detail"]
        assert finding["evidence"]["unbiased"] is False
    about = study.model().about["test"]
    assert (about["unbiased"], about["notes"]) == (False, list(opening.notes))
    kept = (store / "next" / "report.txt").read_text()
    assert "among the train rows of study mine" in " ".join(kept.split())


@pytest.mark.parametrize("attack", [remove_last_and_make_it_fit, put_an_older_copy_back])
def test_a_copy_takes_openings_along_that_are_gone(
    attack: Callable[[Path], None], store: Path
) -> None:
    """What this store's vault remembers and its ledger has not, the other's vault remembers."""
    attack(store)
    team = store.parent / "team"
    dw.copy_study("mine", team, store=store)
    copied = dw.open_study("mine", team)
    assert copied.openings() == ()
    assert GONE in copied.result.ledger
    (opening,) = copied.open_test()
    assert (opening.number, opening.unbiased) == (2, False)
    assert any(GONE in note for note in opening.notes)


def test_an_opening_that_only_this_store_has_lost_is_not_lost_there(store: Path) -> None:
    team = store.parent / "team"
    with open_store(team) as opened:  # in whose ledger it has another place
        other = Opening(0.0, "other", 0, "error", Estimate(0.3, 0.2, 0.4), 0)
        opened.ledger.append("e" * 64, other, "0" * 64)
    dw.copy_study("mine", team, store=store)
    put_an_older_copy_back(store)
    dw.copy_study("mine", team, store=store)
    assert dw.open_study("mine-2", team).result.ledger == ""
    assert [o.number for o in dw.open_study("mine-2", team).open_test()] == [1, 2]


def test_the_same_rows_sealed_as_other_bytes_lie_beside_those_of_the_first_study(
    store: Path, tmp_path: Path
) -> None:
    (first,) = (store / "vault").glob("*.parquet")
    before = first.read_bytes()
    turned = dict(reversed(rows().items()))  # of the same content, by design
    data = dw.load(turned, target="y", seed=1, vault=tmp_path / "elsewhere")
    assert data.vault is not None
    assert data.vault.fingerprint == first.stem
    dw.Study(data, FIXED, name="turned", store=store).run(trials=1, epochs=2)
    other = store / "vault" / f"{first.stem}-{data.vault.sha256[:12]}.parquet"
    assert sorted((store / "vault").glob("*.parquet")) == sorted([first, other])
    assert first.read_bytes() == before
    for name in ("mine", "turned"):
        assert [part.told for part in dw.verify(name, store) if not part.ok] == []
    *_, again = dw.open_study("turned", store).open_test()
    assert again.number == 2


KILLED = """
import os, signal, sys
import deepwell as dw
from deepwell.storage._ledger import Ledger
from deepwell.study import _open_test
def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)
store, moment = sys.argv[1:]
if moment == "before":
    Ledger.append = die
else:
    _open_test.mark_model = die
dw.open_study("mine", store).open_test()
"""


def kill_opening(store: Path, moment: str) -> Path:
    """Open the test set again, killed before or after the ledger has it; return the model."""
    command = [sys.executable, "-c", KILLED, str(store), moment]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    model = store / "mine" / "model"
    assert described(model)["number"] == 1
    return model


def described(model: Path) -> dict[str, Any]:
    return json.loads((model / "model.json").read_text())["about"]["test"]


def read_copied(store: Path) -> dw.Model:
    dw.copy_study("mine", store.parent / "team", store=store)
    return dw.load_model(store.parent / "team" / "mine")


READERS: dict[str, Callable[[Path], dw.Model]] = {
    "by its path": lambda store: dw.load_model(store / "mine" / "model"),
    "by the study": lambda store: dw.open_study("mine", store).model(),
    "by the study's name": lambda store: dw.load_model("mine", store),
    "in a copy": read_copied,
}


@pytest.mark.parametrize("way", READERS)
def test_a_kill_after_the_ledger_takes_no_mark_from_the_model(way: str, store: Path) -> None:
    model = kill_opening(store, "after")
    read = READERS[way](store)
    assert (read.about["test"]["number"], read.about["test"]["unbiased"]) == (2, False)
    if way != "in a copy":
        *_, second = dw.open_study("mine", store).openings()
        told = described(model)
        assert (told["opened"], told["value"]) == (second.time, second.test.value)
        assert sorted(p.name for p in model.iterdir()) == ["model.json", "model.safetensors"]


def test_a_kill_before_the_ledger_marks_nothing(store: Path) -> None:
    model = kill_opening(store, "before")
    note = model / ".opening"
    assert dw.load_model(model).about["test"]["number"] == 1
    assert note.exists()  # the opening may be just under way
    os.utime(note, (0.0, 0.0))
    assert dw.load_model(model).about["test"]["number"] == 1
    assert not note.exists()
    assert [o.number for o in dw.open_study("mine", store).open_test()] == [1, 2]
    assert described(model)["number"] == 2


@pytest.mark.parametrize("told", [b"", b"[]", b"{}", b'{"database": "../store.db"}', b"\xff"])
def test_a_note_of_an_opening_that_says_nothing_hinders_nobody(told: bytes, store: Path) -> None:
    model = store / "mine" / "model"
    (model / ".opening").write_bytes(told)
    assert dw.load_model(model).about["test"]["number"] == 1


def test_a_model_that_nobody_may_write_is_read_all_the_same(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = kill_opening(store, "after")

    def refuse(*_: object) -> None:
        raise dw.UsageError("no permission to write")

    with monkeypatch.context() as patch:
        patch.setattr(_test_mark, "write_atomic", refuse)
        assert dw.load_model(model).about["test"]["number"] == 1
    assert dw.load_model(model).about["test"]["number"] == 2


def test_a_store_that_knows_no_such_opening_removes_no_note(store: Path) -> None:
    """As the default one, where the model lies apart from its own."""
    model = kill_opening(store, "after")
    apart = store.parent / "apart"
    shutil.copytree(model, apart)
    os.utime(apart / ".opening", (0.0, 0.0))
    with open_store(f"sqlite:///{store.parent / 'other.db'}"):
        pass
    dw.load_model(apart, f"sqlite:///{store.parent / 'other.db'}")
    assert (apart / ".opening").exists()
    assert dw.load_model(apart, store).about["test"]["number"] == 2
