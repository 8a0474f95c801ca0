"""What is probably wrong with a block's gradient, told only where the numbers fit one error.

Every rule predicts the right slopes from the gradient that came; it speaks where the prediction
leaves at most a thousandth of the difference between the two, or what the slopes leave open.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from ._gradient_measure import Measured
from ._gradient_problem import Problem

_FITS = 1e-3  # of the difference may be left unexplained
_DOUBT = 0.05  # of it, where the slopes themselves are that uncertain
_FEW = 3  # entries that a rule with a free number needs


@dataclass(frozen=True)
class Cause:
    """What is probably wrong.

    Attributes:
        kind: `not finite`, `form`, `changes between calls`, `cut`, `flat`, `sign`, `factor`,
            `transposed`, `swapped`, `shifted`, `flipped`, `l2`, `l1`, `constant` or `slice`.
        sentence: the same in words.
    """

    kind: str
    sentence: str


@dataclass(frozen=True)
class Evidence:
    """A wrong block: its gradient, and the slopes of some or all of its entries.

    Attributes:
        name: of the block.
        gradient, theta: the whole block, in its shape.
        at: (k,) places in the flat block.
        slope: (k,) right derivatives there.
        wrong: (k,) whether the gradient differs there.
        zero: (k,) size that cannot be told from 0.
        complete: whether `at` is every entry.
    """

    name: str
    gradient: np.ndarray
    theta: np.ndarray
    at: np.ndarray
    slope: np.ndarray
    wrong: np.ndarray
    zero: np.ndarray
    complete: bool

    @property
    def given(self) -> np.ndarray:
        """(k,) the gradient at the places."""
        return self.gradient.reshape(-1)[self.at]


def evidence_of(problem: Problem, measured: Measured) -> dict[int, Evidence]:
    """Return what is known about the entries of each wrong block, by number."""
    entries, scales = measured.entries, problem.scales
    wrong = np.union1d(entries.block[entries.wrong], measured.blocks.block[measured.blocks.wrong])
    found: dict[int, Evidence] = {}
    for number in map(int, wrong):
        block = problem.blocks[number]
        mine = entries.only((entries.block == number) & ~entries.unclear & ~entries.beside)
        units = scales[mine.entry]
        found[number] = Evidence(
            block.name,
            measured.point.gradient[block.place].reshape(block.shape),
            measured.point.here.at[block.place].reshape(block.shape),
            mine.entry - block.start,
            mine.slope / units,
            mine.wrong,
            mine.zero / units,
            bool(measured.complete[number]) and len(mine.entry) == block.size,
        )
    return found


def cause(one: Evidence, others: Mapping[int, Evidence], counts: Mapping[int, str]) -> Cause | None:
    """Return the first rule that fits, or None: then the numbers do not tell."""
    if not np.isfinite(one.gradient).all():
        places = np.argwhere(~np.isfinite(one.gradient))
        told = f"{len(places):,} of its entries are no finite number"
        return Cause("not finite", told)
    if not one.wrong.any():
        return None
    told = _cut(one) or _flat(one) or _factor(one, counts)
    if told is None:
        told = next(iter(_moved(one)), None) or _swapped(one, others) or _added(one)
    return told or _slice(one)


def _fits(one: Evidence, predicted: np.ndarray) -> bool:
    """Whether the prediction explains the difference, as exactly as the slopes are known."""
    apart = float(np.linalg.norm(one.slope - one.given))
    doubt = min(float(np.linalg.norm(one.zero)), _DOUBT * apart)
    return float(np.linalg.norm(one.slope - predicted)) <= max(_FITS * apart, doubt)


def _cut(one: Evidence) -> Cause | None:
    if one.gradient.any():
        return None
    return Cause(
        "cut",
        "its gradient is 0 everywhere, but the cost changes with it: the backward pass leaves it "
        "out, or a stop_gradient or a rounding cuts it off",
    )


def _flat(one: Evidence) -> Cause | None:
    if (np.abs(one.slope) > one.zero).any() or not one.complete:
        return None
    return Cause("flat", "the cost does not change with it, but its gradient is not 0")


def _factor(one: Evidence, counts: Mapping[int, str]) -> Cause | None:
    """Slopes that are the gradient times one number."""
    size = float(one.given @ one.given)
    if not size:
        return None
    share = float(one.slope @ one.given) / size
    if not share or not math.isfinite(share) or not _fits(one, share * one.given):
        return None
    sign = abs(share + 1) < _FITS
    plain = sign or _whole(share) or _whole(1 / share)
    if not plain and len(np.flatnonzero(one.given)) < _FEW:
        return None  # any number is some factor of another
    return Cause("sign" if sign else "factor", f"it {_size(share, counts)}")


def _size(share: float, counts: Mapping[int, str] | None = None) -> str:
    """Return how a gradient is wrong that times `share` is right: `is 2 times too large`."""
    if abs(share + 1) < _FITS:
        return "has the wrong sign"
    sign = "has the wrong sign and " if share < 0 else ""
    times, word = (1 / abs(share), "large") if abs(share) < 1 else (abs(share), "small")
    number = _whole(times)
    if number is None:
        return f"{sign}is {times:.4g} times too {word}"
    named = f", the number of {counts[number]}" if counts and number in counts else ""
    way = {
        "large": "a sum where a mean is meant",
        "small": "a mean where a sum is meant, or a rate multiplied in",
    }[word]
    return f"{sign}is {number} times too {word}{named}" + (f": {way}?" if number > 2 else "")


def _moved(one: Evidence) -> Iterator[Cause]:
    """The right numbers in wrong places."""
    whole = one.gradient
    tries: list[tuple[str, str, Callable[[], np.ndarray]]] = []
    if whole.ndim >= 2 and whole.shape[-1] == whole.shape[-2] > 1:
        tries.append(("transposed", "it is transposed", lambda: np.swapaxes(whole, -1, -2)))
    if whole.ndim >= 2 and whole.size > max(whole.shape):
        other = whole.T.reshape(whole.shape)
        tries.append(("transposed", "it is transposed, then reshaped", lambda: other))
        back = whole.reshape(whole.shape[::-1]).T
        tries.append(("transposed", "it is transposed, then reshaped", lambda: back))
    for axis in [a for a in range(whole.ndim) if whole.shape[a] > 2]:
        words = f"axis {axis}" if whole.ndim > 1 else "its axis"
        flip = f"its entries stand in reverse order along {words}"
        tries.append(("flipped", flip, lambda axis=axis: np.flip(whole, axis)))
        for by in (1, -1):
            told = f"its entries are shifted by one along {words}"
            tries.append(("shifted", told, lambda axis=axis, by=by: np.roll(whole, by, axis)))
    for kind, sentence, change in tries:
        predicted = change().reshape(-1)[one.at]
        right = np.abs(one.slope - predicted) <= _FITS * np.abs(one.slope) + one.zero
        # A shift leaves one border wrong, which is nowhere to be found in the gradient.
        border = kind == "shifted" and right.mean() >= 0.6 and (right & one.wrong).sum() >= _FEW
        if _fits(one, predicted) or border:
            yield Cause(kind, sentence)


def _swapped(one: Evidence, others: Mapping[int, Evidence]) -> Cause | None:
    for other in others.values():
        same = other.name != one.name and other.gradient.shape == one.gradient.shape
        if same and _fits(one, other.gradient.reshape(-1)[one.at]):
            return Cause("swapped", f"it is that of {other.name}")
    return None


def _added(one: Evidence) -> Cause | None:
    """A term that is missing or too much: of the weight, of its sign, the same everywhere."""
    missing, theta = one.slope - one.given, one.theta.reshape(-1)[one.at]
    if len(one.at) < _FEW:
        return None
    signs = np.sign(theta)
    rules = (
        ("l2", theta, " times the parameter, as of an L2 penalty", np.ptp(np.abs(theta)) > 0),
        ("l1", signs, " times the parameter's sign, as of an L1 penalty", np.ptp(signs) > 0),
        ("constant", np.ones(len(theta)), ", the same in every entry", True),
    )
    for kind, shape, words, telling in rules:
        size = float(shape @ shape)
        factor = float(missing @ shape) / size if size else 0.0
        if telling and factor and _fits(one, one.given + factor * shape):
            verb = "lacks" if factor > 0 or kind == "constant" else "has too much of"
            number = factor if kind == "constant" else abs(factor)
            return Cause(kind, f"it {verb} a term {number:.4g}{words}")
    return _part(one, theta)


def _part(one: Evidence, theta: np.ndarray) -> Cause | None:
    """A wrong factor of all but the penalty: slopes c g + (1 - c) lam theta of a gradient g."""
    if len(one.at) <= _FEW or np.ptp(np.abs(theta)) == 0:
        return None
    both = np.stack([one.given, theta], axis=1)
    (share, rest), *_ = np.linalg.lstsq(both, one.slope)
    if not share or share == 1 or not _fits(one, both @ (share, rest)):
        return None
    size = _size(float(share))
    if not size:
        return None
    term = rest / (1 - share)
    return Cause("factor", f"apart from a term {term:.4g} times the parameter, it {size}")


def _slice(one: Evidence) -> Cause | None:
    """Wrong entries that are exactly a few rows or columns."""
    shape = one.gradient.shape
    if not one.complete:
        return _one_slice(one)
    if one.wrong.all():
        return None
    wrong = np.zeros(one.gradient.size, bool)
    wrong[one.at] = one.wrong
    wrong = wrong.reshape(shape)
    for axis in range(len(shape)):
        hit = wrong.any(axis=tuple(a for a in range(len(shape)) if a != axis))
        places = np.flatnonzero(hit)
        inside = np.take(wrong, places, axis=axis)
        if len(places) > (shape[axis] + 1) // 2 or inside.mean() < 0.75:
            continue
        runs = len(places) == places[-1] - places[0] + 1
        which = f"{places[0]}" if len(places) == 1 else f"{places[0]} to {places[-1]}"
        if not runs:
            which = ", ".join(map(str, places[:6]))
        end = " (the last)" if places[0] == shape[axis] - 1 else ""
        zero = not np.take(one.gradient, places, axis=axis).any()
        left = ", where it is 0: a slice that leaves them out?" if zero else ""
        word = f"at {which} of axis {axis}" if len(shape) > 1 else f"at {which}"
        return Cause("slice", f"only its entries {word}{end} are wrong{left}")
    return None


def _one_slice(one: Evidence) -> Cause | None:
    """Wrong entries, found among many, that all lie in one row or column."""
    shape = one.gradient.shape
    places = np.array(np.unravel_index(one.at[one.wrong], shape))
    if len(shape) < 2 or places.shape[1] < _FEW + 1 or places.shape[1] > 0.5 * len(one.at):
        return None
    for axis in range(len(shape)):
        here = int(places[axis, 0])
        if shape[axis] > 2 and (places[axis] == here).all():
            end = " (the last)" if here == shape[axis] - 1 else ""
            return Cause("slice", f"all wrong entries found lie at {here} of axis {axis}{end}")
    return None


def _whole(number: float) -> int | None:
    """Return the whole number that `number` is to four digits, or None."""
    if not math.isfinite(number):
        return None
    near = round(abs(number))
    return near if near > 1 and abs(abs(number) - near) <= 1e-4 * near else None
