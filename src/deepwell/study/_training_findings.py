"""What the end of a study says about how its best network trained (codes DW401 to DW416)."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np

from deepwell._native._core_module import available
from deepwell.checking._arms import JAX, NATIVE, native_way
from deepwell.checking._mode_costs import mode_costs
from deepwell.data._batches import epoch_order
from deepwell.data._data import Data
from deepwell.data._image_augmentations import STRENGTHS
from deepwell.diagnosis._causes import causes_first, most_urgent_first, starts_first
from deepwell.diagnosis._changes import change_for
from deepwell.diagnosis._comparison import hardest_baseline
from deepwell.diagnosis._curve_findings import diagnose_curves
from deepwell.diagnosis._curves import Curves, matters
from deepwell.diagnosis._input_findings import SLOW, InputScales, input_finding, input_scales
from deepwell.diagnosis._layer_findings import layer_finding, quiet_finding, unseen_finding
from deepwell.diagnosis._layer_symptoms import SYMPTOMS
from deepwell.diagnosis._metrics import METRICS
from deepwell.diagnosis._mode_findings import ModeCosts, averages_off, mode_finding
from deepwell.diagnosis._noise_findings import noise_finding, searched_batches, sign_of_noise
from deepwell.diagnosis._output_findings import CONSTANT, output_finding, output_spread
from deepwell.diagnosis._paired_runs import Tried
from deepwell.diagnosis._plateau_findings import plateau_finding
from deepwell.diagnosis._rate_findings import HIGHER, LOWER, diagnose_rate, searched, untested_rate
from deepwell.diagnosis._setting_findings import setting_finding
from deepwell.execution._recovery import out_of_memory
from deepwell.networks._architecture import Architecture
from deepwell.networks._exact_statistics import with_exact_statistics
from deepwell.networks._forward import predictions
from deepwell.optimization._foreign import is_foreign
from deepwell.records import Estimate, Finding, Status, Trial, TrialSpec
from deepwell.search.schedulers._across_folds import configurations
from deepwell.training._epochs import Epochs
from deepwell.training._program import State, TrainingRows
from deepwell.training._state import best_parameters

from ._arrays import training_rows
from ._change_command import change_command
from ._evaluate import difference_on_dev, targets
from ._examination import FLOOR, SHARE, examine
from ._examination_arms import at_rate
from ._examination_seen import Examination
from ._subject import StudyPrograms, Subject

_PART_OF_MEMORY = 4  # of the budget one part in so many is for twins
_Z = 1.96  # half widths of 95 % intervals are so many standard errors
_BATCHES = 12  # whose costs the modes are compared by: 4,096 sign patterns
_OTHERS = 10  # networks whose best epochs are told beside the best one's
_BY_THEMSELVES = (Status.EARLY_STOPPED, Status.DIVERGED)
_ANNEALING = ("cosine", "one_cycle")
_TOO_LONG = "more than a hundredth of the study's time"
_NO_PROGRAM = "there was no program at hand, or no memory, to train such networks with"


@dataclass(frozen=True, eq=False)
class Ended:
    """A study at its end, as far as the findings need it.

    Attributes:
        data: train and dev rows of the best network.
        metric: that networks were chosen by; scale: from a program's score to its unit.
        trials: all of them, without curves; best: the best one.
        curves: of the best one, in the program's unit.
        state: of the best one.
        architecture: of the best one.
        constant: the constant guess's dev score.
        versus: network minus each simple model on the dev rows, paired.
        spread: of the network's predictions on the dev rows, by `output_spread`.
        work: multiply-adds that the study trained.
        memory: its budget in bytes; None for no bound.
        programs: of the study; None where the native program trained it.
        folds: of its cross-validation; 0 for none.
        best_possible: the score that it was given.
        seed: of resampling.
        standard_error: of its dev score on so many rows as `data` has, None where not known.
        starts: what the checks before the training say, as `of_best` returns them.
    """

    data: Data
    metric: str
    scale: float
    trials: Sequence[Trial]
    best: Trial
    curves: Mapping[str, np.ndarray]
    state: State
    architecture: Architecture
    constant: float
    versus: Mapping[str, Estimate]
    spread: float
    work: float
    seed: int
    memory: int | None = None
    folds: int = 0
    best_possible: float | None = None
    programs: StudyPrograms | None = None
    standard_error: float | None = None
    starts: Sequence[Finding] = ()

    @functools.cached_property
    def others(self) -> list[Trial]:
        """The other configurations that say something about their values, the best one first.

        Of folds one each. Nothing is said by those that failed, nor by those that were pruned, or
        given, fewer than half of the best one's epochs.
        """
        trials, own = self.trials, self.best.number
        if self.folds:
            trials, own = configurations(trials, self.folds), own - own % self.folds
        told = [
            t
            for t in trials
            if t.number != own
            and t.status is not Status.FAILED
            and (t.status in _BY_THEMSELVES or 2 * t.epochs >= self.best.epochs)
        ]
        return sorted(told, key=Trial.rank_key)


def training_findings(ended: Ended) -> list[Finding]:
    """Return the findings about the best network's training.

    Problems come first, whose change gains most before the others, then the rest by their codes.
    """
    curves = curves_of(ended)
    size = matters(curves)
    constant_cost = _constant_cost(ended.data)
    scales = input_scales(ended.data.train.x)
    seen = _examined(ended, curves, constant_cost, scales)
    harm = None if seen is None else seen.harm
    change = ("", dict[str, object]()) if seen is None else seen.twin
    found = [
        *_layer_findings(seen, ended, size),
        *_rate_findings(seen, ended, size),
        noise_finding(
            *(ended.metric, _sign_of_noise(ended, curves, constant_cost)),
            *(None if seen is None else seen.larger, None if seen is None else seen.batch, size),
        ),
        input_finding(scales, None if seen is None else seen.inputs, ended.metric, size),
        output_finding(ended.spread, ended.metric, size, _hardest(ended), harm, change),
        plateau_finding(curves, constant_cost, size, harm, change),
        _mode_finding(ended, size),
        *(
            diagnose_curves(curves)
            if seen is None
            else diagnose_curves(curves, seen.longer, seen.regularized)
        ),
        setting_finding(Tried() if seen is None else seen.tried, ended.metric, size),
    ]
    found = most_urgent_first(starts_first(causes_first(found, size), ended.starts))
    return [with_command(f, ended, f.evidence.get("values")) for f in found]


def _examined(
    ended: Ended, curves: Curves, constant_cost: float, scales: InputScales
) -> Examination | None:
    """Return what is inside the network; None where no program here can train it."""
    spec = ended.best.spec
    try:
        ways = _ways(ended) if curves.epochs else []
    except Exception as error:  # what a lack of memory raises depends on where it comes
        if not out_of_memory(error):
            raise
        return None
    if not ways:
        return None
    speed = NATIVE if ended.programs is None else JAX
    subject = Subject(
        spec=spec,
        state=ended.state,
        data=ended.data,
        ways=ways,
        metric=ended.metric,
        scale=ended.scale,
        score=ended.best.score * ended.scale,
        curves=curves,
        constant_cost=constant_cost,
        allowance=max(FLOOR, SHARE * speed.product * ended.work),
        memory=None if ended.memory is None else ended.memory // _PART_OF_MEMORY,
        searched=searched(ended.others, ended.best),
        constant_output=ended.spread <= CONSTANT,
        searched_batches=searched_batches(ended.others, ended.best),
        programs=ended.programs,
    )
    try:
        return examine(subject, raw_inputs=scales.off >= SLOW)
    except Exception as error:  # what a lack of memory raises depends on where it comes
        if not out_of_memory(error):
            raise
        return None  # a result is worth more than what twins would show


def _ways(ended: Ended) -> list[Epochs]:
    """Return the programs that may train networks like the best one; empty without its own.

    The native program where it has the network, which is fastest; else those of the study that are
    compiled, and for dense networks the native one on the same rows, for their twins.
    """
    spec, data, task = ended.best.spec, ended.data, ended.data.task
    dense = available() and ended.architecture.front is None and not _augments(spec)

    def native(rows: TrainingRows, steps: int | None = None) -> Epochs:
        batch, seed = spec.whole("batch_size"), spec.order_seed
        return native_way(rows, task.loss, task.outputs, ended.metric, batch, seed, steps)

    if dense and not is_foreign(spec.text("optimizer")):
        return [native(replace(training_rows(data), streamed=False))]
    ways = [] if ended.programs is None else ended.programs.ways()
    if not ways or not dense:
        return ways
    rows = ways[0].rows
    return [*ways, native(rows, ways[0].program.structure.steps if rows.streamed else None)]


def _augments(spec: TrialSpec) -> bool:
    """Return whether a network augments images, from the start or later."""
    stages = [spec.during(epoch + 1) for epoch in (0, *spec.changes)]
    return any(stage.number(name) > 0 for stage in stages for name in STRENGTHS)


def curves_of(ended: Ended) -> Curves:
    """Return the curves of the best network, in the unit of its score."""
    nothing = np.zeros(0)
    cost, dev, score = (
        np.asarray(ended.curves.get(name, nothing), np.float64)
        for name in ("train_cost", "dev_cost", "dev_score")
    )
    long_enough = [
        t for t in ended.others if math.isfinite(t.score) and 2 * t.epochs >= ended.best.epochs
    ]
    return Curves(
        train_cost=cost,
        dev_cost=dev,
        dev_score=score * ended.scale,
        best_epoch=int(np.nanargmin(score)) + 1 if np.isfinite(score).any() else 0,
        metric=ended.metric,
        constant=ended.constant,
        dev_rows=len(ended.data.dev),
        anneals=ended.best.spec.text("decay") in _ANNEALING,
        stopped_early=ended.best.status is Status.EARLY_STOPPED,
        diverged=ended.best.status is Status.DIVERGED,
        l2=ended.best.spec.number("l2"),
        standard_error=ended.standard_error,
        others=tuple(t.best_epoch / t.epochs for t in long_enough[:_OTHERS]),
    )


def _constant_cost(data: Data) -> float:
    """Return the train cost of the constant guess: the entropy of the classes, or a variance."""
    weight = np.asarray(data.train.weight, np.float64)
    y = np.asarray(data.train.y)
    if data.task.kind == "regression":
        mean = float(weight @ y / weight.sum())
        return float(weight @ (y - mean) ** 2 / weight.sum())
    shares = np.bincount(y, weights=weight) / weight.sum()
    shares = shares[shares > 0]
    return float(-(shares * np.log(shares)).sum())


def _layer_findings(seen: Examination | None, ended: Ended, size: float) -> list[Finding]:
    layered = ended.architecture.layers > 1 or ended.architecture.front is not None
    if seen is None:
        return [unseen_finding(symptom, _NO_PROGRAM) for symptom in SYMPTOMS] if layered else []
    found: list[Finding] = []
    for symptom in SYMPTOMS:
        twins = (seen.twins or {}).get(symptom.code)
        if twins is not None:
            found.append(
                layer_finding(symptom, twins, ended.metric, size, checks=len(seen.symptoms))
            )
        elif len(seen.sight.probe.layers) > 1:
            quiet = quiet_finding(symptom, seen.sight)
            if symptom in seen.settled:
                why = "networks of lower learning rates, which the search tried, did no better"
                quiet = replace(quiet, claim=f"{symptom.claim}, but no harm", detail=why)
            elif symptom in seen.symptoms:
                claim = f"{symptom.claim} not compared with healthy twins"
                why = f"{'their program' if seen.lacking else 'they'} would take {_TOO_LONG}"
                quiet = replace(quiet, level="unsure", claim=claim, detail=why)
                change, values = change_for(symptom.code, ended.best.spec.hyperparameters)
                quiet = _to_try(quiet, change, values)
            found.append(quiet)
    return found


def _rate_findings(seen: Examination | None, ended: Ended, size: float) -> list[Finding]:
    if seen is not None and seen.rates is not None:
        return diagnose_rate(seen.rates, ended.metric, size)
    if seen is not None and seen.factors:
        why = f"trying others would take {_TOO_LONG}"
        rate = ended.best.spec.number("learning_rate")
        both = untested_rate(why, looked=False)
        for place, factor in enumerate((LOWER, HIGHER)):
            values = at_rate(rate * factor)
            if factor in seen.factors:
                change = f"learning rate {values['learning_rate']}"
                both[place] = _to_try(both[place], change, values)
        return both
    if searched(ended.others, ended.best):
        return untested_rate("the search tried others")
    if seen is None:
        return untested_rate(_NO_PROGRAM, looked=False)
    return untested_rate("")


def _sign_of_noise(ended: Ended, curves: Curves, constant_cost: float) -> str:
    batch, normed = ended.best.spec.whole("batch_size"), ended.architecture.batch_norm != "none"
    return sign_of_noise(curves, constant_cost, batch, normed=normed)


def _to_try(finding: Finding, change: str, values: Mapping[str, object]) -> Finding:
    """Return a finding with the change that would tell."""
    return replace(finding, evidence={**finding.evidence, "change": change, "values": values})


def _hardest(ended: Ended) -> tuple[str, Estimate] | None:
    if not ended.versus:
        return None
    name = hardest_baseline(ended.versus)
    return name, ended.versus[name]


def _mode_finding(ended: Ended, size: float) -> Finding:
    """Return DW411; costs nothing without batch norm."""
    architecture, spec = ended.architecture, ended.best.spec
    normed = architecture.batch_norm != "none" and architecture.front is None
    if not normed or spec.text("batch_norm_statistics") == "exact":
        return mode_finding(None, None, ended.metric, size)
    train = ended.data.train
    order = epoch_order(spec.order_seed, 1, len(train.x), spec.whole("batch_size"))[:_BATCHES]
    batches = [rows[rows < len(train.x)] for rows in order]
    batches = [rows for rows in batches if len(rows) >= 2]
    if len(batches) < 2:
        return mode_finding(None, None, ended.metric, size)
    parameters = best_parameters(ended.state)
    costs = ModeCosts(*mode_costs(architecture, parameters, train.x, train.y, batches))
    gain = _gain_of_exact(ended, parameters) if averages_off(costs) else None
    return mode_finding(costs, gain, ended.metric, size)


def _gain_of_exact(ended: Ended, parameters: Mapping[str, np.ndarray]) -> Estimate:
    """Return the dev score with the stored averages less that with exact statistics, paired."""
    train = ended.data.train
    exact = with_exact_statistics(ended.architecture, parameters, train.x, train.weight)
    dev = ended.data.dev.x
    now, then = said_of(ended, parameters, dev), said_of(ended, exact, dev)
    return difference_on_dev(ended.data, METRICS[ended.metric], now, then, ended.seed)


def said_of(ended: Ended, parameters: Mapping[str, np.ndarray], x: np.ndarray) -> np.ndarray:
    """Return what a network like the best one predicts of rows, in the target's own terms."""
    raw = predictions(ended.architecture, parameters, x)
    if ended.data.task.kind == "classification":
        return raw
    return ended.data.target_encoder.original(raw)


def standard_error(told: Estimate, rows: int, of: int) -> float | None:
    """Return the standard error of a score on some rows, by its interval on others like them.

    Args:
        told: the score and its 95 % interval.
        rows: that the interval is of.
        of: rows to return it for.
    """
    width = told.high - told.low
    return width / (2 * _Z) * math.sqrt(rows / of) if math.isfinite(width) else None


def spread_of(data: Data, prediction: np.ndarray) -> float:
    """Return how much dev predictions vary from row to row, over how much the target does."""
    return output_spread(prediction, targets(data, data.dev))


def with_command(finding: Finding, ended: Ended, values: object) -> Finding:
    """Return what asks for a change with the command that trains the network with it.

    Args:
        finding: of the network.
        ended: its study.
        values: hyperparameters of the change; anything else where there is none.
    """
    if finding.level == "ok" or not isinstance(values, Mapping):
        return finding
    change = cast(Mapping[str, object], values)
    changed: dict[str, object] = {**ended.best.spec.hyperparameters, **change}
    given = ended.folds, ended.best_possible
    return replace(finding, command=change_command(ended.data, ended.metric, changed, *given))
