from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from deepwell.report._layout import (
    COLUMNS,
    alternatives,
    display_width,
    entry,
    fit_to,
    pad,
    table,
    wrap,
)

printable = st.text(st.characters(exclude_categories=("Cc", "Cf", "Cs", "Zl", "Zp", "Zs")))


@given(st.lists(printable, max_size=30), st.integers(4, 80))
def test_wrapped_lines_fit_and_lose_nothing(words: list[str], columns: int) -> None:
    lines = wrap(" ".join(words), columns)
    assert all(display_width(line) <= columns for line in lines)
    assert "".join("".join(lines).split()) == "".join("".join(words).split())


def test_a_figure_is_not_torn_from_its_unit_or_interval() -> None:
    text = "always the same error 18.6 % [16.7, 20.7] and -1.2 [-2.4, 0.1] or 53.73 [48.55, 58.73]"
    for columns in range(22, 60):
        shown = "\n".join(wrap(text, columns))
        assert "18.6 % [16.7, 20.7]" in shown
        assert "-1.2 [-2.4, 0.1]" in shown
        assert "53.73 [48.55, 58.73]" in shown


def test_entries_hang_in_a_gutter_of_ten() -> None:
    lines = entry("data", "word " * 40, "second paragraph")
    assert lines[0].startswith("data      word")
    assert all(line.startswith(" " * 10 + "w") for line in lines[1:-1])
    assert lines[-1] == " " * 10 + "second paragraph"
    assert max(map(len, lines)) <= COLUMNS


def test_wide_and_combining_characters_count_as_the_terminal_shows_them() -> None:
    assert display_width("年齢") == 4
    assert display_width("e\N{COMBINING ACUTE ACCENT}") == 1
    assert pad("年齢", 6) == "年齢  "
    assert pad("7", 3, right=True) == "  7"
    assert fit_to("年齢年齢", 7) == "年齢..."
    assert fit_to("short", 7) == "short"


def test_commands_are_never_broken() -> None:
    few = ["deepwell test a", "deepwell report a"]
    assert alternatives("next", few) == ["next      deepwell test a | deepwell report a"]
    many = ["deepwell predict " + 30 * "x", "deepwell report " + 30 * "x"]
    assert alternatives("next", many) == ["next      " + many[0], " " * 10 + many[1]]


def test_a_table_aligns_numbers_and_wraps_its_last_column() -> None:
    lines = table(("trial", "words"), [("7", "short"), ("12", "long " * 30)], numbers=1)
    assert lines[1] == "    7  short"
    assert lines[2].startswith("   12  long long")
    assert lines[3].startswith("       long")
    assert max(map(len, lines)) <= COLUMNS
