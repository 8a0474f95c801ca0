"""Where data came from, so that another process can read them again."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ._load_options import LoadOptions

_PLAIN = (str, int, float, bool, type(None))


@dataclass(frozen=True)
class Origin:
    """The arguments of `load` for files, good in any working directory.

    Attributes:
        source: absolute path of the table.
        options: the other arguments as plain values, those of the vault left out.
    """

    source: str
    options: Mapping[str, object]


def origin_of(source: object, given: Mapping[str, Any], options: LoadOptions) -> Origin | None:
    """Return how to read the data again, or None when rows were given that are in no file.

    Args:
        source: as given to `load`.
        given: the other arguments of `load` by name.
        options: the same, checked.
    """
    if not isinstance(source, str | os.PathLike):
        return None
    kept = {**given, "keep": list(options.keep), "ignore": list(options.ignore)}
    del kept["vault"]
    for part, rows in (("dev", options.dev_source), ("test", options.test_source)):
        if rows is not None:
            if not isinstance(rows, str | os.PathLike):
                return None
            kept[part] = _absolute(rows)
    if isinstance(options.class_weight, dict):
        kept["class_weight"] = dict(options.class_weight)
    checked = ("keep", "ignore", "class_weight")
    plain = all(isinstance(v, _PLAIN) for k, v in kept.items() if k not in checked)
    return Origin(_absolute(source), kept) if plain else None


def _absolute(path: Any) -> str:
    return os.path.abspath(Path(path))  # noqa: PTH100  (keeps symbolic links as the user sees them)
