"""The acts by the word that asks for them."""

from __future__ import annotations

from collections.abc import Mapping

from . import _extend, _fork, _narrow, _nudge, _pause, _rollback, _snapshot, _stop
from ._act import Act

ACTS: Mapping[str, Act] = {
    "nudge": _nudge.ACT,
    "pause": _pause.PAUSED,
    "resume": _pause.RESUMED,
    "snapshot": _snapshot.ACT,
    "rollback": _rollback.ACT,
    "fork": _fork.ACT,
    "stop": _stop.ACT,
    "extend": _extend.ACT,
    "narrow": _narrow.ACT,
}
