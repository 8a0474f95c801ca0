"""Curves drawn in proportion to how likely they make the means, from all families at once.

Each shape of each family is weighed by how likely it makes the means: its likelihood, with level
and fall integrated out under a flat prior, so that a free number costs what it should. Curves are
then drawn by these weights, each with its level and fall from their joint distribution.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ._curve_families import FAMILIES, Family
from ._curve_means import CurveMeans

_DRAWS = 4_000
_ROUNDS = 20
_LEAST_DRAWS = 400
_TRIES = 20


@dataclass(frozen=True, eq=False)
class CurveDraws:
    """Curves drawn in proportion to how likely they are.

    Attributes:
        inside: (N, S) at the sizes that were fitted.
        beyond: (N,) at the size that is asked about.
        families: share of each family.
        family: (N,) of each curve, its place among these.
        misfit: least squared distance of any curve from the means, in units of their covariance.
        nearest: (S,) the curve it is of.
    """

    inside: np.ndarray
    beyond: np.ndarray
    families: Mapping[str, float]
    family: np.ndarray
    misfit: float
    nearest: np.ndarray


@dataclass(frozen=True, eq=False)
class _Fit:
    """The shapes of a family, fitted: k of them, p numbers each.

    Attributes:
        design: (k, S, p) and ahead (k, p), last (k, p): E at the sizes, asked about, at infinity.
        center: (k, p) and root (k, p, p): mean and root of the covariance of the numbers.
        misfit: (k,) squared distances.
        weight: (k,) logarithms.
    """

    design: np.ndarray
    ahead: np.ndarray
    last: np.ndarray
    center: np.ndarray
    root: np.ndarray
    misfit: np.ndarray
    weight: np.ndarray


def fit_family(family: Family, means: CurveMeans, asked: float) -> _Fit | None:
    """Return how a family fits; None where all its shapes are flat on these sizes.

    A shape's weight is the logarithm of its likelihood, Student's, with level and fall integrated
    out where the curve falls and ends above 0.
    """
    from scipy.special import log_ndtr  # type: ignore[import-untyped]

    top = means.sizes[-1]
    x = np.append(means.sizes, [asked, np.inf]) / top
    with np.errstate(over="ignore", under="ignore"):
        g = family.shape(family.grid, x)
    known = np.arange(len(means.sizes))
    if family.offset:
        fall = g[:, known[0]] - g[:, known[-1]]
        g = g[fall > 1e-9 * g[:, 0]]
        h = (g - g[:, known[-1:]]) / (g[:, known[:1]] - g[:, known[-1:]])
        terms = np.stack([np.ones_like(h), h], axis=2)
    else:
        terms = (g / g[:, known[-1:]])[:, :, None]
    if len(terms) == 0:
        return None
    design = terms[:, known, :]
    root = np.linalg.cholesky(means.covariance)
    white: np.ndarray = np.linalg.solve(root, np.moveaxis(design, 0, 1).reshape(len(known), -1))
    white = np.moveaxis(white.reshape(len(known), len(terms), -1), 1, 0)  # (k, S, p)
    seen = np.linalg.solve(root, means.values)
    inner: np.ndarray = np.swapaxes(white, 1, 2) @ white
    inner += 1e-12 * np.trace(inner, axis1=1, axis2=2)[:, None, None] * np.eye(inner.shape[1])
    pulled: np.ndarray = np.swapaxes(white, 1, 2) @ seen
    center: np.ndarray = np.linalg.solve(inner, pulled[:, :, None])[:, :, 0]
    foretold: np.ndarray = (white @ center[:, :, None])[:, :, 0]
    misfit: np.ndarray = ((seen - foretold) ** 2).sum(axis=1)
    spread: np.ndarray = np.linalg.inv(inner)
    numbers = design.shape[2]
    # A level and a fall may be anything up to the highest mean: the price of a free number.
    price = numbers * math.log(max(float(means.values.max()), 1e-12))
    weight = likelihood(misfit, spread, len(known), means.freedom)
    weight += math.log(family.prior / len(terms)) - price
    scale = np.sqrt((means.freedom + misfit) / (means.freedom + len(known) - numbers))
    fall = np.zeros(numbers)
    fall[-1] = 1.0
    for direction in (np.broadcast_to(fall, center.shape), terms[:, -1, :]):
        value: np.ndarray = (direction * center).sum(axis=1)
        error = scale * np.sqrt(np.einsum("ki,kij,kj->k", direction, spread, direction))
        weight = weight + log_ndtr(value / np.maximum(error, 1e-300))
    own_root: np.ndarray = np.linalg.cholesky(spread)
    return _Fit(design, terms[:, -2, :], terms[:, -1, :], center, own_root, misfit, weight)


def likelihood(misfit: np.ndarray, spread: np.ndarray, sizes: int, freedom: float) -> np.ndarray:
    """Return the logarithm of Student's likelihood with p numbers integrated out, but a constant.

    With m the misfit, V the inverse of the numbers' information, S sizes, nu degrees of freedom:

        (1 + m/nu)^(-(nu + S - p)/2) |V|^(1/2) (pi nu)^(p/2) G((nu + S - p)/2) / G((nu + S)/2)

    All shapes share the factor G((nu + S)/2) / G(nu/2) (pi nu)^(-S/2) |C|^(-1/2), with C the
    covariance of the means.

    Args:
        misfit: (k,) squared distances of the nearest curves.
        spread: (k, p, p) V.
        sizes: S.
        freedom: nu.
    """
    numbers = spread.shape[-1]
    left = freedom + sizes - numbers
    taken = math.lgamma(left / 2) - math.lgamma((left + numbers) / 2)
    taken += numbers / 2 * math.log(math.pi * freedom)
    return taken + np.linalg.slogdet(spread)[1] / 2 - left / 2 * np.log1p(misfit / freedom)


def draw_curves(means: CurveMeans, asked: float, random: np.random.Generator) -> CurveDraws | None:
    """Return curves in proportion to how likely they are; None where none falls as it should."""
    fits = {f.name: fit for f in FAMILIES if (fit := fit_family(f, means, asked)) is not None}
    names = list(fits)
    weights = np.concatenate([fit.weight for fit in fits.values()])
    owner = np.repeat(np.arange(len(names)), [len(fit.weight) for fit in fits.values()])
    place = np.concatenate([np.arange(len(fit.weight)) for fit in fits.values()])
    chance = np.exp(weights - weights.max())
    chance /= chance.sum()
    inside: list[np.ndarray] = []
    beyond: list[np.ndarray] = []
    owners: list[np.ndarray] = []
    taken = np.zeros(len(names), int)
    for _ in range(_ROUNDS):
        counts = random.multinomial(_DRAWS, chance)
        for number, name in enumerate(names):
            mine = owner == number
            shapes = np.repeat(place[mine], counts[mine])
            if len(shapes):
                curves, ahead = _curves(fits[name], shapes, means, random)
                inside.append(curves)
                beyond.append(ahead)
                owners.append(np.full(len(ahead), number))
                taken[number] += len(ahead)
        if taken.sum() >= _DRAWS:
            break
    if taken.sum() < _LEAST_DRAWS:
        return None
    best = min(fits.values(), key=lambda fit: float(fit.misfit.min()))
    at = int(best.misfit.argmin())
    return CurveDraws(
        np.concatenate(inside),
        np.concatenate(beyond),
        {name: float(n / taken.sum()) for name, n in zip(names, taken, strict=True)},
        np.concatenate(owners),
        float(best.misfit[at]),
        best.design[at] @ best.center[at],
    )


def _curves(
    fit: _Fit, shapes: np.ndarray, means: CurveMeans, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return one curve for each shape, at the sizes and asked about; those that fall, above 0.

    Level and fall have Student's distribution, wider where the shape fits badly.
    """
    numbers = fit.center.shape[1]
    freedom = means.freedom + len(means.sizes) - numbers
    scale = np.sqrt((means.freedom + fit.misfit[shapes]) / freedom)
    scale *= np.sqrt(freedom / random.chisquare(freedom, len(shapes)))
    values = np.full((len(shapes), numbers), np.nan)
    left = np.arange(len(shapes))
    for _ in range(_TRIES):  # how likely it is that they fall, and end above 0, is in the weights
        normal = random.standard_normal((len(left), numbers))
        step = (fit.root[shapes[left]] @ normal[:, :, None])[:, :, 0]
        drawn = fit.center[shapes[left]] + scale[left, None] * step
        fair = (drawn[:, -1] >= 0) & ((fit.last[shapes[left]] * drawn).sum(axis=1) >= 0)
        values[left[fair]] = drawn[fair]
        left = left[~fair]
    found = ~np.isnan(values[:, 0])
    values, shapes = values[found], shapes[found]
    curves = (fit.design[shapes] @ values[:, :, None])[:, :, 0]
    return curves, (fit.ahead[shapes] * values).sum(axis=1)
