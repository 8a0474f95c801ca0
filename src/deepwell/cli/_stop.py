"""`deepwell stop`: a network or a whole run ends."""

from __future__ import annotations

from ._acts import live, tell
from ._live_options import OneOrAll
from ._options import Place

EXAMPLES = """\
deepwell stop churn
deepwell stop churn 3\
"""


def stop(asked: OneOrAll, place: Place) -> int:
    """Stop a network, or a run with its best kept.

    Without a number the run ends after the epoch at work, with its best network saved; deepwell
    resume goes on with it. With a number that network trains no further; what it has reached
    counts.
    """
    return tell(live(asked.name, place).stop(asked.trial()), place)
