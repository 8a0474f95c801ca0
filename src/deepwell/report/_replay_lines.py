"""A network trained again, in lines."""

from __future__ import annotations

from typing import Any

from deepwell._base._safe_text import safe_text

from ._figures import count
from ._layout import entry


def replay_lines(replay: Any) -> list[str]:
    """Return what is said of a replay: what was compared, what differs, and the verdict.

    Args:
        replay: with `study`, `trial`, `epochs`, `compared`, `machine` and `same`.
    """
    lines = entry(
        "replay",
        f"network {replay.trial} of {safe_text(replay.study)} trained again for "
        f"{count(replay.epochs, 'epoch')}, from its configuration alone",
    )
    for one in replay.compared:
        differ = [safe_text(name) for name in one.differ]
        told = f"{len(differ)} of {one.parts} differ: {', '.join(differ)}" if differ else "the same"
        lines += entry("", f"{one.what}: {told}")
    if replay.same:
        return [*lines, *entry("result", "the same, bit for bit")]
    if replay.machine:
        return [
            *lines,
            *entry("machine", "; ".join(map(safe_text, replay.machine))),
            *entry("result", "other bits, as may be with another machine or version"),
        ]
    return [*lines, *entry("result", "not the same, on the same machine and versions")]


def replay_json(replay: Any) -> dict[str, object]:
    """Return the same as plain values."""
    return {
        "name": replay.study,
        "trial": replay.trial,
        "epochs": replay.epochs,
        "same": replay.same,
        "machine": list(replay.machine),
        "compared": [
            {"what": one.what, "parts": one.parts, "differ": list(one.differ)}
            for one in replay.compared
        ],
    }
