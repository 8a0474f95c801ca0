"""A function in a file that the user names: loaded and run, since the user named it.

What it prints goes to stderr, so that stdout holds the command's own words alone; what goes wrong
in it is told in one sentence with its line.
"""

from __future__ import annotations

import ast
import contextlib
import importlib.util
import inspect
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deepwell._base._errors import DeepwellError, UsageError, did_you_mean
from deepwell._base._safe_text import safe_text


@dataclass(frozen=True)
class UserFunction:
    """A function by its file and name."""

    path: Path
    name: str

    @classmethod
    def named(cls, target: str) -> UserFunction:
        """Return the function that `FILE:FUNCTION` names; nothing is run yet.

        Raises:
            UsageError: when there is no such file or function, or the file is no Python.
        """
        file, _, name = target.rpartition(":")
        if not file or not name.isidentifier():
            file, name = target, ""
        path = Path(file)
        shown = safe_text(path, 200)
        if not path.is_file():
            raise UsageError(f'no such file: "{shown}"; name one as in layers.py:softmax')
        if path.suffix != ".py":
            raise UsageError(f'"{shown}" is no Python file; name one as in layers.py:softmax')
        try:
            tree = ast.parse(path.read_bytes())
        except (SyntaxError, ValueError) as error:
            line = f" line {error.lineno}" if isinstance(error, SyntaxError) else ""
            raise UsageError(f'"{shown}"{line} is no Python: {safe_text(error.args[0])}') from error
        known = [n.name for n in tree.body if isinstance(n, ast.FunctionDef)]
        told = f"; it has {safe_text(', '.join(known), 200)}" if known else ""
        if not name:
            raise UsageError(
                f'name a function too, as in "{shown}:{(known or ["check"])[0]}"{told}'
            )
        if name not in known and name not in _assigned(tree):
            hint = did_you_mean(name, known)
            raise UsageError(f'"{shown}" has no function {safe_text(name)}{hint}{told}')
        return cls(path, name)

    def call(self) -> Any:
        """Run the file, call the function and return what it returns.

        Raises:
            UsageError: when it is no function without arguments. Its own errors pass.
        """
        function = self._load()
        try:
            inspect.signature(function).bind()
        except TypeError as error:
            raise UsageError(f"{self.name} must take no arguments: {error}") from error
        except ValueError:
            pass  # a built-in without a signature
        return function()

    @contextlib.contextmanager
    def errors(self) -> Iterator[None]:
        """Tell errors of the user's code in one sentence, and keep what it prints off stdout.

        Raises:
            UsageError: in place of an error that passed through the file.
        """
        try:
            with contextlib.redirect_stdout(sys.stderr):
                yield
        except DeepwellError:
            raise
        except (Exception, SystemExit) as error:
            here = str(self.path.resolve())
            frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename == here]
            if not frames:
                raise
            said = f": {error}" if str(error) else ""
            raise UsageError(
                f"{safe_text(self.path.name)} line {frames[-1].lineno} raised "
                f"{type(error).__name__}{safe_text(' '.join(said.split()), 300)}"
            ) from error

    def _load(self) -> Callable[..., Any]:
        path = self.path.resolve()
        spec = importlib.util.spec_from_file_location(f"_checked_{path.stem}", path)
        if spec is None or spec.loader is None:
            raise UsageError(f'"{safe_text(self.path, 200)}" must end in .py')
        module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
        sys.path.insert(0, str(path.parent))  # as Python does for a file that it runs
        spec.loader.exec_module(module)
        found = getattr(module, self.name, None)
        if not callable(found):
            raise UsageError(f"{self.name} must be a function, got {type(found).__name__}")
        return found


def _assigned(tree: ast.Module) -> set[str]:
    """Return names that a file gives by assignment or import, which may be functions too."""
    names: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.Assign):
            names |= {t.id for t in node.targets if isinstance(t, ast.Name)}
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {alias.asname or alias.name for alias in node.names}
    return names
