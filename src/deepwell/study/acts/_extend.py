"""Extend: more networks, more epochs for those that train, or more time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from deepwell._base._errors import UsageError
from deepwell.records import Request, TrialSpec
from deepwell.study._asked import search_config
from deepwell.study._scene import Scene
from deepwell.study._settings import scheduler_of

from ._act import Act, Stand

if TYPE_CHECKING:
    from deepwell.study._desk import Desk

EXTEND = "extend_by_hand"
_BY_LENGTH = ("cosine", "one_cycle")  # decays whose whole course depends on the number of epochs


def _check(scene: Scene, request: Request) -> None:
    if _told(request)["epochs"]:
        _longer(scene, request)


def _told(request: Request) -> Mapping[str, Any]:
    return request.details


def _longer(scene: Scene, request: Request) -> dict[int, TrialSpec]:
    """Return the specifications of the networks that train longer."""
    more = _told(request)["epochs"]
    specs: dict[int, TrialSpec] = {}
    for trial in scene.chosen(None):
        spec = trial.spec
        if spec.text("decay") in _BY_LENGTH:
            raise UsageError(
                f"network {trial.number} of study {scene.name} trains by a {spec.text('decay')} "
                "decay, whose rates so far depend on the number of epochs; fork it with "
                "another learning rate, or fit again with more --epochs"
            )
        longer = {**spec.hyperparameters, "epochs": spec.whole("epochs") + more}
        specs[trial.number] = replace(spec, hyperparameters=longer)
    return specs


def _do(desk: Desk, stand: Stand, request: Request) -> Stand:
    told = _told(request)
    specs = _longer(desk.scene(), request) if told["epochs"] else {}
    bracket = stand.bracket.changed(specs)
    if specs:
        longest = max(spec.whole("epochs") for spec in specs.values())
        rungs = scheduler_of(desk.asked.settings).longer(bracket.rungs, longest)
        bracket = replace(bracket, rungs=rungs)
    asked = desk.asked
    if told["trials"] and (asked.trials is not None or asked.budget is None):
        total = desk.proposed() if asked.trials is None else asked.trials
        asked = replace(asked, trials=total + told["trials"])
    if told["budget"]:
        asked = replace(asked, budget=desk.clock.seconds() + told["budget"])
    details = {
        **told,
        "epoch": desk.epoch(),
        "population": bracket.population,
        "rungs": [[rung.epochs, rung.networks] for rung in bracket.rungs],
    }
    then = Stand(bracket, stand.here)
    event = desk.event(EXTEND, request, details)
    config = desk.config(search_config(asked))
    desk.change(
        stand, specs, lambda: desk.record(then, request, [event], specs=specs, config=config)
    )
    desk.ask_for(asked, told["trials"] or 0)
    return then


ACT = Act(EXTEND, _check, _do)
