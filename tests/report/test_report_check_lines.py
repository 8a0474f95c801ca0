"""The line `checks`."""

from dataclasses import replace

from deepwell.records import (
    Copies,
    DataChecks,
    FewRows,
    Finding,
    FirstSteps,
    GradientError,
    InputsUsed,
    Mismatch,
    RowsMixed,
    StartLoss,
)
from deepwell.report._check_lines import check_details, check_lines

CHECKS = FirstSteps(
    trial=7,
    network="64x64 relu",
    parameters=9_000,
    program="native",
    rows=256,
    start=StartLoss(3.1, 3.012, 2.3026, 2.3026, 3.012, 4.449, 8),
    gradient=GradientError(2.2e-9, "biases/2", 6, 1e-5),
    fits=(
        FewRows(2, True, 0.28, 0.35, 0.69, 15, "adam", 0.03),
        FewRows(20, True, 0.001, 0.035, 2.3, 30, "adam", 0.03),
    ),
    moved=1.0,
    inputs=InputsUsed(0.9, 2.3, 1.4, 1.3, 1.5, 1e-20, 16, 256, 1.0, 64, 0.01),
    mixed=RowsMixed(1e-16, 4e-13),
    alike=(1 / 64, 1 / 64),
)


def test_the_line_of_a_healthy_network():
    assert check_lines(CHECKS) == [
        "checks    loss at start 3.01 (2.30 to 4.45 expected)  gradient 2e-09",
        "          fits 20 rows  inputs used  rows apart  units apart",
    ]
    assert check_lines(None) == []
    assert check_details(None) == []
    assert check_details(CHECKS) == [
        "          of the network of median size, trial 7, 64x64 relu, on 256 train rows"
    ]


def test_a_problem_is_one_line_with_what_to_try():
    finding = Finding("DW305", "problem", "all units of hidden layer 1 are alike", "detail",
                      {"change": "--initializer auto"})  # fmt: skip
    lines = check_lines(replace(CHECKS, alike=(1.0,)), [finding])
    assert lines[-1] == (
        "          DW305 all units of hidden layer 1 are alike: try --initializer auto"
    )
    assert "units alike" in lines[-2]
    unsure = replace(finding, level="unsure", evidence={})
    assert check_lines(CHECKS, [unsure])[-1] == (
        "          DW305 ? all units of hidden layer 1 are alike"
    )


def test_what_failed_and_what_was_not_looked_at():
    failed = replace(CHECKS.fits[1], fitted=False)
    text = "\n".join(check_lines(replace(CHECKS, fits=(CHECKS.fits[0], failed))))
    assert "fits 2 rows, not 20" in text
    text = "\n".join(check_lines(replace(CHECKS, fits=(replace(failed, rows=2),))))
    assert "does not fit 2 rows" in text
    bare = FirstSteps(trial=0, network="conv 8", parameters=9, program="jax", left_out=("all: x",))
    assert check_lines(bare) == ["checks    not checked: all: x"]
    infinite = replace(CHECKS, start=replace(CHECKS.start, mean=float("inf")))
    assert "loss at start infinite" in check_lines(infinite)[0]
    hostile = replace(bare, left_out=("\x1b[31mred",))
    assert "\x1b" not in "".join(check_lines(hostile))


def test_lines_have_80_columns_at_most():
    several = [Finding(f"DW30{i}", "problem", "a claim " * 12, "", {"change": "--x"})
               for i in range(3)]  # fmt: skip
    lines = check_lines(replace(CHECKS, left_out=("word " * 40,)), several)
    assert max(map(len, lines)) <= 80
    assert not any("\N{NO-BREAK SPACE}" in line for line in lines)


def test_what_the_rows_showed_stands_behind():
    alike = Mismatch("dev", 0.512, 0.492, 0.531, 0.3, 33, (600, 200), (600, 200), (), 8)
    unlike = replace(alike, part="train-dev", auc=0.8, low=0.75, high=0.85, p_value=0.0025)
    copies = Copies(200, 600, 0, 0, None, 0.01, 4.0)
    rows = DataChecks(mismatch=(alike, unlike), copies=copies)
    assert check_lines(replace(CHECKS, inputs=None), (), rows) == [
        "checks    loss at start 3.01 (2.30 to 4.45 expected)  gradient 2e-09",
        "          fits 20 rows  rows apart  units apart",
        "          train/dev alike (AUC 0.51 +- 0.02)",
        "          train/train-dev unlike (AUC 0.80 +- 0.05)  no copies across",
    ]
    some = DataChecks(copies=replace(copies, exact=2, near=1))
    assert check_lines(CHECKS, (), some)[-1].endswith("3 copies across")
    folded = DataChecks(mismatch=(replace(alike, fold=3, p_value=0.02, high=0.72),))
    assert "train/dev alike? in fold 3" in check_lines(CHECKS, (), folded)[-1].replace("\n", "")
