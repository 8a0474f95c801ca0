"""Copies of networks that go on with other numbers, as specifications and in the records."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from deepwell._base._hyperparameters import Value
from deepwell.data._batches import steps_per_epoch
from deepwell.records import TrialSpec, to_plain


@dataclass(frozen=True)
class Copied:
    """A new trial that begins as a copy of another one.

    Attributes:
        number: of the new trial.
        source: of the trial that it is a copy of.
        spec: of the new trial.
        steps: update steps of an epoch.
        said: what its event says of what it changes, as `told_changes` returns it.
    """

    number: int
    source: int
    spec: TrialSpec
    steps: int
    said: Mapping[str, Any]


def copied(
    number: int,
    source: int,
    spec: TrialSpec,
    epoch: int,
    changes: Mapping[str, Value],
    rows: int,
) -> Copied:
    """Return a copy that goes on with other numbers after an epoch.

    Args:
        number: of the copy.
        source: number of the trial that it is a copy of.
        spec: of the source.
        epoch: that the source has ended.
        changes: hyperparameter -> value.
        rows: train rows.

    Raises:
        UsageError: when something cannot change, or a value is out of its range.
    """
    new = forked(spec, epoch, changes)
    steps = steps_per_epoch(rows, new.whole("batch_size"))
    return Copied(number, source, new, steps, told_changes(spec, new, epoch, changes))


def forked(spec: TrialSpec, epoch: int, changes: Mapping[str, Value]) -> TrialSpec:
    """Return the specification of a copy that goes on with other numbers after an epoch.

    It is that of the source, with what changes then: who trains it from its start gets the source
    up to that epoch, to the bit, and the copy from there on. Changes of the source that were to
    come later stay, and of the same epoch those of other hyperparameters.

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


def told_changes(
    before: TrialSpec, after: TrialSpec, epoch: int, names: Collection[str]
) -> dict[str, Any]:
    """Return what an event says of a change: the new values, and those whose place they take.

    `instead_of` has what was to come after the same epoch anyway, by plan or by an earlier change;
    it is left out where nothing was.

    >>> before = TrialSpec({"change": "8: learning_rate=0.01; 8: l2=0"}, seed=0)
    >>> after = forked(before, 8, {"learning_rate": 0.5})
    >>> told_changes(before, after, 8, ["learning_rate"])
    {'changes': {'learning_rate': 0.5}, 'instead_of': {'learning_rate': 0.01}}

    Args:
        before: the specification as it was.
        after: as it is now.
        epoch: after which the change comes.
        names: of the hyperparameters that change.
    """
    new, old = after.changes.get(epoch, {}), before.changes.get(epoch, {})
    said = {"changes": to_plain({name: new[name] for name in names})}
    gone = {name: old[name] for name in names if name in old}
    return {**said, "instead_of": to_plain(gone)} if gone else said


def without(
    spec: TrialSpec, epoch: int, changed: Mapping[tuple[int, str], Value | None]
) -> TrialSpec:
    """Return a specification as it would be without changes after an epoch or later.

    >>> spec = TrialSpec({"change": "4: l2=0.1; 8: learning_rate=0.5; 8: l2=0.3"}, seed=0)
    >>> without(spec, 3, {(8, "learning_rate"): None, (8, "l2"): 0.2})["change"]
    '4: l2=0.1; 8: l2=0.2'

    Args:
        spec: of a network.
        epoch: the first one of which changes are taken away.
        changed: (epoch, hyperparameter) of each change -> the value that was to come there before
            it, which comes back; None where there was none.
    """
    told = {after: dict(values) for after, values in spec.changes.items()}
    for (after, name), planned in changed.items():
        if after < epoch:
            continue
        if planned is None:
            told.get(after, {}).pop(name, None)
        else:
            told.setdefault(after, {})[name] = planned
    values = {**spec.hyperparameters, "change": dict(sorted(told.items()))}
    return replace(spec, hyperparameters=values)


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
