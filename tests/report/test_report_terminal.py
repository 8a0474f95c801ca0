from __future__ import annotations

import dataclasses

import pytest

from deepwell.records import Estimate, Finding, Opening, StudyResult
from deepwell.report import (
    baseline_lines,
    data_lines,
    engine_lines,
    finding_lines,
    next_lines,
    opening_lines,
    outcome_lines,
    plan_lines,
    result_lines,
    saved_lines,
    study_lines,
)
from deepwell.report._layout import display_width
from deepwell.report._network import differing_names, network_words, setting_words

EXPECTED = """\
data      7,043 rows x 21 columns, target churned: 2 classes, 26.5 % yes ->
          classification
          customer_id is unique per row: ignored (--keep customer_id)
          total_charges: 11 blanks in a number column: imputed, with a flag
          column
split     60 / 20 / 20 stratified, seed 12: 4,225 train and 1,409 dev rows;
          1,409 test rows sealed (sha256 3f9c1a2b...)
baseline  dev error: always "no" 26.5 % [24.3, 28.9], logistic regression
          19.8 % [17.8, 21.9]
plan      256 networks, jax program (6 to compile), 3 rungs at epochs 6, 17, 50,
          about 9 s on 2 cores
          over learning_rate log(0.0001, 0.1), dropout uniform(0, 0.5); with
          optimizer adam (--space changes it)
engine    jax program, 6 programs compiled in 4.1 s; 61 networks a second; 38 %
          of the machine's matrix rate
          256 networks in 10 s: 14 trained to the end, 48 stopped early, 192
          pruned at a rung, 2 diverged
result    dev error 18.6 % [16.7, 20.7]: 64x64 relu, adam, lr 0.0031, batch 64,
          dropout 0.31
          train error 14.9 % [13.9, 16.0]
          vs logistic regression -1.2 [-2.4, 0.1]: not clearly better
DW101     high variance: train 14.9 %, dev 18.6 % (gap 3.7 [1.5, 5.9])
          deepwell fit churn.csv --target churned --dropout 0.5
DW203 ok  train and dev look alike
DW102 ?   bias: 23 dev rows are too few to tell
saved     deepwell/churn/ (model, report.txt)
next      deepwell improve churn
          deepwell test churn
          deepwell predict churn new.csv
          deepwell report churn"""


def joined(lines: list[str]) -> str:
    """The text of lines without their breaks and gutters."""
    return " ".join(" ".join(lines).split())


def test_a_whole_study_reads_as_documented(result: StudyResult) -> None:
    assert "\n".join(study_lines(result)) == EXPECTED


@pytest.mark.parametrize(
    ("level", "versus", "words"),
    [
        ("ok", Estimate(-0.02, -0.03, -0.01), "-2.0 [-3.0, -1.0]: better"),
        ("unsure", Estimate(-0.02, -0.03, 0.0), "-2.0 [-3.0, 0.0]: not clearly better"),
        ("unsure", Estimate(0.005, -0.01, 0.02), "+0.5 [-1.0, 2.0]: not clearly better"),
        (
            *("unsure", Estimate(0.02, 0.01, 0.03)),
            "+2.0 [1.0, 3.0]: seems worse, perhaps not by what matters",
        ),
        (
            *("problem", Estimate(0.08, 0.07, 0.09)),
            "+8.0 [7.0, 9.0]: worse: logistic regression is the better model here",
        ),
    ],
)
def test_the_verdict_against_the_baseline(
    result: StudyResult, level: str, versus: Estimate, words: str
) -> None:
    found = (*result.findings, Finding("DW105", level, "", ""))
    told = joined(result_lines(dataclasses.replace(result, versus=versus, findings=found)))
    assert told.endswith(f"vs logistic regression {words}")


def test_without_a_comparison_there_is_no_verdict(result: StudyResult) -> None:
    assert "vs " not in joined(result_lines(dataclasses.replace(result, versus=None)))


def test_regression_shows_plain_numbers(regression: StudyResult) -> None:
    told = joined(study_lines(regression))
    assert "target price: numbers -> regression" in told
    assert "dev rmse: ridge regression 53.90 [48.90, 58.20]" in told
    assert "dev rmse 53.73 [48.55, 58.73]" in told
    assert "vs ridge regression +0.400 [-1.200, 2.000]: not clearly better" in told
    assert "matrix rate" not in told


