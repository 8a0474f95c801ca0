"""A backup from before a rename, put back: records follow the folders."""

import json
from pathlib import Path

import pytest

from deepwell._base._errors import UsageError
from deepwell.cli import run
from deepwell.storage import Store, open_store
from deepwell.storage import _moves as moves
from deepwell.storage._restore import Restored, restore


def begun(store: Store, *names: str) -> None:
    """Studies with an outcome, and folders that say whose they are."""
    for name in names:
        study = store.create_study(name, {})
        told = {"name": name, "findings": [{"command": f"deepwell test {name}"}]}
        store.save_result(study.id, told)
        (store.folder / name).mkdir()
        (store.folder / name / "whose").write_text(str(study.id))


def renamed(store: Store, old: str, new: str) -> None:
    store.removal.rename(store.study(old), new, {"name": new, "findings": []})


def damage(folder: Path) -> None:
    file = folder / "store.db"
    file.write_bytes(file.read_bytes()[:-1])


def found(folder: Path) -> dict[str, int]:
    """Name -> id of the studies; whose folder it is must agree."""
    with open_store(folder, create=False) as store:
        for study in store.studies():
            assert (folder / study.name / "whose").read_text() == str(study.id)
            told = store.result(study.id)
            assert told is not None
            assert told["name"] == study.name
            assert [f["command"] for f in told["findings"]] == [f"deepwell test {study.name}"]
        return {study.name: study.id for study in store.studies()}


def test_a_backup_from_before_a_rename_has_the_name_of_the_folder(tmp_path: Path):
    with open_store(tmp_path) as store:
        begun(store, "churn", "other")
        store.back_up(at_once=True)
        renamed(store, "churn", "wine")
        renamed(store, "wine", "Grapes")
    damage(tmp_path)
    done = restore(tmp_path)
    assert (done.renamed, done.missing) == ((("churn", "Grapes"),), ())
    assert found(tmp_path) == {"Grapes": 1, "other": 2}
    with open_store(tmp_path, create=False) as store:
        assert store.create_study("churn", {}).name == "churn"


def test_names_that_were_exchanged_since_are_exchanged_again(tmp_path: Path):
    with open_store(tmp_path) as store:
        begun(store, "churn", "wine")
        store.back_up(at_once=True)
        for old, new in (("churn", "third"), ("wine", "churn"), ("third", "wine")):
            renamed(store, old, new)
    damage(tmp_path)
    assert restore(tmp_path).renamed == (("churn", "wine"), ("wine", "churn"))
    assert found(tmp_path) == {"wine": 1, "churn": 2}


def test_a_name_that_was_free_when_it_was_taken_stays_with_its_folder(tmp_path: Path):
    """In the backup another study has it, which was removed since."""
    with open_store(tmp_path) as store:
        begun(store, "churn", "wine")
        store.back_up(at_once=True)
        store.removal.delete([1])
        store.removal.purge(1)
        renamed(store, "wine", "churn")
    damage(tmp_path)
    done = restore(tmp_path)
    assert done.renamed == (("wine", "churn"), ("churn", "churn-2"))
    assert done.missing == ("churn-2",)
    with open_store(tmp_path, create=False) as store:
        assert {s.name: s.id for s in store.studies()} == {"churn": 2, "churn-2": 1}


def test_a_study_that_was_begun_since_keeps_its_folder(tmp_path: Path):
    """It took the name that another one had until then."""
    with open_store(tmp_path) as store:
        begun(store, "churn")
        store.back_up(at_once=True)
        renamed(store, "churn", "wine")
        begun(store, "churn")
    damage(tmp_path)
    assert restore(tmp_path).renamed == (("churn", "wine"),)
    assert found(tmp_path) == {"wine": 1}
    assert (tmp_path / "churn" / "whose").read_text() == "2"


def put_back(folder: Path, sign: bytes | None, *, copied: bool = False) -> Restored:
    """Rename a study whose folder then says another thing, and restore."""
    with open_store(folder) as store:
        begun(store, "churn")
        store.back_up(at_once=True)
        renamed(store, "churn", "wine")
    file = folder / "wine" / ".study"
    if sign is None:
        file.unlink()
    elif sign:
        file.write_bytes(sign)
    if copied:
        (folder / "copy").mkdir()
        (folder / "copy" / ".study").write_bytes(file.read_bytes())
    damage(folder)
    return restore(folder)


SIGNS = [None, b"[]", b"{}", b"\xff", b'{"database": "store.db", "study": 1e999, "created": 0}']


@pytest.mark.parametrize("sign", SIGNS)
def test_a_folder_that_does_not_say_whose_it_is_is_told(sign: bytes | None, tmp_path: Path):
    """As one that an older Deepwell renamed."""
    done = put_back(tmp_path, sign)
    assert (done.renamed, done.missing) == ((), ("churn",))
    (tmp_path / "wine").rename(tmp_path / "churn")
    assert found(tmp_path) == {"churn": 1}


def test_two_folders_of_one_study_decide_nothing(tmp_path: Path):
    done = put_back(tmp_path, b"", copied=True)
    assert (done.renamed, done.missing) == ((), ("churn",))


@pytest.mark.parametrize("other", [{"database": "team.db"}, {"study": 2}, {"created": 1.0}])
def test_the_folder_of_another_study_is_not_followed(other: dict[str, object], tmp_path: Path):
    with open_store(tmp_path) as store:
        begun(store, "churn")
        told = {"database": "store.db", "study": 1, "created": store.study("churn").created}
        store.back_up(at_once=True)
    (tmp_path / "wine").mkdir()
    (tmp_path / "wine" / ".study").write_text(json.dumps({**told, **other}))
    (tmp_path / "churn").rename(tmp_path / "away")
    damage(tmp_path)
    done = restore(tmp_path)
    assert (done.renamed, done.missing) == ((), ("churn",))


def test_a_folder_that_cannot_be_signed_is_not_renamed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def refuse(*_: object) -> None:
        raise UsageError("the disk is full")

    with open_store(tmp_path) as store:
        begun(store, "churn")
        monkeypatch.setattr(moves, "sign", refuse)
        with pytest.raises(UsageError, match="disk is full"):
            renamed(store, "churn", "wine")
    assert found(tmp_path) == {"churn": 1}


@pytest.mark.parametrize("as_json", [False, True])
def test_the_command_says_what_has_another_name_and_what_is_missing(
    as_json: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    with open_store(tmp_path) as store:
        begun(store, "churn", "other")
        store.back_up(at_once=True)
        renamed(store, "churn", "wine")
    (tmp_path / "other").rename(tmp_path / "away")
    damage(tmp_path)
    command = ["restore", "--store", str(tmp_path)]
    assert run([*command, "--json"] if as_json else command) == 0
    out = capsys.readouterr().out
    if as_json:
        told = json.loads(out)
        assert (told["renamed"], told["missing"]) == ([{"from": "churn", "to": "wine"}], ["other"])
    else:
        said = " ".join(out.split())
        assert "study churn of the backup is called wine now" in said
        assert "study other has no folder: where it was renamed since the backup, give" in said
