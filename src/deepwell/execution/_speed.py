"""What this machine reached in its last runs, so that the next plan's time is an honest one.

Used for what is shown alone: no decision of a study depends on it.
"""

from __future__ import annotations

import json
import statistics

from deepwell._jax._start import cache_folder

_FILE = "speed.json"
RUNS = 5


def speed_key(program: str) -> str:
    """Return under what the rate of a program is kept: of work that counts its steps as well."""
    return f"{program}, steps counted"


def remembered_rate(program: str) -> float | None:
    """Return the median of the rates kept under a name, or None when none was."""
    rates = _rates(program)
    return statistics.median_low(rates) if rates else None


def remember_rate(program: str, rate: float, runs: int = RUNS) -> None:
    """Keep the rate of a run for the next plans; without a writable cache nothing is kept.

    Args:
        program: the name.
        rate: of a run.
        runs: how many are kept, the last ones: one beside other work says little of the next.
    """
    file = cache_folder() / _FILE
    told = {**_remembered(), program: [*_rates(program), rate][-runs:]}
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        file.write_text(json.dumps(told), encoding="utf-8")
    except OSError:
        return


def _rates(program: str) -> list[float]:
    """Return the rates that were kept under a name, oldest first."""
    kept = _remembered().get(program)
    listed: list[object] = kept if isinstance(kept, list) else [kept]
    return [float(rate) for rate in listed if isinstance(rate, int | float) and rate > 0]


def _remembered() -> dict[str, object]:
    """Return the rates of all programs as they were kept, none when the file is unreadable."""
    try:
        kept = json.loads((cache_folder() / _FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return kept if isinstance(kept, dict) else {}
