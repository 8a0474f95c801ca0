"""Image tensors: arrays (n, height, width) or (n, height, width, channels) keep their shape.

They are a table of one column a pixel and channel, row by row with the channels side by side, so
that they are split, sealed and saved as any table is. What makes them images: the shape is kept for
convolutions, every pixel is an input, a constant one too, and mean and deviation are those of its
channel over all pixels of the train rows, so that neighbors stay comparable.
"""

from __future__ import annotations

import math
import os
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from deepwell._base._errors import UsageError

from ._arrays import INPUT_NAME
from ._column_kinds import InputColumn
from ._column_plan import ColumnPlan, candidates
from ._load_options import LoadOptions
from ._table_encoder import TableEncoder


def image_shape(source: object) -> tuple[int, ...]:
    """Return height, width and channels of a source's images, empty where its X is no image.

    Args:
        source: arrays `(X, y)`, or the path of an NPZ file with an array `X` or `x`, of which
            only the header is read.
    """
    shape: tuple[int, ...] = ()
    if isinstance(source, tuple | list) and len(source) == 2:
        shape = tuple(getattr(source[0], "shape", ()))
    elif isinstance(source, str | os.PathLike):
        shape = _shape_in_file(source)
    if len(shape) == 3:
        return (*shape[1:], 1)
    return shape[1:] if len(shape) == 4 else ()


def image_plan(
    frame: pl.DataFrame, target: str, options: LoadOptions, image: Sequence[int]
) -> ColumnPlan | None:
    """Return the plan in which every pixel is an input, or None where the columns are not those.

    Raises:
        UsageError: when a pixel is missing, or is no number.
    """
    names = [f"{INPUT_NAME}_{j}" for j in range(math.prod(image))]
    if not names or candidates(frame.columns, target, options) != names:
        return None
    for name in names:
        if not frame.schema[name].is_numeric() or frame[name].null_count():
            raise UsageError(f"images must have a number in every pixel; {name} has another value")
        if frame.schema[name].is_float() and frame[name].is_nan().any():
            raise UsageError(f"images must have a number in every pixel; {name} has a NaN")
    shown = " x ".join(str(n) for n in image)
    note = f"rows are images of {shown} (height x width x channels), normalized by channel"
    return ColumnPlan(tuple(InputColumn(name, "number") for name in names), (), (note,))


def fitted_inputs(
    frame: pl.DataFrame,
    inputs: Sequence[InputColumn],
    weight: np.ndarray,
    image: Sequence[int],
) -> TableEncoder:
    """Return the encoder of train rows, with the moments of channels where they are images.

        mu_c = mean of mu_p,  sigma_c^2 = mean of (sigma_p^2 + mu_p^2) - mu_c^2

    over the pixels p of channel c.
    """
    fitted = TableEncoder.fit(frame, inputs, weight)
    if not image:
        return fitted
    pixels = image[0] * image[1]
    mean, scale = (v.reshape(pixels, image[2]) for v in (fitted.mean, fitted.scale))
    middle = mean.mean(axis=0)
    spread = np.sqrt(np.mean(scale**2 + (mean - middle) ** 2, axis=0))
    return replace(fitted, mean=np.tile(middle, pixels), scale=np.tile(spread, pixels))


def _shape_in_file(path: Any) -> tuple[int, ...]:
    """Return the shape of the array X or x in an NPZ file; nothing for anything else."""
    try:
        with zipfile.ZipFile(path) as archive:
            present = {f"{name}.npy" for name in (INPUT_NAME, INPUT_NAME.upper())}
            for name in present.intersection(archive.namelist()):
                with archive.open(name) as file:
                    version = np.lib.format.read_magic(file)
                    if version == (1, 0):
                        return np.lib.format.read_array_header_1_0(file)[0]
                    return np.lib.format.read_array_header_2_0(file)[0]
    except (OSError, ValueError, zipfile.BadZipFile):
        pass  # whoever reads the table says what is wrong
    return ()
