"""Who has files in a folder: what one database does not need may be another one's."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import deepwell as dw
from deepwell._base._errors import StudyError
from deepwell.storage import open_store


def test_a_folder_of_two_databases_is_shared(tmp_path: Path):
    with open_store(f"sqlite:///{tmp_path}/a.db") as first:
        assert first.alone()
        with open_store(f"sqlite:///{tmp_path}/b.db") as second:
            assert not second.alone()
            assert not first.alone()


def test_a_database_of_an_older_deepwell_counts(tmp_path: Path):
    with open_store(f"sqlite:///{tmp_path}/a.db") as first:
        (tmp_path / "b.db").write_bytes((tmp_path / "a.db").read_bytes()[:100])
        assert not first.alone()


def test_garbage_of_one_is_not_the_states_of_the_other(tmp_path: Path):
    sealed = tmp_path / "vault" / f"{'0' * 64}.parquet"
    for name in ("a", "b"):
        with open_store(f"sqlite:///{tmp_path}/{name}.db"):
            pass
    sealed.parent.mkdir(exist_ok=True)
    sealed.write_bytes(b"rows")
    os.utime(sealed, (0, 0))
    dw.collect_garbage(f"sqlite:///{tmp_path}/a.db")
    assert sealed.exists()


@pytest.mark.parametrize("name", ["../victim", "/tmp/victim", "..", "a\\b"])
def test_a_study_whose_name_leads_out_of_its_folder_is_refused(tmp_path: Path, name: str):
    with open_store(tmp_path) as store:
        record = store.create_study("churn", {})
        with store._database.writing() as connection:
            text = "UPDATE study SET name = ?, deleted = 1.0 WHERE id = ?"
            connection.exec_driver_sql(text, (name, record.id))
    victim = tmp_path.parent / "victim"
    victim.mkdir(exist_ok=True)
    with pytest.raises(StudyError, match="leads out of its folder"):
        dw.collect_garbage(tmp_path, deleted_now=True)
    assert victim.exists()
