"""Studies that are kept: compared, copied between stores, removed for good, trained for longer."""

import json
import math
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import deepwell as dw
from deepwell._base._errors import StudyError, UsageError
from deepwell.diagnosis._intervals import wilson
from deepwell.records import Event, Status
from deepwell.storage import Store, StudyRecord, open_store
from deepwell.storage._claim import LeaseHeldError
from deepwell.storage._lease import leased
from deepwell.storage._removal import Removal
from deepwell.storage._schema import METADATA
from deepwell.study import _copy_study
from deepwell.study._compare import compare
from deepwell.study._copy_study import copy_study
from deepwell.study._delete import delete_study, restore_study
from deepwell.study._garbage import collect_garbage
from deepwell.study._listing import list_studies
from deepwell.study._model import load_model
from deepwell.study._standing import folder_now
from deepwell.study._study_file_read import read_study_file

SPACE = {"learning_rate": dw.log(1e-3, 1e-1), "hidden_units": dw.integer(3, 6), "batch_size": 16}
FIRST = {"learning_rate": 0.05, "hidden_units": 6}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `small.csv` and a store with the studies `first` and `second` of it."""
    folder = tmp_path_factory.mktemp("made")
    generator = np.random.default_rng(3)
    x = generator.normal(size=(120, 3)).round(3)
    y = np.where(x[:, 0] + 0.4 * generator.normal(size=120) > 0, "yes", "no")
    table = pl.DataFrame({**{f"c{i}": x[:, i] for i in range(3)}, "y": y})
    table.write_csv(folder / "small.csv")
    data = dw.load(folder / "small.csv", target="y", vault=folder / "deepwell" / "vault")
    for name, seed in (("first", 1), ("second", 2)):
        study = dw.Study(data, SPACE, name=name, store=folder / "deepwell", seed=seed)
        study.enqueue(FIRST)
        study.run(trials=4, epochs=4)
    return folder


@pytest.fixture
def store(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made / "deepwell", tmp_path / "deepwell")
    return tmp_path / "deepwell"


def contents(store: Path, name: str) -> dict[str, object]:
    """All that is recorded of a study, without keys."""
    keys = {"id", "study_id", "chunk_id", "name", "folded"}
    with open_store(store) as opened, opened._database.reading() as connection:
        study = opened.study(name).id
        found: dict[str, object] = {}
        for table in METADATA.sorted_tables:
            if "study_id" not in table.c or table.name == "opening":
                continue
            rows = connection.execute(table.select().where(table.c.study_id == study)).mappings()
            found[table.name] = sorted(
                repr([(k, v) for k, v in row.items() if k not in keys]) for row in rows
            )
        curves = [trial.curves for trial in opened.trials(study, curves=True)]
    return {**found, "curves": [{k: v.tolist() for k, v in c.items()} for c in curves]}


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file() and "checkpoint" not in file.parts
    }


# -- compare ----------------------------------------------------------------------------------


def test_studies_of_the_same_rows_are_compared_row_by_row(store: Path):
    found = compare("first", "second", store=store)
    assert [one.name for one in found.compared] == ["first", "second"]
    (contrast,) = found.contrasts
    assert contrast.paired
    assert "on the same 24 dev rows" in contrast.how
    studies = {name: dw.open_study(name, store) for name in ("first", "second")}
    dev = {name: study.result.dev for name, study in studies.items()}
    change = contrast.change
    assert change is not None
    assert change.value == pytest.approx(dev[contrast.name].value - dev[found.best].value)
    assert change.low <= change.value <= change.high
    assert contrast.clear == (change.low > 0)
    assert found.differing["study.seed"] == ("1", "2")
    assert "data.target" not in found.differing
    assert "space.learning_rate" not in found.differing


def test_what_is_the_same_differs_in_nothing(store: Path):
    copy_study("first", store.parent / "team", store=store)
    copy_study("first", store.parent / "team", store=store)
    found = compare("first", "first-2", store=store.parent / "team")
    assert found.differing == {}
    (contrast,) = found.contrasts
    assert contrast.change is not None
    assert (contrast.change.value, contrast.clear) == (0.0, False)


def test_networks_are_compared_as_they_were_trained(store: Path, made: Path):
    """A temperature is fitted on the dev rows, so scores with one and without are not alike."""
    data = dw.load(made / "small.csv", target="y", vault=store / "vault")
    for name, seed in (("mild", 1), ("sure", 2)):
        options = {"name": name, "seed": seed, "metric": "log_loss", "scheduler": "none"}
        dw.Study(data, SPACE, store=store, **options).run(trials=2, epochs=4)
    before = compare("mild", "sure", store=store)
    for name in ("mild", "sure"):
        model = load_model(store / name)
        adjusted = replace(model.adjustments, temperature=9.0 if name == "mild" else 1.0)
        replace(model, adjustments=adjusted).save(store / name / "model")
    after = compare("mild", "sure", store=store)
    assert after.compared == before.compared
    (one,), (other,) = before.contrasts, after.contrasts
    assert other.change == one.change
    assert other.how.removeprefix(one.how).startswith(", of the networks as they were trained")


def test_trials_without_networks_have_the_intervals_of_their_error_rates(store: Path):
    trials = [t for t in dw.open_study("first", store).trials() if math.isfinite(t.score)]
    best = dw.open_study("first", store).result.best_trial
    one, other = [t for t in trials if t.number != best][:2]
    found = compare(f"first/{one.number}", f"first/{other.number}", store=store)
    told = {c.name: c for c in found.compared}[f"first/{one.number}"]
    expected = wilson(one.score * 24, 24)
    assert told.dev == expected
    (contrast,) = found.contrasts
    assert not contrast.paired
    assert "is not kept" in contrast.how
    assert set(found.differing) <= {
        *("network.learning_rate", "network.hidden_units", "network.seed"),
    }


def test_rows_that_cannot_be_read_again_leave_the_wider_interval(store: Path):
    with open_store(store) as opened:
        config = dict(opened.study("first").config)
        config["origin"] = {"source": str(store / "gone.csv"), "options": {}}
        with opened._database.writing() as connection:
            connection.exec_driver_sql(
                "UPDATE study SET config = ? WHERE name = 'first'", (json.dumps(config),)
            )
    (contrast,) = compare("first", "second", store=store).contrasts
    assert not contrast.paired
    assert "could not be read again" in contrast.how
    assert contrast.change is not None


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (("first", "first"), "two or more different"),
        (("first", "secnd"), 'did you mean "second"'),
        (("first", "second/9"), "has the trials 0 to 3, got 9"),
        (("first", "second/x"), "has the trials 0 to 3, got x"),
    ],
)
def test_what_cannot_be_compared_is_said(store: Path, names: tuple[str, ...], told: str):
    with pytest.raises(UsageError, match=told):
        compare(*names, store=store)


# -- copy -------------------------------------------------------------------------------------


def test_a_copy_has_every_record_and_file(store: Path):
    dw.note("first", "a note", 2, store=store)
    dw.tag("first", "keep", store=store)
    other = store.parent / "team"
    assert copy_study("first", other, store=store) == "first"
    before, after = contents(store, "first"), contents(other, "first")
    events = after.pop("event")
    assert isinstance(events, list)
    assert sum("'copy'" in event for event in events) == 1
    assert [e for e in events if "'copy'" not in e] == before.pop("event")
    assert after == before
    assert files(other / "first") == files(store / "first")
    sealed = next((store / "vault").glob("*.parquet")).name
    assert (other / "vault" / sealed).read_bytes() == (store / "vault" / sealed).read_bytes()
    assert (other / "vault" / sealed).stat().st_mode & 0o777 == 0o600
    copied, there = files(other / ".states"), files(store / ".states")
    assert copied
    assert copied.items() < there.items()  # those of `second` stay
    assert [p.name for p in other.iterdir() if p.name.endswith(".tmp")] == []


def test_a_test_set_that_was_opened_is_not_unseen_in_another_store(store: Path):
    (opening,) = dw.open_study("first", store).open_test()
    other = store.parent / "team"
    assert copy_study("second", other, store=store) == "second"
    copied = dw.open_study("second", other)
    (seen,) = copied.openings()
    assert (seen.study, seen.time, seen.test, seen.number) == (
        *("first", opening.time, opening.test, 1),
    )
    with open_store(other) as opened:
        opened.ledger.verify()
    *_, again = copied.open_test()
    assert again.number == 2
    assert any("of study first in the store that it was copied from" in n for n in again.notes)
    copy_study("second", other, store=store)  # what is known already is not entered twice
    assert [o.number for o in dw.open_study("second-2", other).openings()] == [1, 2]


def test_a_study_copied_to_a_taken_name_is_whole_under_the_new_one(store: Path):
    other = store.parent / "team"
    copy_study("first", other, store=store)
    assert copy_study("first", other, store=store) == "first-2"
    assert read_study_file(other / "first-2" / "study.toml").study["name"] == "first-2"
    assert read_study_file(other / "first" / "study.toml").study["name"] == "first"
    assert dw.open_study("first-2", other).result.name == "first-2"
    assert [one.name for one in list_studies(other)] == ["first-2", "first"]


def test_a_copy_goes_on_where_the_study_stood(store: Path):
    other = store.parent / "team"
    copy_study("first", other, store=store)
    here = dw.resume("first", store=store, trials=2)
    there = dw.resume("first", store=other, trials=2)
    assert there.result.best_trial == here.result.best_trial
    assert contents(other, "first")["curves"] == contents(store, "first")["curves"]


def test_what_cannot_be_copied_leaves_nothing_behind(store: Path):
    with pytest.raises(UsageError, match="is in that store"):
        copy_study("first", store, store=store)
    other = store.parent / "team"
    sealed = next((store / "vault").glob("*.parquet"))
    sealed.chmod(0o600)
    sealed.write_bytes(b"x")
    with pytest.raises(UsageError, match="was changed after it was sealed"):
        copy_study("first", other, store=store)
    assert list_studies(other) == []
    assert not (other / "first").exists()


KILLED = """
import os, signal, sys
from deepwell.storage import _moves
from deepwell.storage._copies import Copies
from deepwell.study._copy_study import copy_study
def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)
place, other, moment = sys.argv[1:]
real = Copies.copy_to
def copy_to(*given):
    if moment == "moved":
        _moves.sync_folder = die
    else:
        _moves.Moves.settle = die
    return real(*given)
