"""What is said of a finished run: every finding, from its rows to its training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from deepwell.data._table_encoder import TableEncoder
from deepwell.diagnosis._bias_variance import (
    BiasVarianceEvidence,
    diagnose_bias_variance,
    gain_that_counts,
    material_size,
)
from deepwell.diagnosis._causes import gaps_after, measured_cause, of_best, starting_values
from deepwell.diagnosis._comparison import compare_with_baselines, hardest_baseline
from deepwell.diagnosis._intervals import unpaired_difference
from deepwell.diagnosis._non_finite import diagnose_divergence
from deepwell.diagnosis._overtuning import measure_overtuning, overtuning_finding
from deepwell.diagnosis._repeated_rows import diagnose_repeated_rows
from deepwell.execution._members import architecture_of
from deepwell.records import Estimate, Finding, Overtuning, Trial

from ._arrays import score_scale
from ._contenders import contest
from ._data_checks import data_findings
from ._divergence import divergence
from ._evaluate import Scored, difference_on_dev
from ._first_steps import check_findings
from ._improve_command import with_improve_commands
from ._missing_values import missing_findings
from ._people import people_best, people_findings
from ._probabilities import wrong_probabilities
from ._repeats import best_possible, repeats_of
from ._run import Run
from ._subject import StudyPrograms
from ._training_findings import (
    Ended,
    spread_of,
    standard_error,
    training_findings,
    with_command,
)
from ._work import trained_multiply_adds
from ._wrong_targets import wrong_targets


def verdicts(
    run: Run,
    trials: Sequence[Trial],
    best: Trial,
    scored: Scored,
    differences: Mapping[str, Estimate],
    luck: Overtuning | None,
) -> tuple[Finding, ...]:
    """Return all findings: of the first steps, the rows, the error that is left, the training.

    Args:
        run: what was done.
        trials: all of them.
        best: the one whose network is saved.
        scored: its scores.
        differences: from the simple models, as `differences_from` returns them.
        luck: how much of the dev score is luck of the choice, None where it is not known.
    """
    starts = _starts(run, trials, best)
    ended = _ended(run, trials, best, scored, differences, starts)
    training = training_findings(ended)
    diverged = diagnose_divergence(divergence(run.engine, trials), measured_cause(training))
    rows = data_findings(
        *(run.data_checks, run.data, run.metric.name, run.settings.folds),
        best_possible=run.settings.best_possible,
    )
    missing = missing_findings(ended, _encoder(run, ended))
    said, seed = scored.dev_prediction, run.settings.seed
    wrong = wrong_targets(run.data, said, run.metric.name, seed)
    others = [*starts, *rows, *missing, *wrong, *training]
    gaps = gaps_after(_findings(run, scored, differences, luck), others)
    return (
        *(with_command(f, ended, starting_values(f)) for f in starts),
        *rows,
        *missing,
        *with_improve_commands(gaps, run.history.record.name, run.data),
        *wrong_probabilities(run.data, said, run.metric, seed, run.history.record.name),
        *wrong,
        *diverged,
        *training,
    )


def _encoder(run: Run, ended: Ended) -> TableEncoder:
    """Return what encoded the best network's rows; of a cross-validation, one fold's."""
    if run.folds is None:
        return run.data.table_encoder
    return run.folds.encoders[ended.best.spec.fold - 1]


def _starts(run: Run, trials: Sequence[Trial], best: Trial) -> list[Finding]:
    """Return what the checks before the training say, of one network and of the best one."""
    found = check_findings(run.checks)
    if run.checks is None:
        return list(found)
    checked = next((t for t in trials if t.number == run.checks.trial), best)
    return of_best(found, checked.spec.hyperparameters, best.spec.hyperparameters)


def differences_from(run: Run, scored: Scored) -> dict[str, Estimate]:
    """Return network minus simple model on the dev rows, paired, by the simple model's name."""
    said, seed = scored.dev_prediction, run.settings.seed
    return {
        b.shown.name: difference_on_dev(
            run.data, run.metric, said, b.prediction.prediction_dev, seed
        )
        for b in run.baselines
    }


