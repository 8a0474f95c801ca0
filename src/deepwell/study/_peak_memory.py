"""The most memory that this process has held."""

from __future__ import annotations

import sys
from pathlib import Path


def peak_memory() -> int | None:
    """Return the peak resident memory of this process so far in bytes, None where unknown.

    It counts everything: the interpreter, the libraries, data, networks, and pages of mapped files
    that were in memory.
    """
    try:
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
