"""Where and with what a benchmark ran."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
import time
from pathlib import Path
from typing import Any

from deepwell._native._core_module import available, cores, simd

from .tools import PEERS, ROOT

_CODE = ("src", "benchmarks", ":!benchmarks/results")  # of which a run writes the last
_OURS = ("deepwell", "numpy", "scipy", "scikit-learn", "polars", "SQLAlchemy", "jax", "jaxlib")


def machine() -> dict[str, Any]:
    """Return the hardware and the system."""
    return {
        "cpu": _field("/proc/cpuinfo", "model name") or platform.processor() or "unknown",
        "cores": cores() if available() else os.cpu_count(),
        "vector": simd() if available() else "unknown",
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "system": platform.platform(),
        "python": platform.python_version(),
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "load": os.getloadavg()[0],
    }


def versions() -> dict[str, dict[str, str]]:
    """Return the packages of our environment and, where it exists, of the peers'."""
    ours = {name: importlib.metadata.version(name) for name in _OURS}
    return {"deepwell": {**ours, "commit": commit()}, "peers": _peers()}


def commit() -> str:
    """Return the commit at work, with `+` when code differs from it; empty without git."""
    told = [_git("rev-parse", "--short=12", "HEAD"), _git("status", "--porcelain", *_CODE)]
    return told[0] + ("+" if told[1] else "")


def _git(*arguments: str) -> str:
    try:
        ran = subprocess.run(
            ["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
        )
    except OSError:
        return ""
    return ran.stdout.strip() if ran.returncode == 0 else ""


def _peers() -> dict[str, str]:
    if not PEERS.exists():
        return {}
    ran = subprocess.run(
        [str(PEERS), "-m", "pip", "list", "--format=freeze", "--disable-pip-version-check"],
        capture_output=True,
        text=True,
        check=False,
    )
    lines = (line.partition("==") for line in ran.stdout.splitlines())
    return {name: version for name, sign, version in lines if sign}


def _field(file: str, name: str) -> str:
    try:
        text = Path(file).read_text(encoding="utf-8")
    except OSError:
        return ""
    for line in text.splitlines():
        key, colon, value = line.partition(":")
        if colon and key.strip() == name:
            return value.strip()
    return ""
