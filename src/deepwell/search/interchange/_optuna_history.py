"""A study of Optuna's as a history, from which a search goes on."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from deepwell._base._errors import UsageError
from deepwell._base._safe_text import safe_text
from deepwell.records import Observation

from ._optuna import load_optuna

if TYPE_CHECKING:
    import optuna


def optuna_history(study: optuna.Study | str, storage: Any = None) -> list[Observation]:
    """Return the finished trials of a study of Optuna's as observations, lower scores better.

    They are the `history` of a `Search` or of `minimize_blackbox`; points that do not lie in its
    space are passed over by the samplers. Scores that were maximized change their sign, a pruned
    trial has the last value that it reported, and one that failed has an infinite score.

    >>> import deepwell as dw
    >>> known = dw.optuna_history("mine", "sqlite:///mine.db")          # doctest: +SKIP
    >>> search = dw.Search({"x": dw.uniform(0, 1)}, history=known)      # doctest: +SKIP

    Args:
        study: of Optuna's, or its name in `storage`.
        storage: URL such as `sqlite:///FILE`, or an Optuna storage; needed with a name.

    Raises:
        UsageError: when Optuna is not installed, the storage cannot be read or has no such
            study, or the study has several objectives.
    """
    optuna = load_optuna("a study of Optuna's")
    if isinstance(study, str):
        try:
            read: optuna.Study = optuna.load_study(study_name=study, storage=storage)
        except Exception as error:  # SQLAlchemy's and drivers' own, whichever they are
            raise UsageError(
                f"cannot read Optuna's study {safe_text(study)}: {safe_text(error, 200)}"
            ) from None
    else:
        read = study
    if len(read.directions) > 1:
        raise UsageError("a history has one score a trial, and this study of Optuna's has several")
    sign = -1.0 if read.direction == optuna.study.StudyDirection.MAXIMIZE else 1.0
    return [_observation(t, sign) for t in read.get_trials(deepcopy=False) if t.state.is_finished()]


def _observation(trial: optuna.trial.FrozenTrial, sign: float) -> Observation:
    state, step = trial.state.name, trial.last_step
    known = trial.value if state == "COMPLETE" else None
    if state == "PRUNED" and step is not None:
        known = trial.intermediate_values[step]
    score = math.inf if known is None or not math.isfinite(known) else sign * known
    epochs = 0 if step is None else max(step, 0) + 1  # steps count from 0
    return Observation(dict(trial.params), score, epochs=epochs, finished=state == "COMPLETE")
