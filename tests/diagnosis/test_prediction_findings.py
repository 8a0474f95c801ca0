"""Findings about predictions: where they speak, where they are silent, where rows are too few."""

from dataclasses import replace

import numpy as np
import pytest

from deepwell.diagnosis._prediction_sections import (
    Predicted,
    calibration_of,
    coverage_section,
    labels_section,
    probabilities_section,
    slices_section,
)
from deepwell.diagnosis._temperature import at_temperature


def drawn(
    n: int, classes: int = 2, seed: int = 0, temperature: float = 1.0, metric: str = "log_loss"
) -> Predicted:
    generator = np.random.default_rng(seed)
    p = generator.dirichlet(np.full(classes, 0.7), n)
    y = (generator.random((n, 1)) > np.cumsum(p, axis=1)[:, :-1]).sum(axis=1)
    labels = ("no", "yes") if classes == 2 else tuple(f"c{i}" for i in range(classes))
    return Predicted(y, at_temperature(p, 1 / temperature), labels, metric=metric)


@pytest.mark.parametrize(
    ("temperature", "claim"), [(2.5, "probabilities too sure"), (0.4, "probabilities too mild")]
)
def test_wrong_probabilities_are_a_problem(temperature, claim):
    finding, facts = calibration_of(drawn(800, 3, temperature=temperature), 199)
    assert (finding.code, finding.level, finding.claim) == ("DW213", "problem", claim)
    assert finding.evidence["temperature"] == pytest.approx(temperature, rel=0.3)
    assert facts["temperature"]["change"]["high"] < 0
    assert finding.evidence["p_value"] <= finding.evidence["threshold"]


@pytest.mark.parametrize("metric", ["error", "auc", "f1"])
def test_a_score_that_no_temperature_changes_makes_them_no_problem(metric):
    finding, _ = calibration_of(drawn(800, 3, temperature=2.5, metric=metric), 199)
    assert (finding.level, finding.claim) == ("ok", "probabilities too sure")
    assert finding.evidence["log_loss_change"]["high"] < 0


def test_right_probabilities_are_no_problem_and_few_rows_tell_nothing():
    levels = [calibration_of(drawn(500, 3, seed), 199)[0].level for seed in range(100)]
    assert levels.count("problem") <= 2
    assert calibration_of(drawn(40), 199)[0].level == "unsure"


def test_a_threshold_is_a_problem_for_the_metric_that_it_improves():
    generator = np.random.default_rng(1)
    second = 1 / (1 + np.exp(-generator.normal(-2.2, 1.5, 1_500)))
    y = (generator.random(1_500) < second).astype(int)
    p = np.stack([1 - second, second], axis=1)
    by_error = probabilities_section(Predicted(y, p, ("no", "yes"), metric="error")).findings
    by_f1 = probabilities_section(Predicted(y, p, ("no", "yes"), metric="f1")).findings
    assert [f.level for f in by_error if f.code == "DW214"] == ["ok", "ok"]
    (found,) = [f for f in by_f1 if f.code == "DW214"]
    assert found.level == "problem"
    assert found.evidence["value"] < 0.5
    assert found.evidence["change"]["high"] < 0


def test_even_classes_have_no_threshold():
    found = probabilities_section(drawn(400)).findings
    assert [f.code for f in found] == ["DW213", "DW215"]


def test_few_rows_are_unsure():
    assert labels_section(drawn(60)).findings[0].level == "unsure"
    assert slices_section(drawn(30)).findings[0].level == "unsure"
    assert coverage_section(drawn(12)).findings[0].level == "unsure"
    assert coverage_section(drawn(19)).findings[0].level == "ok"


def test_intervals_are_told_in_the_unit_of_the_target():
    generator = np.random.default_rng(2)
    y = generator.normal(100, 10, 500)
    section = coverage_section(Predicted(y, y + generator.normal(0, 2, 500), target="price"))
    assert section.findings[0].detail.startswith("price within 3.")
    assert section.facts["reach"] == pytest.approx(3.92, abs=0.5)


def test_rows_of_one_group_are_little_evidence():
    """Each row ten times, as often as the same patient was measured."""
    once = drawn(200, 2, temperature=2.0)
    who, age = np.repeat(np.arange(200), 10), np.random.default_rng(3).normal(size=200)
    rows = Predicted(
        once.y[who],
        once.prediction[who],
        once.classes,
        columns={"age": age[who]},
        metric="log_loss",
    )
    grouped = replace(rows, group=who)
    (alone, _), (together, _) = (calibration_of(one, 199) for one in (rows, grouped))
    widths = [f.evidence["gap"]["high"] - f.evidence["gap"]["low"] for f in (alone, together)]
    assert widths[1] > 2.8 * widths[0]  # sqrt(10)
    recall = [probabilities_section(one).facts["confusion"]["recall"][0] for one in (rows, grouped)]
    assert recall[1]["high"] - recall[1]["low"] > 2.5 * (recall[0]["high"] - recall[0]["low"])
    slices = [slices_section(one).findings[0].level for one in (rows, grouped)]
    assert slices[1] == "ok"
    flipped = [labels_section(one).facts["flipped"] for one in (rows, grouped)]
    assert flipped[1]["high"] - flipped[1]["low"] > flipped[0]["high"] - flipped[0]["low"]
