"""Probes: one row each, its numbers in one block of float32.

A block is (L, 27), layer by layer: 7 quantiles of activations, gradients and weights, then dead,
saturated and zero shares, then the norms of weights, gradient and update.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import sqlalchemy as sa

from deepwell._base._errors import UsageError
from deepwell.records import Probe
from deepwell.records._probe import QUANTILES

from ._schema import FLOATS, PROBE
from ._text import from_json, to_json

_SPREADS = ("activations", "gradients", "weights")
_SINGLES = ("dead", "saturated", "zero", "weight_norm", "gradient_norm", "update_norm")
_WIDTH = len(_SPREADS) * len(QUANTILES) + len(_SINGLES)
_TRIALS_AT_ONCE = 500  # of one query


def insert_probes(
    connection: sa.Connection, study_id: int, probes: Sequence[Probe], chunk_id: int | None = None
) -> None:
    """Record probes, each in place of an older one of the same trial and epoch.

    Args:
        connection: of the writer.
        study_id: the study.
        probes: any number.
        chunk_id: of the chunk that they came with; None when they were made after training.

    Raises:
        UsageError: when an array of a probe has another shape than its layers ask for.
    """
    for probe in probes:
        one = (PROBE.c.study_id == study_id, PROBE.c.trial == int(probe.trial))
        connection.execute(sa.delete(PROBE).where(*one, PROBE.c.epoch == int(probe.epoch)))
    rows = [
        {
            "study_id": study_id,
            "trial": int(probe.trial),
            "epoch": int(probe.epoch),
            "chunk_id": chunk_id,
            "step": int(probe.step),
            "layers": to_json(list(probe.layers)),
            "block": _block(probe).tobytes(),
        }
        for probe in probes
    ]
    if rows:
        connection.execute(sa.insert(PROBE), rows)


def read_probes(
    connection: sa.Connection, study_id: int, trials: Collection[int] | None = None
) -> list[Probe]:
    """Return the probes of a study, or of some of its trials, by trial and epoch."""
    wanted = None if trials is None else sorted({int(number) for number in trials})
    parts = (
        [None]
        if wanted is None
        else [wanted[i : i + _TRIALS_AT_ONCE] for i in range(0, len(wanted), _TRIALS_AT_ONCE)]
    )
    found: list[Probe] = []
    for part in parts:
        query = sa.select(PROBE).where(PROBE.c.study_id == study_id)
        if part is not None:
            query = query.where(PROBE.c.trial.in_(part))
        ordered = query.order_by(PROBE.c.trial, PROBE.c.epoch)
        found += [_probe(row) for row in connection.execute(ordered)]
    return found


def delete_later(connection: sa.Connection, study_id: int) -> None:
    """Forget the probes that were made after training, since it goes on.

    Those that came with a chunk go when the chunk does.
    """
    made_later = (PROBE.c.study_id == study_id, PROBE.c.chunk_id.is_(None))
    connection.execute(sa.delete(PROBE).where(*made_later))


def _block(probe: Probe) -> np.ndarray:
    layers = len(probe.layers)
    shapes = {
        **dict.fromkeys(_SPREADS, (layers, len(QUANTILES))),
        **dict.fromkeys(_SINGLES, (layers,)),
    }
    for name, shape in shapes.items():
        if np.shape(getattr(probe, name)) != shape:
            raise UsageError(
                f"`{name}` of a probe of {layers} layers must have the shape {shape}, "
                f"got {np.shape(getattr(probe, name))}"
            )
    columns = [np.reshape(getattr(probe, name), (layers, -1)) for name in shapes]
    with np.errstate(over="ignore"):  # beyond float32 a number is infinite
        return np.concatenate(columns, axis=1).astype(FLOATS)


def _probe(row: sa.Row[tuple[object, ...]]) -> Probe:
    layers = tuple(str(name) for name in from_json(row.layers))
    block = np.frombuffer(row.block, FLOATS).reshape(len(layers), _WIDTH).astype(np.float32)
    size, spreads = len(QUANTILES), len(_SPREADS)
    values = {
        **{name: block[:, i * size : (i + 1) * size] for i, name in enumerate(_SPREADS)},
        **{name: block[:, spreads * size + i] for i, name in enumerate(_SINGLES)},
    }
    return Probe(row.trial, row.epoch, row.step, layers, **values)
