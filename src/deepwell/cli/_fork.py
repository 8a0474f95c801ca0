"""`deepwell fork`: copies of a network race with other numbers."""

from __future__ import annotations

from ._acts import live, tell
from ._live_options import Forked, listed, named, trial_number
from ._options import Place

EXAMPLES = """\
deepwell fork churn 3 learning_rate=x0.5,x1,x2
deepwell fork churn 3 --into 2 --epochs 5 dropout=0.1,0.3 l2=1e-4\
"""


def fork(asked: Forked, place: Place) -> int:
    """Let copies of a network race with other numbers.

    Each copy goes on from where the network stands. After some epochs the one with the best dev
    score since the fork goes on, and the others are pruned.
    """
    number = trial_number(asked.trial)
    values = {name: listed(text) for name, text in named(asked.rest).items()}
    answer = live(asked.name, place).fork(number, asked.into, asked.epochs, **values)
    return tell(answer, place)
