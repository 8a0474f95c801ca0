from __future__ import annotations

import dataclasses
from collections.abc import Callable

from deepwell.records import Estimate, Opening, Status, StudyResult, Trial
from deepwell.report import text_report
from deepwell.report._layout import display_width


def section(report: str, title: str) -> str:
    """The text below a heading, up to the next one."""
    lines = report.splitlines()
    start = lines.index(title) + 2
    ends = [i for i in range(start, len(lines)) if lines[i] and set(lines[i]) == {"-"}]
    return "\n".join(lines[start : ends[0] - 1] if ends else lines[start:])


def test_it_says_what_was_done_found_and_assumed(
    result: StudyResult, make_trial: Callable[..., Trial]
) -> None:
    report = text_report(result, [make_trial(17, 0.18, dropout=0.31), make_trial(3, 0.2)])
    assert report.startswith("Study churn: classification of churned\n====")
    assert "not clearly better" in section(report, "In short")
    done = section(report, "What was done")
    assert "churn.csv: 7,043 rows x 21 columns, encoded as 45 input features" in done
    assert "log(0.0001, 0.1)" in done
    found = section(report, "What was found")
    assert 'always "no"          dev    26.5 % [24.3, 28.9]' in found
    assert "DW101     high variance" in found
    assumed = section(report, "What was assumed")
    assert "- customer_id is unique per row: ignored (--keep customer_id)" in assumed
    assert "--metric changes it" in assumed
    assert "somewhat too good; the sealed test rows tell how much" in " ".join(assumed.split())
    assert "hidden_units    64x64" in section(report, "The best network (trial 17)")
    assert section(report, "The test set").rstrip().endswith("It has not been opened.")
    assert report.endswith("\n")
    assert max(map(display_width, report.splitlines())) <= 80


def test_trials_are_ranked_and_only_differences_are_shown(
    result: StudyResult, make_trial: Callable[..., Trial]
) -> None:
    trials = [
        make_trial(0, 0.25, dropout=0.1),
        make_trial(1, float("inf"), Status.DIVERGED, learning_rate=1e6),
        make_trial(2, 0.186, dropout=0.3),
        make_trial(3, 0.186, dropout=0.2),
    ]
    report = text_report(result, trials)
    rows = section(report, "The 3 best of 4 trials").splitlines()
    assert [row.split()[0] for row in rows[1:4]] == ["2", "3", "0"]
    assert rows[1] == "    2  18.6 %   7/20  finished  dropout 0.3"
    failed = section(report, "Networks that diverged")
    assert "diverged at step 12: 64x64 relu, adam, lr 1e6" in failed


def test_many_failures_are_counted_not_listed(
    result: StudyResult, make_trial: Callable[..., Trial]
) -> None:
    trials = [make_trial(i, float("inf"), Status.DIVERGED) for i in range(9)]
    report = text_report(result, trials)
    assert "and 4 more" in section(report, "Networks that diverged")
    assert "No network reached a score." in report


def test_a_second_opening_is_marked(result: StudyResult, opening: Opening) -> None:
    again = dataclasses.replace(
        opening, number=2, notes=("19 test rows were train rows of study churn",)
    )
    once = text_report(dataclasses.replace(result, openings=(opening,)), [])
    assert "this figure is an unbiased estimate" in " ".join(section(once, "In short").split())
    twice = text_report(dataclasses.replace(result, openings=(opening, again)), [])
    marked = "the test set was opened 2 times: this figure is no longer an unbiased estimate"
    assert marked in " ".join(section(twice, "In short").split())
    ledger = section(twice, "The test set")
    assert "The test set was opened 2 times: this figure is no longer an unbiased" in ledger
    assert ledger.count("2023-11-14 22:13:20 UTC") == 2
    assert "opening 2: 19 test rows were train rows of study churn" in ledger


def test_the_ledger_shows_each_score_in_its_own_metric(
    regression: StudyResult, opening: Opening
) -> None:
    foreign = dataclasses.replace(opening, study="other", metric="auc")
    other_only = text_report(dataclasses.replace(regression, openings=(foreign,)), [])
    assert "this study has not opened its test set" in section(other_only, "In short")
    ledger = " ".join(section(other_only, "The test set").split())
    assert "other 17 1 - AUC 0.1900 [0.1700, 0.2115]" in ledger
    own = dataclasses.replace(opening, metric="rmse", test=Estimate(50.5, 48.0, 53.0), number=2)
    report = text_report(dataclasses.replace(regression, openings=(foreign, own)), [])
    assert "test RMSE 50.50 [48.00, 53.00]" in section(report, "In short")
    assert "1 - AUC 0.1900" in " ".join(section(report, "The test set").split())


def test_without_a_test_set_nothing_is_called_unbiased(result: StudyResult) -> None:
    facts = dataclasses.replace(result.data, sizes=(80, 20, 0), sealed="", split="files")
    report = text_report(dataclasses.replace(result, data=facts), [])
    assert "No test set was set apart, so no figure here is unbiased." in report
    assert "the sealed test rows" not in report
    assert "the dev and test files hold rows like those to come" in report
