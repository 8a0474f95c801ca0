"""What is told at the end of a run about networks that diverged: one of them is trained again."""

from __future__ import annotations

from collections.abc import Sequence

from deepwell.data._batches import steps_per_epoch
from deepwell.diagnosis._non_finite import DivergenceEvidence
from deepwell.execution._local import LocalEngine
from deepwell.execution._non_finite import origin_of_divergence
from deepwell.execution._recovery import out_of_memory
from deepwell.records import NonFinite, Status, Trial
from deepwell.report._figures import count

from ._work import multiply_adds

_MOST_SECONDS = 1.0  # that the end of a run may spend on it
_PASSES = 3  # over the epochs: to the epoch, within it, and what each step adds
_STEP_SECONDS = {"native": 2e-4, "jax": 8e-3}  # of a call of one step


def divergence(engine: LocalEngine, trials: Sequence[Trial]) -> DivergenceEvidence:
    """Return what is known of the trials that diverged, with the origin of the cheapest one.

    Args:
        engine: that trained them.
        trials: of the study.
    """
    trained = [t for t in trials if t.epochs or t.status is Status.DIVERGED]
    diverged = [t for t in trained if t.status is Status.DIVERGED]
    others = [t for t in trained if t.status is not Status.DIVERGED]
    first, why_not = _origin(engine, diverged) if diverged else (None, "")
    return DivergenceEvidence(
        tuple(t.spec.number("learning_rate") for t in diverged),
        tuple(t.spec.number("learning_rate") for t in others),
        first,
        why_not,
    )


def _origin(engine: LocalEngine, diverged: Sequence[Trial]) -> tuple[NonFinite | None, str]:
    """Return where one of the trials broke, or why that was not looked for."""
    cheapest = min(diverged, key=lambda trial: (_seconds(engine, trial), trial.number))
    seconds = _seconds(engine, cheapest)
    if engine.streams:
        return None, "the rows lie in a file, larger than memory"
    if engine.needs_compiling(cheapest.number):
        return None, "its program is not compiled in this run"
    if seconds > _MOST_SECONDS:
        return None, f"to train it again takes about {count(max(1, round(seconds)), 'second')}"
    try:
        found = origin_of_divergence(engine, cheapest.number, cheapest.spec)
    except Exception as error:  # what a lack of memory raises depends on the program
        if not out_of_memory(error):
            raise
        return None, "there is too little memory to train it again"
    return found, "" if found else "trained again, it did not diverge"


def _seconds(engine: LocalEngine, trial: Trial) -> float:
    """Return the time that training a trial again is taken to need, up to where it diverged.

    By what is assumed of the machine and nothing measured, so that a study says the same again.
    """
    rate = engine.machine.multiply_adds / engine.cores
    epochs = max(1, trial.epochs)
    steps = steps_per_epoch(engine.shape.train_rows, trial.spec.whole("batch_size"))
    work = multiply_adds(trial.spec, engine.shape) * epochs * _PASSES
    return work / rate + (steps + epochs) * _STEP_SECONDS.get(engine.name, 0.0)
