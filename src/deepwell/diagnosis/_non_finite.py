"""Networks that diverged (DW408): how many, at which learning rates, and what broke first.

A search that tries rates up to where training breaks must find some networks that diverge; that is
no fault. It is one when as many networks diverge as not, or when those that do have no higher
rates than the others, so that something else breaks them. Few networks cannot show that by ranks;
there a gap of a factor of 10 between the rates tells enough.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from deepwell.records import Finding, NonFinite, to_plain

LOWER_RATES = "learning rates"
"""How the change begins that asks for lower ones."""

_HALF = 0.5
_CHANCE = 0.05
_APART = 10.0  # a rate that a tenth of would do is too high
_USUAL_LOW = 1e-5  # where a search of learning rates begins at the latest


@dataclass(frozen=True)
class DivergenceEvidence:
    """What is known of the networks that diverged.

    Attributes:
        diverged: learning rates of the networks that diverged.
        others: learning rates of those that trained and did not.
        first: where one of them was first not finite; None where that was not looked for.
        why_not: why not, or an empty string.
    """

    diverged: tuple[float, ...]
    others: tuple[float, ...]
    first: NonFinite | None = None
    why_not: str = ""


def diagnose_divergence(evidence: DivergenceEvidence, cause: str = "") -> list[Finding]:
    """Return DW408 about the networks that diverged, nothing where none did.

    `problem` when at least half of the networks diverged, or when their learning rates are not
    higher than those of the others (one-sided rank test, 5 %, or all above ten times the highest
    of them); `ok` else. Where all diverged and the cause is known it is the consequence of that.

    Args:
        evidence: what is known of them.
        cause: code of the finding whose change was measured to help the best of them; none else.
    """
    count, total = len(evidence.diverged), len(evidence.diverged) + len(evidence.others)
    if not count:
        return []
    share, chance = count / total, chance_of_higher(evidence.diverged, evidence.others)
    apart = bool(evidence.others) and min(evidence.diverged) >= _APART * max(evidence.others)
    explained = chance < _CHANCE or apart
    known = bool(cause) and not evidence.others
    level = "ok" if known or (explained and share < _HALF) else "problem"
    networks = "network" if total == 1 else "networks"
    claim = f"{count:,} of {total:,} {networks} diverged"
    claim += f", a consequence of {cause}" if known else ""
    told = [_rates(evidence, explained)]
    if evidence.first is not None:
        first = evidence.first
        told.append(f"trial {first.trial} was first not finite in {first.where()}: {first.detail}")
    elif evidence.why_not:
        told.append(f"what broke first was not looked for: {evidence.why_not}")
    lowest = min(evidence.diverged)
    rates = {*evidence.diverged, *evidence.others}
    others = max(evidence.others, default=0.0)
    by_rate = explained or len(rates) == 1 or lowest > others
    lower = level == "problem" and by_rate and lowest > 10 * _USUAL_LOW
    change = f"{LOWER_RATES} below {lowest:.3g}" if lower else "another start or normalization"
    if lower:
        told.append(f"try {_lower_rates(evidence)}")
    elif apart and lowest > 10 * _USUAL_LOW:
        told.append(f"to leave them out: {_lower_rates(evidence)}")
    plain: dict[str, object] = {
        "measured": share,
        "threshold": _HALF,
        "threshold_source": "half of the networks; rates compared by a one-sided rank test at "
        "0.05, or ten times as high",
        "change": change,
        "p_value": chance,
        "networks": total,
        "diverged": count,
        "lowest_rate": lowest,
        "first": None if evidence.first is None else to_plain(evidence.first),
        **({"consequence_of": cause} if known else {}),
    }
    return [Finding("DW408", level, claim, "; ".join(told), plain)]


def _lower_rates(evidence: DivergenceEvidence) -> str:
    """Return the option that trains at lower rates: one where all networks had the same."""
    lowest = min(evidence.diverged)
    if len({*evidence.diverged, *evidence.others}) == 1:
        return f"--learning-rate {lowest / 10:.2g}"
    return f"--space learning_rate=log({_USUAL_LOW:g},{lowest:.2g})"


def _rates(evidence: DivergenceEvidence, explained: bool) -> str:
    """Return at which learning rates networks diverged, and whether that explains it."""
    low, high = min(evidence.diverged), max(evidence.diverged)
    span = f"{low:.3g}" if low == high else f"{low:.3g} to {high:.3g}"
    told = f"at learning rate {span}" if low == high else f"at learning rates {span}"
    if not evidence.others:
        return told
    if low == high and set(evidence.others) == {low}:
        return f"{told}, as the others"
    best = max(evidence.others)
    if low > best:
        return f"{told}, all above {best:.3g}, the highest that did not"
    middle = statistics.median(evidence.others)
    if explained:
        return f"{told}, higher than those of the others (median {middle:.3g})"
    return (
        f"{told}, not clearly higher than those of the others (median {middle:.3g}), so the rate "
        "alone does not explain it"
    )


def chance_of_higher(some: Sequence[float], others: Sequence[float]) -> float:
    """Return how likely ranks as high as these are by chance: the one-sided Mann-Whitney p-value.

    By the normal approximation with the correction for ties; 1 where there is nothing to compare.

    >>> round(chance_of_higher([8.0, 9.0, 10.0], [1.0, 2.0, 3.0, 4.0, 5.0]), 3)
    0.018

    Args:
        some: values that may be higher.
        others: what they are compared with.
    """
    n, m = len(some), len(others)
    if not n or not m:
        return 1.0
    above = sum((a > b) + 0.5 * (a == b) for a in some for b in others)
    everything = sorted([*some, *others])
    ties = [everything.count(value) for value in set(everything)]
    total = n + m
    spread = n * m / 12 * (total + 1 - sum(t**3 - t for t in ties) / (total * max(1, total - 1)))
    if spread <= 0:
        return 1.0
    z = (above - n * m / 2 - 0.5) / math.sqrt(spread)
    return 0.5 * math.erfc(z / math.sqrt(2))
