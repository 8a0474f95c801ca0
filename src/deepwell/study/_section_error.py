"""What kind of error is left, told with what the rows say about the best possible score."""

from __future__ import annotations

from deepwell.diagnosis._bias_variance import (
    BiasVarianceEvidence,
    diagnose_bias_variance,
    gain_that_counts,
    material_size,
)
from deepwell.diagnosis._causes import gaps_after
from deepwell.diagnosis._intervals import unpaired_difference
from deepwell.diagnosis._repeated_rows import diagnose_repeated_rows
from deepwell.diagnosis._strong_baselines import Labeled, compare_with_rival, strongest_rival
from deepwell.diagnosis._told_gaps import told_gaps
from deepwell.records import Section

from ._data_checks import part_units
from ._improve_command import with_improve_commands
from ._in_store import in_store
from ._people import people_best
from ._reopened import Reopened
from ._repeats import best_possible, repeats_of

ERROR_CODES = (
    *("DW100", "DW101", "DW102", "DW103", "DW104", "DW106", "DW107", "DW108"),
    *("DW110", "DW111", "DW112", "DW113", "DW117", "DW118"),
)
"""Of the fit's findings those that this section tells anew."""


def error_section(reopened: Reopened) -> Section | None:
    """Return the gaps, bounded by repeated rows and by models of other kinds.

    None for a study with folds: no row is left that its saved network was not trained on.
    """
    if not reopened.held_out:
        return None
    metric = reopened.metric
    data, seed = reopened.data, reopened.settings.seed
    repeats = repeats_of(data, metric)
    train, dev = (
        Labeled(rows.x, y, rows.weight, said, unit, rows.group)
        for rows, y, said, unit in zip(
            (data.train, data.dev),
            (reopened.y_train, reopened.y_dev),
            (reopened.train_prediction, reopened.dev_prediction),
            part_units(data, data.train, data.dev),
            strict=True,
        )
    )
    rival = strongest_rival(metric, train, dev, len(data.task.classes), seed)
    people = people_best(data, metric, reopened.train_prediction, seed)
    told = told_gaps(reopened.result.findings)
    no_signal = told is not None and told.no_signal
    best = best_possible(reopened.settings, repeats, rival, no_signal=no_signal, people=people)
    evidence = _evidence(reopened)
    least = None if best.least is None else best.least.value
    material = material_size(metric, evidence.constant, least)
    found = diagnose_bias_variance(evidence, best, material)
    if repeats is not None:
        found += diagnose_repeated_rows(metric.name, repeats)
    found += compare_with_rival(
        metric.name, rival, gain_that_counts(metric, evidence.dev.value, least, material)
    )
    found = gaps_after(found, [f for f in reopened.result.findings if f.code not in ERROR_CODES])
    found = in_store(with_improve_commands(found, reopened.result.name, data), reopened.store)
    facts = {"metric": metric.name, "best": best.to_plain(), "scores": _scores(evidence)}
    return Section("error", "What kind of error is left", tuple(found), facts)


def _scores(evidence: BiasVarianceEvidence) -> dict[str, object]:
    """Return the scores of the parts with their rows."""
    scores = (
        ("train", evidence.train, evidence.n_train),
        ("train-dev", evidence.train_dev, evidence.n_train_dev),
        ("dev", evidence.dev, evidence.n_dev),
    )
    return {
        part: {**score.to_plain(), "rows": rows}
        for part, score, rows in scores
        if score is not None
    }


def _evidence(reopened: Reopened) -> BiasVarianceEvidence:
    """Return the scores of the fit, with those of the train-dev rows."""
    result, rows = reopened.result, reopened.data.train_dev
    return BiasVarianceEvidence(
        metric=result.metric,
        train=result.train,
        n_train=len(reopened.data.train),
        dev=result.dev,
        n_dev=len(reopened.data.dev),
        gap=unpaired_difference(result.dev, result.train),
        constant=result.baselines[0].estimate.value,
        train_dev=result.train_dev,
        n_train_dev=0 if rows is None else len(rows),
    )
