"""`deepwell restore`: the newest backup in the place of a damaged store."""

from __future__ import annotations

from deepwell._base._safe_text import safe_text

from ._exit_codes import DONE
from ._options import Place
from ._output import print_json, print_lines

EXAMPLES = "deepwell restore\ndeepwell restore --store runs"
_LIMIT = 300


def restore(place: Place) -> int:
    """Put the newest backup in the place of a damaged store.

    A store that is whole stays as it is. The damaged file is kept beside the store.
    """
    from deepwell.report._layout import entry
    from deepwell.storage._restore import restore as put_back

    done = put_back(place.store)
    aside = None if done.aside is None else str(done.aside)
    if place.json:
        told = {"backup": str(done.backup.file), "time": done.backup.time, "damaged": aside}
        renamed = [{"from": old, "to": new} for old, new in done.renamed]
        print_json({**told, "renamed": renamed, "missing": list(done.missing)})
        return DONE
    lines = entry("restored", f"the store as it was at {done.backup.when}")
    if done.aside is not None:
        lines += entry("damaged", f"kept beside it as {safe_text(done.aside.name, _LIMIT)}")
    for old, new in done.renamed:
        called = f"study {safe_text(old)} of the backup is called {safe_text(new)} now"
        lines += entry("renamed", called)
    for name in done.missing:
        lines += entry(
            "missing",
            f"study {safe_text(name)} has no folder: where it was renamed since the backup, give "
            f"its folder the name {safe_text(name)} again",
        )
    lines += entry("next", "deepwell resume NAME goes on with a study that had not ended")
    print_lines(lines)
    return DONE
