"""User text made harmless for a terminal: no control codes, bounded length."""

from __future__ import annotations

import unicodedata

_UNSAFE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def safe_text(text: object, limit: int = 60) -> str:
    r"""Return `text` on one line, control and format characters replaced, at most `limit` long.

    Column names, labels and file names come from outside: an escape sequence in one of them
    must not move the cursor, change colours or reverse the reading direction.

    >>> safe_text("a\x1b[31mb")
    'a?[31mb'
    """
    shown = "".join("?" if unicodedata.category(c) in _UNSAFE_CATEGORIES else c for c in str(text))
    return shown if len(shown) <= limit else shown[: limit - 3] + "..."
