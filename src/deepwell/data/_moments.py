"""Mean and standard deviation of the train rows, and the normalization by them (D6)."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

# By Samuelson's inequality no train row lies further out than sqrt(n - 1) standard deviations,
# so this bound touches none below 1e12 rows; it keeps a wild value met later from overflowing.
LARGEST_SCORE = 1e6


def moments(values: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation of each column.

        mu = sum(w x) / sum(w),  sigma = sqrt(sum(w (x - mu)^2) / sum(w))

    Args:
        values: (n, k) float64; NaN is left out.
        weight: (n,) sample weights, 0 or more.

    Returns:
        mu and sigma, each (k,) float64; sigma is exactly 0 for a column whose values are all
        the same (or all NaN), however they round.
    """
    present = ~np.isnan(values)
    peak = np.max(np.abs(values), axis=0, initial=0.0, where=present)
    unit = np.where(peak > 0, peak, 1.0)  # squares of 1e200 would overflow
    scaled = np.where(present, values / unit, 0.0)
    # einsum, not @: threads of BLAS on one short column wait for each other, for milliseconds
    total = np.einsum("i,ij->j", weight, present)
    total = np.where(total > 0, total, 1.0)
    mean = np.einsum("i,ij->j", weight, scaled) / total
    distances = np.where(present, scaled - mean, 0.0)
    spread = np.sqrt(np.einsum("i,ij,ij->j", weight, distances, distances) / total)
    counted = present & (weight > 0)[:, None]
    low = np.min(values, axis=0, initial=np.inf, where=counted)
    high = np.max(values, axis=0, initial=-np.inf, where=counted)
    constant = low >= high
    mean = np.where(constant & np.isfinite(low), low, mean * unit)
    return mean, np.where(constant, 0.0, spread * unit)


def merged_moments(
    blocks: Iterable[tuple[np.ndarray, np.ndarray]],
) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation of each column over blocks of rows, as `moments` does.

    With shares f and g of the weight of what came before and of a block, and d the difference of
    their means (Chan, Golub and LeVeque 1983, The American Statistician 37):

        mu = mu_1 + g d,  sigma^2 = f sigma_1^2 + g sigma_2^2 + f g d^2

    Args:
        blocks: values (n, k) and weights (n,) of each block, at least one.
    """
    total = mean = scale = np.zeros(0)
    for index, (values, weight) in enumerate(blocks):
        here = np.einsum("i,ij->j", weight, ~np.isnan(values))
        block_mean, block_scale = moments(values, weight)
        if index == 0:
            total, mean, scale = here, block_mean, block_scale
            continue
        whole = np.where(total + here > 0, total + here, 1.0)
        share = here / whole
        step = np.where(here > 0, block_mean, mean) - mean
        spread = (1 - share) * scale**2 + share * block_scale**2 + (1 - share) * share * step**2
        first = total == 0
        mean = np.where(first, block_mean, mean + share * step)
        scale = np.where(first, block_scale, np.sqrt(spread))
        total = total + here
    return mean, scale


def normalize(
    values: np.ndarray, mean: np.ndarray | np.float64, scale: np.ndarray | np.float64
) -> np.ndarray:
    """Return `(x - mu) / sigma` as float32, 0 where sigma is 0 or x is NaN.

    The difference is taken in float64: a column of values near 1e9 keeps its small differences.

    Args:
        values: (n, k) float64, or (n,) for a single column.
        mean: (k,) float64, or one number.
        scale: (k,) float64, 0 for constant columns, or one number.
    """
    with np.errstate(over="ignore"):
        scores = (values - mean) / np.where(scale > 0, scale, 1.0)
    scores = np.where((scale > 0) & ~np.isnan(scores), scores, 0.0)
    return np.clip(scores, -LARGEST_SCORE, LARGEST_SCORE).astype(np.float32)
