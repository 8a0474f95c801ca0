"""`deepwell gc`: room on the disk from what nothing needs."""

from __future__ import annotations

from ._exit_codes import DONE
from ._kept_options import Freed
from ._options import Place
from ._output import print_json, print_lines

EXAMPLES = "deepwell gc --dry-run\ndeepwell gc --deleted-now"


def gc(how: Freed, place: Place) -> int:
    """Free disk space: remove what nothing needs any more.

    Studies deleted more than 30 days ago, checkpoints left behind finished studies, half-written
    files, sealed rows of no study, empty room in the database. Whatever going on with a study, its
    report or the vault needs stays.
    """
    from deepwell.report._garbage_lines import garbage_json, garbage_lines
    from deepwell.study._garbage import collect_garbage

    found = collect_garbage(place.store, dry_run=how.dry_run, deleted_now=how.deleted_now)
    if place.json:
        print_json(garbage_json(found, dry_run=how.dry_run))
    else:
        print_lines(garbage_lines(found, dry_run=how.dry_run))
    return DONE
