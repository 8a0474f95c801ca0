"""The rules of the house as functions over {module: source}: each returns its violations.

A module is named by its path, `deepwell.data._load`; a facade ends in `.__init__`. Nothing is
imported, so that the rules are fast and can be tried on planted sources.
"""

from __future__ import annotations

import ast
import functools
import graphlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]

FLOORS = {
    "_base": 0,
    "_jax": 1,
    "_native": 1,
    "records": 1,
    "data": 2,
    "networks": 2,
    "optimization": 2,
    "diagnosis": 2,
    "search": 2,
    "storage": 2,
    "training": 3,
    "report": 3,
    "checking": 4,
    "dashboard": 4,
    "execution": 5,
    "lab": 6,
    "study": 6,
    "cli": 7,
    "estimators": 7,
    "testing": 7,
    "__init__": 8,
    "__main__": 8,
}
ARRAYS = {"_jax", "_native", "data", "networks", "optimization", "training", "checking"}
RECORDS = {"records", "diagnosis", "search", "storage", "report", "dashboard"}
ACROSS = {("data", "records")}  # the one step from column to column below `execution`

JAX = {"jax", "jaxlib", "optax"}
JAX_PACKAGES = {
    "_jax", "networks", "optimization", "training", "checking", "execution", "testing",
}  # fmt: skip
JAX_MODULES = {"deepwell.data._augment"}

VAULT_READER = "deepwell.data._vault_reader"
SHARED_FACADE = "deepwell.records"
SAYS_THE_VERSION = {"cli", "__main__"}
IMPORTS_BY_NAME = {"deepwell._base._lazy"}

Modules = Mapping[str, str]


def read_modules(root: Path = ROOT / "src") -> dict[str, str]:
    """Return every module of the source tree."""
    return {
        ".".join(path.relative_to(root).with_suffix("").parts): path.read_text("utf-8")
        for path in sorted(root.rglob("*.py"))
    }


@functools.cache
def parse(source: str) -> ast.Module:
    return ast.parse(source)


@dataclass(frozen=True)
class Import:
    """One import: who, what, on which line, and when it is carried out.

    `when` is `top`, `call` (inside a function) or `types` (under `TYPE_CHECKING`).
    """

    module: str
    target: str
    names: tuple[str, ...]
    line: int
    when: str

    def __str__(self) -> str:
        return f"{self.module}:{self.line} imports {self.target}"


def package(module: str) -> str:
    """Return the part of a Deepwell module's name that has a floor."""
    return module.split(".")[1] if "." in module else "__init__"


def is_facade(target: str) -> bool:
    return target.endswith(".__init__") or target.count(".") < 2


def imports(modules: Modules) -> Iterator[Import]:
    """Yield every import, `from x import y` as `x.y` where that is a module."""
    for module, source in modules.items():
        yield from _imports_below(parse(source), module, "top", modules)


def _imports_below(node: ast.AST, module: str, when: str, modules: Modules) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            for alias in child.names:
                yield Import(module, _facade_or(alias.name, modules), (), child.lineno, when)
        elif isinstance(child, ast.ImportFrom):
            yield from _from_imports(child, module, when, modules)
        elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            yield from _imports_below(child, module, "types", modules)
        else:
            deferred = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            inner = "call" if deferred and when == "top" else when
            yield from _imports_below(child, module, inner, modules)


def _from_imports(
    node: ast.ImportFrom, module: str, when: str, modules: Modules
) -> Iterator[Import]:
    above = module.split(".")[: -node.level] if node.level else []
    base = ".".join([*above, *([node.module] if node.module else [])])
    own: list[str] = []
    for alias in node.names:
        inner = _facade_or(f"{base}.{alias.name}", modules)
        if inner in modules:
            yield Import(module, inner, (alias.name,), node.lineno, when)
        else:
            own.append(alias.name)
    if own:
        yield Import(module, _facade_or(base, modules), tuple(own), node.lineno, when)


def _facade_or(target: str, modules: Modules) -> str:
    return f"{target}.__init__" if f"{target}.__init__" in modules else target


def _inside(modules: Modules) -> Iterator[Import]:
    return (i for i in imports(modules) if i.target.split(".")[0] == "deepwell")


