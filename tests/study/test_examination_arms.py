"""Who trains in an examination, for how long, and what chance makes of the comparison."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np

from deepwell.diagnosis._paired_runs import effect
from deepwell.records import TrialSpec
from deepwell.study._examination_arms import Arms
from deepwell.study._examination_plan import SIZES, Plan, Suspicion


class Chance(Arms):
    """Arms whose scores are chance alone, and a book of the runs that made them."""

    def __init__(self, generator: np.random.Generator) -> None:
        self._values = TrialSpec({}, 0).hyperparameters
        self._why = Suspicion((), (), stuck=True, raw_inputs=False, batch=0)
        self._generator = generator
        self.trained: list[tuple[object, int]] = []

    def _train(self, wanted, epochs, runs):
        self.trained += [(name, run) for name in wanted for run in runs]
        return {name: [self._arm() for _ in runs] for name in wanted}

    def _effect(self, own, other):
        return effect([c.score for c in own], [c.score for c in other], worst=9.0)

    def _arm(self):
        score = self._generator.normal()
        return SimpleNamespace(score=score, dev_cost=np.array([score]))


def plan(size) -> Plan:
    return Plan(size, 10, (True,), {}, (), (), ())


def test_twins_that_are_no_better_seem_so_as_seldom_as_is_said() -> None:
    """5 of 256 patterns of signs in 4,000 examinations; within three standard errors."""
    arms, rate = Chance(np.random.default_rng(0)), 5 / 256
    p = []
    for _ in range(4_000):
        own = arms._train({"own": {}}, 10, range(8))["own"]
        p.append(arms._twins(own, True, plan(SIZES[0])).harm.p_value)
    assert (np.array(p) <= 0.02).mean() <= rate + 3 * math.sqrt(rate * (1 - rate) / 4_000)


def test_who_chose_a_rate_is_not_compared_and_what_is_counted_trains() -> None:
    for size in SIZES:
        arms = Chance(np.random.default_rng(1))
        own = arms._train({"own": {}}, 10, range(size.runs))["own"]
        arms.trained.clear()
        arms._twins(own, True, plan(size))
        assert len(set(arms.trained)) == len(arms.trained) == size.twins
        compared = [run for _, run in arms.trained[-size.runs :]]
        assert compared == list(range(size.runs))
        assert min(run for _, run in arms.trained[: -size.runs]) == size.runs
