"""Narrow: another space or sampler for the networks that are still to be proposed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from deepwell.records import Request
from deepwell.study._asked import search_config
from deepwell.study._image_space import check_images
from deepwell.study._more import NARROW, narrowed, way_from_plain
from deepwell.study._scene import Scene
from deepwell.study._settings import check_changes_come, check_networks

from ._act import Act, Stand

if TYPE_CHECKING:
    from deepwell.study._desk import Desk


def _check(scene: Scene, request: Request) -> None:
    """Whether the space can be was seen when it was asked for, by what the study searches then."""


def _do(desk: Desk, stand: Stand, request: Request) -> Stand:
    old = desk.asked.settings
    new = way_from_plain(request.details).settings(old)
    check_changes_come(new.space)
    check_images(new.space, desk.engine.shape.image)
    check_networks(new.space, desk.asked.program)
    asked = replace(desk.asked, settings=new)
    told = {
        "after": len(desk.history.trials()),
        "epoch": desk.epoch(),
        "to_come": desk.to_come(stand.bracket.population),
        **(narrowed(old, new) or {}),
    }
    event = desk.event(NARROW, request, told)
    desk.record(stand, request, [event], config=desk.config(search_config(asked)))
    desk.ask_for(asked, 0)
    return stand


ACT = Act(NARROW, _check, _do)
