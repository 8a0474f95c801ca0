"""The floors, the columns and the imports; each rule is first tried on planted violations."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import house
import pytest

MODULES = house.read_modules()
Rule = Callable[[house.Modules], list[str]]

RULES: list[Rule] = [
    house.floors,
    house.columns,
    house.jax_only_where_arrays_are,
    house.vault,
    house.private_files,
    house.imports_by_name,
    house.cycles,
]

HOME = {
    "deepwell.__init__": "",
    "deepwell._base.__init__": "",
    "deepwell._base._errors": "class UsageError(Exception): ...",
    "deepwell.records.__init__": "from ._trial import Trial as Trial",
    "deepwell.records._trial": "from deepwell._base._errors import UsageError",
    "deepwell.data.__init__": "from ._load import load as load",
    "deepwell.data._load": "from deepwell.records import Trial\nfrom ._vault import seal",
    "deepwell.data._vault": "",
    "deepwell.data._vault_reader": "",
    "deepwell.training.__init__": "",
    "deepwell.training._step": "import jax\nfrom deepwell.data._load import load",
    "deepwell.study.__init__": "",
    "deepwell.study._open": "from deepwell.data._vault_reader import read",
    "deepwell.cli.__init__": "from deepwell import __version__",
}

PLANTED: list[tuple[Rule, str, str]] = [
    (house.floors, "deepwell.data._x", "from deepwell.training._step import step"),
    (house.floors, "deepwell.data._x", "import deepwell.training._step"),
    (house.floors, "deepwell.data._x", "from ..training._step import step"),
    (house.floors, "deepwell.data._x", "def f():\n    from deepwell.study._open import o"),
    (
        house.floors,
        "deepwell.data._x",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import deepwell.study._open",
    ),
    (house.floors, "deepwell.data._x", "from deepwell.networks._mlp import mlp"),
    (house.floors, "deepwell.training._x", "import deepwell"),
    (house.floors, "deepwell.training._x", "from deepwell import load"),
    (house.floors, "deepwell.training._x", "from .. import load"),
    (house.floors, "deepwell.cli._x", "from deepwell import load"),
    (house.floors, "deepwell.cli._x", "from deepwell.testing._suite import suite"),
    (house.floors, "deepwell.novelties._x", ""),
    (house.floors, "deepwell.study._x", "from deepwell.novelties._x import x"),
    (house.columns, "deepwell.training._x", "from deepwell.records import Trial"),
    (house.columns, "deepwell.checking._x", "from deepwell.diagnosis._gaps import gaps"),
    (house.columns, "deepwell.report._x", "from deepwell.data._load import load"),
    (house.jax_only_where_arrays_are, "deepwell.study._x", "import jax.numpy as jnp"),
    (house.jax_only_where_arrays_are, "deepwell.data._x", "def f():\n    from jax import jit"),
    (house.jax_only_where_arrays_are, "deepwell.search._x", "import optax"),
    (house.vault, "deepwell.training._x", "from deepwell.data._vault_reader import read"),
    (house.vault, "deepwell.data._x", "from . import _vault_reader"),
    (house.vault, "deepwell.data.__init__", "from ._vault_reader import read as read"),
    (house.vault, "deepwell.data.__init__", "lazy_names(__name__, {'r': '._vault_reader'})"),
    (house.vault, "deepwell.execution._x", "load('deepwell.data._vault_reader')"),
    (house.private_files, "deepwell.training._x", "from deepwell.data import load"),
    (house.private_files, "deepwell.training._x", "import deepwell.data"),
    (house.private_files, "deepwell.data._x", "from deepwell.data import load"),
    (house.private_files, "deepwell.data._x", "from . import load"),
    (house.private_files, "deepwell.data.tables._x", "from .. import load"),
    (house.private_files, "deepwell.records._x", "from deepwell.records import Trial"),
    (house.private_files, "deepwell.study._x", "from deepwell.data.load import load"),
    (house.imports_by_name, "deepwell.study._x", "importlib.import_module('jax')"),
    (house.imports_by_name, "deepwell.study._x", "def f():\n    __import__('jax')"),
    (house.cycles, "deepwell.data._vault", "from ._load import load"),
    (house.cycles, "deepwell.data._vault", "if True:\n    from ._load import load"),
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_well_built_house_is_left_alone(rule: Rule) -> None:
    assert rule(HOME) == []


@pytest.mark.parametrize(("rule", "module", "source"), PLANTED)
def test_a_planted_violation_is_found(rule: Rule, module: str, source: str) -> None:
    found = rule({**HOME, module: source})
    assert len(found) == 1
    assert module in found[0]


def test_late_and_type_imports_make_no_cycle() -> None:
    late = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from ._load import a\n"
    late += "def f():\n    from ._load import b"
    assert house.cycles({**HOME, "deepwell.data._vault": late}) == []


def test_a_docstring_may_speak_of_the_vault_reader() -> None:
    assert house.vault({"deepwell.data._x": '"""Read back by `_vault_reader` alone."""'}) == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_house_keeps_the_rule(rule: Rule) -> None:
    found = rule(MODULES)
    assert not found, "\n".join(found)


def test_records_data_and_commands_load_no_jax() -> None:
    packages = house.RECORDS | {"__init__", "_base", "data", "cli"}
    names = [
        module.removesuffix(".__init__")
        for module in MODULES
        if house.package(module) in packages and module not in house.JAX_MODULES
    ]
    assert "deepwell.records._trial" in names
    program = f"import importlib, sys\nfor m in {names}: importlib.import_module(m)\n"
    program += "print([m for m in ('jax', 'jaxlib', 'optax') if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert (done.stdout.strip(), done.returncode) == ("[]", 0), done.stderr