def floors(modules: Modules) -> list[str]:
    """A package imports only from lower floors, never sideways, never the facade of all."""
    found = [
        f"{module}: package {package(module)!r} has no floor"
        for module in modules
        if package(module) not in FLOORS
    ]
    for i in _inside(modules):
        here, there = package(i.module), package(i.target)
        if here == there != "__init__" or here not in FLOORS:
            continue
        if there == "__init__":
            if here not in SAYS_THE_VERSION or i.names != ("__version__",):
                found.append(f"{i}: nobody imports the facade from inside")
        elif there not in FLOORS:
            found.append(f"{i}: package {there!r} has no floor")
        elif FLOORS[there] >= FLOORS[here]:
            found.append(f"{i}: floor {FLOORS[here]} may not reach floor {FLOORS[there]}")
    return found


def columns(modules: Modules) -> list[str]:
    """Arrays and records meet in `execution` only."""
    return [
        f"{i}: arrays and records meet in `execution` only"
        for i in _inside(modules)
        for here, there in [(package(i.module), package(i.target))]
        if (here in ARRAYS and there in RECORDS) or (here in RECORDS and there in ARRAYS)
        if (here, there) not in ACROSS
    ]


def jax_only_where_arrays_are(modules: Modules) -> list[str]:
    """JAX is imported, even late or for types, by the packages of compiled arrays alone."""
    return [
        f"{i}: only {', '.join(sorted(JAX_PACKAGES))} may"
        for i in imports(modules)
        if i.target.split(".")[0] in JAX
        and package(i.module) not in JAX_PACKAGES
        and i.module not in JAX_MODULES
    ]


def vault(modules: Modules) -> list[str]:
    """Only `study` imports, or names as a module, the reader of the sealed test set."""
    found = [
        f"{i}: only `study` may read the vault"
        for i in _inside(modules)
        if i.target == VAULT_READER or i.target.startswith(f"{VAULT_READER}.")
        if package(i.module) != "study"
    ]
    named = re.compile(r"[\w.]*\b_vault_reader")
    for module, source in modules.items():
        if package(module) != "study":
            found += [
                f"{module}:{node.lineno} names {node.value!r}: only `study` may read the vault"
                for node in ast.walk(parse(source))
                if isinstance(node, ast.Constant)
                and isinstance(node.value, str)
                and named.fullmatch(node.value)
            ]
    return found


def private_files(modules: Modules) -> list[str]:
    """Imports address the private file, never a facade at or above the own folder.

    The facade of `records` may be used by other packages, any facade by the facade of all.
    """
    found: list[str] = []
    for i in _inside(modules):
        folder = i.module.rpartition(".")[0]
        target = i.target.removesuffix(".__init__")
        file = target.rpartition(".")[2]
        if package(i.module) in ("__init__", "__main__") or target == "deepwell":
            continue
        if is_facade(i.target):
            if folder == target or folder.startswith(f"{target}."):
                found.append(f"{i}: a facade at or above the own folder")
            elif target != SHARED_FACADE and not target.startswith(f"{folder}."):
                found.append(f"{i}: address the private file, not the facade")
        elif package(i.module) != package(i.target) and not file.startswith("_"):
            found.append(f"{i}: address a private file")
    return found


def imports_by_name(modules: Modules) -> list[str]:
    """Modules are imported by statement, which these rules can see, but for the lazy facades."""
    hidden = {"import_module", "__import__"}
    return [
        f"{module}:{node.lineno} imports by name: write an import statement"
        for module, source in modules.items()
        if module not in IMPORTS_BY_NAME
        for node in ast.walk(parse(source))
        if isinstance(node, ast.Call)
        if ast.unparse(node.func).rpartition(".")[2] in hidden
    ]


def cycles(modules: Modules) -> list[str]:
    """No module needs itself to be imported (late imports and imports for types apart)."""
    graph: dict[str, set[str]] = {module: set() for module in modules}
    for i in _inside(modules):
        if i.when == "top" and i.target in modules:
            graph[i.module].add(i.target)
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        return ["import cycle: " + " <- ".join(error.args[1])]
    return []
