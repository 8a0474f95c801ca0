"""What the checks of rows say: where they speak, where they are silent, where they cannot tell."""

from dataclasses import replace

import pytest

from deepwell.diagnosis._codes import CODES
from deepwell.diagnosis._data_findings import diagnose_data
from deepwell.records import (
    ColumnShift,
    Copies,
    DataChecks,
    Mismatch,
    Straddling,
    TellingColumn,
    from_plain,
    to_plain,
)

LIKE = Mismatch("dev", 0.51, 0.47, 0.55, 0.4, 25, (600, 200), (600, 200), (), 8)
UNLIKE = replace(LIKE, auc=0.83, low=0.79, high=0.87, p_value=0.0025, permutations=399)
MONTHS = ColumnShift("months_active", 0.41, 1e-9, "mean 14.2 in train, 8.1 in dev")
NONE = Copies(200, 600, 0, 0, 0, 0.01, 5.0)
GOOD = TellingColumn("area", 0.2, 0.1)
PATIENTS = Straddling("patient", 60, 40, 120, 150, 0.3, 0.0025)


SMALL = replace(LIKE, auc=0.55, low=0.53, high=0.57, p_value=0.0025)
ALIKE, DIFFER = "train and dev look alike", "dev rows may differ from train rows"
FEW = "too few dev rows to tell whether they are like train rows"
OTHER = "dev rows are not like train rows"


def only(**checks):
    (found,) = diagnose_data(DataChecks(**checks))
    return found


@pytest.mark.parametrize(
    ("found", "level", "claim"),
    [
        (LIKE, "ok", ALIKE),
        (UNLIKE, "problem", OTHER),
        (replace(UNLIKE, p_value=0.03), "unsure", DIFFER),
        (SMALL, "ok", ALIKE),
        (replace(LIKE, high=0.68), "ok", ALIKE),
        (replace(LIKE, high=0.72), "unsure", FEW),
        (replace(LIKE, columns=(MONTHS,)), "problem", OTHER),
        (replace(LIKE, columns=(replace(MONTHS, size=0.2),)), "unsure", DIFFER),
        (replace(UNLIKE, part="train-dev"), "problem", "train-dev rows are not like train rows"),
        (replace(UNLIKE, fold=3), "problem", f"{OTHER} in fold 3"),
    ],
)
def test_mismatch_is_large_and_certain_or_no_problem(found, level, claim):
    told = only(mismatch=(found,))
    assert (told.code, told.level, told.claim) == ("DW203", level, claim)


def test_train_dev_rows_like_train_are_not_told_beside_dev():
    both = (LIKE, replace(LIKE, part="train-dev"))
    assert only(mismatch=both).claim == ALIKE
    assert len(diagnose_data(DataChecks((UNLIKE, replace(UNLIKE, part="train-dev"))))) == 2


def test_a_mismatch_names_the_columns_to_blame():
    many = tuple(replace(MONTHS, name=f"c{j}") for j in range(5))
    told = only(mismatch=(replace(UNLIKE, columns=(MONTHS, *many)),))
    assert "months_active: mean 14.2 in train, 8.1 in dev; c0:" in told.detail
    assert told.detail.endswith("and 3 more columns")
    assert told.evidence["p_value"] == 0.0025
    assert told.evidence["flags"] == {"train_dev": 0.1}
    assert "as rows of a later time may be" in only(mismatch=(UNLIKE,), split="time").detail


def test_how_many_rows_would_tell_is_said():
    few = replace(LIKE, auc=0.5, low=0.2, high=0.8, units=(40, 10))
    assert only(mismatch=(few,)).detail.endswith("10 of them do not tell, about 23 would")
    none = replace(few, auc=0.72, high=0.95, p_value=0.2)
    assert only(mismatch=(none,)).detail.endswith("10 of them do not tell")


@pytest.mark.parametrize(
    ("found", "level"),
    [
        (NONE, "ok"),
        (replace(NONE, near=None, why="too few rows"), "ok"),
        (replace(NONE, exact=2), "problem"),
        (replace(NONE, near=12), "problem"),
        (replace(NONE, near=1), "unsure"),
        (replace(NONE, rows=2000, exact=12), "unsure"),
        (replace(NONE, inputs=9), "ok"),
    ],
)
def test_copies_of_as_many_rows_as_matter_are_a_problem(found, level):
    assert (only(copies=found).code, only(copies=found).level) == ("DW201", level)


def test_copies_across_time_are_told_apart():
    told = only(copies=replace(NONE, exact=20), split="time")
    assert "does not keep them together" in told.evidence["change"]


