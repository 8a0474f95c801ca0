"""What is told about the data, the plan, the progress and the result: plain values for any view."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from deepwell._base._hyperparameters import Value

from ._data_checks import DataChecks
from ._ensemble import EnsembleFacts
from ._estimate import Estimate
from ._finding import Finding
from ._first_steps import FirstSteps
from ._overtuning import Overtuning


@dataclass(frozen=True)
class DataFacts:
    """What was read, assumed and split.

    Attributes:
        name: short name of the data, as in `churn`.
        source: where it came from, as in `churn.csv`.
        rows, columns: size of the table as read, the target column included.
        target: name of the target column.
        task: `classification` or `regression`.
        classes: labels in the order of the model's outputs; empty for regression.
        class_shares: share of each class over train and dev rows.
        notes: one sentence for each thing noticed or assumed, with the flag that changes it.
        features: columns of the encoded input.
        split: `stratified`, `random`, `group`, `time`, `column`, `files`.
        split_seed: seed of the split; comes from the data unless it was given.
        sizes: rows of train, dev and test; test is 0 when no test set was wanted.
        sealed: sha256 of the sealed test file, or an empty string.
        train_dev_rows: rows cut from train, or given, to tell mismatch from variance; these are
            not in `sizes`.
        alike_by_chance: whether rows repeat since columns have few values, not since they were
            copied; equal rows may then lie in different parts.
        group: column whose groups no two parts share; empty where none was named.
    """

    name: str
    source: str
    rows: int
    columns: int
    target: str
    task: str
    classes: tuple[str, ...] = ()
    class_shares: tuple[float, ...] = ()
    notes: tuple[str, ...] = ()
    features: int = 0
    split: str = "stratified"
    split_seed: int = 0
    sizes: tuple[int, int, int] = (0, 0, 0)
    sealed: str = ""
    train_dev_rows: int = 0
    alike_by_chance: bool = False
    group: str = ""


@dataclass(frozen=True)
class Rung:
    """Epochs at which a scheduler decides, and the networks that train up to there."""

    epochs: int
    networks: int


@dataclass(frozen=True)
class PlanFacts:
    """What a run is going to do.

    Attributes:
        networks: trials to be trained.
        rungs: the epochs where the scheduler decides, with the networks that reach them.
        program: `jax` or `native`.
        programs: compiled programs that the plan needs.
        cores: cores (or devices) at work.
        seconds: honest estimate of the time, or None when there is nothing to go by.
        space: hyperparameter -> its range or value in words, as in `log(0.0001, 1)`.
        why: what left no choice of the program, as in `optax:lion from Optax`, or nothing.
        memory_bytes: budget for data, networks in training and workspaces; None for no bound.
        folds: networks of each configuration, one a fold; 0 without cross-validation.
        convolutions: whether networks may have convolutional layers.
        augmentation: whether networks may augment images.
        proposed: what is proposed as a whole, in words, as a grid is, or by what sampler where it
            learns; or an empty string.
        rounds: configurations of each round, where they are proposed in several; the rungs are
            those of the first.
        advice: a sentence about cross-validation for so many rows, or an empty string.
        constraints: what must hold between the values of a network, as texts.
        budget: seconds for as many further rounds as there is time for; None where the networks
            told are all of them.
    """

    networks: int
    rungs: tuple[Rung, ...]
    program: str
    programs: int
    cores: int
    seconds: float | None
    space: Mapping[str, str] = field(default_factory=dict[str, str])
    memory_bytes: int | None = None
    why: str = ""
    folds: int = 0
    advice: str = ""
    convolutions: bool = False
    augmentation: bool = False
    proposed: str = ""
    constraints: tuple[str, ...] = ()
    rounds: tuple[int, ...] = ()
    budget: float | None = None


@dataclass(frozen=True)
class Progress:
    """Where a run stands.

    Attributes:
        phase: `compiling` or `training`.
        rung, rungs: the rung at work, counted from 1, and how many there are.
        round, rounds: the same of the rounds of proposals, as far as they are known ahead.
        alive, networks: trials in this rung, and in the study.
        share: of the whole work done, 0 to 1.
        best: best dev score so far, or None.
        seconds_left: estimate, or None.
        rung_ended: True in the one progress that closes a rung.
        percent: whether `best` is a share that people read as per cent.
    """

    phase: str
    rung: int
    rungs: int
    alive: int
    networks: int
    share: float
    best: float | None
    seconds_left: float | None
    rung_ended: bool = False
    percent: bool = False
    round: int = 1
    rounds: int = 1


@dataclass(frozen=True)
class Baseline:
    """A simple model that every network has to beat, scored on the dev rows."""

    name: str
    estimate: Estimate


SCORED = "scored: "
"""How the note of an opening begins that names the model, where it is not the chosen network."""


@dataclass(frozen=True)
class Opening:
    """One opening of the sealed test set, a line of the ledger.

    Attributes:
        time: seconds since 1970, UTC.
        study, trial: whose model was scored.
        metric: the metric's name.
        test: the score with its interval, lower is better.
        number: how often this test set has been opened by now, this opening included.
        notes: what a reader must know, as in "19 test rows were train rows of study churn".
    """

    time: float
    study: str
    trial: int
    metric: str
    test: Estimate
    number: int
    notes: tuple[str, ...] = ()

    @property
    def clean(self) -> bool:
        """Whether no note says that rows of the test set were seen before."""
        return all(note.startswith(SCORED) for note in self.notes)

    @property
    def unbiased(self) -> bool:
        """Whether it was the first look at rows that nothing had seen before."""
        return self.number == 1 and self.clean

    @property
    def of_chosen(self) -> bool:
        """Whether the network that was chosen on the dev rows was scored."""
        return not any(note.startswith(SCORED) for note in self.notes)


@dataclass(frozen=True)
class StudyResult:
    """The outcome of a study: what `fit` prints, `--json` carries and the report shows.

    Attributes:
        metric: name of the metric, as in `error`; all its figures are lower-is-better.
        metric_label: what the figures are, as in `error` or `1 - AUC`.
        percent: whether the figures are shares that people read as per cent.
        train, dev: the best network's scores with intervals.
        folds: scores of the folds in a cross-validated study, where `dev` is that of all rows;
            `refit_epochs`: for how long the saved network was trained on all of them.
        saved_fold: the fold, counted from 1, whose network was saved since none could be trained on
            all rows, which `refit_failure` says why; 0 and an empty string else.
        train_dev: the same on the rows cut from train, None where there are none.
        baselines: simple models on the same dev rows.
        versus_name, versus: best baseline, and network minus baseline on the dev rows (paired).
        best: hyperparameters of the best trial; best_trial: its number.
        statuses: how many trials ended in each status; those without a whole epoch, which a stop
            came before, are `not_trained`.
        networks: trials trained; program: `jax` or `native`; programs: compiled programs.
        compile_seconds, seconds: wall time; networks_per_second: trained ones over all of it.
        gemm_share: useful operations a second while networks trained, over those of large float32
            matrix products on the same cores or devices, 0 to 1; None when it is not known.
        model, report: paths as text; stopped: why it ended early, or an empty string.
        resumed: how often it was continued after a kill or a stop; repeated_seconds: working
            time that was lost by that and spent again. `seconds` counts all runs.
        peak_memory_bytes: most memory that the process held until then, None where unknown.
        weight_sparsity: share of the best network's weights below 1e-6 where it paid an `l1`
            penalty, else None.
        checks: what the first steps of one network showed, None where they were not looked at.
        data_checks: what the rows themselves showed, None where they were not looked at.
        memory_notes: one sentence for each thing that was done to stay within the memory.
        overtuning: how much of `dev` is luck of the choice, None where it could not be told.
        parent: the study that this one improves, and by which remedies; empty for none.
        ensemble: what averaging several networks would do, None where none were kept for it.
        search_notes: one sentence for each thing that a person did to the search: configurations
            of their own, an earlier study to start from, another space or sampler on the way.
        ledger: what is wrong with the ledger of openings, by which no test score can be trusted;
            an empty string where nothing is.
    """

    name: str
    data: DataFacts
    plan: PlanFacts
    metric: str
    metric_label: str
    percent: bool
    train: Estimate
    dev: Estimate
    baselines: tuple[Baseline, ...]
    versus_name: str
    versus: Estimate | None
    best: Mapping[str, Value]
    best_trial: int
    findings: tuple[Finding, ...]
    statuses: Mapping[str, int]
    networks: int
    program: str
    programs: int
    compile_seconds: float
    seconds: float
    networks_per_second: float
    gemm_share: float | None
    model: str
    report: str
    stopped: str = ""
    openings: tuple[Opening, ...] = ()
    resumed: int = 0
    repeated_seconds: float = 0.0
    peak_memory_bytes: int | None = None
    memory_notes: tuple[str, ...] = ()
    weight_sparsity: float | None = None
    train_dev: Estimate | None = None
    folds: tuple[float, ...] = ()
    refit_epochs: int = 0
    checks: FirstSteps | None = None
    parent: str = ""
    saved_fold: int = 0
    refit_failure: str = ""
    data_checks: DataChecks | None = None
    overtuning: Overtuning | None = None
    ensemble: EnsembleFacts | None = None
    search_notes: tuple[str, ...] = ()
    ledger: str = ""
