"""Where the outcome lies and what to do with it, as lines."""

from __future__ import annotations

from pathlib import PurePath

from deepwell._base._safe_text import safe_text
from deepwell._base._shell import shell_word, store_flag
from deepwell.records import StudyResult

from ._layout import alternatives, entry
from ._opening_lines import own_openings

_PATH_LIMIT = 300


def saved_lines(result: StudyResult) -> list[str]:
    """Return the line `saved`: the folder with the names of its contents, or the two paths."""
    paths = [PurePath(path) for path in (result.model, result.report) if path]
    if not paths:
        return []
    parent = paths[0].parent
    if all(path.parent == parent for path in paths) and str(parent) != ".":
        names = ", ".join(safe_text(path.name) for path in paths)
        return entry("saved", f"{safe_text(parent, _PATH_LIMIT)}/ ({names})")
    return entry("saved", ", ".join(safe_text(path, _PATH_LIMIT) for path in paths))


def next_lines(result: StudyResult, store: str | None = None) -> list[str]:
    """Return the line `next`: the commands that go on from here.

    Args:
        result: the outcome.
        store: what was given as `--store`, which the commands then need too.
    """
    name = shell_word(result.name)
    where = store_flag(store)
    sealed = result.data.sizes[2] > 0 and not own_openings(result, result.openings)
    test = [f"deepwell test {name}{where}"] if sealed else []
    verb = "resume" if result.stopped else "improve"
    more = [f"deepwell {verb} {name}{where}"]
    others = [f"deepwell predict {name} new.csv{where}", f"deepwell report {name}{where}"]
    return alternatives("next", more + test + others)
