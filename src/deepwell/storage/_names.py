"""Names of studies: also names of folders, so checked as hostile input."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Mapping
from typing import Any

from deepwell._base._errors import UsageError
from deepwell._base._safe_text import safe_text
from deepwell._base._shell import shell_word

MAX_LENGTH = 60
"""At four bytes a character and with a suffix this stays below the 255 bytes of a file name."""

VAULT = "vault"
"""Folder of the sealed test rows beside those of the studies."""

RESERVED = (VAULT, "backups", "store.db")

_JOURNALS = ("-wal", "-shm", "-journal")
"""How SQLite calls the files beside any database: a folder in such a place would break it."""

_DEVICES = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?")
"""What Windows takes for no file, whatever follows the first dot."""


def folded(name: str) -> str:
    """Return what two names share that one folder could stand for: case does not count."""
    return name.casefold()


def clean_name(text: str) -> str:
    """Return the closest valid study name for any text, such as the stem of a file's name.

    >>> clean_name("my data (1)")
    'my-data-1'
    >>> clean_name("../..")
    'study'
    """
    normal = unicodedata.normalize("NFC", text)
    words = "".join(c if _allowed(c) else " " for c in normal).split()
    name = "-".join(words).lstrip("-.")[:MAX_LENGTH].rstrip("-.") or "study"
    if _DEVICES.fullmatch(folded(name)):
        name = f"_{name}"[:MAX_LENGTH].rstrip("-.")
    return f"{name[: MAX_LENGTH - 2]}-1" if _reserved(name) else name


def valid_name(name: str) -> str:
    """Return `name` in its stored form (Unicode NFC), or say what is wrong with it.

    Raises:
        UsageError: when it is empty, too long, reserved, or could lead outside its folder.
    """
    normal = unicodedata.normalize("NFC", name)
    if not normal or not all(_allowed(c) for c in normal) or normal[0] in "-." or normal[-1] == ".":
        raise UsageError(
            'a study\'s name must be made of letters, digits, "-", "_" and ".", with a letter, '
            f'digit or "_" first and no "." last, got "{safe_text(name)}"; '
            f'try "{clean_name(name)}"'
        )
    if len(normal) > MAX_LENGTH:
        raise UsageError(
            f"a study's name must have at most {MAX_LENGTH} characters, got {len(normal)}; "
            f'try "{clean_name(name)}"'
        )
    if _reserved(normal):
        raise UsageError(
            f'the name "{normal}" is one that files of stores have, or devices of Windows; '
            f'try "{clean_name(name)}"'
        )
    return normal


def free_name(name: str, taken: Collection[str], exists: Callable[[str], bool]) -> str:
    """Return `name`, or the first of `name-2`, `name-3`, ... that is free; a long one is cut.

    Args:
        name: a valid name.
        taken: folded names of all studies of the store.
        exists: whether a file or folder of this name lies beside the store.
    """
    candidate, number = name, 1
    while folded(candidate) in taken or exists(candidate):
        number += 1
        suffix = f"-{number}"
        candidate = name[: MAX_LENGTH - len(suffix)] + suffix
    return candidate


def renamed_result(result: Mapping[str, Any], old: str, new: str) -> dict[str, Any]:
    """Return an outcome with the new name, in the commands that its findings tell as well."""
    named = re.compile(rf"(\bdeepwell [a-z]+ ){re.escape(shell_word(old))}(?=\s|$)")
    word = shell_word(new)
    findings = [
        {**found, "command": named.sub(lambda m: m[1] + word, found["command"])}
        for found in result.get("findings", ())
    ]
    return {**result, "name": new, "findings": findings}


def _reserved(name: str) -> bool:
    plain = folded(name)
    of_store = plain in RESERVED or plain.endswith(_JOURNALS)
    return of_store or _DEVICES.fullmatch(plain) is not None


def _allowed(character: str) -> bool:
    return character.isalnum() or character in "-_."
