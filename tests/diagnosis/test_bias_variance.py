import itertools
from dataclasses import replace

import pytest

from deepwell.diagnosis import (
    CODES,
    METRICS,
    BiasVarianceEvidence,
    diagnose_bias_variance,
    material_size,
    unpaired_difference,
    wilson,
)
from deepwell.diagnosis._best_possible import BestPossible, Floor, Rival
from deepwell.diagnosis._dev_to_test import diagnose_dev_to_test
from deepwell.records import Estimate

SIZES = (200, 2_000, 200_000)
CONSTANT = 0.5


def evidence(
    train: float, dev: float, n_dev: int, n_train: int | None = None, constant: float = CONSTANT
) -> BiasVarianceEvidence:
    n_train = n_train or 3 * n_dev
    train_estimate = wilson(round(train * n_train), n_train)
    dev_estimate = wilson(round(dev * n_dev), n_dev)
    gap = unpaired_difference(dev_estimate, train_estimate)
    return BiasVarianceEvidence(
        "error", train_estimate, n_train, dev_estimate, n_dev, gap, constant
    )


def codes(*arguments, **options) -> list[str]:
    return [f.code for f in diagnose_bias_variance(*arguments, **options)]


# train error, dev error, best possible -> codes at 200, 2,000 and 200,000 dev rows (600, 6,000 and
# 600,000 train rows), with a constant guess of 50 %: a gap counts above 5 points, and above 3.5
# where the best possible error is 15 %. At 200 rows a gap of 1 point reaches from -4 to 7.
TABLE = [
    (0.01, 0.11, None, (["DW101"], ["DW101"], ["DW101"])),
    (0.15, 0.16, None, (["DW102", "DW110"], ["DW102"], ["DW102"])),
    (0.15, 0.30, None, (["DW102", "DW101"], ["DW102", "DW101"], ["DW102", "DW101"])),
    (0.005, 0.01, None, (["DW100"], ["DW100"], ["DW100"])),
    (0.15, 0.16, 0.15, (["DW104", "DW110"], ["DW100", "DW108"], ["DW100", "DW108"])),
]


@pytest.mark.proves("G1", "formula")
@pytest.mark.parametrize(("train", "dev", "best", "expected"), TABLE)
def test_the_table_of_bias_and_variance(train, dev, best, expected) -> None:
    found = tuple(codes(evidence(train, dev, n), best) for n in SIZES)
    assert found == expected


def test_where_nothing_beats_the_constant_guess_bias_is_not_known() -> None:
    noise = evidence(0.45, 0.5, 2_000)
    assert codes(noise) == ["DW102", "DW110"]
    found = diagnose_bias_variance(noise, BestPossible(no_signal=True))
    assert [f.code for f in found] == ["DW112", "DW110"]
    assert "no model here is clearly better than the constant guess" in found[0].detail
    given = BestPossible(wilson(20, 2_000), "given", no_signal=True)
    assert "DW102" in codes(noise, given)


@pytest.mark.parametrize(("train", "dev", "best", "expected"), TABLE)
def test_a_given_best_possible_of_zero_gives_the_same_verdicts(train, dev, best, expected) -> None:
    if best is None:
        assert tuple(codes(evidence(train, dev, n), 0.0) for n in SIZES) == expected


def test_no_verdict_is_wrong_at_any_size_it_is_only_withheld() -> None:
    right = {
        (0.01, 0.11): {"DW101"},
        (0.15, 0.16): {"DW102"},
        (0.15, 0.30): {"DW101", "DW102"},
        (0.005, 0.01): set(),
    }
    for (rates, high), n in itertools.product(right.items(), (20, 60, 200, 1000, 10**5)):
        claimed = set(codes(evidence(*rates, n))) & {"DW101", "DW102"}
        assert claimed <= high


