"""`deepwell check`: whether a gradient is right, in code of one's own."""

from __future__ import annotations

from typing import Any

from deepwell._base._errors import UsageError
from deepwell._base._safe_text import safe_text

from ._exit_codes import DONE, FAILED
from ._options import Form, GradientOf
from ._output import print_json, print_lines

EXAMPLES = "deepwell check layers.py:softmax\ndeepwell check model.py:loss --steps 50 --json"

_RETURNS = (
    "must return (cost, gradient, theta), (loss, params, ...) or the result of dw.check_gradients"
)


def check(asked: GradientOf, form: Form) -> int:
    """Check a gradient against two-sided numerical derivatives.

    In float64, at the parameters given and after a short descent. Names the block of parameters,
    the entries and the likely error. Exit codes: 0 the gradient is right, 1 it is wrong or cannot
    be told, 2 wrong usage or an error in the file.
    """
    from ._user_function import UserFunction

    function = UserFunction.named(asked.target)
    with function.errors():
        verdict = _verdict(function.name, function.call(), asked)
    if form.json:
        print_json({"target": asked.target, **verdict.to_json()})
    else:
        print_lines(_lines(verdict))
    return DONE if verdict.right else FAILED


def _verdict(name: str, returned: Any, asked: GradientOf) -> Any:
    from deepwell.checking._gradient_check import GradientCheck

    given = {k: v for k in ("steps", "seed") if (v := getattr(asked, k)) is not None}
    if isinstance(returned, GradientCheck):
        if given:
            raise UsageError(
                f"`--{next(iter(given))}` is for a function that returns what to check; {name} "
                "returns a finished check, which takes it as an argument"
            )
        return returned
    if not isinstance(returned, tuple):
        raise UsageError(f"{name} {_RETURNS}, got {safe_text(type(returned).__name__)}")
    if len(returned) < 2 or not callable(returned[0]):
        first = f"a {type(returned[0]).__name__} first" if returned else "nothing"
        raise UsageError(f"{name} {_RETURNS}, got {len(returned)} things, {safe_text(first)}")
    if callable(returned[1]):
        if len(returned) != 3:
            raise UsageError(
                f"{name} must return three things with a gradient, (cost, gradient, theta), got "
                f"{len(returned)}"
            )
        from deepwell.checking._check_gradients_of import check_gradients_of

        return check_gradients_of(*returned, **given)
    from deepwell.checking._check_gradients import check_gradients

    return check_gradients(*returned, **given)


def _lines(verdict: Any) -> list[str]:
    from deepwell.checking._gradient_check import grade
    from deepwell.report._layout import entry, fit_to, table

    size = f"{verdict.verdict}, relative error {verdict.error:.1e} ({grade(verdict.error)})"
    blamed = [", ".join(verdict.wrong_blocks)] if verdict.wrong_blocks else []
    lines = entry("gradient", size, *blamed)
    if verdict.in_common:
        lines += entry("in common", verdict.in_common.sentence)
    for point in verdict.points:
        lines += ["", f"{point.where}: cost {point.cost:.6g}, relative error {point.error:.1e}"]
        rows = [
            (
                fit_to(block.name, 24),
                "x".join(map(str, block.shape)) or "number",
                f"{block.error:.1e}",
                ": ".join(filter(None, (block.verdict, block.sentence()))),
            )
            for block in point.blocks
        ]
        lines += table(("block", "shape", "error", "verdict"), rows, 0)
    for note in verdict.notes:
        lines += entry("note", note)
    return lines
