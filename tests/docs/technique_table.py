"""The page docs/techniques.md, made from what the tests are marked to prove.

    python tests/docs/technique_table.py        # writes the page

A test says what it proves with `@pytest.mark.proves("N6", "formula")`: every technique named, by
every check named. The marks are read from the sources, so that the page is the same whichever
tests were chosen to run; a test compares the page with them, and marked tests fail like others.
"""

from __future__ import annotations

import ast
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROWS = ROOT / "docs" / "techniques.toml"
PAGE = ROOT / "docs" / "techniques.md"
CHECKS = ("formula", "independent", "gradient", "population", "figure")
HEADS = ("formula", "independent", "gradient", "population (E1, E2)", "figure")
NOT_YET = "not yet"
MARK = "pytest.mark.proves"

INTRODUCTION = """# Every technique and what proves it

Made from the marks of the tests by `make techniques`; a test compares this page with them, so no
cell claims what no test proves. A cell names the test files and how many tests prove it; a
number in parentheses is a reason, listed below the table, why the check cannot apply.

- *formula*: worked numbers and the formula written out again in the test.
- *independent*: NumPy, SciPy, scikit-learn, Optax or another rewrite in float64.
- *gradient*: numerical derivatives in float64, within 1e-7.
- *population (E1, E2)*: trained beside others, in wider programs and in the other program, a
  network with it stays the same.
- *figure*: a test of what a figure of `deepwell lab` shows, measured by our own code.
"""


@dataclass(frozen=True)
class Row:
    """A technique: its id, name, guide page, and the reasons for cells that cannot apply."""

    id: str
    name: str
    guide: str
    reasons: dict[str, str]


@dataclass(frozen=True)
class Claim:
    """A technique and a check, and the test that proves it."""

    technique: str
    check: str
    path: str
    test: str


def sections() -> dict[str, list[Row]]:
    """Return the rows by section, as written in docs/techniques.toml."""
    plain = tomllib.loads(ROWS.read_text("utf-8"))
    known = {"id", "name", "guide", *CHECKS}
    for section in plain["section"]:
        for row in section["row"]:
            assert set(row) <= known, f"{row['id']}: {set(row) - known} is no field of a row"
    return {
        section["name"]: [
            Row(row["id"], row["name"], row["guide"], {c: row[c] for c in CHECKS if c in row})
            for row in section["row"]
        ]
        for section in plain["section"]
    }


def claims(root: Path = ROOT) -> list[Claim]:
    """Return what the marks below `root/tests` claim, by file and line."""
    return [
        claim
        for path in sorted((root / "tests").rglob("test_*.py"))
        if MARK in (source := path.read_text("utf-8"))
        for claim in claims_in(source, path.relative_to(root).as_posix())
    ]


def claims_in(source: str, path: str) -> Iterator[Claim]:
    """Yield the claims of one test file.

    Raises:
        ValueError: when a mark stands on something that is no test, or names no technique, no
            check or anything but plain strings.
    """
    tree = ast.parse(source)
    marks = {id(node): node for node in ast.walk(tree) if _is_mark(node)}
    for test in ast.walk(tree):
        if isinstance(test, ast.FunctionDef) and test.name.startswith("test_"):
            for decorator in test.decorator_list:
                for node in ast.walk(decorator):
                    if mark := marks.pop(id(node), None):
                        yield from _claims_of(mark, path, test.name)
    if marks:
        line = min(mark.lineno for mark in marks.values())
        raise ValueError(f"{path}:{line}: the mark `proves` must decorate a test function")


def _is_mark(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func) == MARK


def _claims_of(mark: ast.Call, path: str, test: str) -> Iterator[Claim]:
    words = [a.value if isinstance(a, ast.Constant) else None for a in mark.args]
    techniques = {row.id for rows in sections().values() for row in rows}
    named = [word for word in words if word in techniques]
    checks = [word for word in words if word in CHECKS]
    if not named or not checks or len(named) + len(checks) != len(words) or mark.keywords:
        raise ValueError(
            f"{path}:{mark.lineno}: proves() takes ids of docs/techniques.toml and checks "
            f"({', '.join(CHECKS)}), got {ast.unparse(mark)}"
        )
    for technique in named:
        for check in checks:
            yield Claim(technique, check, path, test)


def open_cells(made: list[Claim]) -> list[tuple[str, str]]:
    """Return the cells that no test proves and that say no reason."""
    proved = {(claim.technique, claim.check) for claim in made}
    return [
        (row.id, check)
        for rows in sections().values()
        for row in rows
        for check in CHECKS
        if (row.id, check) not in proved and check not in row.reasons
    ]


def page(made: list[Claim]) -> str:
    """Return the whole page for these claims."""
    parts = [INTRODUCTION]
    for section, rows in sections().items():
        reasons: list[str] = []
        parts.append(f"## {section}\n")
        parts.append(f"| id | technique | {' | '.join(HEADS)} |\n|{'---|' * (2 + len(HEADS))}")
        for row in rows:
            cells = [_cell(row, check, made, reasons) for check in CHECKS]
            parts.append(f"| {row.id} | {_title(row)} | {' | '.join(cells)} |")
        parts.append("")
        parts += [f"{number}. {reason}" for number, reason in enumerate(reasons, 1)]
        parts.append("")
    return "\n".join(parts).rstrip() + "\n"


def _title(row: Row) -> str:
    written = (ROOT / "docs" / "guide" / f"{row.guide}.md").exists()
    return f"[{row.name}](guide/{row.guide}.md)" if written else row.name


def _cell(row: Row, check: str, made: list[Claim], reasons: list[str]) -> str:
    tests = {(c.path, c.test) for c in made if (c.technique, c.check) == (row.id, check)}
    if tests:
        counts = sorted(Counter(path for path, _ in tests).items())
        links = ((Path(p).stem.removeprefix("test_"), p, number) for p, number in counts)
        return ", ".join(f"[{name}](../{path}) {number}" for name, path, number in links)
    if check not in row.reasons:
        return NOT_YET
    if row.reasons[check] not in reasons:
        reasons.append(row.reasons[check])
    return f"({reasons.index(row.reasons[check]) + 1})"


if __name__ == "__main__":
    PAGE.write_text(page(claims()), "utf-8")
