import numpy as np
import pytest

from deepwell.diagnosis._trend import LEAST, trend


def _lingering(n: int, rho: float, generator: np.random.Generator) -> np.ndarray:
    """Return an autoregression of first order in its steady state."""
    noise = generator.normal(size=n)
    out = np.empty(n)
    out[0] = noise[0] / np.sqrt(1 - rho**2)
    for t in range(1, n):
        out[t] = rho * out[t - 1] + noise[t]
    return out


@pytest.mark.parametrize("rho", [0.0, 0.3, 0.6, 0.8])
@pytest.mark.parametrize("n", [12, 30, 100])
def test_a_flat_curve_seldom_has_a_trend_even_where_it_lingers(n: int, rho: float) -> None:
    generator = np.random.default_rng(n)
    p = np.array([trend(_lingering(n, rho, generator)).p_fall for _ in range(600)])
    # At 1 % wanted: up to 3 % where a short curve lingers much, which no estimate can see.
    allowed = 0.03 if rho * 10 > n / 10 or rho >= 0.6 else 0.02
    assert (p <= 0.01).mean() <= allowed
    assert 0.35 < (p <= 0.5).mean() < 0.65


def test_least_squares_would_be_fooled() -> None:
    """The correction is needed: without it one flat curve in five or so has a trend at 1 %."""
    from scipy.stats import linregress

    generator = np.random.default_rng(3)
    curves = [_lingering(30, 0.8, generator) for _ in range(300)]
    naive = [linregress(np.arange(30), c, alternative="less").pvalue <= 0.01 for c in curves]
    ours = [trend(c).p_fall <= 0.01 for c in curves]
    assert np.mean(naive) > 0.1 > 3 * np.mean(ours)


def test_the_line_is_that_of_least_squares() -> None:
    curve = np.random.default_rng(0).normal(size=40) - 0.1 * np.arange(40)
    slope = np.polyfit(np.arange(40), curve, 1)[0]
    assert trend(curve).change == pytest.approx(39 * slope)
    assert trend(curve).level == pytest.approx(curve.mean())


def test_independent_points_give_the_textbook_error() -> None:
    """Where neighbours are not alike rho is 0, and the error that of least squares."""
    from scipy.stats import linregress

    curve = np.array([1.0, -1.0] * 10) - 0.05 * np.arange(20)
    told, found = linregress(np.arange(20), curve), trend(curve)
    assert found.lingering == 0.0
    assert found.error == pytest.approx(19 * told.stderr)
    assert found.p_fall == pytest.approx(told.pvalue / 2)


def test_a_perfect_line_and_a_perfect_plateau() -> None:
    line = trend(np.linspace(1.0, 0.0, 20))
    assert line.p_fall < 1e-6
    flat = trend(np.full(20, 0.3))
    assert flat.change == pytest.approx(0.0)
    assert 0.4 < flat.p_fall < 0.6


@pytest.mark.parametrize("curve", [np.ones(LEAST - 1), np.array([1.0] * 9 + [np.nan])])
def test_what_cannot_be_told_is_not(curve: np.ndarray) -> None:
    assert trend(curve) is None
