"""Commands on studies that are kept, on a store of stored studies without training."""

import csv
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from deepwell.records import ChunkRecord, Event, TrialSpec, to_plain
from deepwell.storage import open_store

from .conftest import RESULT, Outcome

Run = Callable[..., Outcome]


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store with the studies churn, finished, and wine, begun; commands find it by default."""
    monkeypatch.chdir(tmp_path)
    with open_store() as store:
        data = {"source": "churn.csv"}
        config = {"metric": "error", "score_scale": 1.0, "data": data, "vault": None}
        for name in ("churn", "wine"):
            made = store.create_study(name, config)
            specs = [(n, TrialSpec({"l2": 0.1 * n}, n)) for n in range(4)]
            store.propose(made.id, specs, Event(1.0, "propose"))
            (store.folder / name / "model").mkdir(parents=True)
        score = np.array([0.5, 0.25, 0.75, 1.0], np.float32)
        metrics = dict.fromkeys(("train_cost", "dev_cost", "dev_score"), score)
        first = store.study("churn")
        steps = np.full(4, 10)
        store.record_chunk(first.id, 0, ChunkRecord(1, np.arange(4), metrics, {}, steps))
        store.save_result(first.id, {**to_plain(RESULT), "name": "churn"})
        store.set_status(first.id, "finished")
    return tmp_path / "deepwell"


def test_list_tells_where_each_study_stands(kept: Path, deepwell: Run):
    told = deepwell("list")
    assert told.code == 0
    header, wine, churn = told.out.splitlines()
    assert header.split()[:1] == ["study"]
    assert wine.split()[0] == "wine"
    assert "interrupted" in wine
    assert "no result yet" in wine
    assert "error 10.0 % [3.0, 26.0]" in churn
    listed = deepwell("list", "--json").json["studies"]
    assert [(s["name"], s["state"], s["networks"]) for s in listed] == [
        *(("wine", "interrupted", 4), ("churn", "finished", 4)),
    ]
    assert listed[1]["dev"] == {"value": 0.1, "low": 0.03, "high": 0.26}


def test_notes_and_tags_are_told_by_list(kept: Path, deepwell: Run):
    assert deepwell("note", "churn", "a first try").code == 0
    assert "trial 1: unstable" in deepwell("note", "churn", "1", "unstable").out
    assert deepwell("tag", "churn", "keep", "paper").out == "tags      keep  paper\n"
    assert deepwell("tag", "churn", "1", "odd", "--json").json == {
        "name": "churn",
        "tags": [{"trial": 1, "name": "odd"}],
    }
    assert deepwell("tag", "churn", "paper", "--remove").out.splitlines() == [
        *("tags      keep", "trial 1   odd"),
    ]
    told = deepwell("list", "--tag", "keep").out
    assert "[keep]" in told
    assert "2 notes" in told
    assert "no study with the tag lost" in deepwell("list", "--tag", "lost").out
    notes = deepwell("note", "churn", "--json").json["notes"]
    assert [(n["trial"], n["text"]) for n in notes] == [(None, "a first try"), (1, "unstable")]
    assert deepwell("note", "churn", "--remove", str(notes[0]["id"])).code == 0
    assert len(deepwell("note", "churn", "--json").json["notes"]) == 1


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("note", "churn", "9", "x"), "the study has the trials 0 to 3, got 9"),
        (("note", "churn", "two", "texts"), "put it in quotes"),
        (("note", "churn", "  "), "1 to 10,000 characters"),
        (("note", "churn", "--remove", "7"), "has no note 7"),
        (("tag", "churn", "a b"), "a tag must be one word"),
        (("tag", "churn", "a,b"), "a tag must be one word"),
        (("tag", "churn", "kep", "--remove"), 'no tag "kep", nor any other'),
        (("tag", "churn", "--remove"), "say which tags"),
        (("tag", "chrun", "keep"), 'did you mean "churn"'),
        (("rename", "churn", "wine"), "taken by"),
        (("compare", "churn"), "two or more different studies"),
        (("compare", "churn", "wine"), "was not finished and has no result"),
        (("copy", "churn"), "name the other store"),
        (("copy", "churn", "--to", "deepwell"), "is in that store"),
        (("run", "study.toml"), 'no file "study.toml"'),
        (("rename", "churn", "../x"), "must be made of letters"),
        (("rename", "churn", "churn"), "has that name already"),
        (("delete",), "name at least one study"),
        (("delete", "--undo", "churn"), 'no deleted study "churn"'),
        (("query", "drop table study"), "only reads"),
        (("query", "select 1", "--limit", "0"), "--limit"),
    ],
)
def test_wrong_usage_is_one_sentence(
    kept: Path, deepwell: Run, arguments: tuple[str, ...], told: str
):
    outcome = deepwell(*arguments)
    assert outcome.code == 2
    assert told in outcome.err
    assert outcome.err.count("\n") == 1


def test_a_renamed_study_is_found_under_its_name_alone(kept: Path, deepwell: Run):
    with open_store() as store:
        before = store.result(store.study("churn").id)
        assert before is not None
        finding = {**before["findings"][0], "command": "deepwell improve churn --apply DW102"}
        store.save_result(store.study("churn").id, {**before, "findings": [finding]})
    assert deepwell("rename", "churn", "churn.first", "--json").json == {
        "name": "churn.first",
        "was": "churn",
    }
    assert not (kept / "churn").exists()
    assert (kept / "churn.first" / "model").is_dir()
    with open_store() as store:
        after = store.result(store.study("churn.first").id)
        assert after is not None
        assert after["name"] == "churn.first"
        assert after["findings"][0]["command"] == "deepwell improve churn.first --apply DW102"
    assert deepwell("rename", "churn", "x").code == 2


def test_a_rename_that_was_killed_half_way_is_undone(kept: Path, deepwell: Run):
    told = {"database": "store.db", "source": "wine", "target": "grapes", "study": 2}
    (kept / ".moves").mkdir()
    (kept / ".moves" / "0.json").write_text(json.dumps({**told, "name": "grapes"}))
    (kept / "wine").rename(kept / "grapes")
    assert "wine" in deepwell("list").out
    assert (kept / "wine" / "model").is_dir()
    assert not (kept / ".moves").exists()
    assert deepwell("rename", "wine", "grapes").code == 0
    assert (kept / "grapes" / "model").is_dir()


def test_a_folder_that_is_not_the_studys_is_not_taken(kept: Path, deepwell: Run):
    (kept / "grapes").mkdir()
    shutil.rmtree(kept / "wine")
    told = deepwell("rename", "wine", "grapes")
    assert (told.code, "taken by a file or folder" in told.err) == (2, True)


def test_deleted_studies_are_hidden_and_come_back_as_they_were(kept: Path, deepwell: Run):
    before = deepwell("list").out
    told = deepwell("delete", "churn", "wine")
    assert "deepwell delete --undo churn wine" in told.out
    assert "the store holds no study" in deepwell("list").out
    assert deepwell("show", "churn").err.endswith("deepwell delete --undo churn\n")
    assert deepwell("list", "--deleted").out.count("\n") == 3
    assert deepwell("query", "select count(*) from trials", "--csv").out == "count(*)\n0\n"
    assert deepwell("delete", "--undo", "churn", "wine").code == 0
    assert deepwell("list").out == before


def test_a_query_is_a_table_csv_or_json(kept: Path, deepwell: Run):
    asked = "select study, trial, score, message from trials where score < 0.6 order by trial"
    table = deepwell("query", asked).out.splitlines()
    assert table[0].split() == ["study", "trial", "score", "message"]
    assert table[2].split() == ["churn", "0", "0.5"]
    assert table[-1] == "(2 rows)"
    assert deepwell("query", asked, "--limit", "1").out.splitlines()[-1] == (
        "(1 row, and more: --limit N shows them)"
    )
    rows = list(csv.DictReader(io.StringIO(deepwell("query", asked, "--csv").out)))
    assert [row["score"] for row in rows] == ["0.5", "0.25"]
    assert deepwell("query", asked, "--json").json == {
        "columns": ["study", "trial", "score", "message"],
        "rows": [["churn", 0, 0.5, ""], ["churn", 1, 0.25, ""]],
        "more": False,
    }


def test_rows_that_are_too_wide_are_lines_and_harmless(kept: Path, deepwell: Run):
    told = deepwell("query", "select 'a\x1b[31m' as x, * from studies limit 1").out
    assert "\x1b" not in told
    assert told.splitlines()[0] == "-- row 1 --"
    assert max(map(len, told.splitlines())) <= 80
    blob = deepwell("query", "select x'00ff' as x, 9e999 as y, null as z", "--json").json
    assert blob["rows"] == [["x'00ff'", None, None]]
    assert json.dumps(blob)
    both = deepwell("query", "select 1", "--csv", "--json")
    assert (both.code, "give one of them" in both.json["error"]) == (2, True)


def test_gc_says_what_would_go_and_what_went(kept: Path, deepwell: Run):
    assert deepwell("gc").out == "gc        there is nothing that is not needed\n"
    (kept / "wine" / "model" / "x").write_bytes(b"x" * 1500)
    assert deepwell("delete", "wine").code == 0
    assert "nothing" in deepwell("gc").out
    told = deepwell("gc", "--deleted-now", "--dry-run")
    assert told.out.splitlines()[0].startswith("1.5 kB    study wine, deleted 20")
    assert told.out.splitlines()[-1] == "gc        1.5 kB would be freed"
    went = deepwell("gc", "--deleted-now", "--json").json
    assert (went["bytes"], went["dry_run"], [one["path"] for one in went["removed"]]) == (
        *(1500, False, ["wine"]),
    )
    assert not (kept / "wine").exists()


def test_a_copy_is_told_by_its_name(kept: Path, deepwell: Run):
    assert deepwell("copy", "churn", "--to", "team").out == "copied    churn is churn there\n"
    assert deepwell("copy", "churn", "--to", "team", "--json").json["copy"] == "churn-2"
    assert deepwell("query", "select count(*) from epochs", "--store", "team", "--csv").out == (
        "count(*)\n8\n"
    )
