import hashlib
import json
import math
import time
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepwell._base._errors import StudyError
from deepwell.records import Estimate, Opening
from deepwell.storage import Store, open_store
from deepwell.storage._schema import OPENING
from deepwell.storage._witness import Witnessed


def opening(study: str = "churn", value: float = 0.2) -> Opening:
    test = Estimate(value, value - 0.1, value + 0.1)
    return Opening(0.0, study, 3, "error", test, 0, ("19 test rows were train rows of old",))


def test_openings_are_counted_by_test_set(store: Store):
    before = time.time()
    first = store.ledger.append("a" * 64, opening(), "m1")
    other = store.ledger.append("b" * 64, opening("digits"), "m2")
    second = store.ledger.append("a" * 64, opening(value=0.3), "m3")
    assert (first.number, other.number, second.number) == (1, 1, 2)
    assert before <= first.time <= second.time <= time.time()
    assert first == replace(opening(), time=first.time, number=1)
    assert store.ledger.openings("a" * 64) == [first, second]
    assert store.ledger.openings("b" * 64) == [other]
    assert store.ledger.openings("' OR 1=1 --") == []
    store.ledger.verify()


def test_empty_ledger_holds(store: Store):
    store.ledger.verify()
    assert store.ledger.openings("a" * 64) == []


def test_ledger_goes_on_in_the_next_session(store: Store, where: str):
    first = store.ledger.append("a" * 64, opening(), "m1")
    store.close()
    with open_store(where) as again:
        second = again.ledger.append("a" * 64, opening(), "m1")
        assert again.ledger.openings("a" * 64) == [first, second]
        again.ledger.verify()


@pytest.mark.parametrize(
    "column",
    [
        *("fingerprint", "time", "study", "study_id", "trial", "metric", "value", "low", "high"),
        *("number", "notes", "model_hash", "previous", "hash"),
    ],
)
def test_any_changed_value_is_found(store: Store, column: str):
    store.create_study("churn", {})
    for _ in range(3):
        store.ledger.append("a" * 64, opening(), "m")
    with store._database.writing() as connection:
        done = connection.exec_driver_sql(f"UPDATE opening SET {column} = 7 WHERE link = 2")
        assert done.rowcount == 1
    with pytest.raises(StudyError, match=r"tampered with: entry 2 \(study "):
        store.ledger.verify()


@pytest.mark.parametrize(
    ("attack", "entry"),
    [
        ("DELETE FROM opening WHERE link = 1", 1),
        ("DELETE FROM opening WHERE link = 2", 2),
        ("DELETE FROM opening WHERE link = 3", 3),
        ("DELETE FROM opening", 1),
        ("UPDATE opening SET link = 4 WHERE link = 2", 2),
        ("UPDATE opening SET link = 4 WHERE link = 3", 3),
        ("INSERT INTO opening SELECT 4, fingerprint, time, study, study_id, trial, metric, value, "
         "low, high, 4, notes, model_hash, hash, hash FROM opening WHERE link = 3", 4),
        ("UPDATE ledger_head SET length = 2", 4),
        ("DELETE FROM ledger_head", 4),
    ],
)  # fmt: skip
def test_removed_added_and_moved_entries_are_found(store: Store, attack: str, entry: int):
    for _ in range(3):
        store.ledger.append("a" * 64, opening(), "m")
    with store._database.writing() as connection:
        connection.exec_driver_sql(attack)
    with pytest.raises(StudyError, match=f"entry {entry} "):
        store.ledger.verify()


@pytest.mark.parametrize(
    ("changed", "says"), [(1, "entry 2 .*one before it"), (3, "entry 3 changed")]
)
def test_a_changed_entry_with_its_hash_made_anew_is_found(store: Store, changed: int, says: str):
    for _ in range(3):
        store.ledger.append("a" * 64, opening(), "m")
    with store._database.writing() as connection:
        mine = OPENING.c.link == changed
        row = connection.execute(OPENING.select().where(mine)).mappings().one()
        entry = {**row, "value": 0.1}
        del entry["hash"]
        text = json.dumps(entry, sort_keys=True)
        made = hashlib.sha256(text.encode()).hexdigest()
        connection.execute(OPENING.update().where(mine).values(value=0.1, hash=made))
    with pytest.raises(StudyError, match=says):
        store.ledger.verify()


