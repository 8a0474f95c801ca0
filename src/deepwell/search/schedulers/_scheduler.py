"""The contract of a scheduler: rungs ahead of the run, a decision at each of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from deepwell._base._hyperparameters import Value
from deepwell.records import Rung, Trial
from deepwell.search.spaces._domain import Domain


@dataclass(frozen=True)
class Fork:
    """A copy of a network that goes on with other numbers, as a trial of its own.

    Attributes:
        source: number of the trial that is copied, as it stands at the rung.
        changes: hyperparameter -> the value that the copy has from there on.
    """

    source: int
    changes: Mapping[str, Value]


@dataclass(frozen=True)
class Decision:
    """What happens to the networks of a rung; numbers of trials, best first.

    Attributes:
        promote: those that train on to the next rung.
        prune: those that stop here.
        forks: copies of some that train on, which train on beside them.
    """

    promote: tuple[int, ...]
    prune: tuple[int, ...]
    forks: tuple[Fork, ...] = ()


@dataclass(frozen=True)
class Moment:
    """A rung that has just been reached: all that a decision may depend on.

    Attributes:
        trials: those that reached it, in the order of their numbers, with those that are over by
            now; with their curves up to here where the scheduler asks for them. Of a scheduler
            that does not wait: those that came just now.
        rungs: of the bracket, first to last.
        rung: place of the one that was reached, never the last one.
        first: number of the bracket's first trial.
        domain: what is searched.
        key: where all randomness of the decision comes from; another one for each rung.
        arrivals: of a scheduler that does not wait: for each rung the trials that have come to it
            so far, with their best scores up to its epochs, infinite where there is none to go by.
        open: of such a scheduler: all trials of the bracket that are not over, begun or not, in
            the order of their numbers.
        roots: copy among the trials -> the trial of the bracket that it goes back to.
    """

    trials: Sequence[Trial]
    rungs: tuple[Rung, ...]
    rung: int = 0
    first: int = 0
    domain: Domain = field(default_factory=lambda: Domain({}))
    key: np.random.SeedSequence = field(default_factory=lambda: np.random.SeedSequence(0))
    arrivals: tuple[Mapping[int, float], ...] = ()
    open: tuple[int, ...] = ()
    roots: Mapping[int, int] = field(default_factory=dict[int, int])

    def root(self, number: int) -> int:
        """Return the trial that was proposed and that a trial goes back to, itself most often."""
        return self.roots.get(number, number)

    @property
    def epoch(self) -> int:
        """The epochs of the rung that was reached."""
        return self.rungs[self.rung].epochs

    @property
    def keep(self) -> int:
        """The networks of the next rung."""
        return self.rungs[self.rung + 1].networks


@dataclass(frozen=True)
class Scheduler:
    """A pair of pure functions, and what a study has to know of them.

    Attributes:
        rungs: `(networks, epochs) -> rungs`, first to last; the last one ends at `epochs`, and
            nothing is decided there. The networks of a rung are the most that reach it.
        decide: `(moment) -> Decision` about the trials that reached a rung.
        curves: whether decisions need the trials' curves.
        even: whether it looks at all trials at even distances, so that it looks on where a person
            makes the last rung longer; others let those train on that were to come to it.
        forks: whether decisions copy networks, which folds of a configuration cannot share.
        wave: networks that train at a time where it does not wait for all of a rung: it decides
            whenever some have come to one, and those that it promotes train next, the others wait.
            0 where it does wait.
    """

    rungs: Callable[[int, int], tuple[Rung, ...]]
    decide: Callable[[Moment], Decision]
    curves: bool = False
    even: bool = False
    forks: bool = False
    wave: int = 0

    def longer(self, rungs: tuple[Rung, ...], epochs: int) -> tuple[Rung, ...]:
        """Return rungs whose last one ends later, the others as they are.

        Args:
            rungs: of a bracket that may be at work.
            epochs: of the last one.
        """
        *before, last = rungs
        if epochs <= last.epochs:
            return rungs
        further = (Rung(epochs, last.networks),)
        if self.even and before:
            further = self.rungs(last.networks, epochs)
        return (*before, *(rung for rung in further if rung.epochs > last.epochs))
