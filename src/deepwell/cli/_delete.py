"""`deepwell delete`: studies hidden, and brought back."""

from __future__ import annotations

from deepwell._base._errors import UsageError

from ._exit_codes import DONE
from ._kept_options import Deleted, Several
from ._options import Place
from ._output import print_json, print_lines

EXAMPLES = (
    "deepwell delete churn-2 churn-3\ndeepwell delete --undo churn-2\ndeepwell list --deleted"
)


def delete(which: Several, how: Deleted, place: Place) -> int:
    """Delete studies, or bring deleted ones back.

    They are hidden, and all they have is kept for 30 days; afterwards gc removes them for good.
    The ledger of test sets, and which rows they used, stay known in any case.
    """
    from deepwell._base._shell import shell_word, store_flag
    from deepwell.report._layout import entry
    from deepwell.study._delete import KEPT_DAYS, delete_study, restore_study

    if not which.names:
        raise UsageError("name at least one study, as in deepwell delete churn-2")
    act = restore_study if how.undo else delete_study
    act(*which.names, store=place.store)
    names = ", ".join(which.names)
    if place.json:
        print_json({"names": list(which.names), "deleted": not how.undo})
    elif how.undo:
        print_lines(entry("restored", f"{names}: all is there again"))
    else:
        words = " ".join(map(shell_word, which.names))
        undo = f"deepwell delete --undo {words}{store_flag(place.store)}"
        kept = f"{names}: kept for {KEPT_DAYS} days"
        print_lines([*entry("deleted", kept), f"          {undo}"])
    return DONE
