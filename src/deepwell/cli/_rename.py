"""`deepwell rename`: another name for a study."""

from __future__ import annotations

from ._exit_codes import DONE
from ._kept_options import NewName
from ._options import Name, Place
from ._output import print_json, print_lines

EXAMPLES = "deepwell rename churn churn-first"


def rename(which: Name, new: NewName, place: Place) -> int:
    """Give a study another name, and its folder.

    The ledger keeps the name under which a test set was opened.
    """
    from deepwell.report._layout import entry
    from deepwell.study._rename import rename_study

    name = rename_study(which.name, new.to, store=place.store)
    if place.json:
        print_json({"name": name, "was": which.name})
    else:
        print_lines(entry("renamed", f"{which.name} is called {name} now"))
    return DONE
