"""`deepwell list`: all studies of a store."""

from __future__ import annotations

from ._exit_codes import DONE
from ._kept_options import Listed
from ._options import Place
from ._output import print_json, print_lines

EXAMPLES = "deepwell list\ndeepwell list --tag keep\ndeepwell list --deleted"


def list_(listed: Listed, place: Place) -> int:
    """List the studies of a store with scores, notes and tags.

    The newest comes first. A study whose process is gone without a word is interrupted; resume
    goes on with it.
    """
    from deepwell.report._layout import entry
    from deepwell.report._listing_lines import listing_json, listing_lines
    from deepwell.study._listing import list_studies

    found = list_studies(place.store, listed.tag, deleted=listed.deleted)
    if place.json:
        print_json(listing_json(found))
        return DONE
    kind = "deleted study" if listed.deleted else "study"
    which = f" with the tag {' and '.join(listed.tag)}" if listed.tag else ""
    none = entry("list", f"the store holds no {kind}{which}")
    print_lines(listing_lines(found) if found else none)
    return DONE
