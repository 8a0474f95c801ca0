"""`deepwell replay`: a network trained again, and compared with what is kept of it."""

from __future__ import annotations

from ._exit_codes import DONE, FAILED
from ._live_options import OneOrAll
from ._options import Place
from ._output import print_json, print_lines

EXAMPLES = "deepwell replay churn\ndeepwell replay churn 17"


def replay(asked: OneOrAll, place: Place) -> int:
    """Train a network again and compare it to the bit.

    From its configuration alone; the best one where no number is given. Changes by hand and forks
    are part of its configuration. Every recorded figure, the saved model, snapshots and checkpoints
    must come out the same, bit for bit; exit code 1 where they do not, on the machine and versions
    that trained it.
    """
    from deepwell.report._replay_lines import replay_json, replay_lines
    from deepwell.study._replay import replay as train_again

    told = train_again(asked.name, asked.trial(), store=place.store)
    if place.json:
        print_json(replay_json(told))
    else:
        print_lines(replay_lines(told))
    return DONE if told.same or told.machine else FAILED
