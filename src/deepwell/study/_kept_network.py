"""A model of any network whose last state was kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from deepwell._base._errors import UsageError
from deepwell._base._safe_text import safe_text
from deepwell.data._data import Data
from deepwell.records import to_plain
from deepwell.storage._kept_state import CHECKPOINT
from deepwell.storage._open import open_store
from deepwell.training._state import best_parameters

from ._adjustments import Adjustments
from ._cross_validate import architecture_for, normalized
from ._finished import FinishedStudy
from ._model import Model
from ._reopened import reopen


def kept_network(
    study: FinishedStudy, store: str | Path | None, number: int, data: Data | None
) -> Model:
    """Return the network of a trial at its best epoch, from the state that was kept of it.

    Args:
        study: that has a result.
        store: where it is kept.
        number: of the trial.
        data: its rows; None reads them again from where they came.

    Raises:
        UsageError: when no state of it is kept, the study has folds, or its rows cannot be read.
        StudyError: when the state was cut or changed, or is gone.
    """
    kept = {state.trial: state for state in study.kept_states() if state.kind == CHECKPOINT}
    if number not in kept:
        shown = ", ".join(str(n) for n in sorted(kept)[:10]) + (", ..." if len(kept) > 10 else "")
        raise UsageError(
            f"study {safe_text(study.name)} keeps the states of the trials {shown or 'none'}, "
            f"got {safe_text(repr(number))}; checkpoints='all' keeps those of all networks"
        )
    if study.settings.folds:
        raise UsageError(
            f"study {safe_text(study.name)} has folds, whose networks each see rows encoded in "
            "their own way; use its model, which was trained on all of them"
        )
    with open_store(store, create=False) as opened:
        state = opened.states.read(kept[number])
    call = f'open_study("{{}}").network({number}, load(...))'
    reopened = reopen(study, store, data, call)
    trial = next(t for t in study.trials() if t.number == number)
    spec, rows, best = trial.spec.during(trial.best_epoch), reopened.data, reopened.model
    about = {
        **{k: v for k, v in best.about.items() if k not in ("dev", "test", "weights_sha256")},
        "trial": number,
        "hyperparameters": to_plain(dict(trial.spec.hyperparameters)),
        "seed": trial.spec.seed,
    }
    return replace(
        best,
        architecture=architecture_for(spec, rows, rows.train.x.shape[1]),
        parameters=normalized(best_parameters(dict(state)), spec, rows),
        about=about,
        adjustments=Adjustments(),
    )
