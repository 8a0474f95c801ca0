"""The inside of the best network, layer by layer, as a table."""

from __future__ import annotations

import math
from collections.abc import Sequence

from deepwell.records import Probe

from ._figures import count
from ._layout import COLUMNS, heading, table, wrap

_TITLES = ("layer", "update / weights", "gradient", "dead", "saturated")


def probe_lines(probes: Sequence[Probe]) -> list[str]:
    """Return what the probes of one network say, none for none.

    For each layer the last step's change over the weights' norm, the norm of the gradient at the
    first and the last probe, and at the last one the shares of dead and saturated units.

    Args:
        probes: first to last.
    """
    if not probes:
        return []
    first, last = probes[0], probes[-1]
    times = "once" if len(probes) == 1 else f"{len(probes):,} times"
    told = (
        f"Probed {times}, the last time after "
        f"{count(last.epoch, 'epoch')}; the gradient at the first and the last probe:"
    )
    rows = [
        (
            name,
            _power(float(last.update_norm[i]), float(last.weight_norm[i])),
            f"{_short(float(first.gradient_norm[i]))} to {_short(float(last.gradient_norm[i]))}",
            _share(float(last.dead[i])),
            _share(float(last.saturated[i])),
        )
        for i, name in enumerate(last.layers)
    ]
    return [*heading("Inside the best network"), *wrap(told, COLUMNS), "", *table(_TITLES, rows, 0)]


def _power(update: float, weights: float) -> str:
    """Return update over weights as a power of ten.

    >>> _power(0.002, 2.0)
    '10^-3.0'
    """
    if not (math.isfinite(update) and math.isfinite(weights)):
        return "unknown"
    if update == 0:
        return "no change"
    return f"10^{math.log10(update / weights):.1f}" if weights else "from 0"


def _short(value: float) -> str:
    return f"{value:.2g}" if math.isfinite(value) else "unknown"


def _share(value: float) -> str:
    """Return a share of units in per cent; a dash where it cannot apply."""
    return f"{100 * value:.1f} %" if math.isfinite(value) else "-"
