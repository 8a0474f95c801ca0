"""An ensemble of a study's networks: chosen when the study ends, made its own model when asked for.

The best networks of the last rung are trained already, and what they say of the dev rows is known.
Which of them to average, and whether that helps, is found then; the members are kept beside the
chosen network. `deepwell ensemble NAME` makes a model of them, which `predict` and `test` use where
they are told to.
"""

from __future__ import annotations

import shlex
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from deepwell._base._errors import UsageError
from deepwell._base._safe_text import safe_text
from deepwell.data._data import Data
from deepwell.diagnosis._ensemble import Candidates, ensemble_finding, measure_ensemble
from deepwell.diagnosis._metrics import Metric
from deepwell.records import EnsembleFacts, Event, Finding, Trial, to_plain
from deepwell.storage._open import open_store

from ._adjustments import scores_of
from ._companion import Companion
from ._contenders import Contenders, predicted
from ._cross_validate import architecture_for, normalized
from ._evaluate import targets
from ._model import DESCRIPTION, Model, load_model
from ._run import Run
from ._which import FOLDERS

if TYPE_CHECKING:
    from ._finished import FinishedStudy  # which makes this

MEMBERS = "members"
"""Folder of the networks that an ensemble can be made of, inside that of the study."""


@dataclass(frozen=True)
class Ensemble:
    """An ensemble that was made a model.

    Attributes:
        model: the average of the members, saved in `folder`.
        folder: of the model.
        facts: who is in it, and how it compares with the single best network.
    """

    model: Model
    folder: Path
    facts: EnsembleFacts


def ensemble_of(run: Run) -> EnsembleFacts | None:
    """Return what averaging several networks does, None with folds or where none were kept."""
    if run.contenders is None or run.folds is not None:
        return None
    return find_ensemble(run.contenders, run.data, run.metric, run.settings.seed)


def ensemble_findings(found: EnsembleFacts | None, metric: str, name: str) -> list[Finding]:
    """Return DW611 with the command that saves the ensemble of a study; none without one."""
    if found is None:
        return []
    return [ensemble_finding(found, metric, f"deepwell ensemble {shlex.quote(name)}")]


def find_ensemble(
    contenders: Contenders, data: Data, metric: Metric, seed: int
) -> EnsembleFacts | None:
    """Return which networks to average and how that compares; None where fewer than 2 are kept.

    Args:
        contenders: have the networks that ended, with what they said of the dev rows.
        data: of the study.
        metric: that it chooses by.
        seed: of what is drawn.
    """
    places = list(contenders.weights())
    if len(places) < 2:
        return None
    said = [predicted(data, contenders.said(place)) for place in places]
    given = Candidates(
        metric,
        tuple(place.trial for place in places),
        np.stack(said),
        targets(data, data.dev),
        data.dev.weight,
        data.dev.group,
    )
    return measure_ensemble(given, seed)


def keep_members(
    facts: EnsembleFacts, run: Run, trials: Sequence[Trial], model: Model, folder: Path
) -> None:
    """Save the members of an ensemble beside the chosen network.

    Args:
        facts: who they are.
        run: what was done; its contenders have their weights.
        trials: all of the study.
        model: the chosen network, whose preprocessing they share.
        folder: of the study.
    """
    if run.contenders is None:
        return
    data, kept = run.data, run.contenders.weights()
    weights = {place.trial: (place, arrays) for place, arrays in kept.items()}
    specs = {trial.number: trial.spec for trial in trials}
    members: list[Companion] = []
    for number, share in sorted(
        zip(facts.trials, facts.shares, strict=True), key=lambda pair: -pair[1]
    ):
        place, arrays = weights[number]
        spec = specs[number].during(place.epoch)
        architecture = architecture_for(spec, data, data.train.x.shape[1])
        members.append(Companion(architecture, normalized(arrays, spec, data), share))
    first, *others = members
    about = {
        **{k: v for k, v in model.about.items() if k not in ("hyperparameters", "seed", "trial")},
        "dev": None,
        "ensemble": to_plain(facts),
    }
    made = Model(
        first.architecture,
        first.parameters,
        model.table_encoder,
        model.target_encoder,
        about,
        companions=tuple(others),
    )
    scores = scores_of(targets(data, data.dev), made.outputs(data.dev.x), run.settings.seed)
    replace(made, adjustments=scores).save(folder / MEMBERS)


def make_ensemble(study: FinishedStudy, store: str | Path | None) -> Ensemble:
    """Save the ensemble of a study as a model of its own.

    Args:
        study: that has a result.
        store: where it is kept.

    Raises:
        UsageError: when the study kept no members.
    """
    result = study.result
    with open_store(store, create=False) as opened:
        folder = opened.folder / result.name
        facts = result.ensemble
        if facts is None or not (folder / MEMBERS / DESCRIPTION).exists():
            raise UsageError(
                f"study {safe_text(result.name)} kept no networks to average; that needs two or "
                "more that trained to their end in the native program, without folds"
            )
        model = load_model(folder / MEMBERS)
        made = folder / FOLDERS["ensemble"]
        model.save(made)
        record = opened.study(result.name)
        told = {"trials": list(facts.trials), "shares": list(facts.shares)}
        opened.append_event(record.id, Event(time.time(), "ensemble", details=told))
    return Ensemble(load_model(made), made, facts)
