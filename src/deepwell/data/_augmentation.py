"""What augmentation draws from (D7), the same numbers for every program.

Train rows are changed anew in each step, for each member by its own seed; dev rows never are.

    noise   x + s n, with n a standard normal number for each row and input
    mixup   lambda x_i + (1 - lambda) x_j and the same of the targets, with lambda from the beta
            distribution of (a, a) and j any row of the batch (Zhang et al. 2018, equation 1)

All draws are hashed by the member's seed, the purpose, the step and the row's place in the batch.
"""

from __future__ import annotations

import functools

import numpy as np

SHARES = 1024


@functools.lru_cache(maxsize=1024)
def share_table(alpha: float) -> tuple[float, ...]:
    """Return the shares that a row may keep in a mixture: quantiles of the beta distribution.

    A word's highest 10 bits choose one, so that each of the shares is as likely.

    >>> table = share_table(1.0)  # the uniform distribution
    >>> len(table), round(table[0] * 2048, 9), round(table[-1] * 2048, 9)
    (1024, 1.0, 2047.0)

    Args:
        alpha: a, both parameters of the distribution; 0 returns no shares: nothing is mixed.
    """
    if alpha == 0:
        return ()
    from scipy.special import betaincinv  # type: ignore[import-untyped]

    middles = (np.arange(SHARES) + 0.5) / SHARES
    return tuple(betaincinv(alpha, alpha, middles).tolist())
