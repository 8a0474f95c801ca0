from __future__ import annotations

import sys
from pathlib import Path

import pytest

from deepwell.lab._registry import FIGURES


def test_the_list_names_every_figure_and_what_it_shows(deepwell) -> None:
    told = deepwell("lab", "--list")
    assert told.code == 0
    for figure in FIGURES.values():
        assert f"\n{figure.name}\n" in f"\n{told.out}"
    assert max(map(len, told.out.splitlines())) <= 80
    rows = deepwell("lab", "--list", "--json").json["figures"]
    assert [row["name"] for row in rows] == list(FIGURES)
    assert all(row["shows"] and row["techniques"] for row in rows)


def test_figures_are_drawn_into_a_folder(deepwell, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "figures"
    told = deepwell("lab", "bias-correction", "losses", "-o", str(folder))
    assert told.code == 0
    assert told.out.startswith("drawn     ")
    names = {path.name for path in folder.iterdir()}
    assert names == {
        f"{name}-{style}.{form}"
        for name in ("bias-correction", "losses")
        for style in ("light", "dark")
        for form in ("png", "svg")
    }
    said = deepwell("lab", "losses", "-o", str(folder), "--json").json["figures"]
    assert [row["name"] for row in said] == ["losses"]
    assert all(Path(file).exists() for file in said[0]["files"])


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "name a figure, or all; deepwell lab --list shows them"),
        (("ravin",), 'unknown figure "ravin"; did you mean "ravine"?'),
        (("losses", "nosuch"), 'unknown figure "nosuch"'),
    ],
)
def test_wrong_usage(deepwell, tmp_path: Path, monkeypatch, arguments, told: str) -> None:
    monkeypatch.chdir(tmp_path)
    refused = deepwell("lab", *arguments)
    assert refused.code == 2
    assert refused.err.startswith(f"error: {told}")
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_place_of_the_folder(deepwell, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    refused = deepwell("lab", "losses", "-o", str(tmp_path / "file"))
    assert refused.code == 2
    assert "is no folder" in refused.err
    assert (tmp_path / "file").read_text() == "mine"


def test_without_matplotlib_it_says_what_to_install(deepwell, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    refused = deepwell("lab", "losses")
    assert refused.code == 2
    assert refused.err == (
        "error: figures are drawn by Matplotlib, which is not installed; "
        "pip install 'deepwell[lab]'\n"
    )
    assert deepwell("lab", "--list").code == 0
