"""Our samplers under Optuna's contract; importing this module loads Optuna."""

from __future__ import annotations

import math
import secrets
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.search_space import IntersectionSearchSpace
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, TrialState

from deepwell.records import Observation
from deepwell.search.samplers._named import sampler_named

from ._params import domain_of, params_of, values_of

_STATES = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.RUNNING)


class DeepwellSampler(BaseSampler):
    """A sampler of Deepwell that Optuna can use.

    The parameters that all trials have in common are proposed together by the sampler, all others
    are drawn at random, each on its own. What is proposed depends on the seed, the number of the
    trial and the trials so far alone, so that threads need no seeds of their own.

    Args:
        search: name of a sampler.
        seed: of all that is random; None for another one each time.
    """

    def __init__(self, search: str, seed: int | None = None) -> None:
        sampler_named(search)  # an unknown name is refused
        self._search = search
        self._seed = secrets.randbits(63) if seed is None else seed

    def __str__(self) -> str:
        return f"{type(self).__name__}({self._search})"

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """Return the parameters that all trials so far have, those with one value apart."""
        common = IntersectionSearchSpace().calculate(study)
        return {name: d for name, d in common.items() if not d.single()}

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Return what the sampler proposes next."""
        self._raise_error_if_multi_objective(study)
        if not search_space:
            return {}
        history = self._history(study, trial, search_space)
        key = np.random.SeedSequence([self._seed, trial.number])
        propose = sampler_named(self._search).planned(None)
        (values,) = propose(domain_of(search_space), history, 1, key)
        return params_of(values, search_space)

    def sample_independent(
        self,
        study: Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        """Return a draw of a parameter that not all trials have."""
        self._raise_error_if_multi_objective(study)
        search_space = {param_name: param_distribution}
        words = [self._seed, trial.number, zlib.crc32(param_name.encode())]
        (values,) = sampler_named("random")(
            domain_of(search_space), [], 1, np.random.SeedSequence(words)
        )
        return params_of(values, search_space)[param_name]

    def _history(
        self, study: Study, trial: FrozenTrial, search_space: Mapping[str, BaseDistribution]
    ) -> list[Observation]:
        """Return the other trials as samplers see them.

        Of earlier ones nothing is left out, so that trials that begin at the same time, of which
        nothing is known yet, have histories of different lengths. Later ones, which threads may
        have begun or ended by now, are known to samplers that learn alone: the others count how
        many came before.
        """
        history: list[Observation] = []
        learns = sampler_named(self._search).learns
        for other in study.get_trials(deepcopy=False):
            known = observation(other, search_space, study.direction)
            if other.number < trial.number:
                history.append(known or Observation({}))
            elif learns and other.number > trial.number and known is not None:
                history.append(known)
        return history


def observation(
    trial: FrozenTrial, search_space: Mapping[str, BaseDistribution], direction: StudyDirection
) -> Observation | None:
    """Return a trial as samplers see it; None when it failed or has not all of the parameters.

    Lower scores are better, so those to be maximized change their sign. A pruned trial has the
    last value that it reported, a running one none yet.
    """
    values = values_of(trial.params, search_space) if trial.state in _STATES else None
    if values is None:
        return None
    if trial.state == TrialState.RUNNING:
        return Observation(values)
    known = trial.value if trial.state == TrialState.COMPLETE else _last(trial)
    sign = -1.0 if direction == StudyDirection.MAXIMIZE else 1.0
    score = math.inf if known is None or not math.isfinite(known) else sign * known
    complete = trial.state == TrialState.COMPLETE
    return Observation(values, score, epochs=_epochs(trial), finished=complete)


def _epochs(trial: FrozenTrial) -> int:
    """Return how many epochs a trial had: its steps count from 0, and there may be none."""
    return 0 if trial.last_step is None else max(trial.last_step, 0) + 1


def _last(trial: FrozenTrial) -> float | None:
    step = trial.last_step
    return None if step is None else trial.intermediate_values[step]
