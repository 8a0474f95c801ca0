"""Sizes, names, unsafe calls, facades and foreign texts; each rule is first seen to fail."""

from __future__ import annotations

from collections.abc import Callable

import craft
import house
import pytest

MODULES = house.read_modules()
Rule = Callable[[house.Modules], list[str]]

RULES: list[Rule] = [craft.too_large, craft.vague_names, craft.unsafe_calls, craft.facades]


def _nested(levels: int) -> str:
    lines = [f"{'    ' * (n + 1)}if a{n}:" for n in range(levels)]
    return "\n".join(["def f():", *lines, "    " * (levels + 1) + "pass"])


def _signature(parameters: int) -> str:
    return f"def f(self, {', '.join(f'a{n}' for n in range(parameters))}): ..."


FACADE = "deepwell.data.__init__"
FILE = "deepwell.data._load"
FOR_USERS = {"deepwell.__init__": "g, d = lazy_names(__name__, {'f': '.data._load'})"}

PLANTED: list[tuple[Rule, house.Modules]] = [
    (craft.too_large, {FILE: "x = 1\n" * 601}),
    (craft.too_large, {FILE: "def f():\n" + "    x = 1\n" * 120}),
    (craft.too_large, {FILE: "class A:\n    async def f(self):\n" + "        x = 1\n" * 120}),
    (craft.too_large, {FILE: _nested(7)}),
    (craft.too_large, {FILE: _signature(13)}),
    (craft.too_large, {FILE: _signature(6).replace("a5", "*, " + ", ".join("bcdefghi"))}),
    (craft.too_large, {**FOR_USERS, FILE: _signature(21)}),
    (craft.too_large, {**FOR_USERS, FILE: _signature(13).replace("f(", "g(")}),
    (craft.vague_names, {"deepwell.data.utils": ""}),
    (craft.vague_names, {"deepwell.data._helpers": ""}),
    (craft.vague_names, {"deepwell.utils.__init__": ""}),
    (craft.unsafe_calls, {FILE: "import pickle"}),
    (craft.unsafe_calls, {FILE: "def f():\n    from joblib import load"}),
    (craft.unsafe_calls, {FILE: "eval('1')"}),
    (craft.unsafe_calls, {FILE: "f(lambda s: exec(s))"}),
    (craft.unsafe_calls, {FILE: "builtins.eval('1')"}),
    (craft.unsafe_calls, {FILE: "np.load(path)"}),
    (craft.unsafe_calls, {FILE: "numpy.load(path, allow_pickle=True)"}),
    (craft.unsafe_calls, {FILE: "pandas.read_pickle(path)"}),
    (craft.facades, {FILE: ""}),
    (craft.facades, {FACADE: "from ._gone import a as a"}),
    (craft.facades, {FACADE: "from ._load import a as a", FILE: "b = 1"}),
    (craft.facades, {FACADE: "from ._load import a as a", FILE: "def a(): ..."}),
    (craft.facades, {FACADE: "g, d = lazy_names(__name__, {'a': '._gone'})"}),
    (craft.facades, {FACADE: "g, d = lazy_names(__name__, {'a': '._load'})", FILE: "class a: ..."}),
    (
        craft.facades,
        {FACADE: "from ._load import A as A", FILE: "class A:\n    'x'\n    def f(self): ..."},
    ),
    (
        craft.facades,
        {"deepwell.__init__": "from .data import a as a", FACADE: "from ._load import b as b"},
    ),
]

LEFT_ALONE: list[tuple[Rule, house.Modules]] = [
    (craft.too_large, {FILE: f"def f():\n    '''x{chr(10) * 200}'''\n    return 1"}),
    (craft.too_large, {FILE: _nested(6)}),
    (craft.too_large, {FILE: "if a: pass\n" + "elif b: pass\n" * 20}),
    (craft.too_large, {**FOR_USERS, FILE: _signature(20)}),
    (craft.too_large, {FILE: "class Options:\n" + "    a: int = 1\n" * 40}),
    (craft.unsafe_calls, {FILE: "np.load(path, allow_pickle=False)\nmodel.eval()\nimport json"}),
    (craft.facades, {FACADE: "from ._load import a as a", FILE: "def a():\n    'Say what.'"}),
    (craft.facades, {FACADE: "from ._load import a as a", FILE: "a: int = 1"}),
    (
        craft.facades,
        {
            "deepwell.__init__": "g, d = lazy_names(__name__, {'a': '.data'})",
            FACADE: "from ._load import a as a",
            FILE: "class a:\n    'Say what.'\n    def _f(self): ...",
        },
    ),
]


@pytest.mark.parametrize(("rule", "modules"), PLANTED)
def test_a_planted_violation_is_found(rule: Rule, modules: house.Modules) -> None:
    assert len(rule(modules)) == 1


@pytest.mark.parametrize(("rule", "modules"), LEFT_ALONE)
def test_good_craft_is_left_alone(rule: Rule, modules: house.Modules) -> None:
    assert rule(modules) == []


def test_sizes_warn_before_they_fail() -> None:
    modules = {FILE: "def f(a, b, c, d, e, g, h, i):\n" + "    x = 1\n" * 60}
    assert [size.value for size in craft.sizes(modules)] == [61, 8]
    assert craft.too_large(modules) == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_house_keeps_the_rule(rule: Rule) -> None:
    found = rule(MODULES)
    assert not found, "\n".join(found)


# Put together from halves, so that this file passes its own rule.
FOREIGN = [
    "https://" + "pypi" + ".org/simple",
    "pip install --extra-" + "index-url X",
    "https://reg" + "istry.npm" + "js.org/uplot",
    "see /ro" + "ot/project/file",
    'path = "/ho' + 'me/someone/data.csv"',
]


@pytest.mark.parametrize("line", FOREIGN)
def test_a_planted_foreign_text_is_found(line: str) -> None:
    assert len(craft.foreign_texts({"docs/page.md": f"first\n{line}\n"})) == 1


@pytest.mark.parametrize("line", ["src/work/file", "~/home/x", "GET /api/home/x", "a / work / b"])
def test_ordinary_paths_are_left_alone(line: str) -> None:
    assert craft.foreign_texts({"docs/page.md": line}) == []


def test_files_name_no_registry_and_no_machine() -> None:
    texts = craft.read_texts()
    assert {"pyproject.toml", "src/deepwell/__init__.py"} <= set(texts)
    found = craft.foreign_texts(texts)
    assert not found, "\n".join(found)
