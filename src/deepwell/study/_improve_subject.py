"""The study that is improved, and what was asked for, checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from deepwell._base._errors import UsageError
from deepwell._base._safe_text import safe_text
from deepwell.data._data import Data
from deepwell.data._folds import Folds, make_folds
from deepwell.diagnosis._bias_variance import gain_that_counts, material_size
from deepwell.diagnosis._larger_experiment import DEFAULT_REPLICATES, REPLICATES
from deepwell.diagnosis._metrics import METRICS
from deepwell.diagnosis._recipe import BY_CODE, remedies_for
from deepwell.diagnosis._told_gaps import ToldGaps, told_gaps
from deepwell.records import Finding, StudyResult, TrialSpec
from deepwell.search.spaces._distribution import plain
from deepwell.storage._open import open_store

from ._asked import Asked, from_config
from ._budget import parse_budget
from ._finished import FinishedStudy
from ._observer import Observer
from ._same_data import same_data

_USUAL_SECONDS = 60.0
_LEVELS = ("problem", "unsure", "ok")
_CALL = 'open_study("{}").improve(data=load(...))'


@dataclass(frozen=True)
class Wanted:
    """What an improvement is asked to do.

    Attributes:
        apply: code of a finding whose remedies are tried; None tries the whole recipe.
        budget: seconds; None takes a minute, or as long as the study took.
        replicates: networks of each arm, at most.
        save: whether the best configuration is trained as a new study.
    """

    apply: str | None = None
    budget: float | None = None
    replicates: int = DEFAULT_REPLICATES
    save: bool = True


def wanted(
    apply: str | None, budget: str | float | None, replicates: int | None, save: bool
) -> Wanted:
    """Return what was asked, checked.

    Raises:
        UsageError: when a value is out of its range, or the code has no remedies.
    """
    number = plain(DEFAULT_REPLICATES if replicates is None else replicates)
    if not REPLICATES.accepts(number):
        shown = safe_text(repr(replicates))
        raise UsageError(f"`replicates` must be {REPLICATES.describe()}, got {shown}")
    if apply is not None:
        remedies_for(str(apply))
    assert isinstance(number, int)
    return Wanted(apply, parse_budget(budget), number, save)


@dataclass(frozen=True, eq=False)
class Subject:
    """The study that is improved.

    Attributes:
        result: its outcome; asked: what it was asked to do; base: its best network.
        data: its rows, with folds those of all.
        store: where it is kept.
    """

    result: StudyResult
    asked: Asked
    base: TrialSpec
    data: Data
    folds: Folds | None
    store: str | Path | None
    wanted: Wanted
    observer: Observer

    @cached_property
    def gaps(self) -> ToldGaps:
        """The figures that the fit told the gaps by."""
        told = told_gaps(self.result.findings)
        if told is not None:
            return told
        constant = self.result.baselines[0].estimate.value
        given = self.asked.settings.best_possible
        return ToldGaps(material_size(METRICS[self.result.metric], constant, given), given)

    @property
    def material(self) -> float:
        """The gap between scores that counts."""
        return self.gaps.material

    @property
    def worth(self) -> float:
        """The gain that counts: a tenth of what is left, for shares at least 1 point."""
        metric, score = METRICS[self.result.metric], self.result.dev.value
        return gain_that_counts(metric, score, self.gaps.least, self.material)

    def budget(self) -> float:
        """Return the seconds that all cycles may take: what was said, or about those of a fit."""
        return self.wanted.budget or max(_USUAL_SECONDS, self.result.seconds)


def subject_of(
    study: FinishedStudy,
    store: str | Path | None,
    asked_for: Wanted,
    data: Data | None,
    observer: Observer,
) -> Subject:
    """Return the study with its rows.

    Raises:
        UsageError: when it passed the check of that code, or the rows are not to be had.
    """
    result = study.result
    if asked_for.apply is not None:
        finding_of(result.findings, asked_for.apply, result.name)
    base = next(t.spec for t in study.trials() if t.number == result.best_trial)
    base = TrialSpec(base.hyperparameters, base.seed, base.order_seed, base.dtype)
    with open_store(store, create=False) as opened:
        record = opened.study(result.name)
        asked = from_config(record)
        rows = same_data(opened, record, data, _CALL)
    folds = make_folds(rows, asked.settings.folds) if asked.settings.folds else None
    whole = rows if folds is None else folds.whole
    return Subject(result, asked, base, whole, folds, store, asked_for, observer)


def finding_of(findings: Sequence[Finding], code: str, name: str) -> Finding | None:
    """Return the study's finding of that code: a problem, or one that cannot be told.

    None where the fit told nothing under that code: `diagnose` tells some codes alone, and others
    anew, and its findings are not kept.

    Raises:
        UsageError: when the study passed that check.
    """
    mine = sorted((f for f in findings if f.code == code), key=lambda f: _LEVELS.index(f.level))
    if not mine or mine[0].level != "ok":
        return mine[0] if mine else None
    known = sorted({f.code for f in findings if f.level != "ok" and f.code in BY_CODE})
    others = f"; it has {', '.join(known)}" if known else ""
    raise UsageError(
        f"study {name} has nothing to mend under {code} ({safe_text(mine[0].claim)}){others}; "
        "leave out the code for the whole recipe"
    )
