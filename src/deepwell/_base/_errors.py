"""The two families of error: what a user can mend, and what a study could not do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from ._safe_text import safe_text


class DeepwellError(Exception):
    """Base of every error that Deepwell raises on purpose; its text is one sentence."""


class UsageError(DeepwellError, ValueError):
    """Wrong usage or unusable data: the command line exits with 2 and prints the sentence alone."""


class StudyError(DeepwellError, RuntimeError):
    """Work that was asked for rightly and failed all the same: the command line exits with 1."""


class UnknownNameError(UsageError, KeyError):
    """A name that a family does not have; a KeyError too, as every mapping raises."""

    __str__ = UsageError.__str__


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return `; did you mean "x"?` for the closest known name, or an empty string.

    >>> did_you_mean("churnd", ["churned", "age"])
    '; did you mean "churned"?'
    """
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f'; did you mean "{safe_text(close[0])}"?' if close else ""
