"""`deepwell extend`: more networks, epochs or time for a run."""

from __future__ import annotations

from ._acts import live, tell
from ._live_options import LiveMore
from ._options import Place

EXAMPLES = """\
deepwell extend churn --trials 64
deepwell extend churn --epochs 20
deepwell extend churn --budget 5m\
"""


def extend(more: LiveMore, place: Place) -> int:
    """Ask a run for more networks, epochs or time.

    Of a study that has ended, deepwell resume asks for more.
    """
    asked = live(more.name, place)
    answer = asked.extend(trials=more.trials, epochs=more.epochs, budget=more.budget)
    return tell(answer, place)
