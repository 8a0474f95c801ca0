"""What was said about a run, and what was measured of it for the rules of others."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from deepwell.records import Finding, Probe

from .labels import ADVICE, ANY, CAUSES, REGIME


@dataclass(frozen=True)
class Said:
    """One thing that Deepwell said.

    Attributes:
        code: of the finding; `refused` for data that were not accepted.
        level: `problem`, `ok` or `unsure`.
        claim: in words.
        change: the hyperparameter or flag that the finding names, or an empty string.
        values: hyperparameters of the change, where they are said.
        confidence: stated chance that it is right; 1 - p where a test is behind it, else 0.95.
        gain: of the score, that the finding says its change brings; None where it says none.
        deep: whether `deepwell diagnose` tells it, which tells what the fit told again, in part
            anew.
        after: codes of what it says is to be mended first.
    """

    code: str
    level: str
    claim: str
    change: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    confidence: float = 0.95
    gain: float | None = None
    deep: bool = False
    after: Sequence[str] = ()

    @property
    def alarms(self) -> bool:
        """Whether it says that something is wrong; what is left or would help is no alarm."""
        if self.code in REGIME or self.code.startswith(ADVICE):
            return False
        return self.level == "problem"

    @property
    def cause(self) -> str | None:
        """The cause label that it claims, None where it names none, or another finding first."""
        if self.level != "problem" or self.after:
            return None
        return CAUSES.get((self.code, self.change), CAUSES.get((self.code, ANY)))

    def to_plain(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {
            "code": self.code,
            "level": self.level,
            "claim": self.claim,
            "change": self.change,
            "values": dict(self.values),
            "confidence": self.confidence,
            "gain": self.gain,
            "deep": self.deep,
            "after": list(self.after),
        }


@dataclass(frozen=True, eq=False)
class Measured:
    """What any rule may look at: curves, the inside of the network, settings, rows.

    Attributes:
        kind: `classification` or `regression`.
        train_cost, dev_cost, dev_score: (T,), an epoch an entry; none where data were refused,
            the last one NaN where no network got a score.
        train_score: at the end; NaN where there is none, as all else that a training tells.
        constant: dev score of the constant guess.
        classes: how many; 0 for regression.
        probes: of the network, first to last.
        start_cost: before the first step.
        x, y: train rows as the network gets them.
        settings: activation, optimizer, learning_rate, dropout, batch_size, l2, loss, output.
    """

    kind: str
    train_cost: np.ndarray
    dev_cost: np.ndarray
    dev_score: np.ndarray
    train_score: float
    constant: float
    classes: int
    probes: Sequence[Probe]
    start_cost: float
    x: np.ndarray
    y: np.ndarray
    settings: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Diagnosed:
    """One diagnosed run.

    Attributes:
        said: by Deepwell, in its order.
        measured: for the rules of others.
        seconds: that loading and the fit took; trained: of them until the networks were trained.
        deeper: seconds that `diagnose` took beyond them; NaN where it
            was not asked.
        dev: score with the ends of its stated 95 % interval; empty where there is none.
        world: score of the same network on deployed rows; NaN where there is none.
        like_train: its score on rows like train, where deployed ones are from elsewhere; else NaN.
    """

    said: tuple[Said, ...]
    measured: Measured
    seconds: float
    trained: float = math.nan
    deeper: float = math.nan
    dev: tuple[float, ...] = ()
    world: float = math.nan
    like_train: float = math.nan


def said_of(findings: Iterable[Finding], *, deep: bool = False) -> tuple[Said, ...]:
    """Return findings in the benchmark's terms.

    Args:
        findings: all of them.
        deep: whether `deepwell diagnose` told them.
    """
    told = []
    for finding in findings:
        evidence = finding.evidence
        values = evidence.get("values")
        values = values if isinstance(values, Mapping) else {}
        named = [n for n in values if n != "learning_rate"] or list(values)  # twins have their own
        change = next(iter(named), "") or _flag(str(evidence.get("change", "")))
        p = evidence.get("p_value")
        sure = 1 - float(p) if isinstance(p, int | float) else 0.95
        effect = evidence.get("change_effect")
        gain = effect.get("gain") if isinstance(effect, Mapping) else None
        after = evidence.get("after")
        said = Said(finding.code, finding.level, finding.claim, change, values, sure, gain, deep)
        told.append(replace(said, after=tuple(after) if isinstance(after, list) else ()))
    return tuple(told)


def refused(message: str) -> Said:
    """Return a refusal of the data in the benchmark's terms."""
    word = next((w for c, w in CAUSES if c == "refused" and w in message), "")
    return Said("refused", "problem", message, word)


def causes(said: Iterable[Said]) -> list[str]:
    """Return the causes that were claimed, each once, in the order in which they were said.

    What kind of error is left is a claim as any other, whatever was planted.
    """
    return list(dict.fromkeys(s.cause for s in said if s.cause))


def _flag(change: str) -> str:
    """Return a flag with its value as it stands in a change's words, or an empty string."""
    found = re.match(r"--[a-z0-9-]+ [^ ]+", change)
    return found.group() if found else ""
