"""Text from outside is harmless on a terminal, and errors use it."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepwell._base._errors import StudyError, UsageError, did_you_mean
from deepwell._base._safe_text import safe_text


@given(st.text(st.characters(codec=None)), st.integers(4, 80))
def test_it_is_one_bounded_line_without_control_codes(text: str, limit: int) -> None:
    shown = safe_text(text, limit)
    assert len(shown) <= limit
    assert len(shown.splitlines()) <= 1
    categories = {unicodedata.category(c) for c in shown}
    assert not categories & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    shown.encode("utf-8")


@given(st.text(st.characters(categories=("L", "N", "P", "S", "Zs")), max_size=60))
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert safe_text(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[31mb", "a?[31mb"),
        ("line\r\nline\u2028line", "line??line?line"),
        ("user\u202egnp.exe", "user?gnp.exe"),
        ("\ud800", "?"),
        (None, "None"),
        ("x" * 100, "x" * 57 + "..."),
    ],
)
def test_known_tricks(text: object, shown: str) -> None:
    assert safe_text(text) == shown


def test_did_you_mean_finds_near_misses_only() -> None:
    assert did_you_mean("churnd", ["churned", "age"]) == '; did you mean "churned"?'
    assert did_you_mean("zzz", ["churned", "age"]) == ""
    assert did_you_mean("age", []) == ""


def test_did_you_mean_shows_a_hostile_name_harmlessly() -> None:
    assert did_you_mean("churned", ["churned\x1b"]) == '; did you mean "churned?"?'


def test_errors_are_also_the_builtin_kind() -> None:
    assert issubclass(UsageError, ValueError)
    assert issubclass(StudyError, RuntimeError)
    assert not issubclass(StudyError, UsageError)
