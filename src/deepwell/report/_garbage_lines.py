"""What `gc` removed, or would remove, as lines and for JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from deepwell._base._safe_text import safe_text
from deepwell.records import Garbage

from ._json import strict
from ._layout import entry

_UNITS = ("bytes", "kB", "MB", "GB", "TB")


def garbage_lines(found: Sequence[Garbage], *, dry_run: bool) -> list[str]:
    """Return each thing with its size, and the sum."""
    if not found:
        return entry("gc", "there is nothing that is not needed")
    lines = [
        line
        for one in found
        for line in entry(
            _size(one.bytes), safe_text(one.what, 200) + (f" ({one.path})" if one.path else "")
        )
    ]
    total = _size(sum(one.bytes for one in found))
    return [*lines, *entry("gc", f"{total} {'would be freed' if dry_run else 'freed'}")]


def garbage_json(found: Sequence[Garbage], *, dry_run: bool) -> dict[str, Any]:
    """Return `removed`: objects of `what`, `bytes` and `path`; `bytes` in all; and `dry_run`."""
    total = sum(one.bytes for one in found)
    return strict({"removed": list(found), "bytes": total, "dry_run": dry_run})


def _size(number: int) -> str:
    """Return bytes in the unit that suits them.

    >>> _size(1_234_000), _size(17)
    ('1.2 MB', '17 bytes')
    """
    size, unit = float(number), 0
    while size >= 999.5 and unit < len(_UNITS) - 1:
        size, unit = size / 1000, unit + 1
    return f"{size:.0f} {_UNITS[0]}" if unit == 0 else f"{size:.1f} {_UNITS[unit]}"
