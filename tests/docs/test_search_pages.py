"""The pages about searching name all there is, and their examples run as they stand."""

import re
from pathlib import Path

import pytest

import deepwell as dw
from deepwell.search import SAMPLERS

DOCS = Path(__file__).parents[2] / "docs"
TEXT = {name: (DOCS / f"{name}.md").read_text("utf-8") for name in ("search", "blackbox")}


@pytest.mark.parametrize("page", TEXT)
def test_the_examples_of_a_page_run_one_after_another(page, tmp_path, monkeypatch):
    if page == "search":
        pytest.importorskip("optuna")
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", TEXT[page], flags=re.DOTALL)
    assert len(blocks) >= 2
    names: dict = {}
    exec(compile("\n".join(blocks), page, "exec"), names)
    if page == "blackbox":
        assert names["found"].score < 0.1
        assert len(names["search"].history) == 17


@pytest.mark.parametrize("name", SAMPLERS)
def test_every_sampler_is_in_the_table(name):
    assert re.search(rf"^\| `{name}` \|", TEXT["search"], flags=re.MULTILINE)


def test_every_public_name_of_this_part_is_on_a_page():
    text = "".join(TEXT.values())
    for name in (
        "Search",
        "minimize_blackbox",
        "BlackboxResult",
        "Observation",
        "from_optuna",
        "optuna_history",
        "optuna_sampler",
    ):
        assert hasattr(dw, name)
        assert f"dw.{name}" in text
