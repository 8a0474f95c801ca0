"""Whether one more round of a search is expected to pay.

The score is a function f of the hyperparameters plus the luck of seeds; of scores that have a
floor, as errors have, their logarithm is. Draws of that function given all trials, with half of
their deviation from its mean (taken whole they foretold several times the gain that came), say
where better configurations may still be. A round is played on each draw: m networks, half of them
anywhere in the space and half near the best ones, have the true scores

    t = f + r,    r ~ N(0, s^2 - e^2),

and the dev scores t + N(0, e^2), where s is the deviation of single scores around f and e the
standard error of a dev score, at most s. The network with the lowest dev score takes the place of
the best so far if its dev score is lower, and the gain is what that does to the true score. So what
a round gains by luck on the dev rows is not counted, and may cost. The gain pays where it exceeds a
quarter of the standard error of the best dev score: smaller ones cannot be told from luck on these
rows, and the more networks are compared, the more luck is chosen (overtuning).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from deepwell.records import Estimate, Observation, Outlook
from deepwell.search.spaces._domain import Domain

from .importance._compared import Compared, compared
from .importance._measure import CHANCE, reason_against
from .importance._surface import Surface, fit_surface

WORTH = 0.25
"""Standard errors of the best dev score, from which on a gain pays."""

_SEED = 0
_CAUTION = 0.5
_ROUNDS = 16  # played on each draw
_ANYWHERE = 1024
_NEAR = 10  # best trials that candidates lie near to
_WIDTH = 0.1  # deviation of these candidates along each axis


def paying(
    domain: Domain,
    history: Sequence[Observation],
    spread: float,
    networks: int = 64,
    floor: float = -math.inf,
) -> Outlook:
    """Return what one more round is expected to bring.

    Args:
        domain: what is searched.
        history: all trials, with scores that are compared as they are.
        spread: standard error of the best dev score, 0 where scores have no luck; infinite where
            nothing is known of it, as from rows of one group alone.
        networks: of the round.
        floor: the least score that there can be, 0 for errors.
    """
    tried = compared(domain, history)
    why = reason_against(domain, tried)
    if not why and math.isinf(spread):
        why = "how far scores are luck is not known from dev rows of one group"
    if why:
        return Outlook(networks, Estimate(0.0, 0.0, math.inf), WORTH * spread, spread, None, why)
    gain = _estimate(_gains(domain, tried, spread, networks, floor))
    threshold = WORTH * spread
    if gain.high <= threshold or gain.value <= 0.5 * threshold:
        pays = False
    elif gain.value > threshold:
        pays = True
    else:
        pays = None
    return Outlook(networks, gain, threshold, spread, pays, _reason(pays))


def _reason(pays: bool | None) -> str:
    if pays is None:
        return "the expected gain is about as large as what the dev rows can tell from luck"
    if pays:
        return "better configurations are expected where few were tried"
    return "what a round is expected to gain is smaller than what the dev rows can tell from luck"


@dataclass(frozen=True)
class _Scale:
    """Scores on the scale on which f is fitted: their logarithms where they have a floor.

    Below the best score so far f is guessed from above, and must not fall through the floor.
    """

    floor: float
    offset: float

    def of(self, scores: np.ndarray) -> np.ndarray:
        if math.isinf(self.floor):
            return scores
        return np.log(np.maximum(scores - self.floor, 0.0) + self.offset)

    def back(self, values: np.ndarray) -> np.ndarray:
        if math.isinf(self.floor):
            return values
        return self.floor + np.maximum(np.exp(values) - self.offset, 0.0)

    def luck(self, best: float, spread: float) -> float:
        """Return the standard error of the best score on this scale."""
        return spread if math.isinf(self.floor) else spread / (best - self.floor + self.offset)


def _gains(
    domain: Domain, tried: Compared, spread: float, networks: int, floor: float
) -> np.ndarray:
    """Return (S,) draws of the expected gain of a round."""
    generator = np.random.default_rng(_SEED)
    order = np.argsort(tried.scores, kind="stable")
    top = order[0]
    scale = _Scale(floor, max(spread, 1e-3 * float(np.median(tried.scores) - floor), 1e-300))
    shown = scale.of(tried.scores)
    surface = fit_surface(domain.axes, replace(tried, scores=shown), _SEED)
    units, active = _candidates(domain, tried, order[:_NEAR], generator)
    units = np.concatenate([tried.units[[top]], units])
    active = np.concatenate([tried.active[[top]], active])
    scores, noise = _believed(surface, units, active)
    luck = np.minimum(noise, scale.luck(float(tried.scores[top]), spread))
    lasting = np.sqrt(noise**2 - luck**2)
    own = lasting**2 / np.maximum(noise**2, 1e-300)
    best = scale.back(scores[:, 0] + own * (shown[top] - scores[:, 0]))
    gains = np.zeros(len(noise))
    for _ in range(_ROUNDS):
        chosen = scores[:, 1 + generator.choice(scores.shape[1] - 1, networks)]
        true = chosen + lasting[:, None] * generator.standard_normal(chosen.shape)
        seen = true + luck[:, None] * generator.standard_normal(chosen.shape)
        lowest = seen.argmin(axis=1)[:, None]
        wins = np.take_along_axis(seen, lowest, 1)[:, 0] < shown[top]
        won = scale.back(np.take_along_axis(true, lowest, 1)[:, 0])
        gains += np.where(wins, best - won, 0.0) / _ROUNDS
    return gains


def _believed(
    surface: Surface, units: np.ndarray, active: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return (S, n) draws of f at some points, and (S,) of the luck around it.

    Where the hyperparameters are not known to make a difference, f is constant and all is luck.
    """
    if surface.p_value > CHANCE:
        draws = len(surface.posterior.noise)
        return np.full((draws, len(units)), surface.middle), np.full(draws, surface.deviation)
    drawn = surface.at(units, active)
    middle = drawn.mean(axis=0)
    return middle + _CAUTION * (drawn - middle), surface.noise()


def _candidates(
    domain: Domain, tried: Compared, best: np.ndarray, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return points anywhere and near the best trials, at places that the axes have."""
    d = tried.units.shape[1]
    near = tried.units[generator.choice(best, _ANYWHERE)]
    near = np.clip(near + _WIDTH * generator.standard_normal((_ANYWHERE, d)), 0.0, 1.0)
    units = np.concatenate([generator.random((_ANYWHERE, d)), near])
    for place, axis in enumerate(domain.axes):
        if axis.count is not None:
            places = np.minimum((units[:, place] * axis.count).astype(np.int64), axis.count - 1)
            units[:, place] = (places + 0.5) / axis.count
    proposed = [domain.decode(unit) for unit in units]
    allowed = np.array([domain.allowed(values) for values in proposed])
    active = np.array([domain.active(values) for values in proposed])
    return (units[allowed], active[allowed]) if allowed.any() else (units, active)


def _estimate(draws: np.ndarray) -> Estimate:
    low, high = np.quantile(draws, [0.025, 0.975])
    value = float(draws.mean())
    return Estimate(value, float(min(low, value)), float(max(high, value)))