def test_many_classes_show_the_rarest_and_the_commonest(result: StudyResult) -> None:
    facts = dataclasses.replace(
        result.data, classes=("0", "b", "c"), class_shares=(0.5, 0.2, 0.3), split="files"
    )
    told = joined(data_lines(facts))
    assert '3 classes, 20.0 % b to 50.0 % "0"' in told
    assert "as the files are: 4,225 train" in told
    assert "seed" not in told


def test_equal_classes_are_told_once(result: StudyResult) -> None:
    facts = dataclasses.replace(
        result.data, classes=("a", "b", "c"), class_shares=(0.3333, 0.3333, 0.3334)
    )
    assert "3 classes, 33.3 % each ->" in joined(data_lines(facts))


def test_a_plan_with_nothing_to_search_says_what_is_held(result: StudyResult) -> None:
    plan = dataclasses.replace(result.plan, space={"own": "1", "dropout": "0", "optimizer": "sgd"})
    told = joined(plan_lines(plan))
    assert told.endswith("with optimizer sgd, dropout 0, own 1 (--space changes it)")


def test_no_test_set_is_said_and_not_offered(result: StudyResult) -> None:
    facts = dataclasses.replace(result.data, sizes=(80, 20, 0), sealed="")
    assert joined(data_lines(facts)).endswith("80 train and 20 dev rows; no test set")
    assert "deepwell test" not in joined(next_lines(dataclasses.replace(result, data=facts)))


def test_rows_that_were_not_sealed_are_not_called_sealed(result: StudyResult) -> None:
    told = joined(data_lines(dataclasses.replace(result.data, sealed="")))
    assert told.endswith("1,409 dev rows; 1,409 test rows")


def test_an_early_stop_is_said(result: StudyResult) -> None:
    stopped = dataclasses.replace(result, stopped="stopped by the user after 31 of 256 networks")
    assert result_lines(stopped)[0] == (
        "stopped   by the user after 31 of 256 networks; the best was kept"
    )


def test_the_native_program_says_nothing_of_compiling(result: StudyResult) -> None:
    native = dataclasses.replace(
        result, program="native", networks_per_second=0.123, statuses={}, networks=1, seconds=8.1
    )
    assert joined(engine_lines(native)).startswith("engine native program; 0.12 networks a second")
    assert engine_lines(native)[-1] == "          1 network in 8 s"
    plan = dataclasses.replace(result.plan, program="native", seconds=None, rungs=(), space={})
    assert plan_lines(plan) == ["plan      256 networks, native program, on 2 cores"]


@pytest.mark.parametrize(
    ("share", "told"), [(0.384, "38 %"), (0.01, "1 %"), (0.0099, "under 1 %"), (1.0, "100 %")]
)
def test_the_share_of_the_matrix_rate_is_told(result: StudyResult, share: float, told: str) -> None:
    lines = joined(engine_lines(dataclasses.replace(result, gemm_share=share)))
    assert f"; {told} of the machine's matrix rate" in lines


def test_a_budget_is_told_where_rounds_follow_while_time_is_left(result: StudyResult) -> None:
    plan = dataclasses.replace(result.plan, networks=32, seconds=7.0, budget=300.0)
    told = joined(plan_lines(plan))
    assert "32 networks first, then more while time is left of 5 min" in told
    assert "the first about 7 s on" in told


def test_one_rung_is_told_as_epochs(result: StudyResult) -> None:
    plan = dataclasses.replace(result.plan, rungs=result.plan.rungs[-1:], cores=1)
    assert "50 epochs, about 9 s on 1 core" in joined(plan_lines(plan))


def test_no_baseline_no_line() -> None:
    assert baseline_lines((), "error", True) == []


def test_the_first_opening_is_unbiased_and_a_second_is_not(
    result: StudyResult, opening: Opening
) -> None:
    first = joined(opening_lines(result, (opening,)))
    assert first.startswith("test error 19.0 % [17.0, 21.1] on 1,409 sealed rows")
    assert "opened for the first time: this figure is an unbiased estimate" in first
    again = dataclasses.replace(opening, number=2)
    second = joined(opening_lines(result, (opening, again)))
    assert "opened 2 times: this figure is no longer an unbiased estimate" in second
    assert opening_lines(result, ()) == []


def test_a_contaminated_first_opening_is_not_called_unbiased(
    result: StudyResult, opening: Opening
) -> None:
    note = "19 test rows were train rows of study churn"
    told = joined(opening_lines(result, (dataclasses.replace(opening, notes=(note,)),)))
    assert f"but mind this: {note}" in told
    assert "unbiased" not in told


