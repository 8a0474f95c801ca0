"""Whether constraints leave enough to try."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

import numpy as np

from deepwell._base._errors import UsageError
from deepwell._base._hyperparameters import Value
from deepwell._base._safe_text import safe_text

from ._constraint import Constraint
from ._distribution import Distribution
from ._layout import Layout, kinds_of

_DRAWN = 10_000  # random points by which the allowed share is judged
_FEWEST = 10  # of them: with less than one in 1,000, drawing would take longer than training
_TOGETHER = 100


def constraints_of(given: Sequence[str | Constraint]) -> tuple[Constraint, ...]:
    """Return constraints as they were read from their texts, each once.

    Raises:
        UsageError: when one cannot be read, or a text was given where a list of texts belongs.
    """
    if isinstance(given, str):
        raise UsageError(
            "`constraints` must be a list of texts, as in "
            '["hidden_units * hidden_layers <= 256"], got one text; put it in brackets'
        )
    read = (c if isinstance(c, Constraint) else Constraint(c) for c in given)
    return tuple(dict.fromkeys(read))


def check_allowed(
    entries: Mapping[str, Distribution], layout: Layout, constraints: Sequence[Constraint]
) -> None:
    """Refuse constraints that speak of what is not there, or leave next to nothing.

    A finite domain of up to 10,000 points must have one that is allowed; of any other one, 10 of
    10,000 random points must be.

    Raises:
        UsageError: saying which constraint, or how little is left.
    """
    for constraint in constraints:
        _check_names(entries, constraint)
    size = layout.cardinality()
    few = size is not None and size <= _DRAWN
    needed = 1 if few else _FEWEST
    looked, found = 0, 0
    every = (values for values, _ in layout.points())
    for values in every if few else _random(layout):
        looked += 1
        found += all(constraint.holds(values) for constraint in constraints)
        if found == needed:
            return
    said = " and ".join(safe_text(constraint.text, 80) for constraint in constraints)
    left = "none" if found == 0 else f"only {found}"
    of = "of the space's points" if few else f"of {looked:,} random points"
    raise UsageError(
        f"constraints must leave something to try, and {said} leaves {left} {of}; loosen a "
        "constraint or change a range"
    )


def _check_names(entries: Mapping[str, Distribution], constraint: Constraint) -> None:
    said = f'constraint "{safe_text(constraint.text, 80)}"'
    for name in sorted(constraint.names):
        if name not in entries:
            raise UsageError(
                f"{said} speaks of `{safe_text(name)}`, which is not in the space; add it with a "
                "range or a value"
            )
        _check_kind(said, name, entries[name], constraint.lists)


def _check_kind(said: str, name: str, entry: Distribution, lists: Collection[str]) -> None:
    kinds = kinds_of(entry)
    if name in lists and kinds != {"list"}:
        raise UsageError(
            f"{said} takes `{safe_text(name)}` as a list with a value a layer, and here it is "
            f"{entry.describe()}; write its name alone"
        )
    if name not in lists and kinds != {"number"}:
        what = "has words" if "word" in kinds else "is a list; write sum, min or max of it"
        raise UsageError(
            f"{said} must compare numbers, and `{safe_text(name)}` {entry.describe()} {what}"
        )


def _random(layout: Layout) -> Iterator[dict[str, Value]]:
    generator = np.random.default_rng(0)
    for _ in range(_DRAWN // _TOGETHER):
        units = generator.random((_TOGETHER, layout.dimensions)).tolist()
        yield from (layout.decode(unit) for unit in units)
