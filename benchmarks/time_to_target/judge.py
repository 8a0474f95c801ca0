"""What the times say: medians, the threshold that counts, and ratios against the best peer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .censored import Median, median
from .contenders import DEFAULT, FIT

Plain = Mapping[str, Any]

LEAST_SECONDS = 60.0
"""What the threshold that counts costs the best peer at least."""
PEERS_NEEDED = 2
WANTED = 10.0
WANTED_COLD, WANTED_WARM = 1.0, 5.0
CLOCKS = ("cold", "warm")


@dataclass(frozen=True)
class Verdict:
    """One threshold against the best peer.

    Attributes:
        place: of the threshold.
        clock: `cold` or `warm`.
        peer: the best one's name; empty where none reached it in the median.
        peer_seconds, our_seconds: medians; None where censored.
        ratio: how much longer the best peer took; None where it cannot be said.
        at_least: whether the ratio is only known to be as large, since the peers hit the cap.
        wanted: what it should be; None where nothing is asked.
    """

    place: int
    clock: str
    peer: str
    peer_seconds: float | None
    our_seconds: float | None
    ratio: float | None
    at_least: bool
    wanted: float | None

    @property
    def reached(self) -> bool | None:
        """Whether it is as wanted; None where nothing is asked."""
        if self.wanted is None:
            return None
        return self.ratio is not None and self.ratio >= self.wanted


def medians(cells: Mapping[str, Plain], name: str, clock: str) -> list[Median]:
    """Return the medians of a contender, a threshold each; none where nothing was measured.

    What a run that crashed had reached before counts. What it had not is censored where it is ours
    and left out where it is a peer's, of which nobody knows how long it would have taken.
    """
    mine = [c for key, c in cells.items() if key.rpartition("/")[0] == name]
    mine = [c for c in mine if c["status"] != "skipped"]
    columns = zip(*(c[clock] for c in mine), strict=True)
    known = [c["status"] != "crashed" or is_ours(name) for c in mine]
    return [
        median([t for t, counts in zip(times, known, strict=True) if counts or t is not None])
        or Median(None, None, None, 0, 0)
        for times in columns
    ]


def is_ours(name: str) -> bool:
    """Return whether a contender is Deepwell, by a strategy of its own choice or a given one."""
    return name == DEFAULT or name.startswith(FIT)


def counting(peers: Mapping[str, Sequence[Median]]) -> int | None:
    """Return the place of the threshold that counts, or None where there is none.

    It is the hardest one that two peers reach (in the median, cold) and that costs the best of
    them a minute or more.
    """
    count = max((len(m) for m in peers.values()), default=0)
    for place in reversed(range(count)):
        times = [m[place].seconds for m in peers.values() if len(m) > place]
        reached = sorted(t for t in times if t is not None)
        if len(reached) >= PEERS_NEEDED and reached[0] >= LEAST_SECONDS:
            return place
    return None


def verdicts(results: Plain, ours: str, peers: Sequence[str]) -> list[Verdict]:
    """Return how one of our strategies stands at every threshold, cold and warm.

    Args:
        results: of the benchmark.
        ours: name of the strategy.
        peers: names of those that passed the agreement gate.
    """
    cells = results["cells"]
    place_that_counts = counting({p: medians(cells, p, "cold") for p in peers})
    found: list[Verdict] = []
    for clock in CLOCKS:
        mine = medians(cells, ours, clock)
        theirs = {p: medians(cells, p, clock) for p in peers}
        bound = _bound(results, peers, clock)
        for place, own in enumerate(mine):
            times = {p: m[place].seconds for p, m in theirs.items() if len(m) > place}
            wanted = _wanted(place, clock, place_that_counts)
            found.append(_verdict(place, clock, own.seconds, times, bound, wanted))
    return found


def _verdict(
    place: int,
    clock: str,
    own: float | None,
    times: Mapping[str, float | None],
    bound: float | None,
    wanted: float | None,
) -> Verdict:
    known = {name: t for name, t in times.items() if t is not None}
    best = min(known, key=lambda name: known[name], default="")
    if own is None or not times or (not best and bound is None):
        ratio, at_least = None, False
    elif best:
        ratio, at_least = known[best] / own, False
    else:  # the best peer took longer than it was given
        assert bound is not None
        ratio, at_least = bound / own, True
    return Verdict(place, clock, best, known.get(best), own, ratio, at_least, wanted)


def _bound(results: Plain, peers: Sequence[str], clock: str) -> float | None:
    """Return the seconds that every peer had, by one of the clocks; None where one crashed."""
    cap = float(results["header"]["cap"])
    mine = [c for key, c in results["cells"].items() if key.rpartition("/")[0] in peers]
    if any(c["status"] == "crashed" for c in mine):
        return None
    starts = [c["start_up"] for c in mine if c["status"] != "skipped"]
    return cap if clock == "cold" else cap - max(starts, default=0.0)


def _wanted(place: int, clock: str, counts: int | None) -> float | None:
    if place == counts:
        return WANTED if clock == "cold" else None
    return WANTED_COLD if clock == "cold" else WANTED_WARM
