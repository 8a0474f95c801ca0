"""Addresses of PostgreSQL databases: what they say, and that their password is never shown."""

from pathlib import Path

import pytest

from deepwell._base._errors import UsageError
from deepwell._base._password import without_password
from deepwell.storage._address import Address, read_address
from deepwell.storage._open import FOLDER_VARIABLE, locate


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("postgresql://db.example.com/team", Address("team", host="db.example.com")),
        ("postgres://ann@db/team", Address("team", "ann", None, "db")),
        ("postgresql+psycopg://ann:p%40s@db:543/team", Address("team", "ann", "p@s", "db", 543)),
        ("postgresql://ann:a@b:c@db/team", Address("team", "ann", "a@b:c", "db")),
        ("postgresql:///team", Address("team")),
        ("postgresql://?dbname=team&user=ann", Address("team", "ann")),
        ("postgresql://[::1]:5433/team", Address("team", None, None, "::1", 5433)),
        ("postgresql://%2Fvar%2Frun%2FPG/team", Address("team", host="/var/run/PG")),
        ("postgresql://@/te%20m?host=/run/pg&port=60", Address("te m", host="/run/pg", port=60)),
        (
            "postgresql://db/team?sslmode=require&application_name=x",
            Address("team", host="db", options=(("application_name", "x"), ("sslmode", "require"))),
        ),
    ],
)  # fmt: skip
def test_what_an_address_says(url: str, says: Address):
    assert read_address(url) == says


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("postgresql://ann:secret@db", "its database is missing"),
        ("postgresql://ann:secret@db/", "its database is missing"),
        ("postgresql:secret", "it cannot be read"),
        ("postgresql://ann:secret@[db/team", "it cannot be read"),
        ("postgresql://ann:secret@db/team?x", "it cannot be read"),
        ("postgresql://ann:secret@db/team#x", "it cannot be read"),
        ("postgresql://ann:secret@db/te%00am", "it cannot be read"),
        ("postgresql://ann:secret@db:0/team", "its port is no number from 1 to 65535"),
        ("postgresql://ann:secret@db:65536/team", "its port is no number"),
        ("postgresql://db/team?port=x&password=secret", "its port is no number"),
    ],
)
def test_what_is_no_address(url: str, why: str):
    with pytest.raises(UsageError, match=why) as caught:
        read_address(url)
    assert "secret" not in str(caught.value)


def test_an_address_never_shows_its_password():
    address = read_address("postgresql://ann:secret@db:5433/team?sslpassword=secret")
    assert address.shown == '"postgresql://ann@db:5433/team"'
    assert "secret" not in repr(address)
    hostile = read_address("postgresql://db/te%1b%5b2Jam")
    assert hostile.shown == '"postgresql://db/te?[2Jam"'


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("postgresql://ann:secret@db/team", "postgresql://ann@db/team"),
        ("postgresql://ann:se?c/r@et@db/team", "postgresql://ann@db/team"),
        ("postgres://:secret@db/team", "postgres://@db/team"),
        ("postgresql://db/team?password=secret", "postgresql://db/team"),
        ("postgresql://db/team?password=secret&sslmode=x", "postgresql://db/team?sslmode=x"),
        ("postgresql://db/team?sslmode=x&sslpassword=secret", "postgresql://db/team?sslmode=x"),
        ("mysql://ann:secret@db/team", "mysql://ann@db/team"),
        ("sqlite:///data/ann:b@c/team.db", "sqlite:///data/ann:b@c/team.db"),
        ("ann:b@c", "ann:b@c"),
    ],
)
def test_a_store_in_a_command_has_no_password(given: str, shown: str):
    assert without_password(given) == shown


def test_each_database_has_a_folder_that_no_study_can_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    urls = [
        "postgresql://db.example.com/team",
        "postgresql://db.example.com:5433/team",
        "postgresql://db.example.com/other",
        "postgresql:///team",
        "postgresql:///team?host=/run/a",
        "postgresql:///team?host=/run/b",
        "postgresql://db.example.com/te%2Fam",
        "postgresql://db.example.com/..",
        "postgresql://db.example.com/team?options=-csearch_path%3Dx",
        f"postgresql://db.example.com/{'a' * 200}",
        f"postgresql://db.example.com/{'a' * 201}",
    ]
    folders = [locate(url).folder for url in urls]
    assert folders[0] == tmp_path / "deepwell" / "team@db.example.com"
    assert len(set(folders)) == len(urls)
    for folder in folders:
        assert folder.parent == tmp_path / "deepwell"
        assert "@" in folder.name
        assert len(folder.name) < 150
    same = ["postgresql://ann:x@db.example.com:5432/team", "postgres://db.example.com/team"]
    assert {locate(url).folder for url in same} == {folders[0]}
    monkeypatch.setenv(FOLDER_VARIABLE, "shared disk/runs")
    assert locate(urls[0]).folder == tmp_path / "shared disk" / "runs"
    assert locate(None).folder == tmp_path / "deepwell"  # a file's store is where its file is
