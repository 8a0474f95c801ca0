"""Who runs a study: claims, holders, and what is raised where there is another one."""

from __future__ import annotations

import os
import secrets
import socket
from dataclasses import dataclass

from deepwell._base._errors import StudyError
from deepwell._base._safe_text import safe_text


class LeaseHeldError(StudyError):
    """Another process runs the study."""


class LeaseLostError(StudyError):
    """The study was taken over: nothing that this process does is recorded any more."""


@dataclass(frozen=True)
class Claim:
    """Who wants to run a study.

    Attributes:
        holder: in words.
        token: known to the holder alone.
    """

    holder: str
    token: str


@dataclass(frozen=True)
class Holder:
    """Who has a lease.

    Attributes:
        words: who it is.
        token: of the lease.
        seconds: until it expires, if nothing is heard of the holder; 0 or less when it has.
    """

    words: str
    token: str
    seconds: float


def new_claim() -> Claim:
    """Return a claim of this process."""
    return Claim(f"process {os.getpid()} on {socket.gethostname()}", secrets.token_hex(16))


def held_by(study: str, holder: Holder | None) -> LeaseHeldError:
    """Return the error to raise for a study that another process runs."""
    return LeaseHeldError(
        f"study {safe_text(study)} is being run by {who(holder)}; "
        "wait for it, or stop that process first"
    )


def who(holder: Holder | None) -> str:
    """Return who has a lease, in harmless words."""
    return (safe_text(holder.words) if holder else "") or "another process"
