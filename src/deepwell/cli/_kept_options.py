"""The options of the commands on studies that are kept: which, and what to do with them."""

from __future__ import annotations

from dataclasses import dataclass

from deepwell._base._constraints import IntegerInterval

from ._flags import argument, arguments, flag

_ROWS = IntegerInterval(1, 10_000_000)
_NOTES = IntegerInterval(1, 2**31 - 1)


@dataclass(frozen=True)
class Question:
    """What to ask of a store."""

    sql: str = argument("One SELECT on the views that docs/query.md describes.", "SQL")
    csv: bool = flag(False, "Print CSV.")
    limit: int = flag(1000, "Rows at most; default 1,000.", "N", constraint=_ROWS)


@dataclass(frozen=True)
class Listed:
    """Which studies to list."""

    tag: tuple[str, ...] = flag((), "Only those with this tag; repeatable.", "TAG")
    deleted: bool = flag(False, "List those that were deleted and can be brought back.")


@dataclass(frozen=True)
class Annotated:
    """What to write down, and where."""

    name: str = argument("Name of the study.", "NAME")
    words: tuple[str, ...] = arguments(
        "Number of a trial, where it is about one, and the text; without a text the notes are "
        "shown.",
        "[TRIAL] [TEXT]",
    )
    remove: int | None = flag(None, "Remove the note of this number.", "NUMBER", constraint=_NOTES)


@dataclass(frozen=True)
class Tagged:
    """Which tags to give or take."""

    name: str = argument("Name of the study.", "NAME")
    words: tuple[str, ...] = arguments(
        "Number of a trial, where it is about one, and tags; without tags they are shown.",
        "[TRIAL] [TAG...]",
    )
    remove: bool = flag(False, "Take them away.")


@dataclass(frozen=True)
class NewName:
    """Another name."""

    to: str = argument("The new name.", "NEW")


@dataclass(frozen=True)
class Several:
    """Which studies."""

    names: tuple[str, ...] = arguments("Names of studies.", "NAME...")


@dataclass(frozen=True)
class Deleted:
    """What to do with them."""

    undo: bool = flag(False, "Bring them back.")


@dataclass(frozen=True)
class Compared:
    """What to compare."""

    names: tuple[str, ...] = arguments("Two or more studies, or trials as in churn/12.", "NAME...")


@dataclass(frozen=True)
class Freed:
    """How to free disk space."""

    dry_run: bool = flag(False, "Show what would be removed; remove nothing.")
    deleted_now: bool = flag(False, "Remove deleted studies at once, not after 30 days.")


@dataclass(frozen=True)
class CopyTo:
    """Where a study goes."""

    to: str | None = flag(None, "The other store; needed.", "URL")


@dataclass(frozen=True)
class StudyToml:
    """Which file to run, and how."""

    file: str = argument("A study.toml, as fit leaves it in the study's folder.", "FILE")
    name: str | None = flag(None, "Name of the new study; by default the file's.", "NAME")
    dry_run: bool = flag(False, "Show data, changes and plan; train and write nothing.")
