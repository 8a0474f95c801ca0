import math

import numpy as np
import pytest
from scipy import stats

from deepwell.records import Observation
from deepwell.search import SAMPLERS, Axis, Domain, uniform
from deepwell.search.samplers._cube import cube_of
from deepwell.search.samplers._features import features_of
from deepwell.search.samplers._parzen import Parzen, parzen
from deepwell.search.samplers._surrogate import _telling
from deepwell.search.samplers._tpe import _divided, _Drawing, _weights

AXES = (Axis("x", None, True), Axis("units", 4, True), Axis("kind", 3, False))


def mixture(n: int = 6, seed: int = 0, weights: np.ndarray | None = None) -> Parzen:
    rng = np.random.default_rng(seed)
    features = features_of(AXES)
    points = features.snapped(rng.random((n, 3)))
    active = rng.random((n, 3)) < 0.8
    return parzen(features, points, active, np.ones(n) if weights is None else weights)


def everywhere(cells: int) -> np.ndarray:
    grid = np.meshgrid(
        (np.arange(cells) + 0.5) / cells, (np.arange(4) + 0.5) / 4, (np.arange(3) + 0.5) / 3,
        indexing="ij",
    )  # fmt: skip
    return np.stack([g.ravel() for g in grid], axis=1)


@pytest.mark.parametrize("n", [0, 1, 6, 40])
def test_the_density_is_one_over_the_whole_cube(n: int) -> None:
    at = everywhere(2000)
    density = np.exp(mixture(n).log_density(at, np.ones(at.shape, bool)))
    assert density.mean() == pytest.approx(1.0, abs=1e-4)


def test_draws_follow_the_density() -> None:
    model = mixture(8, weights=np.linspace(0.2, 1, 8))
    drawn = model.draw(20_000, np.random.default_rng(1))
    at = everywhere(400)
    density = np.exp(model.log_density(at, np.ones(at.shape, bool)))
    for axis, count in ((1, 4), (2, 3)):
        values = (np.arange(count) + 0.5) / count
        expected = [density[np.isclose(at[:, axis], v)].sum() / density.sum() for v in values]
        seen = [np.isclose(drawn[:, axis], v).sum() for v in values]
        # wrong once in a million seeds
        assert stats.chisquare(seen, 20_000 * np.array(expected)).pvalue > 1e-6
    by_x = density.reshape(400, -1).mean(axis=1)
    below = np.interp(drawn[:, 0], np.linspace(0, 1, 401), np.append(0, np.cumsum(by_x) / 400))
    assert stats.kstest(below, "uniform").pvalue > 1e-6


def test_one_kernel_is_a_normal_cut_off_at_the_ends() -> None:
    features = features_of((Axis("x", None, True),))
    model = parzen(features, np.array([[0.3]]), np.ones((1, 1), bool), np.ones(1))
    at = np.linspace(0.01, 0.99, 9)[:, None]
    # its neighbors are the ends: the larger gap is 0.7; the prior is as wide as the cube
    own = stats.truncnorm.pdf(at[:, 0], -0.3 / 0.7, 0.7 / 0.7, 0.3, 0.7)
    prior = stats.truncnorm.pdf(at[:, 0], -0.5, 0.5, 0.5, 1.0)
    density = np.exp(model.log_density(at, np.ones(at.shape, bool)))
    np.testing.assert_allclose(density, (own + prior) / 2, rtol=1e-10)


def test_an_axis_that_does_not_matter_is_left_out() -> None:
    model = mixture(6)
    at = everywhere(5)
    only_x = np.zeros(at.shape, bool)
    only_x[:, 0] = True
    density = model.log_density(at, only_x).reshape(5, -1)
    assert np.ptp(density, axis=1).max() < 1e-12
    assert np.ptp(density[:, 0]) > 0.01


def test_the_best_tenth_is_good_and_what_is_out_or_diverged_is_not() -> None:
    domain = Domain({"x": uniform(0, 1)})
    scores = [float(k) for k in range(30)] + [math.inf] * 5 + [math.nan] * 5
    history = [Observation({"x": k / 40}, s) for k, s in enumerate(scores)]
    good, others = _divided(cube_of(domain, history))
    np.testing.assert_allclose(np.sort(good[:, 0]), [0, 1 / 40, 2 / 40, 3 / 40])
    assert len(others) == 36


