"""Calibration: bins, Brier and log loss against scikit-learn; the test's size by simulation."""

import numpy as np
import pytest
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss, log_loss

from deepwell.diagnosis._calibration import (
    brier,
    calibration,
    calibration_error,
    reliability,
)
from deepwell.diagnosis._calibration_test import calibration_p_value, grouped_p_value
from deepwell.diagnosis._cross_fit import random_folds
from deepwell.diagnosis._temperature import at_temperature, fit_temperature, temperature_scaling


def honest(n: int, classes: int, seed: int, temperature: float = 1.0):
    """Labels drawn from probabilities, and what a model of another temperature says of them."""
    generator = np.random.default_rng(seed)
    p = at_temperature(generator.dirichlet(np.ones(classes), n), 0.5)
    y = (generator.random((n, 1)) > np.cumsum(p, axis=1)[:, :-1]).sum(axis=1)
    return y, at_temperature(p, 1 / temperature)


def test_bins_are_those_of_scikit_learn():
    y, p = honest(500, 2, 0)
    said, share = (
        np.array(v)
        for v in zip(*((b.said, b.share.value) for b in reliability(p[:, 1], y == 1)), strict=True)
    )
    expected = calibration_curve(y, p[:, 1], n_bins=10, strategy="quantile")
    np.testing.assert_allclose(share, expected[0])
    np.testing.assert_allclose(said, expected[1])


@pytest.mark.parametrize("classes", [2, 4])
def test_the_brier_score_is_that_of_scikit_learn_and_the_sum_of_its_parts(classes):
    y, p = honest(400, classes, 1)
    weight = np.random.default_rng(2).random(400)
    parts = brier(y, p, weight)
    expected = brier_score_loss(
        y, p if classes > 2 else p[:, 1], sample_weight=weight, labels=range(classes)
    )
    assert parts.score == pytest.approx(expected)
    total = parts.reliability - parts.resolution + parts.uncertainty + parts.rest
    assert total == pytest.approx(parts.score)
    assert abs(parts.rest) < 0.02 < parts.resolution


def test_the_calibration_error_is_known_where_the_model_is_wrong_by_a_constant():
    generator = np.random.default_rng(3)
    said = np.repeat([0.3, 0.7], 5_000)
    true = generator.random(10_000) < said + 0.1
    assert calibration_error(said, true) == pytest.approx(0.1, abs=0.015)
    assert calibration_error(said, generator.random(10_000) < said) < 0.015


@pytest.mark.parametrize("classes", [2, 5])
def test_right_probabilities_are_doubted_as_often_as_stated(classes):
    p_values = [calibration_p_value(*honest(150, classes, s), seed=s, draws=99) for s in range(400)]
    assert 0.02 <= np.mean(np.array(p_values) <= 0.05) <= 0.085
    assert 0.44 <= np.mean(p_values) <= 0.58


@pytest.mark.parametrize("classes", [2, 4])
def test_class_weights_leave_the_test_its_size(classes):
    """A class of some 4 % of the rows, which count 20 times: weights go with the labels."""
    factor = np.array([*[1.0] * (classes - 1), 20.0])
    p_values = []
    for seed in range(300):
        _, p = honest(150, classes, seed)
        p[:, -1] /= 12
        p /= p.sum(axis=1, keepdims=True)
        drawn = np.random.default_rng(seed).random((150, 1))
        y = (drawn > np.cumsum(p, axis=1)[:, :-1]).sum(axis=1)
        q = p * factor / (p * factor).sum(axis=1, keepdims=True)
        found = calibration(y, q, factor[y], seed, 99, factor)
        p_values.append(found.p_value)
    assert 0.015 <= np.mean(np.array(p_values) <= 0.05) <= 0.09
    assert 0.43 <= np.mean(p_values) <= 0.59


def test_wrong_probabilities_are_found_under_class_weights():
    factor = np.array([1.0, 6.0])
    y, p = honest(800, 2, 4, temperature=2.0)
    q = p * factor / (p * factor).sum(axis=1, keepdims=True)
    assert calibration(y, q, factor[y], 0, 199, factor).p_value <= 0.01
    nothing = np.array([0.0, 1.0])  # of classes that count nothing no row is looked at
    assert calibration(y, np.eye(2)[np.ones(800, int)], nothing[y], 0, 99, nothing).p_value == 1.0


@pytest.mark.parametrize("classes", [2, 5])
def test_overconfident_probabilities_are_found(classes):
    found = calibration(*honest(600, classes, 4, temperature=2.0))
    assert found.p_value <= 0.002
    assert found.gap.low > 0.03
    assert found.error > 0.03
    assert len(found.by_class) == classes


