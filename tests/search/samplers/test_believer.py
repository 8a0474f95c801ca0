import math

import numpy as np
import pytest

from deepwell.search.samplers._acquisition import log_expected_improvement
from deepwell.search.samplers._believer import Believer
from deepwell.search.samplers._gaussian_process import Scales, conditioned


def believer(room: int = 5, n: int = 20) -> tuple[Believer, np.ndarray]:
    rng = np.random.default_rng(0)
    x = rng.random((n, 3))
    y = np.abs(x - 0.4).sum(axis=1)
    scales = Scales(np.log([0.4, 0.6, 0.9]), math.log(1e-3), None)
    process = conditioned(x, y - y.min(), np.arange(3), scales)
    return Believer(process, 0.05, room), rng.random((50, 3))


def value(model: Believer, x: np.ndarray) -> float:
    found = model.best_above(x[None], -math.inf)
    assert found is not None
    return found[1]


def promises(model: Believer, count: int = 50) -> np.ndarray:
    """Return what each candidate promises, and see that the greatest comes first."""
    places, values = zip(*model.promising(np.ones(count, bool)), strict=True)
    assert np.all(np.diff(values) <= 0)
    assert sorted(places) == list(range(count))
    return np.array(values)[np.argsort(places)]


def test_believed_points_are_observations_of_the_mean() -> None:
    model, pool = believer()
    process, best = model._process, model.best
    model.watch(pool)
    added = np.array([[0.1, 0.2, 0.9], [0.12, 0.25, 0.8], [0.7, 0.3, 0.3]])
    for x in added:
        model.believe(x)
    means = process.predict(added)[0]
    assert model.best == pytest.approx(min(best, means.min()))
    # the same by conditioning anew on the means, at the old mean and variance of the signal
    points = np.concatenate([process.points, added])
    k = conditioned(
        points, np.zeros(len(points)), np.arange(3),
        Scales(np.log([0.4, 0.6, 0.9]), math.log(1e-3), None),
    )  # fmt: skip
    sd = k.predict(pool)[1] * process.sd
    mean = process.predict(pool)[0]
    expected = log_expected_improvement(mean, sd, model.best)[0]
    np.testing.assert_allclose(promises(model), expected, rtol=1e-7)
    np.testing.assert_allclose([value(model, x) for x in pool], expected, rtol=1e-7)


def test_the_slope_is_that_of_the_value() -> None:
    model, pool = believer()
    model.believe(np.array([0.2, 0.2, 0.2]))
    for x in pool[:8]:
        height, gradient = model.slope(x)
        assert height == pytest.approx(value(model, x), rel=1e-10)
        for j in range(3):
            step = np.zeros(3)
            step[j] = 1e-6
            up, down = value(model, x + step), value(model, x - step)
            assert gradient[j] == pytest.approx((up - down) / 2e-6, rel=1e-4, abs=1e-5)


def test_no_improvement_is_expected_where_a_point_was_believed() -> None:
    model, pool = believer()
    model.watch(pool)
    before = promises(model)
    place = int(before.argmax())
    model.believe(pool[place])
    assert promises(model)[place] < before[place] - 1
    assert int(promises(model).argmax()) != place


def test_candidates_are_looked_at_anew_only_when_they_come_first() -> None:
    model, _ = believer()
    pool = np.random.default_rng(1).random((1000, 3))
    model.watch(pool)
    open_ = np.ones(len(pool), bool)
    for _ in range(5):
        place, promised = next(model.promising(open_))
        assert promised == pytest.approx(max(value(model, x) for x in pool), rel=1e-9)
        assert model._current.sum() < 500 or model._count == model._watched
        model.believe(pool[place])
    open_[:] = False
    assert list(model.promising(open_)) == []
    open_[[3, 9]] = True
    assert {place for place, _ in model.promising(open_)} == {3, 9}


@pytest.mark.parametrize("n", [20, 300])
def test_the_best_of_many_is_found_where_it_exceeds_what_is_at_hand(n: int) -> None:
    model, pool = believer(n=n)
    model.believe(pool[0])
    values = np.array([value(model, x) for x in pool])
    best = int(values.argmax())
    for bar in (-np.inf, np.median(values), values[best] - 1e-6):
        found = model.best_above(pool, bar)
        assert found is not None
        assert found[0] == best
        assert found[1] == pytest.approx(values[best], rel=1e-9)
    assert model.best_above(pool, values[best] + 1e-6) is None
