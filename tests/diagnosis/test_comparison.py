from statistics import NormalDist

import numpy as np
import pytest

from deepwell.diagnosis import CODES, METRICS, compare_with_baselines
from deepwell.diagnosis._comparison import hardest_baseline
from deepwell.diagnosis._intervals import paired_difference
from deepwell.records import Estimate

SEEMS = "seems worse than logistic regression, perhaps not by what matters"


@pytest.mark.parametrize(
    ("difference", "level", "claim"),
    [
        (Estimate(-0.05, -0.07, -0.03), "ok", "clearly better than logistic regression"),
        (Estimate(-0.012, -0.024, 0.001), "unsure", "not clearly better than logistic regression"),
        (Estimate(0.05, 0.03, 0.07), "problem", "worse than logistic regression"),
        (Estimate(0.05, 0.015, 0.085), "unsure", SEEMS),
        (Estimate(0.005, 0.001, 0.009), "unsure", SEEMS),
        (Estimate(-0.01, -0.02, 0.0), "unsure", "not clearly better than logistic regression"),
    ],
)
def test_the_interval_and_the_gain_that_counts_decide(
    difference: Estimate, level: str, claim: str
) -> None:
    [found] = compare_with_baselines("error", {"logistic regression": difference}, 0.02)
    assert (found.code, found.level, found.claim) == ("DW105", level, claim)
    assert found.code in CODES


def test_the_words_and_the_evidence() -> None:
    difference = Estimate(-0.012, -0.024, 0.001)
    [found] = compare_with_baselines("error", {"ridge": difference}, 0.02)
    assert found.detail == "difference in error -1.2 [-2.4, 0.1] on the dev rows"
    assert found.evidence["differences"] == {"ridge": difference.to_plain()}
    assert (found.evidence["least"], found.evidence["counts"]) == (-0.024, 0.02)
    assert found.command == ""


def test_the_model_that_is_hardest_to_beat_is_named() -> None:
    [found] = compare_with_baselines(
        "rmse",
        {
            "mean": Estimate(-30.0, -33.0, -27.0),
            "ridge regression": Estimate(-0.5, -2.0, 1.0),
        },
        3.0,
    )
    assert found.claim == "not clearly better than ridge regression"
    assert found.detail == "difference in RMSE -0.500 [-2.000, 1.000] on the dev rows"


def test_a_doubtful_win_outweighs_a_narrower_clear_one() -> None:
    [found] = compare_with_baselines(
        "error", {"a": Estimate(-0.01, -0.015, -0.005), "b": Estimate(-0.02, -0.05, 0.01)}, 0.02
    )
    assert found.evidence["baseline"] == "b"


def test_of_two_that_seem_better_the_surer_one_is_named() -> None:
    """Else a problem could hide behind a model whose larger difference is less sure."""
    differences = {"a": Estimate(0.09, 0.001, 0.18), "b": Estimate(0.06, 0.05, 0.07)}
    [found] = compare_with_baselines("error", differences, 0.04)
    assert (found.level, found.claim) == ("problem", "worse than b")
    assert hardest_baseline(differences) == "b"


def _rows_of_one_side(wrong: int) -> Estimate:
    """Return the difference of error where so many of 150 rows are wrong in the network alone."""
    y = np.zeros(150, int)
    right = np.tile([1.0, 0.0], (150, 1))
    said = right.copy()
    said[:wrong] = [0.0, 1.0]
    return paired_difference(METRICS["error"], y, said, right)


def test_the_lower_end_holds_for_all_models_at_once() -> None:
    """Five rows differ, all to one side: by chance 1 in 32 for one model, 1 in 16 for two."""
    luck = _rows_of_one_side(5)
    assert luck.low > 0
    [alone] = compare_with_baselines("error", {"a": luck}, 0.0)
    [of_two] = compare_with_baselines("error", {"a": luck, "b": Estimate(-0.3, -0.4, -0.2)}, 0.0)
    assert (alone.level, of_two.level) == ("problem", "unsure")
    assert alone.evidence["least"] == pytest.approx(luck.low)
    wider = NormalDist().inv_cdf(1 - 0.0125) / NormalDist().inv_cdf(0.975)
    assert of_two.evidence["least"] == pytest.approx(luck.value - wider * (luck.value - luck.low))


def test_models_as_good_as_the_network_are_seldom_called_better() -> None:
    """2.5 % of 4,000 tables with two such models, within three standard errors; not 5 %."""
    random = np.random.default_rng(0)
    errors = random.normal(size=(4_000, 2))
    false = 0
    for pair in errors:
        differences = {
            name: Estimate(e, e - 1.96, e + 1.96)
            for name, e in zip("ab", pair.tolist(), strict=True)
        }
        [found] = compare_with_baselines("rmse", differences, 0.0)
        false += found.level == "problem"
    assert false / 4_000 <= 0.025 + 3 * np.sqrt(0.025 * 0.975 / 4_000)


def test_nothing_to_compare_with_is_no_finding() -> None:
    assert compare_with_baselines("error", {}, 0.02) == []


def test_a_network_whose_score_has_no_bound_is_worse() -> None:
    beyond = Estimate(*3 * [float("inf")])
    [found] = compare_with_baselines("rmse", {"a": beyond, "b": beyond}, 0.5)
    assert found.level == "problem"


def test_a_hostile_name_is_made_harmless() -> None:
    [found] = compare_with_baselines("error", {"x\x1b[31m{}": Estimate(0.1, 0.05, 0.2)}, 0.02)
    assert "\x1b" not in found.claim
    assert found.claim.startswith("worse than x")
