"""How much of the differences between scores each hyperparameter makes (functional ANOVA).

A function f of the unit cube is the sum of its mean, of functions of one axis, of two, and so on,
all uncorrelated, so that its variance is the sum of theirs (Sobol 1993). The shares

    S_j  = Var f_j / Var f      what hyperparameter j does alone
    S_jk = Var f_jk / Var f     what two do together beyond that

say what made the difference over the whole searched range; Hutter, Hoos and Leyton-Brown (2014,
ICML) brought them to hyperparameters, with a forest as f. Here f is a Bayesian regression on
orthonormal functions of one and two axes, whose shares are sums of squared coefficients, and whose
draws give the intervals. On functions with known shares it is several times nearer to them than a
forest is (`docs/importance.md`), and takes a tenth of a second. What three and more hyperparameters
do together counts as noise.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from deepwell.records import Effect, Estimate, Importance, Observation
from deepwell.search.spaces._domain import Domain

from ._compared import Compared, compared
from ._surface import Surface, fit_surface

_FEWEST = 32
_AN_AXIS = 8

CHANCE = 0.01
"""Chance of scores of pure luck for which shares are told."""


def needed_trials(axes: int) -> int:
    """Return from how many trials on shares are told: 32, or eight for each searched axis."""
    return max(_FEWEST, _AN_AXIS * axes)


def measure_importance(
    domain: Domain, history: Sequence[Observation], *, epochs: int = 0, seed: int = 0
) -> Importance:
    """Return the share of each hyperparameter and of each pair, or why they cannot be told.

    >>> from deepwell.records import Observation
    >>> from deepwell.search import Domain, uniform
    >>> domain = Domain({"a": uniform(0, 1), "b": uniform(0, 1)})
    >>> measure_importance(domain, [Observation({"a": 0.5, "b": 0.5}, 1.0)]).why
    '1 trial has a score to compare; 32 are needed'

    Args:
        domain: what was searched; trials outside of it are left out.
        history: all that was tried, with scores that are compared as they are.
        epochs: after which they are compared, for the record; 0 for their own ends.
        seed: of the draws.
    """
    tried = compared(domain, history)
    surface = None
    why = reason_against(domain, tried)
    if not why:
        surface = fit_surface(domain.axes, tried, seed)
        why = reason_of_noise(surface)
    return importance_of(surface if not why else None, domain, tried, epochs, why)


def reason_against(domain: Domain, tried: Compared) -> str:
    """Return why nothing can be told from these scores, in words, or an empty text."""
    count, needed = len(tried.scores), needed_trials(len(domain.axes))
    if not domain.axes:
        return "nothing was searched: every hyperparameter has one value"
    if count < needed:
        has = "1 trial has" if count == 1 else f"{count} trials have"
        others = f" ({tried.left_out} others lie outside of the ranges or have none)"
        beside = others if tried.left_out else ""
        return f"{has} a score to compare{beside}; {needed} are needed"
    if not tried.scores.max() > tried.scores.min():
        return f"all {count} trials have the same score"
    return ""


def importance_of(
    surface: Surface | None, domain: Domain, tried: Compared, epochs: int, why: str = ""
) -> Importance:
    """Return the shares of a function that was fitted, or without one why there are none."""
    explained = None
    effects: tuple[Effect, ...] = ()
    if surface is not None:
        parts = surface.parts()
        explained = _estimate(_explained(surface))
        effects = _effects(surface, parts)
    return Importance(
        effects=effects,
        explained=explained,
        trials=len(tried.scores),
        left_out=tried.left_out,
        worst=tried.worst,
        epochs=epochs,
        needed=needed_trials(len(domain.axes)),
        why=why,
    )


def reason_of_noise(surface: Surface) -> str:
    if surface.p_value <= CHANCE:
        return ""
    return (
        "the scores differ no more than by the luck of seeds "
        f"(p {surface.p_value:.2g}): no hyperparameter is known to have made a difference"
    )


def _explained(surface: Surface) -> np.ndarray:
    """Return (S,) the share of the differences that the function makes."""
    made = surface.parts().sum(axis=1)
    return made / (made + surface.posterior.noise)


def _effects(surface: Surface, parts: np.ndarray) -> tuple[Effect, ...]:
    shares = parts / parts.sum(axis=1, keepdims=True)
    names = [axis.name for axis in surface.axes]
    found: list[Effect] = []
    for place, which in enumerate(surface.terms.axes):
        total = shares[:, place]
        if len(which) == 1:
            having = [which[0] in other for other in surface.terms.axes]
            total = shares[:, having].sum(axis=1)
        told = tuple(names[j] for j in which)
        found.append(Effect(told, _estimate(shares[:, place]), _estimate(total)))
    return tuple(sorted(found, key=lambda e: (len(e.names), -e.share.value)))


def _estimate(draws: np.ndarray) -> Estimate:
    """Return the mean with the middle 95 % of the draws."""
    low, high = np.quantile(draws, [0.025, 0.975])
    value = float(draws.mean())
    return Estimate(value, float(min(low, value)), float(max(high, value)))
