"""What `nan_origin` tells: the operations, in words and as plain values."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

from deepwell._base._safe_text import safe_text

from ._nan_events import ARGUMENT, Example
from ._nan_source import Place


@dataclass(frozen=True)
class Operation:
    """An operation whose output is not finite.

    Attributes:
        primitive: name of JAX's operation, as in `log`; `argument` where a number of the
            function's input was not finite before anything was computed.
        cause: why, as in `log of 0`.
        place: the line of a person's code that made it; in the backward pass the line whose
            derivative it is.
        path: what is around it, outermost first, as in `("loss", "scan, step 3 of 10")`.
        steps: of the loops around it, outermost first, counted from 0; empty outside of loops.
        input_shapes, output_shapes: of the operation.
        dtype: of the output.
        bad, size: entries of the output that it made not finite, and all of them.
        examples: a few of these entries.
    """

    primitive: str
    cause: str
    place: Place
    path: tuple[str, ...]
    steps: tuple[int, ...]
    input_shapes: tuple[tuple[int, ...], ...]
    output_shapes: tuple[tuple[int, ...], ...]
    dtype: str
    bad: int
    size: int
    examples: tuple[Example, ...]

    def text(self) -> str:
        """Return what happened and where, in one sentence."""
        around = f" ({', '.join(self.path)})" if self.path else ""
        line = f": {self.place.code}" if self.place.code else ""
        at = f", at {self.place.text()}" if self.place.file or not self._given else ""
        return f"{self.primitive}, {self.cause}{at}{around}{line}"

    @property
    def _given(self) -> bool:
        """Whether it was not finite before anything was computed: no line made it."""
        return self.primitive == ARGUMENT


@dataclass(frozen=True)
class NanOrigin:
    """Where numbers that are not finite came from.

    Attributes:
        direction: `forward` where the function itself is not finite, `backward` where only its
            gradient is.
        first: the operation that first made a number that is not finite.
        nan: where `first` made an infinity that became NaN later: the operation that did that.
        reaches: what is not finite at the end, as in `the output`.
        hint: what would mend it, where the pattern is a known one, or an empty string.
    """

    direction: str
    first: Operation
    nan: Operation | None
    reaches: str
    hint: str

    def __str__(self) -> str:
        """Return the report in lines."""
        first = self.first
        lines = [f"{self.direction}: {first.text()}"]
        lines.append(
            f"  {first.bad:,} of {first.size:,} entries of {first.dtype}"
            f"{list(first.output_shapes[0]) if first.output_shapes else ''}"
        )
        for one in first.examples:
            made = ", ".join(f"{x:.6g}" for x in one.inputs)
            lines.append(f"  at {list(one.at)}: {made + ' -> ' if made else ''}{one.output:.6g}")
        if self.nan is not None:
            lines.append(f"became NaN: {self.nan.text()}")
        lines.append(f"reaches: {self.reaches}")
        if self.hint:
            lines.append(f"try: {self.hint}")
        return "\n".join(safe_text(line, 500) for line in lines)

    def to_plain(self) -> dict[str, Any]:
        """Return the same for JSON; numbers that are not finite become texts."""
        return _plain(dataclasses.asdict(self))


def _plain(value: Any) -> Any:
    """Return values as JSON can hold them."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
