"""`deepwell copy`: a study in another store."""

from __future__ import annotations

from deepwell._base._errors import UsageError

from ._exit_codes import DONE
from ._kept_options import CopyTo
from ._options import Name, Place
from ._output import print_json, print_lines

EXAMPLES = "deepwell copy churn --to ../team\ndeepwell copy churn --to sqlite:///team/runs.db"


def copy(which: Name, target: CopyTo, place: Place) -> int:
    """Copy a study with its files to another store.

    Openings of its test set are entered in the other store's ledger: a test set that was opened
    here is not unseen there.
    """
    from deepwell._base._safe_text import safe_text
    from deepwell.report._layout import entry
    from deepwell.study._copy_study import copy_study

    if target.to is None:
        raise UsageError("name the other store, as in deepwell copy churn --to ../team")
    name = copy_study(which.name, target.to, store=place.store)
    if place.json:
        print_json({"name": which.name, "copy": name})
    else:
        print_lines(entry("copied", f"{safe_text(which.name)} is {name} there"))
    return DONE
