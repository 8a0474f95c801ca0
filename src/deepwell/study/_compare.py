"""Studies and trials compared: where they differ, and whether the difference in score is clear."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import numpy as np

from deepwell._base._errors import DeepwellError, UsageError
from deepwell._base._safe_text import safe_text
from deepwell.diagnosis._intervals import unpaired_difference, wilson
from deepwell.diagnosis._metrics import METRICS
from deepwell.records import Compared, Comparison, Contrast, Estimate, StudyResult, Trial
from deepwell.storage._open import open_store
from deepwell.storage._study_record import StudyRecord

from ._asked import from_config, origin_of
from ._evaluate import difference_on_dev
from ._finished import FinishedStudy, open_study
from ._reopened import Reopened, reopen
from ._study_file import as_file, flat

_LONGEST = 500
_NOT_SET = "-"


@dataclass(frozen=True, eq=False)
class _Side:
    """One of what is compared.

    Attributes:
        name: as it was given.
        study: whose it is; record: its row; dev_rows: sorted hashes of its dev rows.
        trial: where a trial was named.
    """

    name: str
    study: FinishedStudy
    record: StudyRecord
    dev_rows: np.ndarray
    trial: Trial | None
    store: str | Path | None

    @cached_property
    def result(self) -> StudyResult:
        return self.study.result

    @property
    def has_network(self) -> bool:
        """Whether the network is at hand that has the dev score."""
        chosen = self.trial is None or self.trial.number == self.result.best_trial
        return chosen and not self.result.folds

    @cached_property
    def reopened(self) -> Reopened:
        return reopen(self.study, self.store, None, 'open_study("{}")')

    @cached_property
    def dev(self) -> Estimate:
        """The dev score; of a trial whose network is gone with the interval of an error rate."""
        trial, rows = self.trial, self.result.data.sizes[1]
        if trial is None or trial.number == self.result.best_trial:
            return self.result.dev
        weighting: Any = self.record.config.get("weighting") or {}
        alike = not any(weighting.get(key) for key in ("column", "balanced", "by_class"))
        alike = alike and not self.result.folds and not self.result.data.group
        if self.result.metric == "error" and alike and math.isfinite(trial.score):
            return wilson(trial.score * rows, rows)
        return Estimate(trial.score, math.nan, math.nan)


def compare(*names: str, store: str | Path | None = None) -> Comparison:
    """Return how studies or trials differ, and whether the differences in score are clear.

    The best network of each study is scored on its dev rows; where two studies have the same ones,
    the difference is taken row by row, which is far sharper than two intervals side by side. A
    temperature or threshold that was stored later is left out: it was fitted on these rows.

    >>> import deepwell as dw                                          # doctest: +SKIP
    >>> dw.compare("churn", "churn-2").contrasts[0].change             # doctest: +SKIP
    Estimate(value=0.012, low=-0.001, high=0.024)

    Args:
        names: two or more studies, or trials as in `churn/12`.
        store: folder or URL; None means `./deepwell`.

    Raises:
        UsageError: when fewer than two are named, or one of them is not there or has no result.
    """
    if len(dict.fromkeys(names)) < 2:
        raise UsageError(
            "name two or more different studies, or trials as in churn/12, to compare them"
        )
    sides = [_side(name, store) for name in dict.fromkeys(names)]
    metrics = {side.result.metric for side in sides}
    best = min(sides, key=lambda side: side.dev.value) if len(metrics) == 1 else None
    contrasts = [_contrast(side, best) for side in sides if side is not best]
    return Comparison(
        compared=tuple(map(_compared, sides)),
        best="" if best is None else best.name,
        contrasts=tuple(contrasts),
        differing=_differing([_asked(side) for side in sides]),
    )


def _side(name: str, store: str | Path | None) -> _Side:
    study_name, slash, number = name.partition("/")
    study = open_study(study_name, store)
    with open_store(store, create=False) as opened:
        record = opened.study(study_name)
        rows = opened.row_hashes.read(record.id, "dev")
    trial = _trial(study, number) if slash else None
    return _Side(name, study, record, rows, trial, store)


def _trial(study: FinishedStudy, number: str) -> Trial:
    trials = study.trials()
    wanted = int(number) if number.isascii() and number.isdigit() else -1
    found = next((trial for trial in trials if trial.number == wanted), None)
    if found is None:
        raise UsageError(
            f"study {study.name} has the trials 0 to {trials[-1].number}, got {safe_text(number)}; "
            f"name one as in {study.name}/0"
        )
    if not math.isfinite(found.score):
        raise UsageError(f"trial {wanted} of study {study.name} reached no score to compare")
    return found


def _contrast(side: _Side, best: _Side | None) -> Contrast:
    if best is None:
        return Contrast(side.name, None, False, False, "they are chosen by different metrics")
    same_rows = np.array_equal(side.dev_rows, best.dev_rows)
    change, why = _paired(side, best) if same_rows else (None, "")
    if change is not None:
        how = f"on the same {len(side.dev_rows):,} dev rows"
        if any(one.reopened.model.adjustments.change_predictions for one in (side, best)):
            how += ", of the networks as they were trained: calibrate went by these rows"
        return Contrast(side.name, change, _clear(change), True, how)
    apart = unpaired_difference(side.dev, best.dev)
    how = why if same_rows else "on other dev rows: some of it is the rows"
    if not math.isfinite(apart.low):
        apart, how = Estimate(apart.value, math.nan, math.nan), f"no interval is known; {how}"
    return Contrast(side.name, apart, _clear(apart), False, how)


def _paired(side: _Side, best: _Side) -> tuple[Estimate | None, str]:
    """Return the difference row by row, or why there is none."""
    wide = "so the interval is wider than it need be"
    for one in (side, best):
        if not one.has_network:
            kept = "is a mean over folds" if one.result.folds else "is not kept"
            return None, f"the network of {one.name} {kept}, {wide}"
    try:
        mine, its = side.reopened.as_trained(), best.reopened.as_trained()
    except DeepwellError as error:
        return None, f"the rows could not be read again ({error}), {wide}"
    order = _same_order(mine.data.row_hashes["dev"], its.data.row_hashes["dev"])
    if not np.array_equal(mine.y_dev, its.y_dev[order]):
        return None, f"they take the targets otherwise, {wide}"
    said = mine.dev_prediction, its.dev_prediction[order]
    metric = METRICS[side.result.metric]
    return difference_on_dev(mine.data, metric, *said, mine.settings.seed), ""


def _same_order(mine: np.ndarray, its: np.ndarray) -> np.ndarray:
    """Return where each of my rows stands among its; both hold the same ones."""
    if np.array_equal(mine, its):
        return np.arange(len(its))
    order = np.empty(len(its), np.int64)
    order[np.argsort(mine, kind="stable")] = np.argsort(its, kind="stable")
    return order


def _clear(change: Estimate) -> bool:
    return change.low > 0 or change.high < 0


def _compared(side: _Side) -> Compared:
    result, trial = side.result, side.trial
    return Compared(
        name=side.name,
        metric=result.metric,
        label=result.metric_label,
        percent=result.percent,
        train=result.train if trial is None else None,
        dev=side.dev,
        networks=result.networks,
        seconds=side.record.seconds,
        openings=len(result.openings),
    )


def _asked(side: _Side) -> dict[str, str]:
    """Return all that may differ, as texts: what was asked, the rows, and the network."""
    asked = from_config(side.record)
    told: dict[str, object] = flat(as_file(asked, origin_of(side.record), side.record.name))
    told.pop("study.name", None)
    facts = side.result.data
    told["data.content"] = str(side.record.config["fingerprint"])[:12]
    told["data.sizes"] = " / ".join(f"{size:,}" for size in facts.sizes)
    told["data.split_seed"] = facts.split_seed
    network: Mapping[str, object] = side.result.best
    if side.trial is not None:
        network = side.trial.spec.hyperparameters
        told["network.seed"] = side.trial.spec.seed
    told |= {f"network.{name}": value for name, value in network.items()}
    return {name: _text(value) for name, value in told.items()}


def _text(value: object) -> str:
    if isinstance(value, Mapping):
        told = cast(Mapping[object, object], value)
        pairs = ((str(k), _text(v)) for k, v in told.items())
        return safe_text(", ".join(f"{name}={text}" for name, text in pairs), _LONGEST)
    if isinstance(value, list | tuple):
        return ",".join(map(str, cast(Sequence[object], value)))
    return safe_text(f"{value:.6g}" if isinstance(value, float) else value, _LONGEST)


def _differing(sides: Sequence[Mapping[str, str]]) -> dict[str, tuple[str, ...]]:
    names = dict.fromkeys(name for side in sides for name in side)
    rows = {name: tuple(side.get(name, _NOT_SET) for side in sides) for name in names}
    return {name: texts for name, texts in rows.items() if len(set(texts)) > 1}