def test_a_trial_that_was_stopped_early_ranks_after_finished_ones() -> None:
    domain = Domain({"x": uniform(0, 1)})
    stopped = [Observation({"x": 0.1 + k / 100}, 0.0, epochs=3) for k in range(10)]
    done = [
        Observation({"x": 0.8 + k / 100}, 1.0 + k, epochs=9, finished=True) for k in range(10)
    ]  # fmt: skip
    good, _ = _divided(cube_of(domain, stopped + done))
    np.testing.assert_allclose(np.sort(good[:, 0]), [0.8, 0.81])


@pytest.mark.parametrize("n", [0, 1, 2, 10, 25])
def test_25_points_count_alike_however_old_they_are(n: int) -> None:
    assert _weights(n).tolist() == [1.0] * n


@pytest.mark.parametrize("n", [26, 27, 40, 300])
def test_older_points_than_25_count_less_down_to_the_oldest(n: int) -> None:
    older = n - 25
    ramp = [1 / n + (1 - 1 / n) * k / max(older - 1, 1) for k in range(older)]
    np.testing.assert_allclose(_weights(n), ramp + [1.0] * 25, rtol=1e-12)


def test_weights_are_those_of_optuna() -> None:
    module = pytest.importorskip("optuna.samplers._tpe.sampler")
    for n in (0, 1, 24, 25, 26, 77):
        np.testing.assert_allclose(_weights(n), module.default_weights(n), rtol=1e-12)


def test_the_best_point_counts_as_much_when_it_was_found_first() -> None:
    domain = Domain({"x": uniform(0, 1)})
    scores = [0.0] + [9.0 + k for k in range(10)] + [1.0]  # the good ones are the first, the last
    places = [0.25, *np.linspace(0.4, 0.6, 10), 0.75]
    history = [Observation({"x": float(x)}, s) for x, s in zip(places, scores, strict=True)]
    drawing = _Drawing(cube_of(domain, history), 1, np.random.default_rng(0))
    assert drawing._good is not None
    here, there = drawing._good.log_density(np.array([[0.25], [0.75]]), np.ones((2, 1), bool))
    assert here == pytest.approx(there, rel=1e-9)


def test_it_proposes_where_the_good_ones_are() -> None:
    domain = Domain({"x": uniform(0, 1), "kind": ["a", "b"]})
    points = SAMPLERS["random"](domain, [], 60, np.random.SeedSequence(5))
    history = [
        Observation(v, abs(float(v["x"]) - 0.7) + (v["kind"] == "a"))  # type: ignore[arg-type]
        for v in points
    ]
    batch = SAMPLERS["tpe"](domain, history, 30, np.random.SeedSequence(6))
    near = [abs(float(v["x"]) - 0.7) < 0.2 and v["kind"] == "b" for v in batch]  # type: ignore[arg-type]
    assert sum(near) >= 20  # 6 by chance


def test_a_tight_constraint_is_met_at_once_and_what_it_forbids_is_not_bad() -> None:
    domain = Domain({"x": uniform(0, 1), "y": uniform(0, 1)}, ["x + y <= 0.05"])
    points = SAMPLERS["random"](domain, [], 20, np.random.SeedSequence(1))
    history = [Observation(v, float(v["x"])) for v in points]  # type: ignore[arg-type]
    drawing = _Drawing(cube_of(domain, history), 8, np.random.default_rng(2))
    before = len(drawing._bad)
    drawn = drawing.draw(40)
    allowed = sum(domain.allowed(domain.decode(u)) for u in drawn)
    assert len(drawing._bad) == before + allowed
    assert allowed >= 10


def test_what_failed_before_its_first_epoch_ranks_last() -> None:
    domain = Domain({"x": uniform(0, 1)})
    failed = [Observation({"x": k / 100}, math.inf) for k in range(10)]
    stopped = [Observation({"x": 0.5 + k / 100}, float(k), epochs=3) for k in range(9)]
    done = [Observation({"x": 0.9}, 99.0, epochs=9, finished=True)]
    cube = cube_of(domain, failed + stopped + done)
    good, _ = _divided(cube)
    np.testing.assert_allclose(good[:, 0], [0.5, 0.9])
    assert cube.ranked()[:3].tolist() == [19, 10, 11]
    assert _telling(cube, 256)[:3].tolist() == [19, 10, 11]