def test_weights_count_as_copies_of_rows():
    y, p = honest(200, 3, 5)
    copies = np.random.default_rng(6).integers(1, 4, 200)
    wide = np.repeat(np.arange(200), copies)
    one, many = calibration(y, p, copies), calibration(y[wide], p[wide])
    assert one.gap.value == pytest.approx(many.gap.value)
    assert brier(y, p, copies).score == pytest.approx(many.brier.score)


@pytest.mark.parametrize("classes", [2, 5])
def test_the_temperature_is_found_again(classes):
    y, p = honest(4_000, classes, 7, temperature=1.8)
    temperature = fit_temperature(y, p)
    assert temperature == pytest.approx(1.8, rel=0.06)
    grid = [log_loss(y, at_temperature(p, t)) for t in np.linspace(0.8, 1.2, 41) * temperature]
    assert int(np.argmin(grid)) == 20  # no better one nearby


def test_the_temperature_stays_within_its_bounds():
    y = np.array([0, 1, 0, 1])
    right = np.eye(2)[y] * 0.98 + 0.01
    assert fit_temperature(y, right) == 0.05
    assert fit_temperature(1 - y, right) == 20.0


def test_the_change_is_measured_on_rows_that_did_not_fit_it():
    changes = [temperature_scaling(*honest(60, 3, s), seed=s) for s in range(100)]
    helping = [one.change.high < 0 for one in changes]
    assert np.mean([one.change.value for one in changes]) > 0  # nothing to gain, a little to lose
    assert np.mean(helping) <= 0.05
    scaling = temperature_scaling(*honest(500, 3, 0, temperature=2.0))
    assert scaling.change.high < 0
    assert scaling.error_after < scaling.error_before


def test_a_temperature_of_two_classes_divides_the_logit():
    p = np.array([[0.9, 0.1]])
    q = at_temperature(p, 2.0)[0]
    assert np.log(q[0] / q[1]) == pytest.approx(np.log(9) / 2)
    assert at_temperature(p, 1.0) is p


def alike(groups: int, each: int, seed: int, temperature: float = 1.0, shared: float = 1.0):
    """Right probabilities, alike for the rows of a group, which come true together."""
    generator = np.random.default_rng(seed)
    group = np.repeat(np.arange(groups), each)
    p = generator.uniform(0.05, 0.95, groups)[group] + 0.05 * generator.normal(size=len(group))
    p = np.clip(p, 0.025, 0.975)
    one, own = generator.random(groups)[group], generator.random(len(p))
    y = (np.where(generator.random(len(p)) < shared, one, own) < p).astype(int)
    return y, at_temperature(np.stack([1 - p, p], axis=1), 1 / temperature), group


@pytest.mark.parametrize("groups", [12, 60])
def test_right_probabilities_of_groups_are_doubted_no_more_often_than_stated(groups):
    rows, by_group = [], []
    for seed in range(200):
        y, p, group = alike(groups, 8, seed)
        rows.append(calibration_p_value(y, p, seed=seed, draws=99))
        by_group.append(grouped_p_value(y, p, np.ones(len(y)), group, seed, 99))
    assert np.mean(np.array(rows) <= 0.05) > 0.7  # as if each row was one of its own
    assert np.mean(np.array(by_group) <= 0.05) <= 0.09
    assert np.mean(np.array(by_group) <= 0.01) <= 0.03


def test_the_gap_of_groups_holds_and_the_error_is_that_of_groups():
    covered, rows, errors, wrong = [], [], [], []
    for seed in range(150):
        y, p, group = alike(30, 8, seed)
        one = calibration(y, p, None, seed, 1, None, group)
        alone = calibration(y, p, None, seed, 1)
        covered.append(one.gap.low <= 0 <= one.gap.high)
        rows.append(alone.gap.low <= 0 <= alone.gap.high)
        errors.append(one.error)
        wrong.append(alone.error)
        first = [found.bins[0].share for found in (one, alone)]
        assert first[0].value == pytest.approx(first[1].value)
        assert first[0].high - first[0].low > 1.2 * (first[1].high - first[1].low)
    assert np.mean(covered) >= 0.9
    assert np.mean(rows) <= 0.8
    assert np.mean(errors) < 0.75 * np.mean(wrong)


def test_wrong_probabilities_of_groups_are_found():
    y, p, group = alike(150, 6, 2, temperature=2.5, shared=0.3)
    found = calibration(y, p, None, 0, 199, None, group)
    assert found.p_value <= 0.01
    assert found.gap.low > 0


def test_a_temperature_is_fitted_on_other_groups_than_it_is_measured_on():
    y, _, group = alike(20, 6, 0)
    parts = list(random_folds(y, 3, group))
    assert len(parts) == 5
    assert sorted(np.concatenate([inside for inside, _ in parts])) == list(range(len(y)))
    assert all(not set(group[inside]) & set(group[outside]) for inside, outside in parts)
    assert len(list(random_folds(y, 3, np.zeros(len(y), int)))) == 5  # one group: by rows