def test_the_words_of_high_variance_are_those_of_the_screen() -> None:
    train, dev = Estimate(0.149, 0.137, 0.160), Estimate(0.186, 0.167, 0.207)
    given = BiasVarianceEvidence(
        "error", train, 4225, dev, 1409, Estimate(0.037, 0.015, 0.059), constant=0.265
    )
    [found] = diagnose_bias_variance(given, best_possible=0.155)
    assert (found.code, found.level, found.claim) == ("DW101", "problem", "high variance")
    assert found.detail == "train 14.9 %, dev 18.6 % (gap 3.7 [1.5, 5.9])"
    assert found.command == ""


def test_high_bias_says_what_was_assumed_and_how_to_change_it() -> None:
    assumed = diagnose_bias_variance(evidence(0.15, 0.16, 2_000))[0]
    assert assumed.detail == (
        "train 15.0 % [14.1, 15.9], best possible assumed 0 %; --best-possible X"
    )
    given = diagnose_bias_variance(evidence(0.15, 0.16, 2_000), best_possible=0.05)[0]
    assert given.detail == "train 15.0 %, best possible 5.0 % (gap 10.0 [9.1, 10.9])"
    assert (assumed.code, given.code) == ("DW102", "DW102")
    assert assumed.evidence["best_possible"] is None
    assert given.evidence["best_possible"] == 0.05


def test_neither_shows_the_gap_too() -> None:
    [found] = diagnose_bias_variance(evidence(0.005, 0.01, 2_000))
    assert (found.level, found.claim) == ("ok", "neither high bias nor high variance")
    assert found.detail == (
        "train 0.5 %, dev 1.0 % (gap 0.5 [0.1, 1.1]), best possible assumed 0 %; --best-possible X"
    )


@pytest.mark.parametrize(
    ("train", "dev", "n_dev"), [(0.15, 0.16, 200), (0.02, 0.09, 200), (0.1, 0.17, 300)]
)
def test_the_rows_that_are_said_to_tell_do_tell(train: float, dev: float, n_dev: int) -> None:
    n_train = 100_000
    found = [
        f for f in diagnose_bias_variance(evidence(train, dev, n_dev, n_train)) if f.code == "DW110"
    ]
    assert [f.level for f in found] == ["unsure"]
    needed = found[0].evidence["rows_needed"]
    assert isinstance(needed, int)
    assert f"{n_dev:,} dev rows, about {needed:,} would tell" in found[0].detail
    assert "DW110" not in codes(evidence(train, dev, round(1.25 * needed), n_train))
    assert "DW110" in codes(evidence(train, dev, round(0.75 * needed), n_train))


def test_a_gap_on_the_very_edge_is_told_by_no_number_of_rows() -> None:
    found = diagnose_bias_variance(evidence(0.01, 0.06, 2_000), best_possible=0.0)
    [unsure] = [f for f in found if f.code == "DW110"]
    assert unsure.evidence["rows_needed"] is None
    assert "any number of dev rows" in unsure.detail


def test_bias_on_the_edge_asks_for_train_rows() -> None:
    found = diagnose_bias_variance(evidence(0.06, 0.06, 100_000, n_train=500))
    [unsure] = [f for f in found if f.code == "DW111"]
    needed = unsure.evidence["rows_needed"]
    assert isinstance(needed, int)
    assert codes(evidence(0.06, 0.06, 100_000, n_train=round(1.25 * needed))) == ["DW102"]


def test_a_material_size_of_ones_own_decides() -> None:
    given = evidence(0.005, 0.02, 200_000)
    assert codes(given) == ["DW100"]
    assert codes(given, material=0.01) == ["DW101"]
    assert codes(given, material=0.001) == ["DW102", "DW101"]


@pytest.mark.parametrize(
    ("metric", "constant", "best", "size"),
    [
        ("error", 0.5, None, 0.05),
        ("error", 0.5, 0.15, 0.035),
        ("error", 0.05, None, 0.01),
        ("error", 0.1, 0.2, 0.01),
        ("auc", 0.5, None, 0.05),
        ("log_loss", 0.69, None, 0.069),
        ("rmse", 77.0, None, 7.7),
        ("rmse", 77.0, 40.0, 3.7),
        ("rmse", 77.0, 100.0, 0.0),
        ("r2", 1.0, None, 0.1),
    ],
)
def test_material_sizes(metric: str, constant: float, best: float | None, size: float) -> None:
    assert material_size(METRICS[metric], constant, best) == pytest.approx(size)


