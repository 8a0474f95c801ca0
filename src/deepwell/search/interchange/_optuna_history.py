"""A study of Optuna's as a history, from which a search goes on."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from deepwell.records import Observation

from ._optuna_study import optuna_study

if TYPE_CHECKING:
    import optuna


def optuna_history(study: optuna.Study | str, storage: Any = None) -> list[Observation]:
    """Return the finished trials of a study of Optuna's as observations, lower scores better.

    They are the `history` of a `Search` or of `minimize_blackbox`, and the `warm_start` of a
    `Study`; points that do not lie in its space are passed over, and counted. Scores that were
    maximized change their sign, a pruned trial has its value or the last one that it reported,
    and one that failed has an infinite score.

    >>> import deepwell as dw
    >>> known = dw.optuna_history("mine", "sqlite:///mine.db")          # doctest: +SKIP
    >>> search = dw.Search({"x": dw.uniform(0, 1)}, history=known)      # doctest: +SKIP

    Args:
        study: of Optuna's, or its name in `storage`.
        storage: URL such as `sqlite:///FILE`, the path of an SQLite file or of a journal, or an
            Optuna storage; needed with a name.

    Raises:
        UsageError: when Optuna is not installed, the storage cannot be read or has no such
            study, or the study has several objectives.
    """
    read = optuna_study(study, storage)
    sign = -1.0 if maximizes(read) else 1.0
    return [observation_of(trial, sign) for trial in finished_trials(read)]


def maximizes(study: optuna.Study) -> bool:
    """Return whether higher scores are better in a study of Optuna's."""
    return study.direction.name == "MAXIMIZE"


def finished_trials(study: optuna.Study) -> list[optuna.trial.FrozenTrial]:
    """Return the trials of a study of Optuna's that are over, however they ended."""
    return [trial for trial in study.get_trials(deepcopy=False) if trial.state.is_finished()]


def observation_of(trial: optuna.trial.FrozenTrial, sign: float) -> Observation:
    """Return a finished trial as an observation, its score times `sign`."""
    state, step = trial.state.name, trial.last_step
    known = trial.value if state in ("COMPLETE", "PRUNED") else None
    if known is None and state == "PRUNED" and step is not None:
        known = trial.intermediate_values[step]
    score = math.inf if known is None or not math.isfinite(known) else sign * known
    epochs = 0 if step is None else max(step, 0) + 1  # steps count from 0
    return Observation(dict(trial.params), score, epochs=epochs, finished=state == "COMPLETE")
