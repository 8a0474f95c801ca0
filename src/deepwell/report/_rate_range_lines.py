"""A learning-rate range test as lines: the cost at every rate, and what follows from it."""

from __future__ import annotations

import math

from deepwell._base._safe_text import safe_text
from deepwell.records import RateRange

from ._figures import count, duration
from ._layout import entry, table

_BAR = 40  # columns of the highest cost


def rate_range_lines(found: RateRange) -> list[str]:
    """Return the table of rates, and what to do."""
    rows = [
        (f"{rate:.3g}", "diverged" if not math.isfinite(cost) else f"{cost:.4g}", _bar(found, n))
        for n, (rate, cost) in enumerate(zip(found.rates, found.costs, strict=True))
    ]
    runs = f"{count(found.runs, 'run')} of {count(found.epochs, 'epoch')} each"
    lines = entry("network", safe_text(found.network, 200))
    lines += entry("trained", f"{len(found.rates)} rates, {runs}, in {duration(found.seconds)}")
    lines += ["", *table(("rate", "train cost", ""), rows, 2), ""]
    return [*lines, *advice_lines(found)]


def advice_lines(found: RateRange) -> list[str]:
    """Return the rate to take, the range to search, and the edge."""
    lines: list[str] = []
    if found.recommended is None:
        lines += entry("rate", f"none to recommend: {found.refusal}")
    else:
        r = found.recommended
        told = f"{r.value:.2g} [{r.low:.2g}, {r.high:.2g}]: the lowest cost"
        search = f"--space learning_rate=log({found.low:.2g},{found.high:.2g}) searches around it"
        lines += entry("rate", told, search)
    if found.steepest is not None:
        lines += entry("steepest", f"at {found.steepest:.2g}")
    edge = "none up to the highest rate" if found.edge is None else f"from {found.edge:.2g} on"
    lines += entry("diverges", edge)
    return [*lines, *(entry("note", found.note) if found.note else [])]


def _bar(found: RateRange, place: int) -> str:
    cost = found.costs[place]
    share = 1.0 if not math.isfinite(cost) else min(1.0, cost / found.start)
    bar = "#" * max(1, round(_BAR * share))
    best = found.recommended
    if best is None:
        return bar
    nearest = min(found.rates, key=lambda rate: abs(math.log(rate / best.value)))
    return f"{bar} <- take" if found.rates[place] == nearest else bar
