"""Options of a command from the fields of frozen dataclasses: said once, used everywhere.

A field says its meaning, the values that are allowed and the section of the help text it belongs
to. Typer sees a function with a parameter a field; the command gets the dataclasses.
"""

from __future__ import annotations

import functools
import inspect
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import Field, dataclass, field, fields, is_dataclass
from typing import Annotated, Any

import typer

from deepwell._base._constraints import Constraint, EachOf, IntegerInterval, Interval
from deepwell._base._errors import UsageError


@dataclass(frozen=True)
class Flag:
    """How a field appears on the command line.

    Attributes:
        doc: what it does, for the help text.
        metavar: what its value is called there.
        section: heading under which it stands.
        constraint: the kind of value; None leaves the text as it was typed.
        check: name and value -> the value, or a `UsageError` that says what is wrong with it.
        positional: whether it is an argument without a name.
        short: a one-letter form such as `-o`, or an empty string.
    """

    doc: str
    metavar: str
    section: str
    constraint: Constraint | None = None
    check: Callable[[str, object], object] | None = None
    positional: bool = False
    short: str = ""


def argument(doc: str, metavar: str) -> Any:
    """Return a field for a required argument without a name."""
    return field(metadata={"flag": Flag(doc, metavar, "Arguments", positional=True)})


def arguments(doc: str, metavar: str) -> Any:
    """Return a field for any number of arguments without a name."""
    told = Flag(doc, metavar, "Arguments", positional=True)
    return field(default=(), metadata={"flag": told})


def flag(
    default: object,
    doc: str,
    metavar: str = "TEXT",
    section: str = "Options",
    constraint: Constraint | None = None,
    check: Callable[[str, object], object] | None = None,
) -> Any:
    """Return a field for an option.

    Args:
        default: False for a switch, () for an option that may be repeated, else the value
            without the option.
        doc: what it does, for the help text.
        metavar: what its value is called there.
        section: heading under which it stands.
        constraint: the values that are allowed; None takes any text.
        check: what tells a wrong value, in place of the constraint's plain sentence.
    """
    return field(default=default, metadata={"flag": Flag(doc, metavar, section, constraint, check)})


def output(doc: str, metavar: str = "FILE") -> Any:
    """Return a field for the option `-o`, a file or folder to write."""
    told = Flag(doc, metavar, "Options", short="-o")
    return field(default=None, metadata={"flag": told})


def from_text(constraint: Constraint, text: str) -> object:
    """Return the number, or the numbers, that `text` writes; the text itself where it does not.

    >>> from deepwell._base._constraints import EachOf, IntegerInterval
    >>> from_text(EachOf(IntegerInterval(1, 99)), "64,32")
    (64, 32)
    """
    if isinstance(constraint, Interval):
        return _float(text)
    if isinstance(constraint, IntegerInterval):
        return _whole(text)
    if isinstance(constraint, EachOf):
        read = _float if isinstance(constraint.item, Interval) else _whole
        parts = [read(part) for part in text.split(",")]
        return tuple(parts) if len(parts) > 1 else parts[0]
    return text


def with_options(command: Callable[..., int]) -> Callable[..., Callable[[], int]]:
    """Return a function for Typer with one parameter a field of the command's dataclasses.

    Called with the texts that were typed, it returns the command, ready to run.
    """
    groups = {
        name: kind
        for name, kind in typing.get_type_hints(command).items()
        if isinstance(kind, type) and is_dataclass(kind)
    }

    def prepare(**typed: Any) -> Callable[[], int]:
        values = {name: _build(kind, typed) for name, kind in groups.items()}
        return functools.partial(command, **values)

    prepare.__doc__ = command.__doc__
    parameters = [_parameter(f, f.metadata["flag"]) for g in groups.values() for f in fields(g)]
    prepare.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return prepare


def option_name(name: str) -> str:
    """Return the option of a field: `learning_rate` is `--learning-rate`, `try_` is `--try`."""
    return "--" + name.removesuffix("_").replace("_", "-")


def _parameter(declared: Field[Any], told: Flag) -> inspect.Parameter:
    kind = inspect.Parameter.KEYWORD_ONLY
    if told.positional:
        info = typer.Argument(
            help=told.doc, metavar=told.metavar, show_default=False, rich_help_panel=told.section
        )
        if declared.default == ():
            several = Annotated[list[str] | None, info]
            return inspect.Parameter(declared.name, kind, default=None, annotation=several)
        return inspect.Parameter(declared.name, kind, annotation=Annotated[str, info])
    names = [option_name(declared.name), *([told.short] if told.short else [])]
    if declared.default is False:
        info = typer.Option(*names, help=told.doc, rich_help_panel=told.section)
        annotation: Any = Annotated[bool, info]
        return inspect.Parameter(declared.name, kind, default=False, annotation=annotation)
    info = typer.Option(
        *names,
        help=told.doc,
        metavar=told.metavar,
        rich_help_panel=told.section,
        show_default=False,
    )
    annotation = (
        Annotated[list[str] | None, info] if declared.default == () else Annotated[str | None, info]
    )
    return inspect.Parameter(declared.name, kind, default=None, annotation=annotation)


def _build(kind: type, typed: Mapping[str, Any]) -> object:
    return kind(**dict(_values(kind, typed)))


def _values(kind: type, typed: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    for declared in fields(kind):
        told: Flag = declared.metadata["flag"]
        value = typed[declared.name]
        if value is None or value == []:
            continue
        if isinstance(value, list):
            texts = tuple(value)
            yield declared.name, told.check(declared.name, texts) if told.check else texts
        elif told.constraint is not None:
            yield declared.name, _checked(declared.name, told, told.constraint, value)
        else:
            yield declared.name, value


def _checked(name: str, told: Flag, constraint: Constraint, text: str) -> object:
    value = from_text(constraint, text)
    if told.check is not None:
        return told.check(name, value)
    if not constraint.accepts(value):
        raise UsageError(f"`{option_name(name)}` must be {constraint.describe()}, got {value!r}")
    return value


def _float(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _whole(text: str) -> int | float | str:
    try:
        return int(text)
    except ValueError:
        value = _float(text)
        return int(value) if isinstance(value, float) and value.is_integer() else value
