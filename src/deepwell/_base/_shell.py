"""Words of a user in commands that are shown to be run: quoted for a shell, harmless on screen."""

from __future__ import annotations

import shlex

from ._password import without_password
from ._safe_text import safe_text

_LIMIT = 300


def shell_word(text: object) -> str:
    """Return a name or path as one word of a shell's command line.

    >>> shell_word("my study")
    "'my study'"
    """
    return shlex.quote(safe_text(text, _LIMIT))


def store_flag(store: object) -> str:
    """Return the flag that names a store, with a space before it; nothing for the usual place.

    Args:
        store: what was given as `--store`; None or empty for the usual place.

    >>> store_flag("team runs")
    " --store 'team runs'"
    """
    return f" --store {shell_word(without_password(store))}" if store else ""
