"""Probes as a table: one row a probe and layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from deepwell.records import Probe
from deepwell.records._probe import QUANTILES

_SPREADS = {"activation": "activations", "gradient": "gradients", "weight": "weights"}
_SINGLES = ("dead", "saturated", "zero", "weight_norm", "gradient_norm", "update_norm")


def probe_frame(probes: Sequence[Probe]) -> Any:
    """Return a Polars frame of probes, with its columns even when there is none."""
    import polars as pl

    sizes = [len(probe.layers) for probe in probes]
    columns: dict[str, Any] = {
        name: np.repeat(np.array([getattr(probe, name) for probe in probes], np.int64), sizes)
        for name in ("trial", "epoch", "step")
    }
    names = [name for probe in probes for name in probe.layers]
    columns["layer"] = pl.Series("layer", names, pl.String)
    for singular, plural in _SPREADS.items():
        spread = _stacked([getattr(probe, plural) for probe in probes], (0, len(QUANTILES)))
        for place, level in enumerate(QUANTILES):
            columns[f"{singular}_{level * 100:.0f}"] = spread[:, place]
    for name in _SINGLES:
        columns[name] = _stacked([getattr(probe, name) for probe in probes], (0,))
    return pl.DataFrame(columns)


def _stacked(arrays: Sequence[np.ndarray], empty: tuple[int, ...]) -> np.ndarray:
    return np.concatenate(arrays) if arrays else np.zeros(empty, np.float32)
