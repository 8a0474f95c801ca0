"""The registry is a mapping whose misses say what exists."""

from __future__ import annotations

import pytest

from deepwell._base._errors import UsageError
from deepwell._base._registry import Registry

SHAPES = Registry("shape", {"square": 4, "triangle": 3})


def test_it_is_a_mapping_in_the_given_order() -> None:
    assert dict(SHAPES) == {"square": 4, "triangle": 3}
    assert list(SHAPES) == ["square", "triangle"]
    assert len(SHAPES) == 2


def test_absence_is_asked_for_as_in_any_mapping() -> None:
    assert "square" in SHAPES
    assert "circle" not in SHAPES
    assert SHAPES.get("circle") is None
    assert SHAPES.get("circle", 0) == 0


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("sqare", 'unknown shape "sqare"; did you mean "square"? choose one of square, triangle'),
        ("\x1b[1m", 'unknown shape "?[1m"; choose one of square, triangle'),
    ],
)
def test_a_miss_says_what_exists(name: str, text: str) -> None:
    with pytest.raises(UsageError) as caught:
        SHAPES[name]
    assert str(caught.value) == text
    assert isinstance(caught.value, KeyError)


def test_what_was_given_may_change_later_without_effect() -> None:
    given = {"a": 1}
    registry = Registry("letter", given)
    given["b"] = 2
    assert list(registry) == ["a"]
