"""Rounds of proposals: how many networks, which, on which rungs, by which programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from deepwell.data._data import Data
from deepwell.data._folds import folds_advice
from deepwell.data._pool import Pool
from deepwell.execution._backends import needs_jax
from deepwell.execution._local import LocalEngine
from deepwell.execution._speed import remembered_rate, speed_key
from deepwell.records import PlanFacts, Rung, Trial, TrialSpec
from deepwell.search.samplers._named import sampler_named

from ._asked import Asked
from ._budget import Clock
from ._history import Bracket, Round
from ._image_space import augments, convolves
from ._proposals import known_of, propose, region
from ._settings import Settings, optimizers_of, scheduler_of
from ._work import (
    USUAL_TRIALS,
    default_trials,
    epochs_a_network,
    equivalent_work,
    expected_seconds,
    round_size,
    seconds_a_network,
)


def first_round(asked: Asked, engine: LocalEngine) -> Round:
    """Return the first round: the networks asked for, or what fills the budget or a minute.

    It has room for all configurations that were given.
    """
    count = asked.trials
    if count is None:
        probe = propose(asked.settings, [], USUAL_TRIALS[0], population=0)
        epochs = epochs_a_network(_rungs(asked.settings, probe))
        seconds = seconds_a_network(probe, engine.shape, epochs, engine.machine)
        seconds *= asked.settings.folds or 1
        count = default_trials(seconds)
        if asked.budget is not None:
            count = max(1, min(count, round_size(asked.budget, seconds)))
        count = max(count, len(asked.given))
    return next_round(asked, engine, [], count, population=0)


def next_round(
    asked: Asked, engine: LocalEngine, past: Sequence[Trial], count: int, population: int
) -> Round:
    """Return a round of `count` proposals that follow from the trials so far.

    In a cross-validated study each is a configuration, with a trial for every fold.
    """
    known = known_of(asked, past, count)
    specs = propose(asked.settings, past, count, population, known)
    rungs = _rungs(asked.settings, specs)
    by: dict[str, tuple[int, ...]] = {}
    for place, given in enumerate(known.first):
        by[given.by] = (*by.get(given.by, ()), min(specs) + place * (asked.settings.folds or 1))
    plan = engine.plan(specs, epochs_a_network(rungs))
    bracket = Bracket(population, specs, rungs, region(asked.settings, past, known))
    return Round(bracket, plan, by)


def further_round(
    asked: Asked, engine: LocalEngine, past: Sequence[Trial], clock: Clock, population: int
) -> Round:
    """Return the first round of a study that goes on after its end.

    The networks that are missing to those asked for, or what half of the budget has time for.
    """
    folds = asked.settings.folds or 1
    proposed = len(past) // folds
    if asked.trials is None:
        each = clock.seconds() / max(1, proposed)
        waiting = sum(given.after == proposed for given in asked.given)
        count = max(1, waiting, round_size(clock.left(), each))
    else:
        count = asked.trials - proposed
    return next_round(asked, engine, past, count, population)


def plan_facts(asked: Asked, engine: LocalEngine, round_: Round, data: Data) -> PlanFacts:
    """Return what is told about a round before it is trained."""
    bracket, planned = round_.bracket, round_.plan
    epochs = epochs_a_network(bracket.rungs)
    rate, folds = remembered_rate(speed_key(engine.name)), asked.settings.folds
    each = (equivalent_work(s, engine.shape, engine.name) for s in bracket.specs.values())
    return PlanFacts(
        networks=len(bracket.specs),
        rungs=bracket.rungs,
        program=engine.name,
        programs=planned.programs,
        cores=engine.cores,
        seconds=expected_seconds(planned, sum(each) * epochs, engine.machine, rate),
        space=asked.settings.space.describe(),
        constraints=asked.settings.space.constraints,
        memory_bytes=asked.memory,
        why=needs_jax(optimizers_of(asked.settings.space)),
        folds=folds,
        advice=folds_advice(engine.rows(), folds) if folds or _foldable(data) else "",
        convolutions=convolves(asked.settings.space),
        augmentation=augments(asked.settings.space),
        proposed=_proposed(asked),
    )


def _proposed(asked: Asked) -> str:
    """Return what a sampler with an end, as a grid, proposes as a whole."""
    size = sampler_named(asked.settings.search).size
    return "" if size is None else size(asked.settings.space, asked.trials)[1]


def _foldable(data: Data) -> bool:
    """Return whether folds may be made of these rows."""
    return isinstance(data.pool, Pool)


def _rungs(settings: Settings, specs: Mapping[int, TrialSpec]) -> tuple[Rung, ...]:
    longest = max(spec.whole("epochs") for spec in specs.values())
    return scheduler_of(settings).rungs(len(specs), longest)