def test_the_score_of_another_study_is_never_shown_as_its_own(
    regression: StudyResult, opening: Opening
) -> None:
    foreign = dataclasses.replace(opening, study="other")
    unopened = dataclasses.replace(regression, openings=(foreign,))
    told = joined(outcome_lines(unopened))
    assert "19.0" not in told
    assert "0.19" not in told
    assert (
        "test this study has not opened its test set, but the set was opened once before, last by "
        "study other: a score on it is no longer an unbiased estimate"
    ) in told
    assert "deepwell test churn" in told
    own = dataclasses.replace(opening, metric="rmse", test=Estimate(50.5, 48.0, 53.0), number=2)
    later = dataclasses.replace(foreign, number=3)
    told = joined(opening_lines(regression, (foreign, own, later)))
    assert told.startswith("test RMSE 50.50 [48.00, 53.00] on 1,409 sealed rows")
    assert "opened 2 times: this figure is no longer an unbiased estimate" in told


def test_openings_show_with_the_outcome_and_end_the_offer_to_test(
    result: StudyResult, opening: Opening
) -> None:
    lines = outcome_lines(dataclasses.replace(result, openings=(opening,)))
    assert any(line.startswith("test      error 19.0 %") for line in lines)
    assert "deepwell test" not in joined(lines)


def test_next_commands_carry_the_store_and_quote_the_name(result: StudyResult) -> None:
    named = dataclasses.replace(result, name="my study")
    told = joined(next_lines(named, store="sqlite:///a b.db"))
    assert "deepwell test 'my study' --store 'sqlite:///a b.db'" in told
    assert "deepwell predict 'my study' new.csv --store 'sqlite:///a b.db'" in told


def test_paths_apart_are_both_shown(result: StudyResult) -> None:
    apart = dataclasses.replace(result, model="a/model", report="b/report.txt")
    assert saved_lines(apart) == ["saved     a/model, b/report.txt"]
    assert saved_lines(dataclasses.replace(result, model="", report="")) == []


def test_hostile_names_never_reach_the_terminal(result: StudyResult, opening: Opening) -> None:
    evil = "x\x1b[2J\x1b]0;t\x07\r\n\N{RIGHT-TO-LEFT OVERRIDE}y"
    facts = dataclasses.replace(
        result.data,
        target=evil,
        classes=(evil, evil),
        notes=(evil,),
        sealed="ab",
        split=result.data.split,
    )
    hostile = dataclasses.replace(
        result,
        name=evil,
        data=facts,
        plan=dataclasses.replace(result.plan, space={evil: evil}),
        metric_label=evil,
        versus_name=evil,
        baselines=tuple(dataclasses.replace(b, name=evil) for b in result.baselines),
        best={**result.best, "activation": evil},
        findings=tuple(
            dataclasses.replace(f, claim=evil, detail=evil, command=evil) for f in result.findings
        ),
        model=evil,
        report=evil,
        stopped=evil,
        openings=(dataclasses.replace(opening, notes=(evil,)),),
    )
    for line in study_lines(hostile, store=evil):
        assert all(c.isprintable() for c in line), ascii(line)


def test_every_line_fits_80_columns_with_long_wide_names(result: StudyResult) -> None:
    name = "列" * 55
    facts = dataclasses.replace(result.data, target=name, classes=(name, name), notes=(name * 5,))
    lines = [
        *data_lines(facts),
        *finding_lines([dataclasses.replace(result.findings[0], detail=name * 5, command="")]),
        *result_lines(dataclasses.replace(result, versus_name=name)),
    ]
    assert max(map(display_width, lines)) <= 80


def test_a_network_is_told_in_a_few_words() -> None:
    assert network_words({"hidden_units": (), "learning_rate": 1e-5}) == "no hidden layer, lr 1e-5"
    assert network_words({"hidden_units": 32, "activation": "tanh"}) == "32 tanh"


def test_settings_without_effect_are_left_out() -> None:
    values = {
        "hidden_units": (8,),
        "activation": "relu",
        "optimizer": "sgd",
        "momentum": 0.5,
        "beta2": 0.99,
        "leaky_slope": 0.2,
        "dropout": 0.0,
        "patience": 3,
    }
    assert setting_words(values, values) == "8 relu, sgd, patience 3"
    assert setting_words({**values, "optimizer": "momentum"}, ["optimizer", "momentum"]) == (
        "momentum, momentum 0.5"
    )
    assert setting_words(values, ["activation"]) == "relu"


def test_only_what_differs() -> None:
    assert differing_names([{"a": 1, "b": 2}, {"a": 1, "b": 3}]) == ("b",)
    assert differing_names([]) == ()
