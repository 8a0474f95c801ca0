"""`deepwell compare`: studies or trials held against each other."""

from __future__ import annotations

from ._exit_codes import DONE
from ._kept_options import Compared
from ._options import Place
from ._output import print_json, print_lines

EXAMPLES = "deepwell compare churn churn-2\ndeepwell compare churn/12 churn/40"


def compare(what: Compared, place: Place) -> int:
    """Compare studies or trials, and tell what is clear.

    Studies with the same dev rows are compared row by row. Networks were chosen on these rows, so
    small differences may be luck of the choice; the sealed test set decides.
    """
    from deepwell.report._comparison_lines import comparison_json, comparison_lines
    from deepwell.study import _compare

    found = _compare.compare(*what.names, store=place.store)
    if place.json:
        print_json(comparison_json(found))
    else:
        print_lines(comparison_lines(found))
    return DONE
