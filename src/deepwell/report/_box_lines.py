"""Where each round of a search that zooms in has looked, as lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from deepwell._base._safe_text import safe_text

from ._figures import count
from ._layout import entry

_LIMIT = 100


def box_lines(proposed: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the box of each round, as the study recorded it; nothing without boxes.

    Sides as wide as those of the first round are left out.

    Args:
        proposed: what was noted of each round, first to last: `networks`, and `box`, which is
            name -> range or choices in words.
    """
    rounds = [told for told in proposed if "box" in told]
    told = [
        f"round {number}, {count(one['networks'], 'network')}: "
        f"{_sides(one['box'], rounds[0]['box']) or 'everywhere'}"
        for number, one in enumerate(rounds, start=1)
    ]
    return entry("boxes", *told) if told else []


def boxes_json(proposed: Sequence[Mapping[str, Any]]) -> dict[str, object]:
    """Return `boxes`: for each round its networks and its box; nothing without boxes."""
    told = [{"networks": one["networks"], "box": one["box"]} for one in proposed if "box" in one]
    return {"boxes": told} if told else {}


def _sides(box: Mapping[str, str], first: Mapping[str, str]) -> str:
    narrowed = [name for name in box if box[name] != first.get(name)]
    return "; ".join(f"{safe_text(name)} {safe_text(box[name], _LIMIT)}" for name in narrowed)
