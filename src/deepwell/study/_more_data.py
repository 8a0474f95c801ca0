"""More data as a remedy: what the study's learning curve says of twice the rows."""

from __future__ import annotations

import math

from deepwell.records import Estimate, RemedyArm

from ._finished import FinishedStudy
from ._learning_curve import recorded_curve


def more_data(study: FinishedStudy) -> tuple[RemedyArm, ...]:
    """Return the arm that is an extrapolation and no network; none without a learning curve.

    Its interval is that of the learning curve alone.
    """
    curve = recorded_curve(study)
    if curve is None or curve.gain is None:
        return ()
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
    return (arm,)
