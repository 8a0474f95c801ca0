"""docs/query.md: every column of every view is on it, and its examples are understood."""

import re
import sqlite3
from pathlib import Path

import pytest

from deepwell._base._hyperparameters import HYPERPARAMETERS
from deepwell.storage import open_store
from deepwell.storage._views import VIEWS, view_queries

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/query.md").read_text("utf-8")
EXAMPLES = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)
STORED = ROOT / "tests/storage/data/schema_5.db"


def columns(view: str) -> list[str]:
    with sqlite3.connect(STORED) as connection:
        found = connection.execute(f"SELECT * FROM {view}").description
    connection.close()
    return [told[0] for told in found]


@pytest.mark.parametrize("view", VIEWS)
def test_every_column_is_documented(view: str):
    heads = {
        name: part for part in PAGE.split("\n## ")[1:] for name in part.split("\n")[0].split(", ")
    }
    rows = re.findall(r"^\| (`.*?) \|", heads[view], re.MULTILINE)
    told = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert set(columns(view)) - set(HYPERPARAMETERS) - {"max_epochs"} <= told
    assert told - {"max_epochs"} <= set(columns(view)) | (
        set(columns("notes")) | set(columns("tags")) if view in ("notes", "tags") else set()
    )


@pytest.mark.parametrize("sql", EXAMPLES, ids=range(len(EXAMPLES)))
def test_every_example_is_understood(sql: str, tmp_path: Path):
    (tmp_path / "store.db").write_bytes(STORED.read_bytes())
    with open_store(tmp_path) as store:
        assert store.query(sql, 10).columns


def test_there_is_an_example_for_each_view():
    told = " ".join(EXAMPLES)
    assert [
        view for view in VIEWS if f"from {view}" not in told and f"join {view}" not in told
    ] == ["notes"]
    assert set(view_queries("postgresql")) == set(VIEWS)
