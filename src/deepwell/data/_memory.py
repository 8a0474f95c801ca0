"""How much memory is free, and the refusal to start what cannot end well."""

from __future__ import annotations

import os
from pathlib import Path

from deepwell._base._errors import UsageError

GROUP_FILES = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    (
        "/sys/fs/cgroup/memory/memory.limit_in_bytes",
        "/sys/fs/cgroup/memory/memory.usage_in_bytes",
    ),
)


def available_memory() -> int | None:
    """Return the bytes that can be used without swapping, or None where nothing tells.

    The smaller of what the machine has free and what its control group still allows.
    """
    known = [value for value in (_machine_free(), *_group_free()) if value is not None]
    return min(known) if known else None


def require_memory(needed: int, what: str) -> None:
    """Refuse work that needs more memory than is free.

    Args:
        needed: estimate in bytes, 0 or more.
        what: subject of the sentence, as in `churn.csv (4.0 GB)`.

    Raises:
        UsageError: with the estimate and what to do.
    """
    free = available_memory()
    if free is not None and needed > free:
        raise UsageError(
            f"{what} needs about {gigabytes(needed)} of memory but {gigabytes(free)} are free; "
            "take a sample of the rows or fewer columns"
        )


def gigabytes(size: int) -> str:
    """Return a size in words, as in `4.3 GB`."""
    return f"{size / 1e9:,.1f} GB" if size >= 1e8 else f"{size / 1e6:,.1f} MB"


def _machine_free() -> int | None:
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    except (AttributeError, ValueError, OSError):
        return None


def _group_free() -> list[int | None]:
    free: list[int | None] = []
    for limit, used in GROUP_FILES:
        try:
            free.append(int(Path(limit).read_text()) - int(Path(used).read_text()))
        except (OSError, ValueError):  # no such group, or its limit reads "max"
            continue
    return free
