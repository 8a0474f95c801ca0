"""What an experiment showed: its arms, best first, and which one wins."""

from __future__ import annotations

import math
from collections.abc import Sequence

from deepwell.diagnosis._arm_effects import ArmEffect
from deepwell.diagnosis._remedies import Treatment
from deepwell.diagnosis._winner import crossfitted_gain, largest_gain, winner
from deepwell.records import Cycle, RemedyArm, RemedyPlan

from ._experiment import Experiment, Tally, mean


def cycle_told(
    plan: RemedyPlan,
    experiment: Experiment,
    tallies: Sequence[Tally],
    effects: Sequence[ArmEffect | None],
    stopped: str,
) -> Cycle:
    """Return what an experiment showed."""
    arms = [
        _arm(one, tally, effect)
        for one, tally, effect in zip(experiment.treatments, tallies[1:], effects, strict=True)
    ]
    ended = [
        place
        for place, effect in enumerate(effects)
        if effect is not None and not tallies[1 + place].stopped_at
    ]
    racing = [one for place in ended if (one := effects[place]) is not None]
    place = winner(racing)
    best = "" if place is None else arms[ended[place]].name
    known = [one for one in effects if one is not None and math.isfinite(one.error)]
    unchanged = Treatment("unchanged", "", {}, "the network as it is")
    return Cycle(
        plan=plan,
        base=_arm(unchanged, tallies[0], None),
        arms=tuple(sorted(arms, key=_rank)),
        winner=best,
        gain=crossfitted_gain(racing) if best else None,
        largest=largest_gain(known) if known else math.nan,
        networks=sum(tally.networks for tally in tallies),
        seconds=0.0,
        stopped=stopped,
    )


def _arm(one: Treatment, tally: Tally, effect: ArmEffect | None) -> RemedyArm:
    return RemedyArm(
        name=one.name,
        kind=one.kind,
        words=one.words,
        change=dict(one.change),
        effect=None if effect is None else effect.effect,
        p_best=0.0 if effect is None else effect.p_best,
        seconds=tally.core_seconds / tally.networks if tally.networks else 0.0,
        parameters=tally.parameters,
        train=mean(tally.train),
        dev=mean(tally.dev),
        replicates=len(tally.sums),
        stopped_at=tally.stopped_at,
        verdict=_verdict(tally, effect) if one.kind else "",
        diverged=tally.diverged,
        by_rows=1.0 if effect is None else effect.by_rows,
    )


def _verdict(tally: Tally, effect: ArmEffect | None) -> str:
    if effect is None:
        return tally.failed or "not measured"
    if effect.effect.low > 0:
        return "hurts"
    if effect.effect.high < 0 and not tally.stopped_at:
        return "helps"
    return "no clear change"


def _rank(arm: RemedyArm) -> tuple[bool, bool, float]:
    value = math.inf if arm.effect is None else arm.effect.value
    return arm.effect is None, bool(arm.stopped_at), value
