import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits
from sklearn.linear_model import LogisticRegression, Ridge

from deepwell.diagnosis import METRICS, constant_guess, linear_model
from deepwell.diagnosis import _baselines as baselines
from deepwell.diagnosis._logistic import LogisticPath
from deepwell.diagnosis._ridge import best_penalty, ridge


def normalized(x: np.ndarray) -> np.ndarray:
    return ((x - x.mean(axis=0)) / np.maximum(x.std(axis=0), 1e-9)).astype(np.float32)


def test_the_constant_guess_is_the_commonest_class_with_the_train_shares() -> None:
    y = np.array([0, 0, 0, 1])
    guess = constant_guess(METRICS["error"], y, 2, ("no", "yes"))
    assert guess.name == 'always "no"'
    assert guess.prediction_dev.tolist() == [[0.75, 0.25]] * 2
    assert guess.prediction_train.shape == (4, 2)
    assert METRICS["error"].loss(y, guess.prediction_train) == 0.25
    entropy = -(0.75 * np.log(0.75) + 0.25 * np.log(0.25))
    assert METRICS["log_loss"].loss(y, guess.prediction_train) == pytest.approx(entropy)


def test_the_constant_guess_of_f1_says_the_positive_class() -> None:
    guess = constant_guess(METRICS["f1"], np.array([0, 0, 0, 1]), 1, ("no", "yes"))
    assert guess.name == 'always "yes"'
    assert guess.prediction_dev.argmax() == 1


def test_a_class_without_train_rows_keeps_its_column() -> None:
    guess = constant_guess(METRICS["error"], np.array([0, 0, 1]), 1, ("a", "b", "c"))
    assert guess.prediction_dev.shape == (1, 3)


@pytest.mark.parametrize(("metric", "name"), [("rmse", "mean"), ("r2", "mean"), ("mae", "median")])
def test_the_constant_guess_of_numbers_suits_the_metric(metric: str, name: str) -> None:
    y = np.array([0.0, 1.0, 2.0, 3.0, 100.0], dtype=np.float32)
    guess = constant_guess(METRICS[metric], y, 3)
    assert guess.name == name
    assert guess.prediction_dev.tolist() == [21.2 if name == "mean" else 2.0] * 3


def test_a_hostile_label_is_made_harmless() -> None:
    guess = constant_guess(METRICS["error"], np.array([0, 0, 1]), 1, ("a\x1b[31m" + "x" * 99, "b"))
    assert "\x1b" not in guess.name
    assert len(guess.name) < 80


@pytest.mark.parametrize(("load", "worst"), [(load_digits, 0.06), (load_breast_cancer, 0.05)])
def test_logistic_regression_is_as_good_as_scikit_learn_at_its_best(load, worst: float) -> None:
    x, y = load(return_X_y=True)
    x, train = normalized(x), np.arange(len(y)) % 4 != 0
    found = linear_model("classification", x[train], y[train], x[~train], int(y.max()) + 1)
    assert found.name == "logistic regression"
    assert found.note == ""
    assert found.prediction_dev.sum(axis=1) == pytest.approx(np.ones((~train).sum()))
    error = METRICS["error"].loss(y[~train], found.prediction_dev)
    assert error <= worst
    peers = [
        METRICS["log_loss"].loss(
            y[~train],
            LogisticRegression(C=c, max_iter=300).fit(x[train], y[train]).predict_proba(x[~train]),
        )
        for c in (0.001, 0.01, 0.1, 1.0, 10.0)
    ]
    # the chosen penalty is the best on the dev rows or the next to it, and never the worst
    assert METRICS["log_loss"].loss(y[~train], found.prediction_dev) <= sorted(peers)[1] + 1e-3


def test_ridge_regression_is_as_good_as_scikit_learn_at_its_best() -> None:
    x, y = load_diabetes(return_X_y=True)
    x, train = normalized(x), np.arange(len(y)) % 4 != 0
    found = linear_model("regression", x[train], y[train], x[~train])
    assert found.name == "ridge regression"
    peers = [
        METRICS["rmse"].loss(y[~train], Ridge(alpha=a).fit(x[train], y[train]).predict(x[~train]))
        for a in np.logspace(-3, 4, 15)
    ]
    assert METRICS["rmse"].loss(y[~train], found.prediction_dev) <= 1.02 * min(peers)
    assert found.prediction_train.shape == (train.sum(),)


