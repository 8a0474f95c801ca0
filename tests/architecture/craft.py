"""The rules of the craft: sizes, names, calls that never land, facades, what files may name.

Like the rules of `house`, functions over {module: source} that return violations.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from house import ROOT, Modules, package, parse

Function = ast.FunctionDef | ast.AsyncFunctionDef
Definition = Function | ast.ClassDef

VAGUE_NAMES = {"utils", "util", "helpers", "helper", "common", "misc"}
UNSAFE_MODULES = {"pickle", "cPickle", "cloudpickle", "dill", "joblib", "shelve", "marshal"}
UNSAFE_CALLS = {"eval", "exec"}
SCRIPTS = {"deepwell.storage.migrations"}  # run by path, by Alembic; nothing imports them


@dataclass(frozen=True)
class Size:
    """A length in one place, with the lengths that warn and that fail."""

    where: str
    what: str
    value: int
    warns: int
    fails: int

    def __str__(self) -> str:
        return f"{self.where}: {self.value} {self.what}, about {self.warns} is meant"


def sizes(modules: Modules) -> list[Size]:
    """Return every size of style.md that is above what is meant."""
    return [size for size in _all_sizes(modules) if size.value > size.warns]


def too_large(modules: Modules) -> list[str]:
    """Sizes stay below the lengths that fail."""
    return [str(size) for size in sizes(modules) if size.value > size.fails]


def _all_sizes(modules: Modules) -> Iterator[Size]:
    for_users = set(exported("deepwell.__init__", modules.get("deepwell.__init__", "")).values())
    for module, source in modules.items():
        yield Size(module, "lines in the file", len(source.splitlines()), 400, 600)
        tree = parse(source)
        called_by_users = {
            made
            for one in ast.walk(tree)
            if isinstance(one, Function | ast.ClassDef) and (module, one.name) in for_users
            for made in ([one] if isinstance(one, Function) else one.body)
        }
        for node in ast.walk(tree):
            if isinstance(node, Function):
                where = f"{module}:{node.lineno} {node.name}"
                yield Size(where, "lines in the function", _body_lines(node), 60, 120)
                yield Size(where, "levels of nesting", _nesting(node), 4, 6)
                # What users call takes its options by name, as the command line does.
                most = 20 if node in called_by_users else 12
                yield Size(where, "parameters", _parameters(node), 7, most)


def _body_lines(node: Function) -> int:
    """Lines of the function less its docstring; signature and inner functions count."""
    length = (node.end_lineno or node.lineno) - node.lineno + 1
    if ast.get_docstring(node, clean=False) is None:
        return length
    text = node.body[0]
    return length - ((text.end_lineno or text.lineno) - text.lineno + 1)


def _nesting(node: ast.AST) -> int:
    """Blocks within blocks; an `elif` stands beside its `if`, an inner function starts anew."""
    deepest = 0
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Definition):
            continue
        block = isinstance(child, ast.If | ast.For | ast.While | ast.With | ast.Try | ast.Match)
        beside = isinstance(node, ast.If) and isinstance(child, ast.If) and child in node.orelse
        deepest = max(deepest, _nesting(child) + (block and not beside))
    return deepest


def _parameters(node: Function) -> int:
    a = node.args
    named = [*a.posonlyargs, *a.args, *a.kwonlyargs]
    return len([p for p in named if p.arg not in ("self", "cls")])


def vague_names(modules: Modules) -> list[str]:
    """A module is named for what it holds."""
    return [
        f"{module}: name it for what it holds"
        for module in modules
        if VAGUE_NAMES & {part.strip("_") for part in module.split(".")}
    ]


def unsafe_calls(modules: Modules) -> list[str]:
    """Nothing that comes from a disk is run: no pickle, no eval, arrays without objects."""
    return [
        f"{module}:{node.lineno} {wrong}"
        for module, source in modules.items()
        for node in ast.walk(parse(source))
        if (wrong := _unsafe(node))
    ]


def _unsafe(node: ast.AST) -> str:
    if isinstance(node, ast.Import):
        named = {alias.name.split(".")[0] for alias in node.names}
    elif isinstance(node, ast.ImportFrom):
        named = {(node.module or "").split(".")[0]}
    else:
        named = set[str]()
    if unsafe := named & UNSAFE_MODULES:
        return f"imports {', '.join(unsafe)}: reading it runs code"
    if not isinstance(node, ast.Call):
        return ""
    called = ast.unparse(node.func)
    if called.removeprefix("builtins.") in UNSAFE_CALLS:
        return f"calls {called}: text is never run"
    if called in ("np.load", "numpy.load", "jnp.load", "jax.numpy.load"):
        refuses = any(k.arg == "allow_pickle" and _is_false(k.value) for k in node.keywords)
        return "" if refuses else f"calls {called} without allow_pickle=False"
    if called.endswith("read_pickle"):
        return f"calls {called}: reading it runs code"
    return ""


def _is_false(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is False


def facades(modules: Modules) -> list[str]:
    """Every public package has a facade whose names exist and are explained."""
    packages = {m.rpartition(".")[0] for m in modules if m.count(".") >= 2} - SCRIPTS
    missing = [
        f"{name}: a package without a facade"
        for name in sorted(packages)
        if f"{name}.__init__" not in modules and not package(name).startswith("_")
    ]
    wrong = [
        complaint
        for module in modules
        if module.endswith(".__init__") and not package(module).startswith("_")
        for name, target in exported(module, modules[module]).items()
        if (complaint := _complaint(f"{module} exports {name}", name, target, modules))
    ]
    return missing + wrong


def exported(facade: str, source: str) -> dict[str, tuple[str, str]]:
    """Return the names of a facade, each with the module and the name that it stands for."""
    folder = facade.rpartition(".")[0]
    names: dict[str, tuple[str, str]] = {}
    for node in ast.walk(parse(source)):
        if isinstance(node, ast.ImportFrom) and node.level:
            parts = folder.split(".")
            home = ".".join([*parts[: len(parts) - node.level + 1], node.module or ""]).strip(".")
            for alias in node.names:
                if alias.asname == alias.name:
                    names[alias.name] = (home, alias.name)
        elif isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                place = value.value if isinstance(value, ast.Constant) else ""
                if isinstance(key, ast.Constant) and str(place).startswith("."):
                    names[str(key.value)] = (f"{folder}{place}", str(key.value))
    return names


def _complaint(what: str, name: str, target: tuple[str, str], modules: Modules) -> str:
    """Follow a name to its definition; say what is missing there."""
    home, original = target
    if f"{home}.__init__" in modules:
        through = exported(f"{home}.__init__", modules[f"{home}.__init__"])
        if original in through:
            return _complaint(what, name, through[original], modules)
        home = f"{home}.__init__"
    if home not in modules:
        return f"{what} from {home}, which does not exist"
    definition = _definition(original, parse(modules[home]))
    if definition is None:
        return f"{what} from {home}, which does not define it"
    if isinstance(definition, Definition) and ast.get_docstring(definition) is None:
        return f"{what} without a docstring"
    for method in definition.body if isinstance(definition, ast.ClassDef) else ():
        public = isinstance(method, Function) and not method.name.startswith("_")
        if public and ast.get_docstring(method) is None and not _is_overload(method):
            return f"{what} whose method {method.name} has no docstring"
    return ""


def _definition(name: str, tree: ast.Module) -> ast.stmt | None:
    for node in tree.body:
        if isinstance(node, Definition) and node.name == name and not _is_overload(node):
            return node
        if isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(isinstance(t, ast.Name) and t.id == name for t in targets):
                return node
        if isinstance(node, ast.ImportFrom) and name in {a.asname or a.name for a in node.names}:
            return node
    return None


def _is_overload(node: Definition) -> bool:
    return any(ast.unparse(d).endswith("overload") for d in node.decorator_list)


FOREIGN_TEXT = {
    "a package registry": re.compile(
        r"pypi\.(org|python)|pythonhosted\.|registry\.npm|npmjs\.|anaconda\.(org|com)"
        r"|crates\.io|(deb|security)\.debian\.|--(extra-)?index[-]url|--find[-]links"
    ),
    "a path of one machine": re.compile(r"(?<![\w.~<>-])/(root|work|home|Users|opt|mnt)/\w"),
}


def read_texts(root: Path = ROOT) -> dict[str, str]:
    """Return the text of the project's own files, by path."""
    folders = [root / name for name in ("src", "tests", "docs", "benchmarks", ".ci")]
    found = [path for folder in folders for path in folder.rglob("*")]
    found += list(root.iterdir())
    texts: dict[str, str] = {}
    for path in sorted(found):
        if path.is_file() and "__pycache__" not in path.parts:
            data = path.read_bytes()
            if b"\0" not in data:
                texts[path.relative_to(root).as_posix()] = data.decode("utf-8", errors="replace")
    return texts


def foreign_texts(texts: Mapping[str, str]) -> list[str]:
    """No file names a package registry's host or a path that exists on one machine only."""
    return [
        f"{path}:{number} names {what}: {line.strip()[:80]}"
        for path, text in texts.items()
        for number, line in enumerate(text.splitlines(), 1)
        for what, pattern in FOREIGN_TEXT.items()
        if pattern.search(line)
    ]
