"""Narrow: another space or sampler for the networks that are still to be proposed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from deepwell.records import Request
from deepwell.search.spaces._plain import space_from_plain
from deepwell.study._asked import search_config
from deepwell.study._image_space import check_images
from deepwell.study._more import NARROW, narrowed
from deepwell.study._scene import Scene
from deepwell.study._settings import check_changes_come, check_networks

from ._act import Act, Stand

if TYPE_CHECKING:
    from deepwell.study._desk import Desk


def _check(scene: Scene, request: Request) -> None:
    details: Any = request.details
    check_changes_come(space_from_plain(details["space"]))


def _do(desk: Desk, stand: Stand, request: Request) -> Stand:
    details: Any = request.details
    old = desk.asked.settings
    space = space_from_plain(details["space"])
    check_changes_come(space)
    check_images(space, desk.engine.shape.image)
    check_networks(space, desk.asked.program)
    new = replace(old, space=space, search=details["search"])
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
