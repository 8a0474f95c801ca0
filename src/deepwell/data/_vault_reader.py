"""Opens the vault. Only the study package may import this file; an architecture test checks."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import polars as pl

from deepwell._base._errors import UsageError

from ._names import quoted
from ._vault import SealedTest


def read_sealed(sealed: SealedTest) -> pl.DataFrame:
    """Return the sealed test rows, raw, after checking that they are the ones that were sealed.

    Raises:
        UsageError: when the file is missing, unreadable, or not the one that was sealed.
    """
    return pl.read_parquet(io.BytesIO(sealed_bytes(sealed)))


def sealed_problem(sealed: SealedTest) -> str:
    """Return why sealed rows could not be used, or an empty string; no row is looked at."""
    try:
        sealed_bytes(sealed)
    except UsageError as error:
        return str(error)
    return ""


def sealed_bytes(sealed: SealedTest) -> bytes:
    """Return the file of the sealed rows as it is, after checking that it is the one sealed.

    Raises:
        UsageError: when the file is missing, unreadable, or not the one that was sealed.
    """
    path = Path(sealed.path)
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise UsageError(
            f"the sealed test file {quoted(path)} is missing; put it back, or load the data and "
            "fit again"
        ) from None
    except OSError as error:
        raise UsageError(
            f"the sealed test file {quoted(path)} cannot be read ({error.strerror or error}); "
            "check its permissions"
        ) from None
    if hashlib.sha256(content).hexdigest() != sealed.sha256:
        raise UsageError(
            f"the sealed test file {quoted(path)} was changed after it was sealed (sha256 does "
            "not match), so it is not used; put the original back, or load the data and fit again"
        )
    return content
