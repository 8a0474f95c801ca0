"""What `deepwell calibrate` stored with a model, as lines."""

from __future__ import annotations

from deepwell._base._safe_text import safe_text
from deepwell.diagnosis._temperature import Scaling
from deepwell.diagnosis._threshold import Threshold

from ._figures import difference, figure
from ._layout import entry


def calibrated_lines(
    scaling: Scaling | None, kept: bool, threshold: Threshold | None, positive: str
) -> list[str]:
    """Return the lines `temperature` and `threshold`, with what each changes.

    Args:
        scaling: of the temperature; None where none was asked for.
        kept: whether it was stored.
        threshold: None where none was asked for.
        positive: the class that the threshold is for.
    """
    return [*_temperature_lines(scaling, kept), *_threshold_lines(threshold, positive)]


def _temperature_lines(scaling: Scaling | None, kept: bool) -> list[str]:
    if scaling is None:
        return entry("scale", "no temperature: probabilities are those of the network")
    change = f"log loss {difference(scaling.change, percent=False)}"
    if not kept:
        return entry("scale", f"no temperature, since it does not help: {change}")
    clearly = "" if scaling.change.high < 0 else "; this is not clearly better than none"
    before, after = (figure(e, True) for e in (scaling.error_before, scaling.error_after))
    return entry(
        "scale",
        f"temperature {scaling.temperature:.3g} stored: {change}, calibration error {before} -> "
        f"{after}, on dev rows that did not fit it{clearly}",
    )


def _threshold_lines(threshold: Threshold | None, positive: str) -> list[str]:
    if threshold is None:
        return entry("decide", "for the likelier class")
    half = figure(threshold.half.value, threshold.percent)
    change = f"{threshold.label} {difference(threshold.change, threshold.percent)} from {half}"
    if not threshold.helps:
        return entry("decide", f"for the likelier class, since no threshold helps: {change}")
    clearly = "" if threshold.change.high < 0 else "; this is not clearly better than 0.5"
    return entry(
        "decide",
        f"for {safe_text(positive)} above {threshold.value:.3g}, stored: {change}, on dev rows "
        f"that did not choose it{clearly}",
    )
