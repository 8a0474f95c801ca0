"""Remedies that are no change of a configuration, told beside the arms of an experiment.

More data is what the study's learning curve says of twice the rows. An ensemble is an average of
networks that the fit has trained already, compared with the single best one by rows that chose
neither. Neither is trained here, so neither can win.
"""

from __future__ import annotations

import math
import shlex
from pathlib import Path

from deepwell._base._shell import store_flag
from deepwell.records import Estimate, RemedyArm

from ._finished import FinishedStudy
from ._learning_curve import recorded_curve


def beside(study: FinishedStudy, store: str | Path | None = None) -> tuple[RemedyArm, ...]:
    """Return what is known of such remedies; none where nothing was measured.

    Args:
        study: that is improved.
        store: where it is kept, for the command.
    """
    return (*_ensemble(study, store), *_more_data(study))


def _ensemble(study: FinishedStudy, store: str | Path | None) -> list[RemedyArm]:
    """Return the ensemble that the study kept the members of, with its paired interval."""
    result = study.result
    facts = result.ensemble
    if facts is None:
        return []
    change = facts.change
    verdict = "helps" if change.high < 0 else "hurts" if change.low > 0 else "no clear change"
    arm = RemedyArm(
        name="ensemble",
        kind="variance",
        words=f"an average of {len(facts.trials)} of its networks, trained already "
        f"(deepwell ensemble {shlex.quote(result.name)}{store_flag(store)})",
        change={},
        effect=change,
        p_best=math.nan,
        seconds=0.0,
        parameters=0,
        verdict=verdict,
    )
    return [arm]


def _more_data(study: FinishedStudy) -> list[RemedyArm]:
    """Return the arm that is an extrapolation; its interval is that of the learning curve."""
    curve = recorded_curve(study)
    if curve is None or curve.gain is None:
        return []
    gain = curve.gain
    arm = RemedyArm(
        name="more-data",
        kind="variance",
        words="twice the train rows, by the learning curve",
        change={},
        effect=Estimate(-gain.value, -gain.high, -gain.low),
        p_best=math.nan,
        seconds=math.nan,
        parameters=0,
        verdict="extrapolated",
    )
    return [arm]
