"""From what was measured inside a member to the record that is kept of it."""

from __future__ import annotations

from deepwell.checking._probes import Inside
from deepwell.records import Probe


def probe_record(inside: Inside, trial: int, epoch: int, step: int) -> Probe:
    """Return what of it is kept.

    Args:
        inside: what was measured.
        trial: number of the member's trial.
        epoch: that it ended last.
        step: update steps that it has done.
    """
    kept = {name: value for name, value in vars(inside).items() if name != "flat"}
    return Probe(trial, epoch, step, **kept)