Copies.copy_to = copy_to
copy_study("first", other, store=place)
"""


@pytest.mark.parametrize("moment", ["moved", "recorded"])
def test_a_copy_that_is_killed_is_whole_or_not_there(store: Path, moment: str):
    other = store.parent / "team"
    command = [sys.executable, "-c", KILLED, str(store), str(other), moment]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    if moment == "moved":
        assert list_studies(other) == []
        (draft,) = other.glob(".*.tmp")
        assert draft.is_dir()
        age(draft)
        assert any(g.path == draft.name for g in collect_garbage(other))
        assert copy_study("first", other, store=store) == "first"
    assert [one.name for one in list_studies(other)] == ["first"]
    assert files(other / "first") == files(store / "first")
    with open_store(other) as opened:
        (copied,) = opened.events(opened.study("first").id, "copy")
    assert copied.details == {"study": "first", "seen": []}
    assert not (other / ".moves").exists()


KILLED_IN_A_PAUSE = """
import os, signal, sys
from deepwell.storage import _copies, _turns
from deepwell.study._copy_study import copy_study
place, other, left = sys.argv[1], sys.argv[2], int(sys.argv[3])
_copies._AT_ONCE, _turns.TURN_SECONDS = 4, 0.0
def pause():
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
_turns.pause = pause
copy_study("first", other, store=place)
"""


@pytest.mark.parametrize("nth", [1, 3, 6])
def test_a_copy_that_is_killed_among_its_records_leaves_what_gc_removes(store: Path, nth: int):
    other = store.parent / "team"
    command = [sys.executable, "-c", KILLED_IN_A_PAUSE, str(store), str(other), str(nth)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert list_studies(other) == list_studies(other, deleted=True) == []
    assert collect_garbage(other) == ()  # it may be at work
    for left in other.rglob("*"):
        age(left)
    with open_store(other) as opened, opened._database.writing() as connection:
        connection.exec_driver_sql("UPDATE study SET created = created - 4000")
    told = collect_garbage(other, dry_run=True)
    assert "a copy of a study that was broken off" in [garbage.what for garbage in told]
    assert {one.what for one in told} <= {one.what for one in collect_garbage(other)}
    with open_store(other) as opened, opened._database.reading() as connection:
        tables = [table for table in METADATA.sorted_tables if table.name != "ledger_head"]
        assert [t.name for t in tables if connection.execute(t.select()).first()] == []
    assert list((other / ".states").rglob("*.safetensors")) == []
    assert copy_study("first", other, store=store) == "first"
    assert contents(other, "first")["curves"] == contents(store, "first")["curves"]


def test_a_study_that_changes_while_it_is_copied_is_not_copied(
    store: Path, monkeypatch: pytest.MonkeyPatch
):
    real = _copy_study._copy_states

    def changed(here: Store, there: Store, record: StudyRecord) -> None:
        real(here, there, record)
        here.append_event(record.id, Event(1.0, "resume"))

    monkeypatch.setattr(_copy_study, "_copy_states", changed)
    other = store.parent / "team"
    with pytest.raises(StudyError, match="was changed while it was copied; copy it again"):
        copy_study("first", other, store=store)
    assert list_studies(other) == []
    assert {p.name for p in other.iterdir() if p.is_dir()} <= {"vault", ".states"}


# -- gc ---------------------------------------------------------------------------------------


def age(path: Path) -> None:
    old = time.time() - 100_000
    os.utime(path, (old, old))


def test_gc_removes_what_nothing_needs_and_says_it_before(store: Path):
    assert collect_garbage(store) == ()
    half = store / "first" / ".0123456789abcdef.tmp"
    half.write_bytes(b"x" * 10)
    orphan = store / "vault" / f"{'a' * 64}.parquet"
    orphan.write_bytes(b"y" * 20)
    left = store / "second" / "checkpoint"
    left.mkdir(exist_ok=True)
    (left / "state.safetensors").write_bytes(b"z" * 30)
    assert [g.bytes for g in collect_garbage(store)] == [30]  # the others may be just being made
    left.mkdir(exist_ok=True)
    (left / "state.safetensors").write_bytes(b"z" * 30)
    age(half)
    age(orphan)
    before = files(store)
    told = collect_garbage(store, dry_run=True)
    assert sorted(g.bytes for g in told) == [10, 20, 30]
    assert files(store) == before
    assert collect_garbage(store) == told
    assert not half.exists()
    assert not orphan.exists()
    assert not (left / "state.safetensors").exists()
    assert dw.open_study("second", store).result.name == "second"
    assert dw.open_study("second", store).open_test()[-1].number == 1


def test_deleted_studies_go_after_thirty_days_and_what_they_saw_stays_known(store: Path):
    dw.open_study("first", store).open_test()
    delete_study("first", "second", store=store)
    assert collect_garbage(store) == ()
    restore_study("second", store=store)
    with open_store(store) as opened, opened._database.writing() as connection:
        old = time.time() - 31 * 86_400
        connection.exec_driver_sql("UPDATE study SET deleted = ? WHERE name = 'first'", (old,))
    (gone,) = collect_garbage(store)
    assert gone.path == "first"
    assert not (store / "first").exists()
    assert list(store.glob(".*.tmp")) == []
    with pytest.raises(UsageError, match="no deleted study"):
        restore_study("first", store=store)
    assert next((store / "vault").glob("*.parquet")).exists()  # second needs it
    second = dw.open_study("second", store)
    assert [o.number for o in second.openings()] == [1]
    *_, again = second.open_test()
    assert again.number == 2
    assert any("among the opened test rows of study first (removed, 1)" in n for n in again.notes)
    with open_store(store) as opened:
        opened.ledger.verify()
        assert opened.create_study("first", {}).name == "first"  # the name is free again


def test_sealed_rows_go_with_the_last_study_that_refers_to_them(store: Path):
    sealed = next((store / "vault").glob("*.parquet"))
    age(sealed)
    delete_study("first", store=store)
    collect_garbage(store, deleted_now=True)
    assert sealed.exists()
    delete_study("second", store=store)
    collect_garbage(store)
    assert sealed.exists()  # it may be brought back
    collect_garbage(store, deleted_now=True)
    assert not sealed.exists()


def leave_room(store: Path, rows: int) -> None:
    with open_store(store) as opened:
        made = opened.create_study("large", {})
        opened.row_hashes.record(made.id, "train", np.arange(rows, dtype=np.uint64))
        opened.delete_empty(made.id)


def test_room_inside_the_database_is_given_back_while_nobody_runs_a_study(store: Path):
    """To do it keeps every other process from writing, for long where the file is large."""
    leave_room(store, 500_000)
    before = (store / "store.db").stat().st_size
    with open_store(store) as opened, at_work(opened):
        assert collect_garbage(store, dry_run=True) == collect_garbage(store) == ()
    (told,) = collect_garbage(store, dry_run=True)
    assert (told.what, told.path) == ("room inside the database", "")
    assert told.bytes > 3_900_000
    assert (store / "store.db").stat().st_size == before
    assert collect_garbage(store) == (told,)
    assert (store / "store.db").stat().st_size <= before - told.bytes
    assert collect_garbage(store) == ()


def test_a_small_part_of_a_database_is_left_to_the_next_study(store: Path):
    with open_store(store) as opened:
        first = opened.study("first")
        opened.row_hashes.record(first.id, "train", np.arange(2_000_000, dtype=np.uint64))
    leave_room(store, 500_000)
    assert collect_garbage(store) == ()


def test_rows_that_were_loaded_and_not_fitted_yet_are_young(made: Path, store: Path):
    """A file of the same rows may be old; the study that is to come needs it."""
    delete_study("first", "second", store=store)
    (sealed,) = (store / "vault").glob("*.parquet")
    age(sealed)
    data = dw.load(made / "small.csv", target="y", vault=store / "vault")
    collect_garbage(store, deleted_now=True)
    age(sealed)  # after an hour in a notebook
    study = dw.Study(data, SPACE, name="third", store=store)
    study.run(trials=1, epochs=1)
    assert time.time() - sealed.stat().st_mtime < 1000.0
    assert dw.open_study("third", store).open_test()[-1].number == 1


def test_a_study_whose_sealed_rows_are_gone_or_changed_does_not_begin(made: Path, store: Path):
    data = dw.load(made / "small.csv", target="y", vault=store / "vault")
    (sealed,) = (store / "vault").glob("*.parquet")
    study = dw.Study(data, SPACE, name="third", store=store)
    sealed.unlink()
    with pytest.raises(UsageError, match="is missing; put it back, or load the data"):
        study.run(trials=1, epochs=1)
    sealed.write_bytes(b"x")
    with pytest.raises(UsageError, match="was changed after it was sealed"):
        study.run(trials=1, epochs=1)
    assert [one.name for one in list_studies(store)] == ["second", "first"]
    assert not (store / "third").exists()


# -- longer -----------------------------------------------------------------------------------


def test_networks_that_trained_to_their_end_train_for_longer_bit_for_bit(store: Path):
    before = dw.open_study("first", store).trials(curves=True)
    finished = dw.resume("first", store=store, epochs=3)
    after = finished.trials(curves=True)
    ended = sorted((t for t in before if t.status is Status.FINISHED), key=lambda t: t.rank_key())
    assert ended
    assert len(after) == 4 + len(ended)
    for old, new in zip(ended, after[4:], strict=True):
        assert new.spec.seed == old.spec.seed
        assert new.spec.whole("epochs") == new.epochs == 7
        for metric, curve in old.curves.items():
            np.testing.assert_array_equal(new.curves[metric][:4], curve)
    (note,) = (n for n in finished.result.search_notes if "more epochs for those" in n)
    assert "3 more epochs" in note
    again = dw.resume("first", store=store, epochs=1, trials=2)  # those of 7 and, again, of 4
    assert {t.spec.whole("epochs") for t in again.trials()} == {4, 5, 7, 8}


def test_a_budget_alone_goes_on_with_a_finished_study(store: Path):
    finished = dw.resume("first", store=store, budget=0.2)
    assert len(finished.trials()) > 4
    assert len(dw.resume("first", store=store).trials()) == len(finished.trials())


def test_epochs_need_a_network_that_reached_its_last(store: Path):
    with open_store(store) as opened, opened._database.writing() as connection:
        connection.exec_driver_sql("UPDATE trial SET status = 'pruned'")
    with pytest.raises(UsageError, match="no network of the study trained to its last epoch"):
        dw.resume("first", store=store, epochs=3)
    with pytest.raises(UsageError, match="`epochs` must be"):
        dw.resume("first", store=store, epochs=0)
    with pytest.raises(UsageError, match="networks beside those"):
        dw.resume("first", store=store, epochs=3, given=[FIRST])


def test_models_of_a_former_choice_are_gone_before_another_one_is_recorded(
    store: Path, monkeypatch: pytest.MonkeyPatch
):
    with open_store(store) as opened:
        first, told = opened.study("first").id, opened.result(opened.study("first").id)
        assert told is not None
        other = next(n for n in range(4) if n != told["best_trial"])
        opened.save_result(first, {**told, "best_trial": other})
    derived = [store / "first" / name for name in ("model-refit", "model-ensemble")]
    for folder in derived:
        folder.mkdir()

    def killed(self: Store, *, at_once: bool = False) -> bool:
        if at_once:
            raise SystemExit
        return False

    monkeypatch.setattr(Store, "back_up", killed)  # which comes right after the outcome
    with pytest.raises(SystemExit):
        dw.resume("first", store=store, trials=1)
    with open_store(store) as opened:
        told = opened.result(first)
        assert told is not None
        assert told["best_trial"] != other
    assert [folder for folder in derived if folder.exists()] == []


def at_work(opened: Store) -> AbstractContextManager[None]:
    return leased(opened, opened.study("first"))


def test_a_study_at_work_is_neither_renamed_deleted_nor_copied(store: Path):
    with open_store(store) as opened, at_work(opened):
        acts = (
            lambda: dw.rename_study("first", "x", store=store),
            lambda: delete_study("first", store=store),
            lambda: copy_study("first", store.parent / "team", store=store),
        )
        for act in acts:
            with pytest.raises(StudyError, match="is being run by"):
                act()


def test_nobody_begins_to_run_a_study_that_is_being_renamed_or_deleted(
    store: Path, monkeypatch: pytest.MonkeyPatch
):
    tried: list[str] = []

    def while_it_is_done(name: str) -> Callable[..., None]:
        real = getattr(Removal, name)

        def act(self: Removal, *given: object) -> None:
            with (
                open_store(store) as other,
                pytest.raises(LeaseHeldError),
                leased(other, other.study("first")),
            ):
                raise AssertionError("begun")
            tried.append(name)
            real(self, *given)

        return act

    for name in ("rename", "delete"):
        monkeypatch.setattr(Removal, name, while_it_is_done(name))
    with pytest.raises(UsageError, match="taken by another study"):
        dw.rename_study("first", "Second", store=store)
    delete_study("first", store=store)
    assert tried == ["rename", "delete"]
    with pytest.raises(UsageError, match="was deleted"):
        dw.resume("first", store=store, trials=1)


def test_what_is_written_late_follows_the_study_s_name(store: Path):
    with open_store(store) as opened:
        record = opened.study("first")
        dw.rename_study("first", "third", store=store)
        assert folder_now(opened, record) == store / "third"
        delete_study("third", store=store)
        with pytest.raises(UsageError, match="study first was deleted meanwhile"):
            folder_now(opened, record)
    assert not (store / "first").exists()
