"""Every error as one sentence and an exit code, never a trace for a user's mistake."""

from __future__ import annotations

import errno
import os
import traceback

from deepwell._base._errors import DeepwellError, UsageError, did_you_mean
from deepwell._base._safe_text import safe_text

from ._exit_codes import FAILED, STOPPED, WRONG_USAGE
from ._output import complain, print_json

TRACE_VARIABLE = "DEEPWELL_TRACEBACK"

_LIMIT = 2_000
_USERS_TO_MEND = {
    errno.ENOENT: "no such file or folder",
    errno.EACCES: "no permission",
    errno.EPERM: "no permission",
    errno.EROFS: "the disk is read-only",
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EISDIR: "a folder where a file is needed",
    errno.ENOTDIR: "a file where a folder is needed",
    errno.ENAMETOOLONG: "the name is too long",
}


def tell_error(error: BaseException, *, as_json: bool) -> int:
    """Print the error in one line on stderr, or as one JSON object on stdout; return its code."""
    sentence, code = explain(error)
    if os.environ.get(TRACE_VARIABLE) and not isinstance(error, KeyboardInterrupt):
        complain("".join(traceback.format_exception(error)).rstrip())
    if as_json:
        try:
            print_json({"error": sentence, "exit_code": code})
            return code
        except OSError:  # what failed may be stdout itself
            pass
    complain(f"error: {sentence}")
    return code


def explain(error: BaseException) -> tuple[str, int]:
    """Return what to say about an error, in one harmless line, and the exit code."""
    sentence, code = _explain(error)
    return safe_text(" ".join(sentence.split()), _LIMIT), code


def _explain(error: BaseException) -> tuple[str, int]:
    from typer import TyperException

    if isinstance(error, KeyboardInterrupt):
        return str(error) or "stopped by the user", STOPPED
    if isinstance(error, DeepwellError):
        return str(error), WRONG_USAGE if isinstance(error, UsageError) else FAILED
    if isinstance(error, TyperException):
        return _wrong_arguments(error), WRONG_USAGE
    if isinstance(error, OSError) and error.errno in _USERS_TO_MEND:
        where = f': "{safe_text(error.filename, 200)}"' if error.filename else ""
        return _USERS_TO_MEND[error.errno] + where, WRONG_USAGE
    if isinstance(error, MemoryError):
        return "not enough memory; use fewer rows, or close other programs", FAILED
    what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return f"unexpected {what}; {TRACE_VARIABLE}=1 shows where it came from", FAILED


def _wrong_arguments(error: Exception) -> str:
    """Return the parser's complaint in our form, with the closest name for an unknown option."""
    context = getattr(error, "ctx", None)
    if context is not None and hasattr(error, "possibilities"):
        option = str(getattr(error, "option_name", ""))
        known = [name for param in context.command.params for name in param.opts]
        told = f'unknown option "{option}"{did_you_mean(option, [*known, "--help"])}'
    else:
        told = getattr(error, "format_message", error.__str__)().strip().rstrip(".")
        told = (told[:1].lower() + told[1:]).replace("'", '"')
    if context is None:
        return told
    mark = "" if told.endswith("?") else ";"
    return f"{told}{mark} {context.command_path} --help tells more"
