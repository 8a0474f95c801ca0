"""A study's new name in the file in its folder; all else there stays as people wrote it."""

from __future__ import annotations

import contextlib
import json
import re
import tomllib
from pathlib import Path

from deepwell._base._errors import DeepwellError
from deepwell.storage._files import write_atomic

from ._study_file_read import lines_of
from ._study_file_text import NAME

_NAMED = re.compile(r"""(\s*["']?name["']?\s*=\s*)("(?:[^"\\]|\\.)*"|'[^']*')""")


def follow_name(folder: Path, old: str, new: str) -> None:
    """Put a study's new name into its file, where that has the old one.

    A file that cannot be read or written stays as it is: `run` tells what it says otherwise.

    Args:
        folder: of the study.
        old: its name until now.
        new: its name from now on.
    """
    file = folder / NAME
    with contextlib.suppress(DeepwellError, OSError, ValueError):
        before = file.read_bytes()
        after = with_name(before.decode(), old, new).encode()
        if after != before:
            write_atomic(file, after)


def with_name(text: str, old: str, new: str) -> str:
    r"""Return the text of a study's file with its new name; as it is where it had another one.

    >>> with_name('[study]\nname = "churn"  # ours\n', "churn", "wine")
    '[study]\nname = "wine"  # ours\n'

    Raises:
        ValueError: when the name is no TOML.
    """
    lines = text.splitlines(keepends=True)
    number = lines_of(text).get(("study", "name"), 0)
    found = _NAMED.match(lines[number - 1]) if number else None
    if found is None or tomllib.loads(found[0].strip())["name"] != old:
        return text
    rest = lines[number - 1][found.end() :]
    lines[number - 1] = f"{found[1]}{json.dumps(new, ensure_ascii=False)}{rest}"
    return "".join(lines)