def test_more_inputs_than_rows_give_the_same_fit_in_the_space_of_the_rows(monkeypatch) -> None:
    generator = np.random.default_rng(0)
    x = generator.standard_normal((40, 300)).astype(np.float32)
    y = (x[:, 0] + 0.5 * generator.standard_normal(40) > 0).astype(int)
    monkeypatch.setattr(baselines, "_STRENGTHS", (0.1,))
    found = linear_model("classification", x, y, x[:5] + 1, 2)
    peer = LogisticRegression(C=0.1, max_iter=1000, tol=1e-8).fit(x.astype(float), y)
    assert found.prediction_dev == pytest.approx(peer.predict_proba(x[:5] + 1.0), abs=2e-3)


def test_a_linear_target_is_found_in_its_own_unit() -> None:
    generator = np.random.default_rng(0)
    x = generator.standard_normal((200, 5)).astype(np.float32)
    y = 1e7 + 1e4 * (x @ np.arange(5.0))
    found = linear_model("regression", x[:150], y[:150], x[150:])
    assert found.prediction_dev == pytest.approx(y[150:], abs=100)


def test_pure_noise_is_predicted_by_about_the_mean() -> None:
    generator = np.random.default_rng(0)
    x, y = generator.standard_normal((300, 40)).astype(np.float32), generator.standard_normal(300)
    found = linear_model("regression", x[:200], y[:200], x[200:])
    assert METRICS["r2"].loss(y[200:], found.prediction_dev) < 1.1


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_large_data_is_sampled_and_says_so(task: str, monkeypatch) -> None:
    monkeypatch.setattr(baselines, "_CELLS", 4_000)
    monkeypatch.setattr(baselines, "_PRODUCTS", 3_000)
    generator = np.random.default_rng(0)
    x = generator.standard_normal((2_000, 4)).astype(np.float32)
    y = (x[:, 0] > 0).astype(int) if task == "classification" else x[:, 0]
    found = linear_model(task, x, y, x[:7], 2)
    assert found.note == f"fitted on {500 if task == 'classification' else 200} of 2,000 rows"
    assert len(found.prediction_train) == 2_000


def test_a_fit_that_does_not_converge_says_so_without_a_warning(monkeypatch) -> None:
    monkeypatch.setattr(baselines, "_STEPS", 1)
    x, y = load_breast_cancer(return_X_y=True)
    found = linear_model("classification", normalized(x), y, normalized(x)[:9], 2)
    assert found.note == "stopped after 1 steps, not converged"


def test_a_class_seen_once_and_a_class_never_seen() -> None:
    generator = np.random.default_rng(0)
    y = np.array([0] * 20 + [1] * 20 + [3])
    x = (generator.standard_normal((41, 3)) + y[:, None]).astype(np.float32)
    found = linear_model("classification", x, y, x, 5)
    assert found.prediction_dev.shape == (41, 5)
    assert (found.prediction_dev[:, [2, 4]] == 0).all()
    assert METRICS["error"].loss(y, found.prediction_dev) < 0.3


def test_train_rows_of_one_class_give_that_class() -> None:
    x = np.zeros((6, 2), dtype=np.float32)
    found = linear_model("classification", x, np.ones(6, dtype=int), x, 2)
    assert found.prediction_dev.tolist() == [[0.0, 1.0]] * 6


@pytest.mark.parametrize("rows", [1, 2, 3])
def test_a_handful_of_rows_is_enough_to_run(rows: int) -> None:
    x = np.arange(rows * 2, dtype=np.float32).reshape(rows, 2)
    classes = linear_model("classification", x, np.arange(rows) % 2, x, 2)
    numbers = linear_model("regression", x, np.arange(rows, dtype=np.float32), x)
    assert np.isfinite(classes.prediction_dev).all()
    assert np.isfinite(numbers.prediction_dev).all()


def test_constant_inputs_and_targets_do_no_harm() -> None:
    x = np.zeros((30, 3), dtype=np.float32)
    numbers = linear_model("regression", x, np.full(30, 7.5, dtype=np.float32), x)
    assert numbers.prediction_dev == pytest.approx(np.full(30, 7.5))
    classes = linear_model("classification", x, np.arange(30) % 3, x, 3)
    assert classes.prediction_dev == pytest.approx(np.full((30, 3), 1 / 3), abs=1e-3)


