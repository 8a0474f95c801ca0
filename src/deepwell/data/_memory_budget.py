"""The memory that a study may use: as the user said it, or a share of what is free."""

from __future__ import annotations

import math
import re

from deepwell._base._errors import UsageError
from deepwell._base._safe_text import safe_text

from ._memory import available_memory, gigabytes

DEFAULT_SHARE = 0.75  # of what is free; the rest is for the system, its file cache and surprises
WITHOUT_A_CLUE = 2 * 1024**3  # where nothing tells what is free
LEAST = 16 * 1000**2  # below it there is no room for a table and a network
UNITS = {"b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12}
UNITS |= {"kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40}
_SIZE = re.compile(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*([a-z]+)\s*", re.IGNORECASE)


def parse_memory(given: object) -> int | None:
    """Return a memory budget in bytes, or None when none was given.

    >>> parse_memory("4GB"), parse_memory("1.5 GiB"), parse_memory(None)
    (4000000000, 1610612736, None)

    Args:
        given: a size such as `512MB`, `4GB` or `4GiB` (B, KB, MB, GB, TB count by 1,000, those
            with an i by 1,024), a whole number of bytes, or None.

    Raises:
        UsageError: when it is no size, or too small to work with.
    """
    if given is None:
        return None
    if isinstance(given, str):
        found = _SIZE.fullmatch(given)
        if found is None or found[2].lower() not in UNITS:
            raise _no_size(given)
        size = float(found[1]) * UNITS[found[2].lower()]
    elif isinstance(given, int | float) and not isinstance(given, bool):
        size = float(given)
    else:
        raise _no_size(given)
    if not math.isfinite(size):
        raise _no_size(given)
    if size < LEAST:
        raise UsageError(
            f"`memory` must be at least {gigabytes(LEAST)}, got {safe_text(str(given))}; give more"
        )
    return int(size)


def default_memory() -> int:
    """Return three quarters of the memory that is free, within the control group's limit."""
    free = available_memory()
    return max(LEAST, int(free * DEFAULT_SHARE) if free is not None else WITHOUT_A_CLUE)


def _no_size(given: object) -> UsageError:
    return UsageError(
        f"`memory` must be a size such as 512MB, 4GB or 4GiB, got {safe_text(repr(given))}"
    )
