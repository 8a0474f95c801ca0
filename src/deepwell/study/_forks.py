"""Copies of networks that go on with other numbers, as specifications and in the records."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from deepwell._base._hyperparameters import Value
from deepwell.records import TrialSpec


@dataclass(frozen=True)
class Copied:
    """A new trial that begins as a copy of another one.

    Attributes:
        number: of the new trial.
        source: of the trial that it is a copy of.
        spec: of the new trial.
        steps: update steps of an epoch.
    """

    number: int
    source: int
    spec: TrialSpec
    steps: int


def forked(spec: TrialSpec, epoch: int, changes: Mapping[str, Value]) -> TrialSpec:
    """Return the specification of a copy that goes on with other numbers after an epoch.

    It is that of the source, with what changes then: who trains it from its start gets the source
    up to that epoch, to the bit, and the copy from there on. Changes of the source that were to
    come later stay; those of the same epoch give way.

    >>> forked(TrialSpec({}, seed=0), 10, {"learning_rate": 0.01})["change"]
    '10: learning_rate=0.01'

    Args:
        spec: of the source.
        epoch: that the source has ended.
        changes: hyperparameter -> value.

    Raises:
        UsageError: when something cannot change, or a value is out of its range.
    """
    told = {after: dict(values) for after, values in spec.changes.items()}
    told[epoch] = dict(sorted({**told.get(epoch, {}), **changes}.items()))
    values = {**spec.hyperparameters, "change": dict(sorted(told.items()))}
    return replace(spec, hyperparameters=values)


def without(spec: TrialSpec, epoch: int, nudges: Collection[tuple[int, str]]) -> TrialSpec:
    """Return a specification without what was changed by hand after an epoch or later.

    >>> spec = TrialSpec({"change": "4: l2=0.1; 8: learning_rate=0.01"}, seed=0)
    >>> without(spec, 3, {(8, "learning_rate")})["change"]
    '4: l2=0.1'

    Args:
        spec: of a network.
        epoch: the first one of which nudges are taken away.
        nudges: (epoch, hyperparameter) of each change by hand.
    """
    told = {
        after: {n: v for n, v in values.items() if after < epoch or (after, n) not in nudges}
        for after, values in spec.changes.items()
    }
    return replace(spec, hyperparameters={**spec.hyperparameters, "change": told})


def lineage(sources: Mapping[int, int], wanted: Collection[int]) -> list[tuple[int, int]]:
    """Return copies with their sources, of these trials and of all that they go back to.

    >>> lineage({4: 1, 5: 4, 6: 2}, [5, 3])
    [(4, 1), (5, 4)]

    Args:
        sources: number of a copy -> number of its source, oldest copy first.
        wanted: numbers of trials.

    Returns:
        (number, source), oldest copy first.
    """
    needed = set(wanted)
    for number in reversed(sources):
        if number in needed:
            needed.add(sources[number])
    return [(number, source) for number, source in sources.items() if number in needed]


def root(sources: Mapping[int, int], number: int) -> int:
    """Return the trial that a copy goes back to, which was proposed; itself for one that was.

    Args:
        sources: number of a copy -> number of its source.
        number: of a trial.
    """
    while number in sources:
        number = sources[number]
    return number
