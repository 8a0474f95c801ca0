"""Values as text columns: JSON for what has structure, storable text for what has none."""

from __future__ import annotations

import json
from typing import Any

from deepwell.records import to_plain


def to_json(value: object) -> str:
    r"""Return plain values and records as one line of ASCII JSON, names sorted.

    ASCII, because file names that are not Unicode come as lone surrogates, which no database
    takes as text but JSON can escape.

    >>> to_json({"b": (1, 2.5), "a": float("nan")})
    '{"a": "nan", "b": [1, 2.5]}'
    """
    return json.dumps(to_plain(value), sort_keys=True, allow_nan=False)


def from_json(text: str) -> Any:
    """Return the plain value that `to_json` wrote."""
    return json.loads(text)


def storable(text: str) -> str:
    """Return `text` with `?` for what a database's text cannot hold: NUL and lone surrogates."""
    return text.replace("\0", "?").encode("utf-8", "replace").decode("utf-8")
