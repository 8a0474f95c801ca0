"""What a benchmark is: data, configurations, tools and how often each is measured."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Case:
    """One piece of work that all tools do alike.

    Attributes:
        name: short, unique in its benchmark.
        title: for the docs.
        table: writes the data as a user has them into a folder and returns the file.
        target: its target column.
        space: what is searched, as typed after `--space`.
        epochs, batch_size: of all networks.
        options: further options of `deepwell fit`.
        facts: of the data, for the docs, such as a known best error.
    """

    name: str
    title: str
    table: Callable[[Path], Path]
    target: str
    space: tuple[str, ...]
    epochs: int
    batch_size: int
    options: Mapping[str, str] = field(default_factory=dict)
    facts: Callable[[], Mapping[str, float]] = dict


@dataclass(frozen=True)
class Series:
    """One tool on one case at one size, measured several times.

    Attributes:
        case: name of the case.
        tool: name in `tools.TOOLS`.
        networks: how many.
        repeats: how often; repeats of different series are interleaved.
        minutes: longest time of one measurement.
        last: whether it waits until all others are measured (a long one, made once).
    """

    case: str
    tool: str
    networks: int
    repeats: int
    minutes: float = 10.0
    last: bool = False


@dataclass(frozen=True)
class Target:
    """What is wanted: a ratio of two tools' rates, or another figure, and whether it is reached.

    Attributes:
        title: for the docs.
        case, tool, peer, networks: whose rates are divided.
        rate: `cold` (networks over the wall time of the process) or `steady`.
        at_least: the ratio that is wanted.
        peer_networks: the size at which the peer is measured, where it is slow; None for the same.
    """

    title: str
    case: str
    tool: str
    peer: str
    networks: int
    rate: str
    at_least: float
    peer_networks: int | None = None


@dataclass(frozen=True)
class Benchmark:
    """Cases, series and targets under one name.

    Attributes:
        name: `b1`.
        title: for the docs.
        cases: the work.
        series: the measurements; the first ones of a peer are its agreement gate.
        targets: what is wanted of them.
        checks: names in `checks.CHECKS`, each made once.
        minutes: expected on 2 cores.
        limits: module that measures what the machine can do.
    """

    name: str
    title: str
    cases: tuple[Case, ...]
    series: tuple[Series, ...]
    targets: tuple[Target, ...]
    checks: tuple[str, ...]
    minutes: float
    limits: str = "benchmarks.limits"

    def case(self, name: str) -> Case:
        """Return the case of that name."""
        return next(case for case in self.cases if case.name == name)
