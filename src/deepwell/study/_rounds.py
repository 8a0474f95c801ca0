"""Rounds of proposals: how many networks, which, on which rungs, by which programs."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

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
from ._round_sizes import budget_share, round_sizes
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


def sizes_ahead(asked: Asked, engine: LocalEngine) -> tuple[int, ...]:
    """Return the configurations of each round that is known ahead.

    Those asked for, or what fills the budget or a minute, in several rounds where the sampler
    learns; the first has room for all configurations that were given. Under a budget without a
    number more rounds follow while time is left.
    """
    count, first = asked.trials, len(asked.given)
    if count is not None:
        return dealt(asked, count, first)
    probe = propose(asked.settings, [], USUAL_TRIALS[0], population=0)
    epochs = epochs_a_network(_rungs(asked.settings, probe))
    seconds = seconds_a_network(probe, engine.shape, epochs, engine.machine)
    seconds *= asked.settings.folds or 1
    count = default_trials(seconds)
    if asked.budget is None:
        return dealt(asked, max(count, first), first)
    share = budget_share(learns(asked.settings))
    return (max(1, first, min(count, round_size(asked.budget, seconds, share))),)


def further_sizes(asked: Asked, proposed: int, clock: Clock) -> tuple[int, ...]:
    """Return the same of a study that goes on after its end.

    The networks that are missing to those asked for, or what a part of the budget has time for.

    Args:
        asked: what the study is to do.
        proposed: configurations so far.
        clock: of the run.
    """
    waiting = sum(given.after == proposed for given in asked.given)
    longer = sum(given.after == proposed and given.again is not None for given in asked.given)
    if longer and asked.trials is not None:
        rest = asked.trials - proposed - longer
        return (longer, *(dealt(asked, rest, waiting - longer) if rest else ()))
    if asked.trials is not None:
        return dealt(asked, asked.trials - proposed, waiting)
    each, share = clock.seconds() / max(1, proposed), budget_share(learns(asked.settings))
    return (max(1, waiting, round_size(clock.left(), each, share, proposed)),)


def learns(settings: Settings) -> bool:
    """Return whether the sampler of a study learns from scores."""
    return sampler_named(settings.search).learns


def dealt(asked: Asked, count: int, first: int = 0) -> tuple[int, ...]:
    """Return the configurations of each of the rounds that so many are proposed in.

    Args:
        asked: what the study is to do.
        count: configurations.
        first: of them those that the first round must have room for.
    """
    settings = asked.settings
    waits = learns(settings) or asked.until_settled
    return round_sizes(count, len(settings.space.searched), waits, first)


def next_round(
    asked: Asked,
    engine: LocalEngine,
    past: Sequence[Trial],
    count: int,
    population: int,
    copies: Collection[int] = (),
) -> Round:
    """Return a round of `count` proposals that follow from the trials so far.

    In a cross-validated study each is a configuration, with a trial for every fold. Networks that
    do not fit in memory are refused in a study's first round, and later have no program.

    Args:
        asked: what the study is to do.
        engine: that trains it.
        past: all trials so far.
        count: proposals.
        population: number of the round, counted from 0.
        copies: which of the trials are copies of others.
    """
    known = known_of(asked, past, count, copies)
    specs = propose(asked.settings, past, count, population, known)
    longer = bool(known.first) and all(given.again is not None for given in known.first)
    rungs = _to_the_end(specs) if longer else _rungs(asked.settings, specs)
    by: dict[str, tuple[int, ...]] = {}
    for place, given in enumerate(known.first):
        by[given.by] = (*by.get(given.by, ()), min(specs) + place * (asked.settings.folds or 1))
    # A study that has come far does not end for networks without room in memory: they fail alone.
    able = {n: spec for n, spec in specs.items() if engine.has_room(spec)} if past else specs
    plan = engine.plan(able, epochs_a_network(rungs))
    bracket = Bracket(population, specs, rungs, region(asked.settings, past, known))
    return Round(bracket, plan, by)


def plan_facts(
    asked: Asked, engine: LocalEngine, round_: Round, data: Data, sizes: tuple[int, ...] = ()
) -> PlanFacts:
    """Return what is told about a round before it is trained.

    Args:
        asked: what the study is to do.
        engine: that trains it.
        round_: the round.
        data: of the study.
        sizes: configurations of each round, where what is told is all of them, this one first.
    """
    bracket, planned = round_.bracket, round_.plan
    times = sum(sizes) / sizes[0] if sizes else 1.0
    epochs = epochs_a_network(bracket.rungs)
    rate, folds = remembered_rate(speed_key(engine.name)), asked.settings.folds
    each = (equivalent_work(s, engine.shape, engine.name) for s in bracket.specs.values())
    return PlanFacts(
        networks=sum(sizes) * (folds or 1) if sizes else len(bracket.specs),
        rungs=bracket.rungs,
        program=engine.name,
        programs=planned.programs,
        cores=engine.cores,
        seconds=times * expected_seconds(planned, sum(each) * epochs, engine.machine, rate),
        space=asked.settings.space.describe(),
        constraints=asked.settings.space.constraints,
        memory_bytes=asked.memory,
        why=needs_jax(optimizers_of(asked.settings.space)),
        folds=folds,
        advice=folds_advice(engine.rows(), folds) if folds or _foldable(data) else "",
        convolutions=convolves(asked.settings.space),
        augmentation=augments(asked.settings.space),
        proposed=_proposed(asked),
        rounds=sizes,
        budget=asked.budget if asked.trials is None else None,
    )


def _proposed(asked: Asked) -> str:
    """Return what a sampler with an end, as a grid, proposes as a whole, or who learns."""
    name = asked.settings.search
    if learns(asked.settings):
        return f"proposed by {name}, which learns from round to round"
    size = sampler_named(name).size
    return "" if size is None else size(asked.settings.space, asked.points)[1]


def _foldable(data: Data) -> bool:
    """Return whether folds may be made of these rows."""
    return isinstance(data.pool, Pool)


def _to_the_end(specs: Mapping[int, TrialSpec]) -> tuple[Rung, ...]:
    """Return the one rung of networks that have shown what they can and train for longer."""
    return (Rung(max(spec.whole("epochs") for spec in specs.values()), len(specs)),)


def _rungs(settings: Settings, specs: Mapping[int, TrialSpec]) -> tuple[Rung, ...]:
    longest = max(spec.whole("epochs") for spec in specs.values())
    return scheduler_of(settings).rungs(len(specs), longest)
