import pytest

from deepwell.diagnosis import CODES, compare_with_baselines
from deepwell.records import Estimate


@pytest.mark.parametrize(
    ("difference", "level", "claim"),
    [
        (Estimate(-0.05, -0.07, -0.03), "ok", "clearly better than logistic regression"),
        (Estimate(-0.012, -0.024, 0.001), "unsure", "not clearly better than logistic regression"),
        (Estimate(0.05, 0.03, 0.07), "problem", "worse than logistic regression"),
        (Estimate(-0.01, -0.02, 0.0), "unsure", "not clearly better than logistic regression"),
    ],
)
def test_the_interval_decides(difference: Estimate, level: str, claim: str) -> None:
    [found] = compare_with_baselines("error", {"logistic regression": difference})
    assert (found.code, found.level, found.claim) == ("DW105", level, claim)
    assert found.code in CODES


def test_the_words_and_the_evidence() -> None:
    difference = Estimate(-0.012, -0.024, 0.001)
    [found] = compare_with_baselines("error", {"ridge": difference})
    assert found.detail == "difference in error -1.2 [-2.4, 0.1] on the dev rows"
    assert found.evidence["differences"] == {"ridge": difference.to_plain()}
    assert found.command == ""


def test_the_model_that_is_hardest_to_beat_is_named() -> None:
    [found] = compare_with_baselines(
        "rmse",
        {
            "mean": Estimate(-30.0, -33.0, -27.0),
            "ridge regression": Estimate(-0.5, -2.0, 1.0),
        },
    )
    assert found.claim == "not clearly better than ridge regression"
    assert found.detail == "difference in RMSE -0.500 [-2.000, 1.000] on the dev rows"


def test_a_doubtful_win_outweighs_a_narrower_clear_one() -> None:
    [found] = compare_with_baselines(
        "error", {"a": Estimate(-0.01, -0.015, -0.005), "b": Estimate(-0.02, -0.05, 0.01)}
    )
    assert found.evidence["baseline"] == "b"


def test_nothing_to_compare_with_is_no_finding() -> None:
    assert compare_with_baselines("error", {}) == []


def test_a_hostile_name_is_made_harmless() -> None:
    [found] = compare_with_baselines("error", {"x\x1b[31m": Estimate(0.1, 0.05, 0.2)})
    assert "\x1b" not in found.claim
