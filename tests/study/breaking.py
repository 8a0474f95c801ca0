"""Runs that break off inside the test's own process, and checkpoints that they go on from."""

from __future__ import annotations

import math

import pytest

import deepwell as dw
from deepwell.records import Progress
from deepwell.study import _checkpoint
from deepwell.study._budget import Clock


class Failing(dw.Observer):
    """Keeps the progress that is told, and raises at the n-th.

    Args:
        after: at which one; 0 for none.
        error: that is raised; None for a `RuntimeError` with the text "broken".
    """

    def __init__(self, after: int = 0, error: BaseException | None = None) -> None:
        self.told: list[Progress] = []
        self._after, self._error = after, error or RuntimeError("broken")

    def on_progress(self, progress: Progress) -> None:
        self.told.append(progress)
        if len(self.told) == self._after:
            raise self._error


class Counted(Clock):
    """A clock whose budget is used up when it has been asked so many times since it was armed."""

    armed, asked_left = False, 0

    @classmethod
    def arm(cls, questions: int, *, at_once: bool = True) -> None:
        """Let it be asked so many times, from now on or from when `Arming` arms it."""
        cls.armed, cls.asked_left = at_once, questions

    def over(self) -> bool:
        Counted.asked_left -= Counted.armed
        return self.budget is not None and Counted.asked_left <= 0


class Arming(dw.Observer):
    """Arms the clock with the first record: how often it is asked before depends on compiling."""

    def on_progress(self, progress: Progress) -> None:
        Counted.armed |= progress.phase == "training"


def check_always(patch: pytest.MonkeyPatch) -> None:
    """Make a checkpoint after every record."""
    for name in ("EVERY_SECONDS", "RUNG_SECONDS"):
        patch.setattr(_checkpoint, name, 0.0)
    patch.setattr(_checkpoint, "SHARE", math.inf)
