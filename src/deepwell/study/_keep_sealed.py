"""Sealed test rows put into the vault of a store."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from deepwell.data._vault import FOLDER_MODE, SealedTest, put_in, touch
from deepwell.data._vault_reader import sealed_bytes
from deepwell.storage._files import write_error


def keep_sealed(sealed: SealedTest, vault: Path) -> tuple[SealedTest, bool]:
    """Return the sealed test rows inside this vault, and whether their file was made for it.

    Args:
        sealed: where they lie, in this vault or outside of it.
        vault: of the store; made when it is not there.

    Raises:
        UsageError: when their file is missing or changed, or the vault cannot be written.
        StudyError: when the disk fails.
    """
    content = sealed_bytes(sealed)
    source = Path(sealed.path)
    if source.parent.resolve() == vault.resolve():
        touch(source)
        return replace(sealed, path=str(vault / source.name)), False
    try:
        vault.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        kept, made = put_in(vault, content, sealed.fingerprint)
    except OSError as error:
        raise write_error(error, vault) from error
    return replace(sealed, path=str(kept)), made
