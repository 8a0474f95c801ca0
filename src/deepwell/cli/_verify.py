"""`deepwell verify`: whether all that a study left is as it was written."""

from __future__ import annotations

from ._exit_codes import DONE, FAILED
from ._options import Name, Place
from ._output import print_json, print_lines

EXAMPLES = "deepwell verify churn"
_LIMIT = 600


def verify(which: Name, place: Place) -> int:
    """Check that nothing of a study was changed or lost.

    Looks at the ledger of test openings, the sealed test rows, the models and the states of
    networks that were kept, by their hashes. Reads no test row. Exits with 1 where something is
    not as it was written.
    """
    from deepwell._base._safe_text import safe_text
    from deepwell.report._layout import entry
    from deepwell.study._verify import verify as look

    found = look(which.name, store=place.store)
    intact = all(part.ok for part in found)
    if place.json:
        print_json({"name": which.name, "ok": intact, "parts": [vars(part) for part in found]})
    else:
        lines = [
            entry(part.name, ("" if part.ok else "PROBLEM: ") + safe_text(part.told, _LIMIT))
            for part in found
        ]
        verdict = "all is as it was written" if intact else "see the lines that begin with PROBLEM"
        print_lines([line for told in [*lines, entry("verdict", verdict)] for line in told])
    return DONE if intact else FAILED