@pytest.mark.parametrize(
    ("found", "level"),
    [
        (GOOD, "ok"),
        (TellingColumn("area", 0.9, None), "ok"),
        (TellingColumn("area", 0.05, 0.1), "ok"),
        (TellingColumn("area", 0.05, 0.5), "unsure"),
        (TellingColumn("area", 0.001, 0.9), "unsure"),
        (TellingColumn("area", 0.001, 0.9, copy=True), "problem"),
        (TellingColumn("area", 0.001, 0.003, copy=True), "ok"),
        (TellingColumn("ended", 0.01, 0.9, blanks=True), "problem"),
        (TellingColumn("row", 0.25, 0.9, ordered=True), "unsure"),
    ],
)
def test_only_the_target_itself_is_a_problem(found, level):
    told = only(telling=found, columns=9)
    assert (told.code, told.level) == ("DW202", level)
    assert ("flags" in told.evidence) == (level != "ok")
    if level != "ok":
        assert told.evidence["change"] == f"--ignore {found.name}"


@pytest.mark.parametrize(
    ("found", "threshold", "rule"),
    [
        (TellingColumn("a", 0.001, 0.9, copy=True), 0.02, "five times as much, and 2 %"),
        (TellingColumn("a", 0.001, 0.025, copy=True), 0.02, "five times as much, and 2 %"),
        (TellingColumn("a", 0.05, 0.5), 0.15, "four times as much, and a fifth"),
        (TellingColumn("a", 0.05, 0.5, ordered=True), 0.15, "four times as much, and a fifth"),
        (TellingColumn("a", 0.25, 0.9, ordered=True), 0.45, "half of what others leave"),
        (TellingColumn("a", 0.9, None), 0.15, "four times as much, and a fifth"),
    ],
)
def test_a_telling_column_states_the_rule_that_it_was_judged_by(found, threshold, rule):
    told = only(telling=found, columns=9)
    assert told.evidence["threshold"] == pytest.approx(threshold)
    assert rule in told.evidence["threshold_source"]
    assert (told.level != "ok") == (found.left <= threshold)


@pytest.mark.parametrize(
    ("found", "level"),
    [
        (PATIENTS, "problem"),
        (replace(PATIENTS, p_value=0.2), "ok"),
        (replace(PATIENTS, alike=0.01), "unsure"),
        (replace(PATIENTS, dev_rows=0), "ok"),
        (replace(PATIENTS, time=True), "unsure"),
        (replace(PATIENTS, time=True, alike=0.1), "ok"),
    ],
)
def test_groups_are_a_problem_where_they_are_alike(found, level):
    told = only(straddling=(found,))
    assert (told.code, told.level) == ("DW204", level)


def test_near_copies_of_a_sample_stand_for_those_of_all_rows():
    """2,000 of 10,000 dev rows nearly so; 200 of them beside all, or half, of the train rows."""
    whole = replace(NONE, rows=10_000, train_rows=30_000, near=2_000, looked_at=10_000)
    whole = replace(whole, looked_among=30_000)
    for near, among in ((40, 30_000), (20, 15_000)):
        told = only(copies=replace(whole, near=near, looked_at=200, looked_among=among))
        assert (told.level, told.evidence["measured"]) == ("problem", 0.2)
        assert f"in 200 of 10,000 others, among {among:,} of 30,000 train rows" in told.detail
    assert only(copies=whole).evidence["measured"] == 0.2
    assert "looked for" not in only(copies=whole).detail
    unseen = only(copies=replace(whole, near=0, looked_at=200))
    assert (unseen.level, unseen.claim) == ("ok", "no copies seen across train and dev")


def test_groups_of_near_copies_are_told_as_groups():
    many = replace(NONE, near=None, why="clusters", grouped=120, looked_at=200, mates=3.2)
    told = diagnose_data(DataChecks(copies=many))
    assert [(one.code, one.level) for one in told] == [("DW201", "ok"), ("DW204", "problem")]
    assert "120 of 200 dev rows" in told[1].detail
    assert told[1].evidence["measured"] == 0.6
    assert "--split group" in told[1].evidence["change"]


def test_all_are_told_by_code_and_survive_the_store():
    checks = DataChecks((UNLIKE,), replace(NONE, exact=9), GOOD, 9, (PATIENTS,), "random")
    codes = [one.code for one in diagnose_data(checks)]
    assert codes == ["DW201", "DW202", "DW203", "DW204"]
    assert set(codes) < set(CODES)
    assert from_plain(DataChecks, to_plain(checks)) == checks
    assert diagnose_data(DataChecks()) == []


def test_names_from_the_table_are_shown_safely():
    told = only(telling=TellingColumn("a\x1b[31m\nb", 0.001, 0.9, copy=True))
    assert "\x1b" not in told.claim + told.detail
    assert "\n" not in told.claim + told.detail