def regression(train: float, dev: float, half: float) -> BiasVarianceEvidence:
    train_estimate = Estimate(train, train - half, train + half)
    dev_estimate = Estimate(dev, dev - half, dev + half)
    gap = unpaired_difference(dev_estimate, train_estimate)
    return BiasVarianceEvidence("rmse", train_estimate, 265, dev_estimate, 88, gap, 77.0)


def test_regression_leaves_bias_open_until_the_best_possible_is_known() -> None:
    given = regression(50.0, 52.0, 1.5)
    unknown = diagnose_bias_variance(given)
    assert [f.code for f in unknown] == ["DW112", "DW103"]
    assert unknown[0].level == "unsure"
    assert unknown[0].detail == (
        "train 50.00 is high bias if much less can be reached; --best-possible X"
    )
    assert unknown[1].detail == "train 50.00, dev 52.00 (gap 2.000 [-0.121, 4.121])"
    assert codes(given, 30.0) == ["DW102"]
    assert codes(given, 49.9, material=5.0) == ["DW100", "DW108"]


def test_regression_sees_high_variance_without_the_best_possible() -> None:
    assert codes(regression(20.0, 52.0, 2.0)) == ["DW112", "DW101"]


def test_a_network_that_is_better_on_dev_has_no_variance_to_speak_of() -> None:
    assert codes(evidence(0.03, 0.01, 2_000)) == ["DW100"]


def test_figures_that_are_not_known_claim_nothing() -> None:
    nan = Estimate(float("nan"), float("nan"), float("nan"))
    found = diagnose_bias_variance(BiasVarianceEvidence("auc", nan, 5, nan, 5, nan, 0.5))
    assert [f.level for f in found] == ["unsure", "unsure"]


def test_every_code_is_in_the_table_of_codes() -> None:
    found = {
        f.code
        for train, dev, n in itertools.product((0, 0.05, 0.2), (0, 0.05, 0.3), (50, 10**5))
        for best in (None, 0.0, 0.1)
        for f in diagnose_bias_variance(evidence(train, dev, n), best)
    }
    assert {"DW100", "DW101", "DW102", "DW110"} <= found <= set(CODES)


def with_train_dev(train: float, between: float, dev: float, n: int) -> BiasVarianceEvidence:
    given = evidence(train, dev, n)
    return replace(given, train_dev=wilson(round(between * n), n), n_train_dev=n)


@pytest.mark.proves("G2", "formula")
@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ((0.01, 0.015, 0.11), ["DW106"]),  # what looked like variance is mismatch
        ((0.01, 0.10, 0.11), ["DW101", "DW107"]),
        ((0.01, 0.10, 0.20), ["DW101", "DW106"]),
        ((0.10, 0.11, 0.12), ["DW102", "DW107"]),
        ((0.01, 0.015, 0.02), ["DW100"]),
    ],
)
def test_train_dev_rows_tell_mismatch_from_variance(scores, expected) -> None:
    found = codes(with_train_dev(*scores, 5_000))
    assert [code for code in found if code != "DW103"] == expected


def test_few_dev_rows_do_not_tell_mismatch_and_say_how_many_would() -> None:
    found = diagnose_bias_variance(
        replace(with_train_dev(0.01, 0.02, 0.09, 5_000), dev=wilson(36, 400), n_dev=400)
    )
    [unsure] = [f for f in found if f.code == "DW113"]
    needed = unsure.evidence["rows_needed"]
    assert isinstance(needed, int)
    assert f"400 dev rows, about {needed:,} would tell" in unsure.detail
    enough = round(1.3 * needed)
    told = replace(
        with_train_dev(0.01, 0.02, 0.09, 5_000), dev=wilson(0.09 * enough, enough), n_dev=enough
    )
    assert "DW113" not in codes(told)