def test_the_seed_decides_the_sample() -> None:
    x, y = load_diabetes(return_X_y=True)
    one, again = (linear_model("regression", normalized(x), y, normalized(x), seed=3) for _ in "ab")
    assert (one.prediction_dev == again.prediction_dev).all()


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("strength", [1e-2, 1.0, 100.0])
def test_logistic_regression_has_the_solution_of_scikit_learn(
    classes: int, strength: float
) -> None:
    generator = np.random.default_rng(classes)
    x = generator.normal(size=(300, 6))
    y = np.digitize(x[:, 0] + generator.normal(size=300), np.linspace(-1, 1, classes + 1)[1:-1])
    model = LogisticPath(classes, 1000)
    model.fit(x, y, strength)
    right = LogisticRegression(C=strength, tol=1e-8, max_iter=10_000).fit(x, y)
    assert model.converged
    np.testing.assert_allclose(model.predict(x), right.predict_proba(x), atol=2e-3)


@pytest.mark.parametrize("shape", [(80, 7), (30, 50)])
def test_the_ridge_penalty_is_that_of_leave_one_out(shape: tuple[int, int]) -> None:
    generator = np.random.default_rng(shape[0])
    x = generator.normal(size=shape)
    y = x @ generator.normal(size=shape[1]) + 3 * generator.normal(size=shape[0])
    penalties = [0.1, 1.0, 10.0, 100.0]
    errors = []
    for penalty in penalties:
        missed = []
        for i in range(len(x)):
            rest = np.arange(len(x)) != i
            weights, bias = ridge(x[rest], y[rest], penalty)
            missed.append(y[i] - x[i] @ weights - bias)
        errors.append(np.mean(np.square(missed)))
    assert best_penalty(x, y, penalties) == penalties[int(np.argmin(errors))]
    weights, bias = ridge(x, y, 10.0)
    right = Ridge(alpha=10.0).fit(x, y)
    np.testing.assert_allclose(weights, right.coef_, rtol=1e-8)
    assert bias == pytest.approx(right.intercept_, rel=1e-8)


def copies_and_weights(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows of a table with copies, and the counts that say the same by weight."""
    count = np.random.default_rng(seed).integers(0, 4, n)
    return np.repeat(np.arange(n), count), count.astype(np.float64)


@pytest.mark.parametrize("metric", ["rmse", "mae"])
def test_a_weight_is_a_number_of_copies_for_constants(metric: str) -> None:
    y = np.random.default_rng(1).normal(size=60)
    rows, count = copies_and_weights(60, 2)
    copied = constant_guess(METRICS[metric], y[rows], 1)
    weighed = constant_guess(METRICS[metric], y, 1, (), 0.25 * count)
    np.testing.assert_allclose(weighed.prediction_dev, copied.prediction_dev, rtol=1e-12)
    classes = (y > 0).astype(int)
    for name in ("error", "f1"):
        copied = constant_guess(METRICS[name], classes[rows], 1, ("a", "b"))
        weighed = constant_guess(METRICS[name], classes, 1, ("a", "b"), 3.0 * count)
        assert copied.name == weighed.name
        np.testing.assert_allclose(weighed.prediction_dev, copied.prediction_dev)


def test_a_weight_is_a_number_of_copies_for_linear_models() -> None:
    rng = np.random.default_rng(5)
    x = rng.normal(size=(80, 6))
    y = x @ rng.normal(size=6) + rng.normal(size=80)
    rows, count = copies_and_weights(80, 7)
    for penalty in (0.1, 10.0):
        copied = ridge(x[rows], y[rows], penalty)
        weighed = ridge(x, y, penalty, count)
        np.testing.assert_allclose(weighed[0], copied[0], rtol=1e-9)
        assert weighed[1] == pytest.approx(copied[1])
        expected = Ridge(alpha=penalty).fit(x, y, sample_weight=count)
        np.testing.assert_allclose(weighed[0], expected.coef_, rtol=1e-6)
    path, of_copies = LogisticPath(3, 300), LogisticPath(3, 300)
    labels = np.digitize(y, [-1, 1])
    path.fit(x, labels, 1.0, count)
    of_copies.fit(x[rows], labels[rows], 1.0)
    np.testing.assert_allclose(path.predict(x), of_copies.predict(x), atol=1e-3)


def test_the_penalty_of_weighed_rows_is_by_leaving_each_out() -> None:
    rng = np.random.default_rng(8)
    x, weight = rng.normal(size=(25, 4)), rng.uniform(0.2, 3.0, 25)
    y = x[:, 0] + rng.normal(size=25)
    penalties = [0.01, 1.0, 30.0]
    errors = []
    for penalty in penalties:
        total = 0.0
        for out in range(25):
            kept = np.arange(25) != out
            w, b = ridge(x[kept], y[kept], penalty, weight[kept])
            total += weight[out] * float(x[out] @ w + b - y[out]) ** 2
        errors.append(total)
    assert best_penalty(x, y, penalties, weight) == penalties[int(np.argmin(errors))]
