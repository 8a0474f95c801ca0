"""A finished study diagnosed: rows read again, sections, and what is left where rows are gone."""

import numpy as np
import polars as pl
import pytest

import deepwell as dw
from deepwell.report._section_lines import section_lines
from deepwell.study._section_error import ERROR_CODES

pytestmark = pytest.mark.slow  # each diagnosis fits other models, for seconds

SMALL = {"hidden_layers": 1, "hidden_units": 8}


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """Return a table whose answers are wrong in a fifth of rows with the same few inputs."""
    rng = np.random.default_rng(0)
    x = rng.integers(0, 4, (1_500, 3))
    y = (x.sum(axis=1) > 4) ^ (rng.random(1_500) < 0.2)
    path = tmp_path_factory.mktemp("data") / "codes.csv"
    columns = {f"c{i}": [f"v{v}" for v in x[:, i]] for i in range(3)}
    pl.DataFrame(columns | {"y": np.where(y, "yes", "no")}).write_csv(path)
    return path


@pytest.fixture(scope="module")
def study(file, tmp_path_factory):
    place = tmp_path_factory.mktemp("store")
    data = dw.load(file, target="y", train_dev=0.2, vault=place / "vault")
    study = dw.Study(data, fixed=SMALL, store=place, name="codes")
    study.run(trials=4, epochs=20)
    return study


def test_the_fit_claims_no_high_bias_above_a_floor(study):
    told = {f.code: f for f in study.result.findings}
    assert "DW102" not in told  # 20 % of these rows are wrong for everybody
    floor = told["DW117"].evidence["floor"]
    assert 0.05 < floor["low"] <= floor["value"] < 0.22


def test_rows_are_read_again_from_their_file(study):
    again = dw.open_study("codes", study._store).diagnose()
    assert again.notes == ()
    names = [section.name for section in again.sections]
    assert names[0] == "error"
    assert len(set(names)) == len(names)
    found = [f.code for f in again]
    assert "DW109" in found
    assert "DW105" in found
    anew = [code for code in found if code in ERROR_CODES]
    assert len(anew) == len(set(anew)), "a finding that is told anew is not told twice"
    assert list(again.sections[0].facts["scores"]) == ["train", "train-dev", "dev"]
    assert repr(study.diagnose()) == repr(again)
    named = [f.command for f in again if f.command and not f.command.startswith("deepwell fit")]
    assert named
    assert all(f"--store {study._store}" in command for command in named)
    assert max(map(len, section_lines(again.sections[0]))) <= 80


def test_all_findings_of_the_fit_are_told(study):
    fit = {f.code for f in study.result.findings}
    anew = {f.code for f in study.diagnose()}
    assert {c for c in fit if c.startswith(("DW2", "DW3", "DW4"))} <= anew


def test_where_rows_are_gone_the_fit_is_told_with_a_note(study, file, tmp_path):
    moved = file.rename(tmp_path / "elsewhere.csv")
    try:
        found = dw.open_study("codes", study._store).diagnose()
        assert "codes.csv" in found.notes[0]
        assert [f.code for f in found if f.code == "DW109"] == []
        assert f"note      {found.notes[0][:20]}" in repr(found)
        given = dw.load(moved, target="y", train_dev=0.2, vault=tmp_path / "vault")
        assert dw.open_study("codes", study._store).diagnose(given).notes == ()
        other = dw.load({"a": np.arange(40.0) ** 1.1, "y": [0, 1] * 20}, target="y", vault=tmp_path)
        with pytest.raises(dw.UsageError, match="does not hold the rows that study codes"):
            dw.open_study("codes", study._store).diagnose(other)
    finally:
        moved.rename(file)


def test_the_sealed_rows_stay_sealed_until_they_are_opened(study, monkeypatch):
    from deepwell.study import _open_test

    def refuse(sealed):
        raise AssertionError("the test rows were read")

    with monkeypatch.context() as patch:
        patch.setattr(_open_test, "read_sealed", refuse)
        assert not {"DW114", "DW115", "DW116"} & {f.code for f in study.diagnose()}
    study.open_test()
    assert {"DW114", "DW115", "DW116"} & {f.code for f in study.diagnose()}


def test_folds_leave_no_row_to_look_at_and_keep_the_fits_findings(file, tmp_path):
    data = dw.load(file, target="y", vault=tmp_path / "vault")
    folded = dw.Study(data, fixed=SMALL, folds=3, store=tmp_path, name="folded")
    result = folded.run(trials=1, epochs=3)
    assert [f.code for f in folded.diagnose()][: len(result.findings)] or not result.findings
    assert {f.code for f in folded.diagnose()} >= {f.code for f in result.findings}
