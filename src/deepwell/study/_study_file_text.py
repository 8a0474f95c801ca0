"""A study's file as TOML: every key with a comment, those that are not set behind a #."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

from deepwell._base._safe_text import safe_text

from ._study_file import StudyFile
from ._study_file_keys import SECTIONS, Key

NAME = "study.toml"
_WORDS = 100  # of a range that is told and not kept
_COLUMN = 34  # where comments begin, if the line leaves room

_HEADS = {
    "data": "what was read and how it was split",
    "study": "how networks are searched",
    "run": "how much is trained",
}
_SPACE = """\
# what is searched: log(a,b), uniform(a,b), integer(a,b), one_minus_log(a,b), choice(a,b,...),
# per_layer(...), when(..., NAME=VALUES); a plain value is fixed for all networks
"""


def toml_text(file: StudyFile) -> str:
    """Return the file's text."""
    parts = [
        "# What deepwell fit was asked to do. Change what you like, and\n"
        "#     deepwell run study.toml\n"
        "# trains it as a new study and says what changed. A line behind # is not set.\n",
        _section("data", file.data),
        _section("study", file.study),
        _space(file),
        _section("run", file.run),
        *(f"[[try]]\n{_lines(one)}" for one in file.tries),
    ]
    return "\n".join(parts)


def _section(name: str, given: Mapping[str, Any]) -> str:
    lines = [f"[{name}]  # {_HEADS[name]}"]
    lines += [_line(key, told, given) for key, told in SECTIONS[name].items()]
    return "\n".join(lines) + "\n"


def _line(key: str, told: Key, given: Mapping[str, Any]) -> str:
    value = _toml(given[key]) if key in given else None
    line = f"# {key} =" if value is None else f"{key} = {value}"
    return f"{line:<{_COLUMN}}  # {told.doc}"


def _space(file: StudyFile) -> str:
    strange = [
        f"# {name}: {safe_text(words, _WORDS)}, a range that no file holds; write another one here"
        for name, words in file.strange.items()
    ]
    lines = [_lines(file.space).rstrip("\n"), *strange]
    return f"{_SPACE}[space]\n" + "\n".join(line for line in lines if line) + "\n"


def _lines(values: Mapping[str, Any]) -> str:
    told = ((name, _toml(value)) for name, value in values.items())
    return "".join(f"{name} = {text}\n" for name, text in told if text is not None)


def _toml(value: object) -> str | None:
    """Return a value in TOML, None for what it cannot hold, as a name that is no Unicode."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):  # NumPy's numbers are their own text otherwise
        return repr(int(value) if isinstance(value, int) else float(value))
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            return None
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, list | tuple):
        items = [_toml(one) for one in cast(Sequence[object], value)]
        return None if None in items else "[" + ", ".join(str(one) for one in items) + "]"
    if isinstance(value, Mapping):
        told = cast(Mapping[object, object], value)
        pairs = ((_toml(str(k)), _toml(v)) for k, v in told.items())
        return "{" + ", ".join(f"{key} = {text}" for key, text in pairs) + "}"
    return json.dumps(safe_text(value))
