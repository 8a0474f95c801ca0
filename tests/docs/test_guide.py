"""The guide: every page has the same parts, its examples run, its names exist."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest
import technique_table as table

import deepwell as dw
from deepwell.lab._registry import FIGURES

GUIDE = Path(__file__).parents[2] / "docs" / "guide"
PAGES = sorted(path for path in GUIDE.glob("*.md") if path.stem != "README")
SHOWN = (
    "bayesian",
    "checking",
    "diagnosis",
    "importance",
    "not-a-number",
    "predictions",
    "testing",
)
TESTED = [GUIDE.parent / f"{name}.md" for name in SHOWN]
PARTS = ["What", "Formula", "When to use", "In Deepwell", "Figure", "Source"]
ROWS = [row for rows in table.sections().values() for row in rows]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> dw.Data:
    folder = tmp_path_factory.mktemp("iris")
    dw.write_sample("iris", folder / "iris.csv")
    return dw.load(folder / "iris.csv", target="label", vault=folder / "vault")


@pytest.mark.parametrize("page", [*PAGES, *TESTED], ids=lambda page: page.stem)
def test_examples_run(page: Path, data, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = page.read_text("utf-8")
    example = doctest.DocTestParser().get_doctest(
        text, {"dw": dw, "data": data}, page.stem, str(page), 0
    )
    assert example.examples, "a page shows the technique at work"
    said: list[str] = []
    options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    doctest.DocTestRunner(optionflags=options).run(example, out=said.append)
    assert not said, "".join(said)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_parts_and_names(page: Path) -> None:
    text = page.read_text("utf-8")
    assert re.findall(r"^## (.+)$", text, flags=re.MULTILINE) == PARTS
    ids = {row.id for row in ROWS if row.guide == page.stem}
    assert ids, "docs/techniques.toml names no technique of this page"
    title = re.match(r"# .+ \((.+)\)\n", text)
    assert title, "the title ends in the ids of the page's techniques"
    assert set(title[1].split(", ")) == ids
    for name in re.findall(r"`deepwell lab ([\w-]+)`", text):
        assert name in FIGURES, f"there is no figure {name}"
    assert max(map(len, text.splitlines())) <= 120


@pytest.mark.parametrize("page", [*PAGES, GUIDE / "README.md"], ids=lambda page: page.stem)
def test_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([\w./-]+)\)", page.read_text("utf-8")):
        assert (GUIDE / link).exists(), link


def test_the_contents_list_every_page() -> None:
    listed = re.findall(r"\]\(([\w-]+)\.md\)", (GUIDE / "README.md").read_text("utf-8"))
    assert sorted(listed) == sorted(page.stem for page in PAGES)


def test_the_suites_are_all_on_their_page() -> None:
    import deepwell.testing

    text = (GUIDE.parent / "testing.md").read_text("utf-8")
    assert [name for name in dir(deepwell.testing) if f"`{name}" not in text] == []


def test_every_figure_of_the_lab_is_on_a_page() -> None:
    text = "".join(page.read_text("utf-8") for page in GUIDE.glob("*.md"))
    assert {name for name in FIGURES if f"`deepwell lab {name}`" not in text} == set()
