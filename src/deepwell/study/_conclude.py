"""The end of a run: the best network scored, compared, diagnosed and saved."""

from __future__ import annotations

import importlib.metadata
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from deepwell._base._errors import StudyError
from deepwell.diagnosis._comparison import hardest_baseline
from deepwell.execution._gemm_rate import gemm_share
from deepwell.execution._speed import remember_rate, speed_key
from deepwell.optimization._penalties import weight_sparsity
from deepwell.records import (
    Status,
    StudyResult,
    Trial,
    to_plain,
)
from deepwell.report._figures import count

from ._adjustments import scores_of
from ._affordable import affordable, sampled_note
from ._bracket import best_trial
from ._cross_validate import (
    OutOfFold,
    Saved,
    architecture_for,
    best_configuration,
    normalized,
    refit,
    score_out_of_fold,
)
from ._divergence import divergence
from ._ensemble import ensemble_findings, ensemble_of, keep_members
from ._evaluate import Scored, score_model, targets
from ._history import History
from ._interrupt import BY_USER
from ._model import Model
from ._peak_memory import peak_memory
from ._probing import late_probes
from ._retention import Retention
from ._run import Run, Work
from ._search_notes import search_notes
from ._settings import probing_of
from ._verdicts import differences_from, luck_of, verdicts
from ._which import discard_derived
from ._work import trained_work

BY_CLOCK = "the time budget was used up"
_NOT_TRAINED = "not_trained"
_TELLING_SECONDS = 1.0  # a shorter run says little about the machine's speed


def _end(trial: Trial) -> str:
    """Return how a trial ended, its status; a stop may come before it had one whole epoch."""
    begun = trial.epochs > 0 or trial.status in (Status.DIVERGED, Status.FAILED)
    return trial.status.value if begun else _NOT_TRAINED


def _pays_l1(best: Trial) -> bool:
    stages = (best.spec.during(epoch + 1) for epoch in (0, *best.spec.changes))
    return any(stage.number("l1") > 0 for stage in stages)


def _sparsity(model: Model) -> float:
    """Return the share of a network's weights that are as good as 0."""
    weights = ("weights/", "kernels/")
    return weight_sparsity(a for name, a in model.parameters.items() if name.startswith(weights))


def conclude(run: Run, work: Work, stopped: str) -> StudyResult:
    """Return the outcome of a run, with the model and the result saved.

    Args:
        run: what was done.
        work: what it cost.
        stopped: why it ended early, or an empty string.

    Raises:
        StudyError: when no network reached a finite dev score, or saving failed.
        KeyboardInterrupt: when a person stopped the run before any network was scored.
    """
    trials = run.history.trials()
    best = _best_held(run, trials)
    if best is None:
        raise _without_a_best(run, trials, stopped)
    out = _out_of_fold(run, best)
    saved = _saved(run, best, out)
    best = replace(best, number=best.number + max(0, saved.fold - 1))
    model = _model(run, best, saved)
    sampled = sampled_note(run.data)
    run = replace(run, data=affordable(run.data))
    one = next(trial for trial in trials if trial.number == best.number)  # of folds the first
    found = late_probes(run.engine, run.history, probing_of(run.settings), one, stopped != BY_USER)
    scored = _scored(run, model, out)
    differences = differences_from(run, scored)
    hardest = hardest_baseline(differences)
    luck, ensemble = luck_of(run, trials, best), ensemble_of(run)
    name = run.history.record.name
    folder = run.history.store.folder / name
    model = replace(
        model,
        about={**model.about, "dev": scored.dev.to_plain(), "study": name},
        adjustments=scores_of(
            targets(run.data, run.data.dev), scored.dev_prediction, run.settings.seed
        ),
    )
    model.save(folder / "model")
    if ensemble is not None:
        keep_members(ensemble, run, trials, model, folder)
    _remember_speed(run, work)
    copies = run.history.sources()
    own = [t for t in trials if t.number not in copies]
    meter, networks = run.engine.meter, sum(_end(t) != _NOT_TRAINED for t in own)
    result = StudyResult(
        name=name,
        data=run.data.facts,
        plan=run.plan,
        metric=run.metric.name,
        metric_label=run.metric.label,
        percent=run.metric.percent,
        train=scored.train,
        dev=scored.dev,
        train_dev=scored.train_dev,
        folds=() if out is None else out.folds,
        refit_epochs=0 if out is None or saved.fold else best.best_epoch,
        saved_fold=saved.fold,
        refit_failure=saved.failure,
        baselines=tuple(b.shown for b in run.baselines),
        versus_name=hardest,
        versus=differences[hardest],
        best=dict(best.spec.hyperparameters),
        best_trial=best.number,
        findings=(
            *verdicts(run, trials, best, scored, differences, luck),
            *ensemble_findings(ensemble, run.metric.name, name),
        ),
        checks=run.checks,
        data_checks=run.data_checks,
        statuses=dict(Counter(_end(t) for t in trials)),
        networks=networks,
        program=run.engine.name,
        programs=work.programs,
        compile_seconds=run.engine.compile_seconds,
        seconds=work.seconds,
        networks_per_second=networks / work.seconds,
        gemm_share=gemm_share(run.engine.name, meter.multiply_adds, meter.seconds),
        model="",
        report="",
        stopped=stopped,
        resumed=work.resumed,
        repeated_seconds=work.repeated_seconds,
        peak_memory_bytes=peak_memory(),
        memory_notes=(*sampled, *_shortages(run.history)),
        weight_sparsity=_sparsity(model) if _pays_l1(best) else None,
        overtuning=luck,
        parent=str(run.history.record.config.get("parent", "")),
        ensemble=ensemble,
        search_notes=search_notes(run.history),
    )
    Retention(run.history, run.engine).concluded(trials)
    _discard_former(run.history, best.number, folder)
    run.history.finish(result, found)
    return result


