"""Schedulers: at which epochs to look, and which networks train on from there."""

from ._registry import SCHEDULERS as SCHEDULERS
from ._scheduler import Decision as Decision
from ._scheduler import Fork as Fork
from ._scheduler import Moment as Moment
from ._scheduler import Scheduler as Scheduler
