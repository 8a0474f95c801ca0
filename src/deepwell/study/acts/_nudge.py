"""Nudge: other numbers from the next epoch on, as a person changes them by hand (O12)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from deepwell._base._hyperparameters import Value
from deepwell.records import Request, Trial, TrialSpec
from deepwell.study._forks import forked, told_changes
from deepwell.study._history import NUDGE
from deepwell.study._scene import Scene
from deepwell.study._values_asked import settled_values

from ._act import Act, Stand

if TYPE_CHECKING:
    from deepwell.study._desk import Desk


def _check(scene: Scene, request: Request) -> None:
    _specs(scene, request)


def _specs(
    scene: Scene, request: Request, begun: Callable[[Trial], bool] = lambda _: False
) -> dict[int, tuple[int, Mapping[str, Value], TrialSpec]]:
    """Return of each network after which epoch it changes, to what values, and its new spec.

    Args:
        scene: as the study stands.
        request: what is asked.
        begun: whether a network stands inside its next epoch, which it then ends as it began it.
    """
    asked: Any = request.details["changes"]
    found: dict[int, tuple[int, Mapping[str, Value], TrialSpec]] = {}
    for trial in scene.chosen(request.trial):
        epoch = max(1, trial.epochs + begun(trial))  # what it has from its start is no change
        values = settled_values(trial.spec, epoch, asked)
        found[trial.number] = epoch, values, forked(trial.spec, epoch, values)
    return found


def _do(desk: Desk, stand: Stand, request: Request) -> Stand:
    found = _specs(desk.scene(), request, desk.begun)
    specs = {n: spec for n, (_, _, spec) in found.items()}
    told = {
        str(n): {"epoch": epoch, **told_changes(stand.bracket.specs[n], spec, epoch, values)}
        for n, (epoch, values, spec) in found.items()
    }
    epoch = max(epoch for epoch, _, _ in found.values())
    event = desk.event(NUDGE, request, {"epoch": epoch, "networks": told})
    changed = Stand(stand.bracket.changed(specs), stand.here)
    desk.change(stand, specs, lambda: desk.record(changed, request, [event], specs=specs))
    return changed


ACT = Act(NUDGE, _check, _do)