def _findings(
    run: Run, scored: Scored, differences: Mapping[str, Estimate], luck: Overtuning | None
) -> list[Finding]:
    evidence = BiasVarianceEvidence(
        metric=run.metric.name,
        train=scored.train,
        n_train=len(run.data.train),
        dev=scored.dev,
        n_dev=len(run.data.dev),
        gap=_gap(run, scored),
        constant=run.baselines[0].shown.estimate.value,
        train_dev=scored.train_dev,
        n_train_dev=0 if run.data.train_dev is None else len(run.data.train_dev),
    )
    repeats = repeats_of(run.data, run.metric)
    seed, metric = run.settings.seed, run.metric
    best = best_possible(
        run.settings,
        repeats,
        no_signal=_no_signal(run, differences),
        people=people_best(run.data, metric, scored.train_prediction, seed),
    )
    least = None if best.least is None else best.least.value
    material = material_size(metric, evidence.constant, least)
    counts = gain_that_counts(metric, scored.dev.value, least, material)
    name, lead = metric.name, differences[hardest_baseline(differences)]
    return [
        *diagnose_bias_variance(evidence, best, material),
        *([] if repeats is None else diagnose_repeated_rows(name, repeats)),
        *compare_with_baselines(name, differences, counts),
        *people_findings(run.data, metric, scored.dev_prediction, seed),
        *([] if luck is None else [overtuning_finding(luck, name, scored.dev, material, lead)]),
    ]


def _gap(run: Run, scored: Scored) -> Estimate:
    """Return dev - train; paired over folds, whose train and dev predictions are of all rows."""
    if run.folds is None:
        return unpaired_difference(scored.dev, scored.train)
    dev, train = scored.dev_prediction, scored.train_prediction
    return difference_on_dev(run.data, run.metric, dev, train, run.settings.seed)


def _no_signal(run: Run, differences: Mapping[str, Estimate]) -> bool:
    """Return whether no model is clearly better than the constant guess on the dev rows."""
    constant, *others = run.baselines
    if differences[constant.shown.name].high < 0:
        return False
    guess, seed = constant.prediction.prediction_dev, run.settings.seed
    return not any(
        difference_on_dev(run.data, run.metric, one.prediction.prediction_dev, guess, seed).high < 0
        for one in others
    )


def luck_of(run: Run, trials: Sequence[Trial], best: Trial) -> Overtuning | None:
    """Return how much of the best dev score is luck of the choice, None where it is not known."""
    if run.contenders is None:
        return None
    chosen = best.number
    found = contest(run.contenders, run.data, run.folds, run.metric, trials, chosen)
    return None if found is None else measure_overtuning(found, run.settings.seed)


def _ended(
    run: Run,
    trials: Sequence[Trial],
    best: Trial,
    scored: Scored,
    differences: Mapping[str, Estimate],
    starts: Sequence[Finding],
) -> Ended:
    """Return what the findings about the training need; of a cross-validation, one fold's."""
    first = next(trial for trial in trials if trial.number == best.number)
    data = run.data if run.folds is None else run.folds.data(first.spec.fold - 1)
    task = data.task
    return Ended(
        data=data,
        metric=run.metric.name,
        scale=score_scale(data, run.metric.name),
        trials=trials,
        best=first,
        curves=run.history.store.curves_of(run.history.record.id, [first])[0],
        state=run.engine.states([best.number])[best.number],
        architecture=architecture_of(
            first.spec, data.train.x.shape[1], task.outputs, task.loss, data.image
        ),
        constant=run.baselines[0].shown.estimate.value,
        versus=differences,
        spread=spread_of(run.data, scored.dev_prediction),
        work=trained_multiply_adds(run.history.trained(), run.engine.shape),
        seed=run.settings.seed,
        memory=run.memory,
        folds=run.settings.folds,
        best_possible=run.settings.best_possible,
        programs=None if run.engine.name == "native" else StudyPrograms(run.engine, first),
        standard_error=standard_error(scored.dev, len(run.data.dev), len(data.dev)),
        starts=starts,
    )
