"""How much a run may cost: networks, epochs, wall time."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Generator
from contextlib import contextmanager

from deepwell._base._constraints import Interval
from deepwell._base._errors import UsageError
from deepwell._base._safe_text import safe_text

_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}
_ANY_TIME = Interval(0.0, math.inf)


def parse_budget(budget: str | float | None) -> float | None:
    """Return a time budget in seconds.

    Args:
        budget: seconds, or text as in `60s`, `5m`, `1.5h`; None means no limit.

    >>> parse_budget("5m")
    300.0

    Raises:
        UsageError: when it is no positive time.
    """
    if budget is None:
        return None
    seconds = math.nan
    if isinstance(budget, str):
        found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([smh]?)\s*", budget)
        seconds = float(found[1]) * _UNITS[found[2]] if found else math.nan
    elif _ANY_TIME.accepts(budget):
        seconds = float(budget)
    if not (math.isfinite(seconds) and seconds > 0):
        shown = safe_text(repr(budget))
        raise UsageError(f"a budget must be a time such as 60s, 5m or 1h, got {shown}")
    return seconds


class Clock:
    """Working time of a study, and whether its budget is used up.

    Args:
        budget: seconds for all runs together, None for no limit.
        before: seconds that earlier runs of the study took.
    """

    def __init__(self, budget: float | None, before: float = 0.0) -> None:
        self.budget = budget
        self._began = time.perf_counter() - before

    def seconds(self) -> float:
        """Return the working time of this run and the earlier ones."""
        return time.perf_counter() - self._began

    @contextmanager
    def stopped(self) -> Generator[None]:
        """Count no time while the block runs."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self._began += time.perf_counter() - began

    def left(self) -> float:
        """Return the seconds that are left, infinity without a budget."""
        return math.inf if self.budget is None else self.budget - self.seconds()

    def over(self) -> bool:
        """Whether the budget is used up."""
        return self.left() <= 0