def test_tampering_message_is_harmless(store: Store):
    store.ledger.append("a" * 64, opening("\x1b[2J" + "x" * 500), "m")
    with store._database.writing() as connection:
        connection.exec_driver_sql("UPDATE opening SET value = 0")
    with pytest.raises(StudyError) as caught:
        store.ledger.verify()
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 400


def test_unknown_interval_is_kept(store: Store):
    unknown = replace(opening(), test=Estimate(0.2, math.nan, math.inf))
    store.ledger.append("a", unknown, "m")
    kept = store.ledger.openings("a")[0].test
    assert (kept.value, kept.high) == (0.2, math.inf)
    assert math.isnan(kept.low)
    store.ledger.verify()


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
numbers = st.floats(allow_nan=False)
openings = st.builds(
    Opening,
    time=numbers,
    study=texts,
    trial=st.integers(0, 2**31 - 1),
    metric=texts,
    test=st.builds(Estimate, numbers, numbers, numbers),
    number=st.just(0),
    notes=st.lists(st.text()).map(tuple),
)


@settings(max_examples=40)
@given(openings, texts, texts)
def test_any_opening_comes_back(shared: Store, made: Opening, fingerprint: str, model: str):
    kept = shared.ledger.append(fingerprint, made, model)
    assert kept == replace(made, time=kept.time, number=kept.number)
    assert shared.ledger.openings(fingerprint)[-1] == kept
    assert len(shared.ledger.openings(fingerprint)) == kept.number
    shared.ledger.verify()


def test_the_vault_remembers_what_a_kill_kept_it_from(store: Store):
    """The ledger is written first; a kill before the vault is told is made up for at the next."""
    file = store.folder / "vault" / f"{store._database.backend.name}.openings"
    store.ledger.append("a" * 64, opening(), "m1")
    file.unlink()
    store.ledger.append("b" * 64, opening(), "m2")
    store.ledger.append("a" * 64, opening(), "m3")
    links = [json.loads(line)["link"] for line in file.read_text().splitlines() if line]
    assert links == [2, 1, 3]
    before = file.read_bytes()
    store.ledger.remember("a" * 64)  # which is remembered once
    assert file.read_bytes() == before


def test_an_entry_in_the_place_of_a_lost_one_is_remembered_too(store: Store):
    file = store.folder / "vault" / f"{store._database.backend.name}.openings"
    store.ledger.append("a" * 64, opening(), "m1")
    told = json.loads(file.read_text())
    file.write_text(json.dumps({**told, "hash": "e" * 64}) + "\n")
    store.ledger.remember("a" * 64)
    assert [w.hash for w in store.ledger.missing()] == ["e" * 64]
    assert told["hash"] in file.read_text()


def test_a_line_of_the_vault_that_was_cut_is_none_and_hides_no_other(store: Store):
    file = store.folder / "vault" / f"{store._database.backend.name}.openings"
    for _ in range(3):
        store.ledger.append("a" * 64, opening(), "m")
    whole = file.read_bytes()
    last = whole.rstrip().rfind(b"\n") + 1
    with store._database.writing() as connection:
        connection.exec_driver_sql("DELETE FROM opening")
    for size in range(last, len(whole)):
        file.write_bytes(whole[:size])
        cut = size < len(whole) - 1  # with its brace, a line is whole
        assert [w.link for w in store.ledger.missing()] == ([1, 2] if cut else [1, 2, 3])
    file.write_bytes(whole[: last + 9])
    store.ledger.remember_lost([Witnessed(9, "f" * 64, "a" * 64, "later", 1.0)])
    assert [w.link for w in store.ledger.missing()] == [1, 2, 9]


@pytest.mark.parametrize("line", ['{"time": 1e999}', '{"time": -1e300}', "[]", "\x00", "7"])
def test_a_line_of_the_vault_that_is_no_opening_is_none(store: Store, line: str):
    store.ledger.append("a" * 64, opening(), "m")
    file = store.folder / "vault" / f"{store._database.backend.name}.openings"
    told = json.loads(file.read_text())
    if line.startswith("{"):
        line = json.dumps(told | json.loads(line))
    file.write_text(f"{line}\n{json.dumps(told)}\n")
    assert store.ledger.problem() == ""
    with store._database.writing() as connection:
        connection.exec_driver_sql("DELETE FROM opening")
    assert [w.link for w in store.ledger.missing()] == [1]
