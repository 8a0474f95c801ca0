"""What this machine reached last time, so that the next plan's time is an honest one.

Used for what is shown alone: no decision of a study depends on it.
"""

from __future__ import annotations

import json

from deepwell._jax._start import cache_folder

_FILE = "speed.json"


def speed_key(program: str) -> str:
    """Return under what the rate of a program is kept: of work that counts its steps as well."""
    return f"{program}, steps counted"


def remembered_rate(program: str) -> float | None:
    """Return what was kept under a name, as of the last run, or None when nothing was."""
    rate = _remembered().get(program)
    return float(rate) if isinstance(rate, int | float) and rate > 0 else None


def remember_rate(program: str, rate: float) -> None:
    """Keep the rate of a run for the next plan; without a writable cache nothing is kept."""
    file = cache_folder() / _FILE
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        file.write_text(json.dumps({**_remembered(), program: rate}), encoding="utf-8")
    except OSError:
        return


def _remembered() -> dict[str, object]:
    """Return the rates of all programs as they were kept, none when the file is unreadable."""
    try:
        kept = json.loads((cache_folder() / _FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return kept if isinstance(kept, dict) else {}
