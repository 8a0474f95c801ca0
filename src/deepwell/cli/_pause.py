"""`deepwell pause`: a run holds its networks."""

from __future__ import annotations

from ._acts import live, tell
from ._options import Name, Place

EXAMPLES = """\
deepwell pause churn
deepwell resume churn\
"""


def pause(which: Name, place: Place) -> int:
    """Let a run hold its networks.

    They stay in its memory and its time budget stands still until deepwell resume lets it go on.
    """
    return tell(live(which.name, place).pause(), place)
