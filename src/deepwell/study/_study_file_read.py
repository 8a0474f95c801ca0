"""Reading a study's file: what is wrong with it is one sentence with the line."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from deepwell._base._errors import UsageError, did_you_mean
from deepwell._base._hyperparameters import validate
from deepwell._base._safe_text import safe_text
from deepwell.search.spaces._parse import parse_entry
from deepwell.storage._files import read_error

from ._study_file import StudyFile
from ._study_file_keys import SECTIONS, SPACE, TRY

_LARGEST = 1_000_000
_LARGEST_NUMBER = 2**128  # more than any seed has
_HEAD = re.compile(r"\s*\[{1,2}\s*([A-Za-z0-9_-]+)\s*\]{1,2}")
_KEY = re.compile(r"""\s*(["']?)([^"'=\s]+)\1\s*=""")
_PATHS = ("source", "dev", "test")


@dataclass(frozen=True)
class _Text:
    """A file's name for messages, and on which line each of its keys stands."""

    name: str
    lines: Mapping[tuple[str, str], int]

    def wrong(self, section: str, key: str, what: object) -> UsageError:
        line = self.lines.get((section, key))
        where = self.name if line is None else f"{self.name}, line {line}"
        return UsageError(f"{where}: {what}")


def read_study_file(path: str | Path) -> StudyFile:
    """Return what a study's file says, each value of the right kind, paths absolute.

    Paths in it are relative to its own folder.

    Raises:
        UsageError: when there is no such file, it is no TOML, or names what there is not.
    """
    file = Path(path)
    text = _read(file)
    name = safe_text(file, 200)
    try:
        content = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # also a number of very many digits
        raise UsageError(f"{name} is no TOML: {safe_text(error, 200)}") from error
    told = _Text(name, lines_of(text))
    known = (*SECTIONS, SPACE, TRY)
    for section in content:
        if section not in known:
            hint = did_you_mean(section, known)
            raise told.wrong(
                *(section, ""),
                f'unknown section "{safe_text(section)}"{hint or ";"} sections: {", ".join(known)}',
            )
    _require_numbers(told, content)
    read = {section: _checked(told, section, content.get(section, {})) for section in SECTIONS}
    data = {key: _absolute(file, key, value) for key, value in read["data"].items()}
    if "source" not in data:
        raise UsageError(f'{name} names no data; write source = "churn.csv" under [data]')
    return StudyFile(
        data=data,
        study=read["study"],
        space=_space(told, content.get(SPACE, {})),
        run=read["run"],
        tries=tuple(_tries(told, content.get(TRY, []))),
    )


def _read(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            content = opened.read(_LARGEST + 1)
        text = content[:_LARGEST].decode("utf-8-sig")
    except OSError as error:
        raise read_error(error, file) from error
    except ValueError as error:  # no UTF-8, or a NUL in the path
        raise UsageError(f"{safe_text(file, 200)} is no text in UTF-8") from error
    if len(content) > _LARGEST:
        raise UsageError(f"{safe_text(file, 200)} is too large to describe a study")
    return text


def lines_of(text: str) -> dict[tuple[str, str], int]:
    """Return (section, key) -> its line; the section's own line has an empty key."""
    found: dict[tuple[str, str], int] = {}
    section = ""
    for number, line in enumerate(text.splitlines(), start=1):
        head, key = _HEAD.match(line), _KEY.match(line)
        if head:
            section = head[1]
            found.setdefault((section, ""), number)
        elif key:
            found.setdefault((section, key[2]), number)
    return found


def _checked(told: _Text, section: str, given: Any) -> dict[str, Any]:
    """Return the values of a section, each of the kind that it must be."""
    _require_table(told, section, given)
    keys = SECTIONS[section]
    for key, value in given.items():
        if key not in keys:
            hint = did_you_mean(key, keys)
            raise told.wrong(
                *(section, key),
                f'unknown key "{safe_text(key)}" in [{section}]{hint or ";"} keys: '
                f"{', '.join(keys)}",
            )
        try:
            keys[key].check(value)
        except UsageError as error:
            raise told.wrong(section, key, f'"{key}" {safe_text(error, 200)}') from None
    return dict(given)


def _space(told: _Text, given: Any) -> dict[str, Any]:
    """Return name -> distribution or value; a list is the units, or rates, of each layer."""
    _require_table(told, SPACE, given)
    entries: dict[str, Any] = {}
    for name, value in given.items():
        try:
            if isinstance(value, str):
                entries[name] = parse_entry(f"{name}={value}")[1]
            else:
                entries[name] = validate(name, value)
        except UsageError as error:
            raise told.wrong(SPACE, name, error) from None
    return entries


def _tries(told: _Text, given: Any) -> list[dict[str, Any]]:
    wrong = "configurations to try stand under [[try]], in two brackets"
    if not isinstance(given, list):
        raise told.wrong(TRY, "", wrong)
    found: list[dict[str, Any]] = []
    for values in cast(list[Any], given):
        if not isinstance(values, dict):
            raise told.wrong(TRY, "", wrong)
        one: dict[str, Any] = {}
        for name, value in cast(dict[str, Any], values).items():
            try:
                one[name] = validate(name, value)
            except UsageError as error:
                raise told.wrong(TRY, name, error) from None
        found.append(one)
    return found


def _require_table(told: _Text, section: str, given: Any) -> None:
    if not isinstance(given, dict):
        raise told.wrong("", section, f"{section} must be a section, as in [{section}]")


def _require_numbers(told: _Text, content: Mapping[str, Any]) -> None:
    """Refuse numbers that no option takes and that could not even be shown."""
    for section, given in content.items():
        for table in cast(list[Any], given if isinstance(given, list) else [given]):
            for key, value in cast(
                dict[str, Any], table if isinstance(table, dict) else {}
            ).items():
                if not _is_usual(value):
                    raise told.wrong(
                        *(section, key), f'"{safe_text(key)}" must be finite, and less than 2^128'
                    )


def _is_usual(value: Any) -> bool:
    """Whether a value holds no infinite, undefined or gigantic number."""
    if isinstance(value, dict):
        return all(map(_is_usual, cast(dict[str, Any], value).values()))
    if isinstance(value, list):
        return all(map(_is_usual, cast(list[Any], value)))
    if isinstance(value, float):
        return math.isfinite(value)
    return not isinstance(value, int) or abs(value) < _LARGEST_NUMBER


def _absolute(file: Path, key: str, value: Any) -> Any:
    """Return a path as seen from the file's folder; numbers and shares as they are."""
    if key not in _PATHS or not isinstance(value, str):
        return value
    try:
        float(value)
        return value  # a number of rows, or a share
    except ValueError:
        return str(file.absolute().parent / value)