def test_dev_at_the_best_possible_is_the_noise_floor_however_low_train_is() -> None:
    """A network that has learned the noise of its rows is no worse on new ones for it."""
    found = codes(evidence(0.02, 0.16, 5_000), 0.15)
    assert found == ["DW100", "DW108"]
    assert codes(evidence(0.02, 0.16, 5_000)) == ["DW101"]
    above = diagnose_bias_variance(evidence(0.02, 0.26, 5_000), 0.15)
    [variance] = [f for f in above if f.code == "DW101"]
    assert "gap 11.0" in variance.detail  # from 15 %, not from 2 %
    assert "fitted to noise" in variance.detail


def test_easy_dev_rows_at_the_best_possible_hide_no_variance_that_train_dev_rows_show() -> None:
    easy = diagnose_bias_variance(with_train_dev(0.01, 0.25, 0.06, 5_000), 0.05)
    assert [f.code for f in easy] == ["DW101", "DW107"]
    assert "train-dev 25.0 %, best possible 5.0 %" in easy[0].detail
    assert codes(with_train_dev(0.01, 0.06, 0.06, 5_000), 0.05) == ["DW100", "DW108"]


FLOOR = Floor(Estimate(0.14, 0.13, 0.15), "rows with the same inputs")


def test_a_floor_turns_an_assumed_high_bias_into_an_open_one() -> None:
    given = evidence(0.25, 0.26, 5_000)
    assert codes(given) == ["DW102"]
    [bias, *_] = diagnose_bias_variance(given, BestPossible(floor=FLOOR))
    assert (bias.code, bias.level) == ("DW112", "unsure")
    assert "best possible at least 14.0 % (rows with the same inputs)" in bias.detail
    assert codes(evidence(0.15, 0.155, 5_000), BestPossible(floor=FLOOR)) == ["DW100", "DW108"]


def test_a_strong_model_out_of_fold_shows_avoidable_bias_or_leaves_it_open() -> None:
    given = regression(50.0, 52.0, 1.5)
    better = Rival("random trees", Estimate(30, 28, 32), Estimate(20.0, 18.0, 22.0), None)
    [bias, *_] = diagnose_bias_variance(given, BestPossible(rival=better))
    assert (bias.code, bias.level) == ("DW102", "problem")
    assert (
        bias.detail
        == "train 50.00, random trees on the same rows out of fold 30.00 (gap 20.00 [18.00, 22.00])"
    )
    alike = Rival("random trees", Estimate(50, 48, 52), Estimate(0.0, -2.0, 2.0), None)
    assert codes(given, BestPossible(rival=alike))[0] == "DW112"
    # for an error rate 0 is assumed, until strong models do no better
    assert codes(evidence(0.25, 0.26, 5_000), BestPossible(rival=alike))[0] == "DW112"


def test_a_paired_gap_to_people_is_taken_as_it_is() -> None:
    people = BestPossible(Estimate(0.14, 0.10, 0.19), "human labels", Estimate(0.06, 0.055, 0.065))
    [bias, *_] = diagnose_bias_variance(evidence(0.20, 0.21, 3_000), people)
    assert bias.code == "DW102"
    assert "best possible 14.0 % [10.0, 19.0] by human labels (gap 6.0 [5.5, 6.5])" in bias.detail


@pytest.mark.parametrize(
    ("test", "n_test", "code"),
    [(0.20, 2_000, "DW114"), (0.11, 2_000, "DW115"), (0.18, 200, "DW116")],
)
def test_dev_to_test(test, n_test, code) -> None:
    dev, opened = wilson(200, 2_000), wilson(test * n_test, n_test)
    [found] = diagnose_dev_to_test("error", dev, 2_000, opened, n_test, 0.05)
    assert found.code == code
    if code == "DW116":
        assert "200 test rows, about" in found.detail
