"""The best configuration trained once more, on train and dev rows: a last step with a name.

What was chosen on the dev rows may learn from them too, once nothing is left to be chosen. The
network then takes as many update steps as the chosen one had taken at its best epoch:

    epochs' = max(1, round(epochs * steps of an epoch of train / steps of an epoch of all rows))

and its learning rate follows the same course over these steps (`in_other_epochs`).

No rows are left to score it: its `dev` is None, and what to expect of it is what was expected of
the chosen network, or a little less, for it has learned from more rows. It is a model of its own
beside the chosen one and takes its place nowhere by itself: `predict` and `test` use it where they
are told to.
"""

from __future__ import annotations

import importlib.metadata
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepwell._base._errors import StudyError, UsageError
from deepwell._base._safe_text import safe_text
from deepwell.data._batches import steps_per_epoch
from deepwell.data._data import Data
from deepwell.data._folds import pooled
from deepwell.records import Event, Trial, to_plain
from deepwell.storage._open import open_store

from ._asked import Asked, from_config
from ._cross_validate import architecture_for, normalized
from ._model import Model
from ._other_epochs import Shortening, in_other_epochs
from ._same_data import same_data
from ._standing import folder_now
from ._train_on_all import last_parameters, trained_on_all
from ._which import FOLDERS

if TYPE_CHECKING:
    from ._finished import FinishedStudy  # which makes this


@dataclass(frozen=True)
class Refit:
    """What was trained.

    Attributes:
        model: the network, saved in `folder`.
        folder: of the model.
        rows, train_rows: what it was trained on, and what the chosen network was.
        epochs, chosen_epochs: for how long, and for how long the chosen one was.
        steps: update steps.
    """

    model: Model
    folder: Path
    rows: int
    train_rows: int
    epochs: int
    chosen_epochs: int
    steps: int


def refit_study(study: FinishedStudy, store: str | Path | None, data: Data | None) -> Refit:
    """Train a study's best configuration on train and dev rows, and save it.

    Args:
        study: that has a result.
        store: where it is kept.
        data: its rows; None reads them again from where they came.

    Raises:
        UsageError: when the rows are not to be had, or the study has folds, whose model was
            trained on all rows already.
        StudyError: when memory runs out or the network diverges.
    """
    result = study.result
    name = safe_text(result.name)
    if result.folds:
        raise UsageError(
            f"study {name} compared networks over folds, and its model was trained on all of their "
            f"rows as far as that could be done; use deepwell predict {name}"
        )
    best = next(t for t in study.trials() if t.number == result.best_trial)
    with open_store(store, create=False) as opened:
        record = opened.study(result.name)
        asked = from_config(record)
        given = same_data(opened, record, data, 'open_study("{}").refit(data=load(...))')
        made = _refit(best, given, asked)
        expected = None if result.overtuning is None else result.overtuning.expected.to_plain()
        told: dict[str, Any] = {
            "rows": made.rows,
            "train_rows": made.train_rows,
            "epochs": made.epochs,
            "chosen_epochs": made.chosen_epochs,
            "steps": made.steps,
        }
        folder = folder_now(opened, record) / FOLDERS["refit"]
        about = {
            "study": result.name,
            "trial": best.number,
            "hyperparameters": to_plain(dict(best.spec.hyperparameters)),
            "seed": best.spec.seed,
            "metric": result.metric,
            "data_fingerprint": given.fingerprint,
            "versions": {n: importlib.metadata.version(n) for n in ("deepwell", "numpy")},
            "dev": None,
            "refit": {**told, "chosen_dev": result.dev.to_plain(), "expected": expected},
        }
        model = replace(made.model, about=about)
        model.save(folder)
        opened.append_event(record.id, Event(time.time(), "refit", best.number, details=told))
    return replace(made, model=model, folder=folder)


def _refit(best: Trial, data: Data, asked: Asked) -> Refit:
    whole = pooled(data, "refit")
    batch = best.spec.whole("batch_size")
    before = steps_per_epoch(len(data.train), min(batch, len(data.train)))
    after = steps_per_epoch(len(whole.train), min(batch, len(whole.train)))
    epochs = max(1, round(best.best_epoch * before / after))
    spec = in_other_epochs(best.spec, Shortening(before / after, best.best_epoch, epochs))
    watched = (asked.settings.metric, asked.memory)
    state = trained_on_all(asked.program, spec, epochs, whole, watched)
    if isinstance(state, str):
        raise StudyError(
            f"the network of trial {best.number} could not be trained on train and dev rows: "
            f"{state}; the chosen network stays as it is"
        )
    at_end = spec.during(epochs)
    parameters = normalized(last_parameters(state), at_end, whole)
    architecture = architecture_for(at_end, whole, whole.train.x.shape[1])
    model = Model(architecture, parameters, whole.table_encoder, whole.target_encoder, {})
    return Refit(
        model,
        Path(),
        rows=len(whole.train),
        train_rows=len(data.train),
        epochs=epochs,
        chosen_epochs=best.best_epoch,
        steps=int(state["step"]),
    )
