"""What the commands that change a run while it trains have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._exit_codes import DONE
from ._options import Place
from ._output import print_json, print_lines

if TYPE_CHECKING:
    from deepwell.study._live import Answer, LiveStudy


def live(name: str, place: Place) -> LiveStudy:
    """Return the study of that name.

    Raises:
        UsageError: when the store has none.
    """
    from deepwell.study._live import open_live

    return open_live(name, place.store)


def tell(answer: Answer, place: Place) -> int:
    """Print what came of it, and return the exit code."""
    from deepwell.report._act_lines import act_json, act_lines

    if place.json:
        print_json(act_json(answer))
    else:
        print_lines(act_lines(answer, place.store))
    return DONE
