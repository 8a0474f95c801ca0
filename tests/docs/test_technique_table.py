"""The page of techniques claims exactly what marked tests prove."""

from __future__ import annotations

import re

import pytest
import technique_table as table

MARKED = """
import pytest

@pytest.mark.proves("N6", "O8", "formula")
@pytest.mark.parametrize("a", [pytest.param(1, marks=pytest.mark.proves("N7", "gradient"))])
def test_one(a): ...
"""


def test_a_mark_claims_each_technique_by_each_check() -> None:
    made = {(c.technique, c.check, c.test) for c in table.claims_in(MARKED, "tests/test_a.py")}
    one = "test_one"
    assert made == {("N6", "formula", one), ("O8", "formula", one), ("N7", "gradient", one)}


@pytest.mark.parametrize(
    "wrong",
    [
        MARKED.replace("N6", "N99"),
        MARKED.replace('"formula"', '"formulas"'),
        MARKED.replace('"N6", "O8", ', ""),
        MARKED.replace(', "formula"', ""),
        MARKED.replace('"formula"', "check"),
        MARKED.replace("test_one", "helper"),
        MARKED + 'pytestmark = pytest.mark.proves("N6", "formula")',
    ],
)
def test_a_mark_that_means_nothing_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"tests/test_a\.py:\d+: "):
        list(table.claims_in(wrong, "tests/test_a.py"))


def test_a_cell_without_a_proof_is_open() -> None:
    made = list(table.claims_in(MARKED, "tests/test_a.py"))
    left = table.open_cells(made)
    assert ("N6", "formula") not in left
    assert ("N6", "gradient") in left
    assert ("R3", "gradient") not in left  # says why it cannot apply
    shown = next(line for line in table.page(made).splitlines() if line.startswith("| N6 "))
    assert "[a](../tests/test_a.py) 1" in shown
    assert shown.count(table.NOT_YET) == 4


def test_no_reason_stands_where_a_test_proves() -> None:
    reasons = {
        (row.id, check)
        for rows in table.sections().values()
        for row in rows
        for check in row.reasons
    }
    both = sorted(reasons & {(c.technique, c.check) for c in table.claims()})
    assert not both, f"remove the reason of {both} from docs/techniques.toml"


def test_the_page_is_made_from_the_marks_of_today() -> None:
    written = table.PAGE.read_text("utf-8")
    assert written == table.page(table.claims()), "run `make techniques`"


def test_links_of_the_page_lead_somewhere() -> None:
    links = re.findall(r"\]\(([\w./-]+)\)", table.PAGE.read_text("utf-8"))
    assert links
    assert all((table.PAGE.parent / link).exists() for link in links)
