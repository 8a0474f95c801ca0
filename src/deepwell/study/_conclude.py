"""The end of a run: the best network scored, compared, diagnosed and saved."""

from __future__ import annotations

import importlib.metadata
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

from deepwell._base._errors import StudyError
from deepwell.data._data import Data
from deepwell.diagnosis._bias_variance import BiasVarianceEvidence, diagnose_bias_variance
from deepwell.diagnosis._comparison import compare_with_baselines, hardest_baseline
from deepwell.diagnosis._intervals import paired_difference, unpaired_difference
from deepwell.diagnosis._metrics import Metric
from deepwell.execution._gemm_rate import gemm_share
from deepwell.execution._local import LocalEngine
from deepwell.execution._members import architecture_of
from deepwell.execution._speed import remember_rate
from deepwell.records import (
    Estimate,
    Finding,
    PlanFacts,
    StudyResult,
    Trial,
    to_plain,
)

from ._affordable import affordable, sampled_note
from ._baselines import SimpleModel
from ._bracket import best_trial
from ._evaluate import Scored, score_model, targets
from ._history import History
from ._interrupt import BY_USER
from ._model import Model
from ._peak_memory import peak_memory
from ._settings import Settings
from ._work import trained_multiply_adds

BY_CLOCK = "the time budget was used up"
_TELLING_SECONDS = 5.0  # a shorter run says little about the machine's speed


@dataclass(frozen=True)
class Run:
    """All that a run leaves behind."""

    data: Data
    settings: Settings
    metric: Metric
    plan: PlanFacts
    history: History
    engine: LocalEngine
    baselines: tuple[SimpleModel, ...]


def conclude(run: Run, seconds: float, stopped: str) -> StudyResult:
    """Return the outcome of a run, with the model and the result saved.

    Args:
        run: what was done.
        seconds: wall time of the run.
        stopped: why it ended early, or an empty string.

    Raises:
        StudyError: when no network reached a finite dev score, or saving failed.
        KeyboardInterrupt: when a person stopped the run before any network was scored.
    """
    trials = run.history.trials()
    best = best_trial(trials)
    if best is None:
        if stopped == BY_USER:
            raise KeyboardInterrupt
        if run.history.interrupted():
            raise StudyError(f"{BY_CLOCK} before any network was scored; give it more time")
        raise StudyError(
            f"none of the {len(trials)} networks reached a finite dev score; "
            "search lower learning rates, as in --space learning_rate=log(1e-5,1e-2)"
        )
    model = _model(run, best)
    sampled = sampled_note(run.data)
    run = replace(run, data=affordable(run.data))
    scored = score_model(run.data, model, run.metric, run.settings.seed)
    differences = _differences(run, scored)
    hardest = hardest_baseline(differences)
    name = run.history.record.name
    folder = run.history.store.folder / name
    model = replace(model, about={**model.about, "dev": scored.dev.to_plain(), "study": name})
    model.save(folder / "model")
    training = seconds - run.engine.compile_seconds
    if training > _TELLING_SECONDS:
        useful = trained_multiply_adds(trials, run.engine.shape)
        remember_rate(run.engine.name, useful / training)
    meter = run.engine.meter
    result = StudyResult(
        name=name,
        data=run.data.facts,
        plan=run.plan,
        metric=run.metric.name,
        metric_label=run.metric.label,
        percent=run.metric.percent,
        train=scored.train,
        dev=scored.dev,
        baselines=tuple(b.shown for b in run.baselines),
        versus_name=hardest,
        versus=differences[hardest],
        best=dict(best.spec.hyperparameters),
        best_trial=best.number,
        findings=tuple(_findings(run, scored, differences)),
        statuses=dict(Counter(t.status.value for t in trials)),
        networks=sum(t.epochs > 0 for t in trials),
        program=run.engine.name,
        programs=run.engine.programs(),
        compile_seconds=run.engine.compile_seconds,
        seconds=seconds,
        networks_per_second=sum(t.epochs > 0 for t in trials) / seconds,
        gemm_share=gemm_share(run.engine.name, meter.multiply_adds, meter.seconds),
        model="",
        report="",
        stopped=stopped,
        peak_memory_bytes=peak_memory(),
        memory_notes=(*sampled, *run.engine.notes),
    )
    run.history.store.save_result(run.history.record.id, to_plain(result))
    run.history.finish("stopped" if stopped else "finished", stopped)
    return result


def _model(run: Run, best: Trial) -> Model:
    task, data = run.data.task, run.data
    architecture = architecture_of(best.spec, data.train.x.shape[1], task.outputs, task.loss)
    about: dict[str, Any] = {
        "trial": best.number,
        "hyperparameters": to_plain(dict(best.spec.hyperparameters)),
        "seed": best.spec.seed,
        "metric": run.metric.name,
        "data_fingerprint": data.fingerprint,
        "versions": {name: importlib.metadata.version(name) for name in ("deepwell", "numpy")},
    }
    return Model(
        architecture,
        run.engine.best_parameters(best.number),
        data.table_encoder,
        data.target_encoder,
        about,
    )


def _differences(run: Run, scored: Scored) -> dict[str, Estimate]:
    """Return network minus simple model on the dev rows, paired, by the simple model's name."""
    y, weight = targets(run.data, run.data.dev), run.data.dev.weight
    return {
        b.shown.name: paired_difference(
            run.metric,
            y,
            scored.dev_prediction,
            b.prediction.prediction_dev,
            weight,
            run.settings.seed,
        )
        for b in run.baselines
    }


def _findings(run: Run, scored: Scored, differences: dict[str, Estimate]) -> list[Finding]:
    evidence = BiasVarianceEvidence(
        metric=run.metric.name,
        train=scored.train,
        n_train=len(run.data.train),
        dev=scored.dev,
        n_dev=len(run.data.dev),
        gap=unpaired_difference(scored.dev, scored.train),
        constant=run.baselines[0].shown.estimate.value,
    )
    return [
        *diagnose_bias_variance(evidence, run.settings.best_possible),
        *compare_with_baselines(run.metric.name, differences),
    ]
