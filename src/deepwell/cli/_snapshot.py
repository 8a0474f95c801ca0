"""`deepwell snapshot`: a network's state kept in a file."""

from __future__ import annotations

from ._acts import live, tell
from ._live_options import OneOrAll
from ._options import Place

EXAMPLES = """\
deepwell snapshot churn 3
deepwell snapshot churn\
"""


def snapshot(asked: OneOrAll, place: Place) -> int:
    """Keep the whole state of a network in a file.

    Weights, what the optimizer remembers, counters. deepwell rollback goes back to it at once, and
    deepwell replay compares with it.
    """
    return tell(live(asked.name, place).snapshot(asked.trial()), place)