def _discard_former(history: History, best: int, folder: Path) -> None:
    """Remove the models made of a network that was chosen before; a kill may come after the end."""
    earlier = history.store.result(history.record.id)
    if earlier is not None and earlier["best_trial"] != best:
        discard_derived(folder)


def _without_a_best(
    run: Run, trials: Sequence[Trial], stopped: str
) -> StudyError | KeyboardInterrupt:
    """Return what a run ends with that has no network to show."""
    history = run.history
    if stopped == BY_USER:
        return KeyboardInterrupt()
    if best_trial(trials) is not None:
        return StudyError(
            "memory ran out, and with it went the weights of all networks that had a score; give "
            "more memory, or search smaller networks, as in --space hidden_units=integer(8,64)"
        )
    if history.interrupted():
        return StudyError(f"{BY_CLOCK} before any network was scored; give it more time")
    if all(t.status is Status.FAILED for t in trials):
        return StudyError(
            f"not one of the {len(trials)} networks fits in memory even alone; give more "
            "memory, or search smaller networks, as in --space hidden_units=integer(8,64)"
        )
    first = divergence(run.engine, trials).first
    broke = "" if first is None else f" (trial {first.trial} broke in {first.where()})"
    return StudyError(
        f"none of the {len(trials)} networks reached a finite dev score{broke}; "
        "search lower learning rates, as in --space learning_rate=log(1e-5,1e-2)"
    )


def _out_of_fold(run: Run, best: Trial) -> OutOfFold | None:
    """Return how a configuration does on the rows of its folds, or None where there are none."""
    if run.folds is None:
        return None
    return score_out_of_fold(run.engine, best, run.folds, run.metric, run.settings.seed)


def _scored(run: Run, model: Model, out: OutOfFold | None) -> Scored:
    """Return the scores of the model, or those out of fold."""
    if out is not None:
        return out.scored
    return score_model(run.data, model, run.metric, run.settings.seed)


def _remember_speed(run: Run, work: Work) -> None:
    """Keep what this machine reached, for the next plan's honest time."""
    training = run.engine.meter.seconds
    if training > _TELLING_SECONDS and not (work.resumed or work.extended):
        done = trained_work(run.history.trained(), run.engine.shape, run.engine.name)
        remember_rate(speed_key(run.engine.name), done / training)


def _best_held(run: Run, trials: Sequence[Trial]) -> Trial | None:
    """Return the trial with the best dev score whose weights there are, or None.

    Where memory ran out, weights may be lost: those of a trial that failed, and of one that was to
    be trained again from its start when the run was stopped.
    """
    engine = run.engine
    if run.folds is not None:
        return best_configuration(engine, trials, run.settings.folds)
    ranked = sorted((t for t in trials if t.status is not Status.FAILED), key=Trial.rank_key)
    scored = [t for t in ranked if math.isfinite(t.score)]
    held = engine.states([t.number for t in scored])
    return next((t for t in scored if t.number in held and _has_best(held[t.number])), None)


def _has_best(state: Mapping[str, np.ndarray]) -> bool:
    return bool(np.isfinite(state["best_score"]))


def _shortages(history: History) -> tuple[str, ...]:
    """Return one sentence for each lack of memory in all runs of the study."""
    told: list[Any] = [e.details for e in history.store.events(history.record.id, "out_of_memory")]
    return tuple(
        f"memory ran out in epoch {d['epoch']:,} with {count(d['before'], 'network')} at once: "
        + (f"on with {d['after']:,}" if d["after"] else "it alone does not fit, failed")
        for d in told
    )


def _saved(run: Run, best: Trial, out: OutOfFold | None) -> Saved:
    """Return the network to save: at the best dev score, or trained on the rows of all folds."""
    if run.folds is not None and out is not None:
        return refit(run.engine, best, run.folds, run.metric.name, run.memory, out.folds)
    spec = best.spec.during(best.best_epoch)
    parameters = normalized(run.engine.best_parameters(best.number), spec, run.data)
    return Saved(parameters, spec, run.data.table_encoder)


def _model(run: Run, best: Trial, saved: Saved) -> Model:
    data = run.data
    about: dict[str, Any] = {
        "trial": best.number,
        "hyperparameters": to_plain(dict(best.spec.hyperparameters)),
        "seed": best.spec.seed,
        "metric": run.metric.name,
        "data_fingerprint": data.fingerprint,
        "versions": {name: importlib.metadata.version(name) for name in ("deepwell", "numpy")},
    }
    return Model(
        architecture_for(saved.trial, data, len(saved.encoder.mean)),
        saved.parameters,
        saved.encoder,
        data.target_encoder,
        about,
    )
