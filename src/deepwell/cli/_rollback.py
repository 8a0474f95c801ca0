"""`deepwell rollback`: a network goes on from an earlier epoch."""

from __future__ import annotations

from ._acts import live, tell
from ._live_options import Back, named, trial_number
from ._options import Place

EXAMPLES = """\
deepwell rollback churn 3
deepwell rollback churn 3 --to 12 learning_rate=x0.5\
"""


def rollback(asked: Back, place: Place) -> int:
    """Let a network go on from an earlier epoch.

    A copy goes on in its place. It may have diverged or stopped early. What was changed by hand
    since that epoch is undone in the copy; new values may be given. Where no snapshot of the epoch
    is kept, the copy is trained again up to there, to the bit.
    """
    number, values = trial_number(asked.trial), named(asked.rest)
    return tell(live(asked.name, place).rollback(number, asked.to, **values), place)
