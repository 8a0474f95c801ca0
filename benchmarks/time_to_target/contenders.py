"""Who takes part: our samplers and schedulers as the registries list them, and the peers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.benchmark import Case
from benchmarks.tools import PEERS, ROOT
from deepwell.search.samplers._registry import SAMPLERS
from deepwell.search.schedulers._registry import SCHEDULERS

from . import ours
from .goal import NO_DROPOUT
from .trace import Trace, lines_written, read_trace

DEFAULT = "fit"
"""`deepwell fit` without a word about sampler and scheduler."""
FIT = "fit "
"""The beginning of the names of the others: `fit random halving`."""
_CENTER = ("random", "halving")
_SCRIPTS = ROOT / "benchmarks" / "peers"


@dataclass(frozen=True)
class Contender:
    """One way to search.

    Attributes:
        name: in results; title: in the docs.
        command: (case, table, job folder, seed, seconds) -> what is run there.
        trace: job folder -> what it did so far.
        hint: (job folder, threshold) -> a number that changes when there may be a network that
            reached the threshold; cheap, since it is asked beside the search.
        ours: whether it is Deepwell.
        case: what it searches in place of the goal's case; None for that one.
    """

    name: str
    title: str
    command: Callable[[Case, Path, Path, int, float], list[str]]
    trace: Callable[[Path], Trace]
    hint: Callable[[Path, float], int]
    ours: bool = False
    case: Case | None = None


def peers() -> tuple[Contender, ...]:
    """Return the peers, each at its best setting."""
    return (
        _peer("optuna-tpe-hyperband", "Optuna TPE + Hyperband, PyTorch", "optuna_search.py", True),
        _peer("optuna-random-median", "Optuna random + median, PyTorch", "optuna_search.py", True),
        _peer("sklearn-halving", "scikit-learn HalvingRandomSearchCV, no dropout",
              "sklearn_halving.py", case=NO_DROPOUT),
        _peer("ray-asha", "Ray Tune ASHA, PyTorch", "ray_asha.py"),
    )  # fmt: skip


def fits(whole: bool = False) -> tuple[Contender, ...]:
    """Return our strategies.

    Args:
        whole: every sampler with every scheduler; if not, every sampler with the scheduler of
            `_CENTER`, and every scheduler with its sampler.
    """
    sampler, scheduler = _CENTER
    pairs = [(s, c) for s in SAMPLERS for c in SCHEDULERS]
    if not whole:
        pairs = [(s, c) for s, c in pairs if s == sampler or c == scheduler]
    named = [_fit(f"{FIT}{s} {c}", f"`deepwell fit`, {s}, {c}", (s, c)) for s, c in pairs]
    return (_fit(DEFAULT, "`deepwell fit`", None), *named)


def chosen(names: Sequence[str]) -> tuple[Contender, ...]:
    """Return the contenders of these names; none given: the usual ones.

    Raises:
        ValueError: when there is none of a name.
    """
    known = {one.name: one for one in (*fits(whole=True), *peers())}
    for name in names:
        if name not in known:
            raise ValueError(f"no contender {name!r}; there are {', '.join(known)}")
    return tuple(known[name] for name in names) or (*fits(), *peers())


def title(name: str) -> str:
    """Return the title of a contender, also of one that the registries do not list any more."""
    known = {one.name: one.title for one in (*fits(whole=True), *peers())}
    return known.get(name, name)


def _fit(name: str, shown: str, pair: tuple[str, str] | None) -> Contender:
    return Contender(name, shown, partial(ours.command, pair), ours.trace, ours.candidates, True)


def _peer(
    name: str, shown: str, script: str, variant: bool = False, case: Case | None = None
) -> Contender:
    more = [name.removeprefix("optuna-")] if variant else []

    def command(_: Case, table: Path, folder: Path, seed: int, seconds: float) -> list[str]:
        del table, seed, seconds  # the job says them
        return [str(PEERS), str(_SCRIPTS / script), str(folder), *more]

    return Contender(name, shown, command, read_trace, lines_written, case=case)
