"""What remedies did: arms of an experiment beside an unchanged network, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from deepwell._base._hyperparameters import Value

from ._estimate import Estimate
from ._finding import Finding


@dataclass(frozen=True)
class RemedyArm:
    """One remedy, and what it did beside the unchanged network.

    Attributes:
        name: of the remedy, as in `bigger`.
        kind: the error that it is for: `bias`, `optimization`, `variance` or `architecture`.
        words: what it changes, as in `hidden_units 32, 32 -> 64, 64`.
        change: hyperparameter -> its new value.
        effect: score with it less score without it, below 0 where it helps, with an interval that
            holds for all arms of the experiment at once; None where it could not be measured.
        p_best: probability that it is the best of all arms and the unchanged network.
        seconds: of one core, to train one such network.
        parameters: that such a network has.
        train, dev: mean scores of its networks, on train rows and on the dev rows that chose
            nothing; NaN where they were not measured.
        replicates: networks that were trained.
        stopped_at: replicates after which it was given up as unpromising; 0 for one that went to
            the end. One that was given up never wins.
        verdict: `helps`, `hurts`, `no clear change`, or why there is none.
        diverged: networks that did, which count as the constant guess.
        by_rows: share of the interval's square that comes from the dev rows; the rest is of the
            seeds.
    """

    name: str
    kind: str
    words: str
    change: Mapping[str, Value]
    effect: Estimate | None
    p_best: float
    seconds: float
    parameters: int
    train: float = float("nan")
    dev: float = float("nan")
    replicates: int = 0
    stopped_at: int = 0
    verdict: str = ""
    diverged: int = 0
    by_rows: float = 1.0


@dataclass(frozen=True)
class RemedyPlan:
    """What an experiment is going to do.

    Attributes:
        cycle: counted from 1.
        verdict: the kind of error that sets the order of the remedies, in words.
        base: hyperparameters that the remedies change.
        arms: name -> what is changed, in words, in the order of the recipe.
        left_out: the same of those for which the budget has no room.
        rungs: replicates after which unpromising arms are given up.
        networks: trained if none is given up.
        program: `native` or `jax`; programs: to compile.
        seconds: expected, at most.
        budget: seconds for the whole improvement; None for no limit.
        dev_rows: rows that effects are measured on.
        halved: whether one half of the dev rows chose each network's epoch and the other half
            measured it.
        high: the errors that are high, of `bias` and `variance`, before it.
    """

    cycle: int
    verdict: str
    base: Mapping[str, Value]
    arms: Mapping[str, str]
    left_out: Mapping[str, str]
    rungs: tuple[int, ...]
    networks: int
    program: str
    programs: int
    seconds: float
    budget: float | None
    dev_rows: int
    halved: bool
    high: tuple[str, ...] = ()


@dataclass(frozen=True)
class Cycle:
    """One experiment: all arms beside the unchanged network.

    Attributes:
        plan: what was to be done.
        base: the unchanged network.
        arms: best first, those that were given up last.
        winner: name of the remedy that helps most, or an empty string.
        gain: what choosing the best arm takes off the score, chosen on one half of the dev rows and
            measured on the other, both ways; None where nothing won or the rows were not halved.
        largest: the largest gain that no interval excludes.
        networks: that were trained; seconds: that it took.
        stopped: why it ended early, or an empty string.
    """

    plan: RemedyPlan
    base: RemedyArm
    arms: tuple[RemedyArm, ...]
    winner: str
    gain: Estimate | None
    largest: float
    networks: int
    seconds: float
    stopped: str = ""


@dataclass(frozen=True)
class Improvement:
    """What the recipe found, cycle by cycle, and the study that came of it.

    Attributes:
        study: whose best network it began with.
        metric, metric_label, percent: of all scores; lower is better.
        cycles: experiments, each from the winner of the one before.
        beside: what is no change of a network and was not trained here, as more data by the
            learning curve; it never wins.
        findings: what they say.
        hyperparameters: of the network that it ended with.
        improved: name of the new study, or an empty string where nothing was saved.
        new, old: dev scores of the new study's network and of the old one's.
        versus: new minus old on the dev rows, paired; both were chosen on these rows.
        seconds: wall time.
        stopped: why it ended early, or an empty string.
        apply: code of the finding whose remedies were tried; empty for the whole recipe.
        replicates: networks of each arm, at most.
        from_file: whether a command can read the rows again, which those from memory cannot be.
        test_rows: sealed ones.
    """

    study: str
    metric: str
    metric_label: str
    percent: bool
    cycles: tuple[Cycle, ...]
    findings: tuple[Finding, ...] = ()
    hyperparameters: Mapping[str, Value] = field(default_factory=dict[str, Value])
    improved: str = ""
    new: Estimate | None = None
    old: Estimate | None = None
    versus: Estimate | None = None
    seconds: float = 0.0
    stopped: str = ""
    beside: tuple[RemedyArm, ...] = ()
    apply: str = ""
    replicates: int = 8
    from_file: bool = True
    test_rows: int = 0

    @property
    def arms(self) -> tuple[RemedyArm, ...]:
        """The arms of the first experiment, best first: remedies of the study's own network."""
        return self.cycles[0].arms if self.cycles else ()
