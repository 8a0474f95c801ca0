"""Minimize a function of which only values are known, as a training of another kind."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from deepwell._base._constraints import IntegerInterval
from deepwell._base._errors import StudyError
from deepwell._base._hyperparameters import Value
from deepwell._base._safe_text import safe_text
from deepwell.records import Observation

from ._ask import Search, score_of, whole
from .samplers._named import sampler_named
from .samplers._sampler import Sampler

Function = Callable[[dict[str, Value]], float]

_COUNT = IntegerInterval(1, 10_000_000)
_WORKERS = IntegerInterval(1, 1024)


@dataclass(frozen=True)
class Failure:
    """An evaluation that gave no score.

    Attributes:
        values: the point.
        message: what went wrong, on one line.
    """

    values: Mapping[str, Value]
    message: str


@dataclass(frozen=True)
class BlackboxResult:
    """What a minimization found.

    Attributes:
        values: the best point.
        score: its score.
        history: all evaluations in the order of proposal; a failed one has an infinite score.
        failures: those that gave no score, and why.
        stopped: whether a person ended it before all points were evaluated.
    """

    values: Mapping[str, Value]
    score: float
    history: tuple[Observation, ...] = field(repr=False)
    failures: tuple[Failure, ...] = field(default=(), repr=False)
    stopped: bool = False


@dataclass(frozen=True)
class _Evaluated:
    values: dict[str, Value]
    score: float
    error: Exception | None = None


def minimize_blackbox(
    f: Function,
    space: Mapping[str, object],
    *,
    n: int,
    search: str | Sampler = "bayesian",
    batch: int | None = None,
    seed: int = 0,
    workers: int = 1,
    raise_errors: bool = False,
    history: Iterable[Observation] = (),
) -> BlackboxResult:
    """Return the best of `n` points of a space, by a function of which only values are known.

    >>> import deepwell as dw
    >>> def f(values):
    ...     return (values["x"] - 0.3) ** 2 + {"a": 1.0, "b": 0.0}[values["kind"]]
    >>> space = {"x": dw.uniform(0, 1), "kind": ["a", "b"]}
    >>> found = dw.minimize_blackbox(f, space, n=40, search="coarse-to-fine")
    >>> found.values["kind"], found.score < 0.01
    ('b', True)

    An exception, NaN or infinity from `f` is a score worse than any other: the sampler hears that
    there is nothing to be found, and the search goes on. Ctrl-C ends it and keeps the best.

    Args:
        f: takes the values as a dictionary, the fixed ones included; returns the score, lower is
            better.
        space: name -> distribution, list (a choice) or value (held fixed).
        n: evaluations of `f`.
        search: name of a sampler, or a `Sampler`.
        batch: points that are proposed at a time, before any of their scores is known; None for
            as many as there are workers.
        seed: of all that is random, from 0. The same seed and batch give the same points, however
            many workers there are.
        workers: threads that call `f`. It then has to allow several calls at once; they run at
            the same time as far as `f` waits or computes outside of the interpreter, as NumPy.
        raise_errors: whether an exception of `f` ends the search instead.
        history: what is known already, as from an earlier search.

    Raises:
        UsageError: when an argument is out of its range, or `f` returned no number.
        StudyError: when no point had a finite score.
        KeyboardInterrupt: when a person stopped before any point had one.
    """
    count, threads = whole("n", n, _COUNT), whole("workers", workers, _WORKERS)
    size = threads if batch is None else whole("batch", batch, _COUNT)
    sampler = sampler_named(search) if isinstance(search, str) else search
    earlier = tuple(history)
    asked = Search(space, search=sampler, seed=seed, n=count, history=earlier)
    if not sampler.learns:
        size = count  # scores change nothing, so that nobody has to wait for any
    failures: list[Failure] = []
    try:
        for at_once in _sizes(count, size):
            for one in _evaluated(f, asked.ask(at_once), threads):
                if one.error is not None and raise_errors:
                    raise one.error
                asked.tell(one.values, one.score)
                failures += _failure(one)
    except KeyboardInterrupt:
        if asked.best is None:
            raise
    told = tuple(o for o in asked.history[len(earlier) :] if not o.pending)
    if asked.best is None:
        raise StudyError(
            f"a point must have a finite score, and none of {len(told)} has; "
            f"the first one: {failures[0].message}"
        )
    best = asked.best
    return BlackboxResult(best.values, best.score, told, tuple(failures), len(told) < count)


def _sizes(count: int, size: int) -> Iterator[int]:
    for start in range(0, count, size):
        yield min(size, count - start)


def _evaluated(
    f: Function, points: Sequence[dict[str, Value]], workers: int
) -> Iterator[_Evaluated]:
    """Yield the score of each point in their order, by one thread or several.

    In order, so that the failures, and the error that ends a search, are the same however the
    threads took turns. After Ctrl-C come those that are there already.
    """
    if workers == 1:
        for values in points:
            yield _evaluate(f, values)
        return
    executor = ThreadPoolExecutor(workers, thread_name_prefix="deepwell-blackbox")
    waiting: deque[Future[_Evaluated]] = deque()
    try:
        waiting.extend(executor.submit(_evaluate, f, values) for values in points)
        while waiting:
            yield waiting[0].result()
            waiting.popleft()
    except KeyboardInterrupt:
        there = [one for one in waiting if one.done() and not one.cancelled()]
        yield from (one.result() for one in there if one.exception() is None)
        raise
    finally:
        # Whoever presses Ctrl-C does not wait for calls that a thread cannot be taken out of.
        executor.shutdown(wait=False, cancel_futures=True)


def _evaluate(f: Function, values: dict[str, Value]) -> _Evaluated:
    try:
        returned = f(dict(values))
    except Exception as error:
        return _Evaluated(values, math.inf, error)
    return _Evaluated(values, score_of(returned))  # what is no number is no failure but a mistake


def _failure(one: _Evaluated) -> list[Failure]:
    if one.error is not None:
        words = f"{type(one.error).__name__}: {one.error}".removesuffix(": ")
        return [Failure(one.values, safe_text(words, 200))]
    return [] if math.isfinite(one.score) else [Failure(one.values, "its score was not finite")]
