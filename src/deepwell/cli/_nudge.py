"""`deepwell nudge`: other numbers for a network that trains."""

from __future__ import annotations

from ._acts import live, tell
from ._live_options import Nudged
from ._options import Place

EXAMPLES = """\
deepwell nudge churn learning_rate=x0.5
deepwell nudge churn 3 learning_rate=0.001 dropout=0.2\
"""


def nudge(asked: Nudged, place: Place) -> int:
    """Change hyperparameters of a network that trains.

    From its next epoch on, of one network or of all that train without a number. Values are
    absolute, or factors on what they are (x0.5). Recorded with the epoch, so that the network can
    be trained again from its configuration, to the bit. What can change: rates, penalties,
    momentum, dropout ...
    """
    return tell(live(asked.name, place).nudge(asked.trial(), **asked.values()), place)
