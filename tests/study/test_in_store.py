"""Commands that read or make a study name its store."""

from dataclasses import replace

from deepwell.records import Finding
from deepwell.study._in_store import in_store

FOUND = Finding("DW405", "problem", "learning rate too high", "dev error 84 %")


def test_commands_that_read_or_make_a_study_name_its_store() -> None:
    of_study = ["deepwell improve a --apply DW102", "deepwell ensemble a", "deepwell test a"]
    kept = [*of_study, "deepwell fit digits.csv --learning-rate 0.03"]
    found = [replace(FOUND, command=command) for command in (*kept, "make rows")]
    where = " --store 'team runs'"
    told = [finding.command for finding in in_store(found, "team runs")]
    assert told == [*(command + where for command in kept), "make rows"]
    assert in_store(found, None) == found
