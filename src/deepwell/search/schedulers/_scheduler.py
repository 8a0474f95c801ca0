"""The contract of a scheduler: rungs ahead of the run, a decision at each of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from deepwell.records import Rung, Trial


@dataclass(frozen=True)
class Decision:
    """What happens to the networks of a rung; numbers of trials, best first.

    Attributes:
        promote: those that train on to the next rung.
        prune: those that stop here.
    """

    promote: tuple[int, ...]
    prune: tuple[int, ...]


@dataclass(frozen=True)
class Scheduler:
    """A pair of pure functions.

    Attributes:
        rungs: `(networks, epochs) -> rungs`, first to last; the last one ends at `epochs`, and
            nothing is decided there.
        decide: `(trials, keep) -> Decision` about the trials that reached a rung, of which `keep`
            (the networks of the next rung) may go on.
    """

    rungs: Callable[[int, int], tuple[Rung, ...]]
    decide: Callable[[Sequence[Trial], int], Decision]
