"""What probes cost: seconds of a whole `deepwell fit` with and without them.

    python -m benchmarks.probes [--rounds 15] [--networks 256]

The fit is B1's, in the native program, once with every network trained to its end as B1 does it
and once as `deepwell fit` does by itself, where rungs end most of them early. Rounds take the ways
in turn, there and back, so that a change of the machine's speed meets all of them; a cost is the
median over the rounds of how much longer a fit took than the one without probes in its round.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import time
from pathlib import Path

from .b1 import B1
from .ours import fit
from .tools import ROOT
from .workload import Workload, prepare

WORK = ROOT / "build" / "benchmarks" / "probes"
MOST = 1.05  # times a fit without probes
WAYS = {
    "none": ("--probe", "none"),
    "best (default)": ("--probe", "best"),
    "best, every epoch": ("--probe-every", "1"),
}
DEFAULT = "best (default)"


def seconds(workload: Workload, networks: int, scheduler: str, options: tuple[str, ...]) -> float:
    """Return the wall time of the whole process of a fit."""
    command = fit.command(workload, networks, "native")
    command[command.index("--scheduler") + 1] = scheduler
    folder = WORK / "run"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    began = time.perf_counter()
    subprocess.run([*command, *options], cwd=folder, check=True, capture_output=True)
    return time.perf_counter() - began


def costs(folder: Path, scheduler: str, networks: int, rounds: int) -> dict[str, list[float]]:
    """Return way -> seconds, one a round."""
    workload = prepare(B1.cases[0], folder)
    seconds(workload, networks, scheduler, WAYS["none"])  # what a first start leaves behind
    taken: dict[str, list[float]] = {way: [] for way in WAYS}
    for number in range(rounds):
        ways = list(WAYS)[:: (-1) ** number]  # there and back: what follows whom evens out
        for way in ways:
            taken[way].append(seconds(workload, networks, scheduler, WAYS[way]))
    return taken


def main() -> int:
    """Print the tables; 1 when the default costs more than it may."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.probes", description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--networks", type=int, default=256)
    asked = parser.parse_args()
    worst = 0.0
    for scheduler in ("none", "halving"):
        taken = costs(WORK, scheduler, asked.networks, asked.rounds)
        print(f"scheduler {scheduler:<12}  seconds  times without")
        for way, times in taken.items():
            pairs = zip(times, taken["none"], strict=True)
            ratio = statistics.median(a / b for a, b in pairs)
            print(f"{way:<22}  {statistics.median(times):7.3f}  {ratio:.4f}")
            worst = max(worst, ratio if way == DEFAULT else 0.0)
    return int(worst > MOST)


if __name__ == "__main__":
    raise SystemExit(main())
