"""Normal numbers by the coordinate hash, drawn by the compiled core where there is one.

A uniform number u goes to where the normal distribution reaches u, by algorithm AS 241 of Wichura
1988 (PPND16, relative error 1e-16). The core and NumPy do the same operations in float64; where
their logarithms differ, in the tails, the last bit of a number may.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from deepwell._base._hash import fold, key, words
from deepwell._native._core_module import available, core

# Coefficients of the two rational functions, highest power first.
_MIDDLE = (
    (
        *(2.5090809287301226727e3, 3.3430575583588128105e4, 6.7265770927008700853e4),
        *(4.5921953931549871457e4, 1.3731693765509461125e4, 1.9715909503065514427e3),
        *(1.3314166789178437745e2, 3.3871328727963666080e0),
    ),
    (
        *(5.2264952788528545610e3, 2.8729085735721942674e4, 3.9307895800092710610e4),
        *(2.1213794301586595867e4, 5.3941960214247511077e3, 6.8718700749205790830e2),
        *(4.2313330701600911252e1, 1.0),
    ),
)
_TAIL = (
    (
        *(7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1),
        *(1.27045825245236838258e0, 3.64784832476320460504e0, 5.76949722146069140550e0),
        *(4.63033784615654529590e0, 1.42343711074968357734e0),
    ),
    (
        *(1.05075007164441684324e-9, 5.47593808499534494600e-4, 1.51986665636164571966e-2),
        *(1.48103976427480074590e-1, 6.89767334985100004550e-1, 1.67638483018380384940e0),
        *(2.05319162663775882187e0, 1.0),
    ),
)


def fill_normals(out: np.ndarray, seed: int, folds: Sequence[int], deviation: float) -> None:
    """Fill an array with normal numbers of mean 0 at its coordinates.

    Args:
        out: (n, m) float32 or float64, contiguous; computed in float64 and rounded once.
        seed: any integer, taken modulo 2^64.
        folds: words folded into the seed's key, first to last.
        deviation: standard deviation, at least 0.
    """
    if available():
        core().normals(seed % 2**64, list(folds), deviation, out)
        return
    parent = key(seed)
    for word in folds:
        parent = fold(parent, word)
    out[...] = deviation * quantile((words(parent, out.shape) + 0.5) * 2.0**-32)


def quantile(p: np.ndarray) -> np.ndarray:
    """Return where the standard normal distribution reaches p, for p from 1e-11 to 1 - 1e-11.

    >>> round(float(quantile(np.array([0.975]))[0]), 12)
    1.95996398454
    """
    middle = p - 0.5
    near = 0.180625 - middle * middle
    with np.errstate(invalid="ignore"):  # what the other branch computes here is not used
        far = np.sqrt(-np.log(np.minimum(p, 1 - p))) - 1.6
        size = np.polyval(_TAIL[0], far) / np.polyval(_TAIL[1], far)
        inside = middle * np.polyval(_MIDDLE[0], near) / np.polyval(_MIDDLE[1], near)
    return np.where(np.abs(middle) <= 0.425, inside, np.copysign(size, middle))
