"""Where a command's words go: lines or one JSON object on stdout, complaints on stderr.

A reader that closes the pipe early, as `head` does, ends the output but not the work.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TextIO

from deepwell._base._errors import UsageError
from deepwell._base._safe_text import safe_text


def print_lines(lines: Iterable[str]) -> None:
    """Print lines on stdout."""
    write_text("".join(f"{line}\n" for line in lines))


def print_json(content: Mapping[str, object]) -> None:
    """Print one object of strict JSON on stdout."""
    write_text(json.dumps(content, allow_nan=False, ensure_ascii=False) + "\n")


def write_text(text: str) -> None:
    """Write text to stdout."""
    with silent_when_closed(sys.stdout):
        sys.stdout.write(text)
        sys.stdout.flush()


def complain(text: str) -> None:
    """Print text on stderr."""
    with silent_when_closed(sys.stderr):
        sys.stderr.write(text + "\n")
        sys.stderr.flush()


def flush() -> None:
    """Send what is pending on stdout, so that a closed pipe does not show at exit."""
    with silent_when_closed(sys.stdout):
        sys.stdout.flush()


@contextlib.contextmanager
def silent_when_closed(stream: TextIO):
    """Go on silently when the reader of `stream` has gone: from then on it writes to nowhere."""
    try:
        yield
    except BrokenPipeError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def save_bytes(path: Path, content: bytes) -> None:
    """Write a file whole or not at all; a device or a pipe is written directly.

    Raises:
        DeepwellError: when it cannot be written there.
    """
    from deepwell.storage._files import write_atomic

    if path.is_dir():
        raise UsageError(f'"{safe_text(path, 200)}" is a folder; name a file in it')
    if path.exists() and not path.is_file():
        path.write_bytes(content)
    else:
        write_atomic(path, content)
