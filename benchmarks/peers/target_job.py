"""A search against the clock: what comes in as a folder, and the trace that goes out line by line.

A peer is a script with two functions and ends with `serve(search, given)`: `search(work)` draws
configurations of its own until it is ended from outside, and `given(work)` trains the listed ones
to their last epoch, for the agreement gate. The trace is a file to which every process appends:
`{"ready": t}` when start-up is over, `{"at": t, "error": e}` when a network ends its last epoch.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from job import Job, read_job


@dataclass(frozen=True)
class Range:
    """One searched hyperparameter.

    Attributes:
        name: of it.
        kind: `uniform`, `log`, `one_minus_log` or `integer`.
        low, high: its ends, both included.
    """

    name: str
    kind: str
    low: float
    high: float

    @property
    def mirrored(self) -> bool:
        """Whether 1 - value is evenly spread in its logarithm, a scale that most tools have not."""
        return self.kind == "one_minus_log"

    @property
    def drawn_as(self) -> str:
        """The name of what a tool without that scale draws."""
        return f"one_minus_{self.name}" if self.mirrored else self.name

    @property
    def ends(self) -> tuple[float, float]:
        """The ends of what is drawn."""
        return (1 - self.high, 1 - self.low) if self.mirrored else (self.low, self.high)


@dataclass(frozen=True)
class Work:
    """A search.

    Attributes:
        job: rows, epochs, workers and seed, and the listed configurations of the gate.
        space: what is searched.
        fixed: the values of all that is not.
        seconds: after which the search is ended.
    """

    job: Job
    space: tuple[Range, ...]
    fixed: Mapping[str, Any]
    seconds: float

    def configuration(self, drawn: Mapping[str, Any]) -> dict[str, Any]:
        """Return the network of what was drawn: `hidden` holds the units of each layer."""
        chosen = {**self.fixed, **drawn}
        for one in self.space:
            if one.drawn_as in drawn:
                value = chosen.pop(one.drawn_as)
                chosen[one.name] = 1 - value if one.mirrored else value
        layers, units = chosen.pop("hidden_layers"), chosen.pop("hidden_units")
        return {**chosen, "hidden": [int(units)] * int(layers)}

    def drawn(self, configuration: Mapping[str, Any]) -> dict[str, Any]:
        """Return what would have been drawn for a listed network."""
        hidden = configuration["hidden"]
        known = {**configuration, "hidden_layers": len(hidden), "hidden_units": hidden[0]}
        return {
            one.drawn_as: 1 - known[one.name] if one.mirrored else known[one.name]
            for one in self.space
        }

    def ready(self) -> None:
        """Record that start-up is over; the first process to say so counts."""
        self._append({"ready": time.time()})

    def finished(self, error: float) -> None:
        """Record that a network has trained its last epoch and what its dev error is."""
        self._append({"at": time.time(), "error": error})

    def _append(self, line: Mapping[str, float]) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND  # one write each, so lines stay whole
        file = os.open(self.job.folder / "trace.jsonl", flags, 0o644)
        try:
            os.write(file, (json.dumps(line) + "\n").encode())
        finally:
            os.close(file)


def read_work(folder: Path) -> Work:
    """Return the search in a folder."""
    plain = json.loads((folder / "job.json").read_text(encoding="utf-8"))["search"]
    space = tuple(Range(**one) for one in plain["space"])
    return Work(read_job(folder), space, plain["fixed"], plain["seconds"])


def serve(
    search: Callable[[Work], None],
    given: Callable[[Work], Sequence[float]],
    packages: Sequence[str],
) -> None:
    """Search in the folder named on the command line, or train what is listed there."""
    work = read_work(Path(sys.argv[1]).resolve())
    outcome: dict[str, Any] = {
        "versions": {name: importlib.metadata.version(name) for name in packages}
    }
    if work.job.configurations:
        outcome["scores"] = list(given(work))
    else:
        search(work)
    (work.job.folder / "outcome.json").write_text(json.dumps(outcome), encoding="utf-8")
