import warnings
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sk

from deepwell._base._errors import UsageError
from deepwell.diagnosis import METRICS, default_metric
from deepwell.diagnosis.metrics._tally import Tally

CLASSES = ["error", "log_loss", "auc", "f1", "balanced_error"]
NUMBERS = ["rmse", "mae", "r2"]


def classified(seed: int, n: int, classes: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Targets of which every class occurs, probabilities with ties, weights."""
    generator = np.random.default_rng(seed)
    y = np.concatenate([np.arange(classes), generator.integers(classes, size=n - classes)])
    scores = generator.integers(1, 6, size=(n, classes)) + 2.0 * np.eye(classes)[y]
    return y, scores / scores.sum(axis=1, keepdims=True), generator.integers(1, 4, size=n) * 1.0


def measured(seed: int, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    y = 1000 + 20 * generator.standard_normal(n)
    return y, y + 5 * generator.standard_normal(n), generator.random(n) + 0.1


def one_versus_rest(y: np.ndarray, p: np.ndarray, w: np.ndarray | None) -> float:
    if p.shape[1] == 2:
        return float(sk.roc_auc_score(y, p[:, 1], sample_weight=w))
    columns = range(p.shape[1])
    return float(np.mean([sk.roc_auc_score(y == c, p[:, c], sample_weight=w) for c in columns]))


ORACLES: dict[str, Callable[..., float]] = {
    "error": lambda y, p, w: 1 - sk.accuracy_score(y, p.argmax(1), sample_weight=w),
    "log_loss": lambda y, p, w: sk.log_loss(y, p, sample_weight=w),
    "auc": lambda y, p, w: 1 - one_versus_rest(y, p, w),
    "f1": lambda y, p, w: (
        1
        - sk.f1_score(
            y, p.argmax(1), sample_weight=w, average="binary" if p.shape[1] == 2 else "macro"
        )
    ),
    "balanced_error": lambda y, p, w: (
        1 - sk.balanced_accuracy_score(y, p.argmax(1), sample_weight=w)
    ),
    "rmse": lambda y, p, w: sk.root_mean_squared_error(y, p, sample_weight=w),
    "mae": lambda y, p, w: sk.mean_absolute_error(y, p, sample_weight=w),
    "r2": lambda y, p, w: 1 - sk.r2_score(y, p, sample_weight=w),
}


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("classes", [2, 3, 7])
@pytest.mark.parametrize("name", CLASSES)
def test_classification_agrees_with_scikit_learn(name: str, classes: int, weighted: bool) -> None:
    y, p, w = classified(classes, 60, classes)
    w = w if weighted else None
    assert METRICS[name].loss(y, p, w) == pytest.approx(ORACLES[name](y, p, w), rel=1e-12)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", NUMBERS)
def test_regression_agrees_with_scikit_learn(name: str, weighted: bool) -> None:
    y, p, w = measured(1, 80)
    w = w if weighted else None
    assert METRICS[name].loss(y, p, w) == pytest.approx(ORACLES[name](y, p, w), rel=1e-9)


def test_every_metric_has_its_oracle_and_its_words() -> None:
    assert set(METRICS) == set(ORACLES)
    assert [m.label for m in METRICS.values()] == [
        "error",
        "log loss",
        "1 - AUC",
        "1 - F1",
        "balanced error",
        "RMSE",
        "MAE",
        "1 - R2",
    ]
    assert {m.name for m in METRICS.values() if m.task == "regression"} == set(NUMBERS)
    assert default_metric("classification") is METRICS["error"]
    assert default_metric("regression") is METRICS["rmse"]
    with pytest.raises(UsageError, match='did you mean "rmse"'):
        METRICS["rmsee"]


@pytest.mark.parametrize("name", CLASSES)
def test_the_perfect_prediction_scores_zero(name: str) -> None:
    y = np.array([0, 1, 2, 1, 0])
    assert METRICS[name].loss(y, np.eye(3)[y]) == pytest.approx(0, abs=1e-12)


@given(st.sampled_from(CLASSES), st.integers(0, 99), st.integers(2, 4))
def test_a_whole_weight_is_as_many_rows(name: str, seed: int, classes: int) -> None:
    y, p, w = classified(seed, 20, classes)
    again = np.repeat(np.arange(20), w.astype(int))
    metric = METRICS[name]
    assert metric.loss(y, p, w) == pytest.approx(metric.loss(y[again], p[again]))
    order = np.random.default_rng(seed).permutation(20)
    assert metric.loss(y, p, w) == pytest.approx(metric.loss(y[order], p[order], w[order]))


@given(st.sampled_from(sorted(METRICS)), st.integers(0, 99), st.integers(1, 7))
def test_sums_over_groups_add_up_to_the_sums_over_all_rows(
    name: str, seed: int, groups: int
) -> None:
    y, p, w = measured(seed, 30) if name in NUMBERS else classified(seed, 30, 3)
    group = np.random.default_rng(seed).integers(groups, size=30)
    metric = METRICS[name]
    total = metric.sums(y, p, Tally(w, group, groups)).sum(axis=0)
    assert float(metric.combine(total)) == pytest.approx(metric.loss(y, p, w))


@pytest.mark.parametrize("name", sorted(METRICS))
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_prediction_that_is_no_number_never_wins(name: str, bad: float) -> None:
    y, p, _ = measured(0, 10) if name in NUMBERS else classified(0, 10, 3)
    p = p.copy()
    p[3] = bad
    assert METRICS[name].loss(y, p) == np.inf


def test_confident_mistakes_cost_what_their_precision_can_tell() -> None:
    y, p = np.array([0]), np.array([[0.0, 1.0]])
    for kind in (np.float32, np.float64):
        expected = -np.log(np.finfo(kind).eps)
        assert METRICS["log_loss"].loss(y, p.astype(kind)) == pytest.approx(expected)


def test_classes_without_rows_do_not_count() -> None:
    y, p = np.array([0, 0, 2, 2]), np.eye(4)[[0, 2, 2, 2]]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn warns that class 1 is not there
        assert METRICS["balanced_error"].loss(y, p) == pytest.approx(0.25)
        expected = 1 - sk.f1_score(y, p.argmax(1), average="macro")
    assert METRICS["f1"].loss(y, p) == pytest.approx(expected)
    areas = [sk.roc_auc_score(y == c, p[:, c]) for c in (0, 2)]
    assert METRICS["auc"].loss(y, p) == pytest.approx(1 - np.mean(areas))


def test_an_area_needs_both_kinds_of_rows() -> None:
    assert np.isnan(METRICS["auc"].loss(np.zeros(3, dtype=int), np.full((3, 2), 0.5)))


def test_f1_of_nothing_to_find_and_nothing_found_is_the_worst() -> None:
    y, p = np.zeros(3, dtype=int), np.eye(2)[[0, 0, 0]]
    assert METRICS["f1"].loss(y, p) == 1.0


@pytest.mark.parametrize("value", [0.1, 3.0, 1e6])
def test_a_target_that_does_not_vary_is_hit_or_missed(value: float) -> None:
    y = np.full(7, value)
    assert METRICS["r2"].loss(y, y) == 0.0
    assert METRICS["r2"].loss(y, y + 0.5) == 1.0
    exact = np.full(7, 3.0)  # whose mean has no rounding error, so scikit-learn sees it too
    assert sk.r2_score(exact, exact + 0.5) == 0.0


def test_r2_keeps_its_digits_far_from_zero() -> None:
    y, p, _ = measured(3, 50)
    moved = METRICS["r2"].loss(y + 1e9, p + 1e9)
    assert moved == pytest.approx(METRICS["r2"].loss(y, p), rel=1e-5)


def test_huge_predictions_overflow_to_infinity_in_silence() -> None:
    assert METRICS["rmse"].loss(np.array([0.0, 1.0]), np.array([1e200, 0.0])) == np.inf


def test_float32_predictions_are_summed_in_double() -> None:
    y = np.full(3_000_000, 0.5)
    p = np.full(3_000_000, 0.6, dtype=np.float32)
    assert METRICS["mae"].loss(y, p) == pytest.approx(0.1, rel=1e-6)
