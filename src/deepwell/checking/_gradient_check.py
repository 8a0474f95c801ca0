"""The verdict of a gradient check: plain numbers and words, as text and as JSON."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from ._gradient_causes import Cause

GREAT, LOOK, WORRY = 1e-7, 1e-5, 1e-3
RIGHT, WRONG, UNDECIDED = "right", "wrong", "undecided"


def grade(error: float) -> str:
    """Return what a relative error means: `great`, `good`, `look` or `worry`.

    >>> [grade(error) for error in (1e-9, 1e-6, 1e-4, 1e-2)]
    ['great', 'good', 'look', 'worry']
    """
    if error <= GREAT:
        return "great"
    if error <= LOOK:
        return "good"
    return "look" if error <= WORRY else "worry"


@dataclass(frozen=True)
class WrongEntry:
    """An entry whose gradient is wrong.

    Attributes:
        index: in the block; empty for a number.
        gradient: what was given.
        slope: the numerical derivative.
    """

    index: tuple[int, ...]
    gradient: float
    slope: float


@dataclass(frozen=True)
class BlockCheck:
    """The gradient of one block of parameters.

    Attributes:
        name: the path to it in the parameters, as `layers/0/w`.
        shape: of the block.
        verdict: `right`, `wrong` or `undecided`.
        error: relative, `||slopes - gradient|| / (||slopes|| + ||gradient||)`: over the entries
            that were compared, or over directions of random signs where the block is large. What
            cannot be told from 0 counts as 0.
        entries: how many were compared one by one.
        wrong_entries: how many of these are wrong.
        worst: up to five of them, the largest differences first.
        beside_kinks: entries and directions where the cost has a kink, which were compared at a
            point beside it.
        cause: what is probably wrong, or None where the numbers do not tell.
    """

    name: str
    shape: tuple[int, ...]
    verdict: str
    error: float
    entries: int
    wrong_entries: int
    worst: tuple[WrongEntry, ...]
    beside_kinks: int
    cause: Cause | None

    def sentence(self) -> str:
        """Return what is wrong in words; an empty string where nothing is."""
        if self.verdict == RIGHT:
            return ""
        if self.verdict == UNDECIDED:
            return "the cost is too rough or too coarse here to tell"
        said = [self.cause.sentence] if self.cause else []
        if self.wrong_entries and not (self.cause and self.cause.kind == "slice"):
            size = math.prod(self.shape)
            if self.entries == size:
                share = "all" if self.wrong_entries == size else f"{self.wrong_entries:,} of"
                said.append(f"{share} {size:,} entries wrong" if size > 1 else "wrong")
            else:
                said.append(f"{self.wrong_entries:,} of {self.entries:,} entries looked at wrong")
        if self.worst:
            worst = self.worst[0]
            place = f"at [{', '.join(map(str, worst.index))}] " if worst.index else ""
            said.append(f"{place}{worst.gradient:.6g}, must be {worst.slope:.6g}")
        return "; ".join(said) or "its gradient differs from the slopes"


@dataclass(frozen=True)
class PointCheck:
    """The gradient at one point of the parameters.

    Attributes:
        where: `at the start` or `after N steps`.
        cost: at the point.
        error: relative, over all blocks.
        blocks: one for each block of the parameters.
    """

    where: str
    cost: float
    error: float
    blocks: tuple[BlockCheck, ...]


@dataclass(frozen=True)
class GradientCheck:
    """Whether a gradient is right.

    Attributes:
        points: the checks, at the start and after a short descent.
        digits: decimal digits that the cost is computed to, as measured.
        notes: what else a reader must know, one sentence each.
    """

    points: tuple[PointCheck, ...]
    digits: float
    notes: tuple[str, ...] = ()

    @property
    def verdict(self) -> str:
        """`wrong` where a block is wrong at a point, or `undecided` where one is, or `right`."""
        verdicts = {block.verdict for point in self.points for block in point.blocks}
        return next((v for v in (WRONG, UNDECIDED) if v in verdicts), RIGHT)

    @property
    def right(self) -> bool:
        """Whether every block is right at every point."""
        return self.verdict == RIGHT

    @property
    def error(self) -> float:
        """The largest relative error of the points: about 1e-7 great, 1e-5 look, 1e-3 worry."""
        return max(point.error for point in self.points)

    @property
    def wrong_blocks(self) -> tuple[str, ...]:
        """Names of the blocks that are wrong at any point, in the parameters' order."""
        names = [b.name for p in self.points for b in p.blocks if b.verdict == WRONG]
        return tuple(dict.fromkeys(b.name for b in self.points[0].blocks if b.name in names))

    @property
    def in_common(self) -> Cause | None:
        """The cause that all wrong blocks share, where there are several: look for one place."""
        causes = {self.block(name).cause for name in self.wrong_blocks}
        return next(iter(causes)) if len(causes) == 1 < len(self.wrong_blocks) else None

    def block(self, name: str) -> BlockCheck:
        """Return the check of a block at the first point where it is not right, else the first.

        Raises:
            KeyError: when there is no such block.
        """
        named = [b for point in self.points for b in point.blocks if b.name == name]
        if not named:
            raise KeyError(name)
        return next((b for b in named if b.verdict != RIGHT), named[0])

    def to_json(self) -> dict[str, Any]:
        """Return the verdict as plain data that JSON can hold."""
        plain = {
            "verdict": self.verdict,
            "error": self.error,
            "grade": grade(self.error),
            "wrong_blocks": list(self.wrong_blocks),
            **asdict(self),
        }
        return _finite(plain)

    def lines(self) -> Iterator[str]:
        """Yield the verdict in words, the most important first."""
        size = f"relative error {self.error:.1e} ({grade(self.error)})"
        names = f": {', '.join(self.wrong_blocks)}" if self.wrong_blocks else ""
        yield f"gradient {self.verdict}, {size}{names}"
        if told := self.in_common:
            yield f"in common: {told.sentence}"
        for point in self.points:
            yield f"{point.where}: cost {point.cost:.6g}, relative error {point.error:.1e}"
            for block in point.blocks:
                shape = " x ".join(map(str, block.shape)) or "number"
                said = block.sentence()
                end = f": {said}" if said else ""
                yield f"  {block.name} ({shape}) {block.verdict}, {block.error:.1e}{end}"
        for note in self.notes:
            yield f"note: {note}"

    def __str__(self) -> str:
        return "\n".join(self.lines())


def _finite(plain: Any) -> Any:
    """Return plain data with None for numbers that JSON has not."""
    if isinstance(plain, dict):
        return {key: _finite(value) for key, value in plain.items()}
    if isinstance(plain, list | tuple):
        return [_finite(value) for value in plain]
    return None if isinstance(plain, float) and not math.isfinite(plain) else plain
