"""A trained network with its preprocessing: saved as weights and a description, never as code.

A model is a folder with `model.safetensors` (weights and biases) and `model.json` (architecture,
preprocessing, classes, versions, data fingerprint, scores, temperature, decision threshold and what
sets and intervals rest on).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from deepwell._base._errors import UsageError
from deepwell._base._safe_text import safe_text
from deepwell.data._table_encoder import TableEncoder
from deepwell.data._target import TargetEncoder
from deepwell.diagnosis._temperature import at_temperature
from deepwell.diagnosis._threshold import decided
from deepwell.networks._architecture import Architecture
from deepwell.networks._forward import predictions
from deepwell.networks._monte_carlo import Sampled, sampled_predictions
from deepwell.records import from_plain
from deepwell.storage._blobs import load_arrays, save_arrays
from deepwell.storage._files import write_atomic, write_error

from ._adjustments import Adjustments
from ._companion import Companion, companion_of
from ._which import BEST, folder_of

FORMAT = 1
ADJUSTED_FORMAT = 2  # of a model that a Deepwell of before its adjustments would misread
ENSEMBLE_FORMAT = 3  # of several networks, which a Deepwell of before would not find
FORMATS = (FORMAT, ADJUSTED_FORMAT, ENSEMBLE_FORMAT)
WEIGHTS, DESCRIPTION = "model.safetensors", "model.json"
OPENING = ".opening"  # a note of a test score that may be missing in the description


@dataclass(frozen=True, repr=False)
class Model:
    """A network that takes rows as they come and gives predictions in the target's own terms.

    Attributes:
        architecture: the network.
        parameters: by the names of `Architecture.parameter_shapes` and `statistic_shapes`.
        table_encoder, target_encoder: fitted on the train rows.
        about: name, hyperparameters, scores, versions and the data's fingerprint.
        adjustments: temperature and decision threshold, where they were asked for, and what sets
            and intervals rest on.
        companions: further networks, where the prediction is a weighted mean of several.
    """

    architecture: Architecture
    parameters: Mapping[str, np.ndarray]
    table_encoder: TableEncoder
    target_encoder: TargetEncoder
    about: Mapping[str, Any]
    adjustments: Adjustments = field(default_factory=Adjustments)
    companions: tuple[Companion, ...] = ()

    def __repr__(self) -> str:
        """Return one line: what is predicted, from how much, by how many parameters."""
        what = self.target_encoder.task.kind
        inputs = self.architecture.layer_shapes()[0][0]
        every = [self.parameters, *(one.parameters for one in self.companions)]
        size = sum(array.size for arrays in every for array in arrays.values())
        target = safe_text(self.target_encoder.name)
        return f"<Model: {what} of {target}, {inputs:,} inputs, {size:,} parameters>"

    def outputs(self, x: np.ndarray) -> np.ndarray:
        """Return predictions for encoded rows (n, D).

        Class probabilities (n, C) in the order of `classes`, or values (n,) in the target's unit.
        """
        raw = predictions(self.architecture, self.parameters, x)
        if self.companions:
            raw = raw * (1.0 - sum(one.share for one in self.companions))
            for one in self.companions:
                raw = raw + one.share * predictions(one.architecture, one.parameters, x)
        if self.target_encoder.task.kind == "classification":
            return at_temperature(raw, self.adjustments.temperature)
        return self.target_encoder.original(raw)

    def decisions(self, outputs: np.ndarray) -> np.ndarray:
        """Return class probabilities (n, C) as ones and zeros where a threshold decides.

        Without one they are returned as they are: the largest decides.
        """
        threshold = self.adjustments.threshold
        return outputs if threshold is None else decided(outputs[:, 1], threshold)

    @property
    def classes(self) -> tuple[str, ...]:
        """Labels in the order of the probabilities; empty for regression."""
        return self.target_encoder.task.classes

    def predict(self, frame: Any) -> np.ndarray:
        """Return one prediction a row: class labels as text, or float64 values.

        Args:
            frame: a file, any frame or a dict of columns; columns may come in any order, extra
                ones are ignored. Blank lines of a text file are no rows.

        Raises:
            UsageError: when a column that the model needs is missing.
        """
        return self._named(self._outputs_of(frame))

    def predict_proba(self, frame: Any) -> np.ndarray:
        """Return class probabilities (n, C), columns in the order of `classes`.

        Raises:
            UsageError: for a regression model, or when a column is missing.
        """
        if not self.classes:
            raise UsageError("a regression model has no class probabilities; use predict")
        return self._outputs_of(frame)

    def predict_set(self, frame: Any, coverage: float = 0.95, adaptive: bool = False) -> np.ndarray:
        """Return which classes are in the set of each row, (n, C) True or False.

        For rows like the dev rows, the true class is in the set with at least this probability,
        averaged over rows (split conformal prediction; `docs/predictions.md`). The dev rows have
        chosen the network too, so a little less is to be expected where they are few and networks
        were many.

        Args:
            frame: as for `predict`.
            coverage: above 0 and below 1; at most n / (n + 1) for n dev rows.
            adaptive: sets that grow where the network is less sure, in place of those that are
                smallest on average.

        Raises:
            UsageError: for a regression model, when a column is missing, or the dev rows are too
                few for the coverage.
        """
        if not self.classes:
            raise UsageError("a regression model has no sets of classes; use predict_interval")
        return self.adjustments.sets(self._outputs_of(frame), coverage, adaptive)

    def predict_interval(
        self, frame: Any, coverage: float = 0.95, adaptive: bool = False
    ) -> np.ndarray:
        """Return an interval for each row, (n, 2): its ends in the target's unit.

        It holds the true value as `predict_set` holds the true class.

        Args:
            frame: as for `predict`.
            coverage: above 0 and below 1; at most n / (n + 1) for n dev rows.
            adaptive: intervals whose width depends on what is predicted.

        Raises:
            UsageError: for a model of classes, when a column is missing, or the dev rows are too
                few for the coverage.
        """
        if self.classes:
            raise UsageError("a model of classes has no intervals; use predict_set")
        return self.adjustments.intervals(self._outputs_of(frame), coverage, adaptive)

    def predict_spread(self, frame: Any, samples: int = 50, seed: int = 0) -> Sampled:
        """Return the mean and spread of many thinned networks: Monte Carlo dropout.

        Each of the networks drops units as in training; their mean is an ensemble's prediction
        and their standard deviation says how much they disagree (Gal & Ghahramani 2016).

        Args:
            frame: as for `predict`.
            samples: networks, at least 2.
            seed: of the masks; the same seed gives the same numbers.

        Returns:
            `mean` and `spread`: class probabilities (n, C) in the order of `classes`, or values
            (n,) in the target's unit.

        Raises:
            UsageError: when the network was trained without dropout, a column is missing or there
                are fewer than 2 samples.
        """
        if self.companions:
            raise UsageError(
                "`samples` is for a single network, and this model is an ensemble; use --model best"
            )
        x = self._encoded(frame)
        sampled = sampled_predictions(self.architecture, self.parameters, x, samples, seed)
        if self.classes:
            return sampled
        origin = self.target_encoder.original(np.zeros_like(sampled.spread))
        mean = self.target_encoder.original(sampled.mean)
        return Sampled(mean, np.abs(self.target_encoder.original(sampled.spread) - origin))

    def predict_frame(
        self,
        source: Any,
        samples: int = 0,
        coverage: float | None = None,
        adaptive: bool = False,
        notes: list[str] | None = None,
    ) -> dict[str, np.ndarray]:
        """Return the columns `prediction` and, for classes, `probability_<class>`.

        Args:
            source: as for `predict`.
            samples: of Monte Carlo dropout, whose mean is then predicted, with the columns
                `spread`, or `spread_<class>` for classes; 0 leaves it out.
            coverage: of sets or intervals, in the columns `set_<class>`, or `low` and `high`;
                None leaves them out.
            adaptive: as for `predict_set`.
            notes: a list that takes what was left out of a file, and what may be meant otherwise.
        """
        if samples and coverage is not None:
            raise UsageError(
                "`coverage` and `samples` cannot be given together: sets and intervals rest on the "
                "network itself, not on samples of it; give one of the two"
            )
        from deepwell.data._table_input import read_table

        frame = read_table(source, notes=notes)
        sampled = self.predict_spread(frame, samples) if samples else None
        outputs = sampled.mean if sampled else self._outputs_of(frame)
        columns = {"prediction": self._named(outputs)}
        for index, label in enumerate(self.classes):
            columns[f"probability_{label}"] = outputs[:, index]
            if sampled:
                columns[f"spread_{label}"] = sampled.spread[:, index]
        if sampled and not self.classes:
            columns["spread"] = sampled.spread
        if coverage is not None:
            columns |= self._covering(outputs, coverage, adaptive)
        return columns

    def _covering(
        self, outputs: np.ndarray, coverage: float, adaptive: bool
    ) -> dict[str, np.ndarray]:
        if self.classes:
            inside = self.adjustments.sets(outputs, coverage, adaptive)
            return {f"set_{label}": inside[:, i] for i, label in enumerate(self.classes)}
        ends = self.adjustments.intervals(outputs, coverage, adaptive)
        return {"low": ends[:, 0], "high": ends[:, 1]}

    def _outputs_of(self, source: Any) -> np.ndarray:
        return self.outputs(self._encoded(source))

    def _encoded(self, source: Any) -> np.ndarray:
        from deepwell.data._table_input import read_table

        return self.table_encoder.transform(read_table(source))

    def _named(self, outputs: np.ndarray) -> np.ndarray:
        if not self.classes:
            return outputs
        return self.target_encoder.labels(self.decisions(outputs).argmax(axis=1))

    def _format(self) -> int:
        if self.companions:
            return ENSEMBLE_FORMAT
        return ADJUSTED_FORMAT if self.adjustments.change_predictions else FORMAT

    def save(self, folder: Path) -> str:
        """Write the model's two files and return the sha256 of its weights.

        Raises:
            UsageError: when the folder cannot be written.
            StudyError: when the disk fails.
        """
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise write_error(error, folder) from error
        arrays = dict(self.parameters)
        for number, one in enumerate(self.companions):
            arrays |= one.arrays(number)
        digest = save_arrays(folder / WEIGHTS, arrays, {"format": str(FORMAT)})
        described = {
            "format": self._format(),
            "weights_sha256": digest,
            "architecture": asdict(self.architecture),
            "table": self.table_encoder.to_plain(),
            "target": self.target_encoder.to_plain(),
            "adjustments": self.adjustments.to_plain(),
            "companions": [one.to_plain() for one in self.companions],
            "about": dict(self.about),
        }
        text = json.dumps(described, indent=1, allow_nan=False)
        write_atomic(folder / DESCRIPTION, text.encode())
        return digest


def load_model(path: str | Path, store: str | Path | None = None, which: str = BEST) -> Model:
    """Return the model in a folder, or a model of a study by name.

    Args:
        path: the model's folder, the study's folder, or the name of a study in the store.
        store: where studies are kept; None means `./deepwell`.
        which: of a study's models: `best`, `refit` or `ensemble`.

    Raises:
        UsageError: when there is no such model, or its files are damaged or foreign.
    """
    folder = _folder(Path(path), store, which)
    if (folder / OPENING).exists():
        from ._test_mark import make_up  # which needs models itself

        make_up(folder, store)
    try:
        described = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
        if described["format"] not in FORMATS:
            raise UsageError(
                f"{safe_text(folder)} holds a model of format {safe_text(described['format'])}, "
                f"this version reads formats 1 to {FORMATS[-1]}; use a newer Deepwell"
            )
        architecture = from_plain(Architecture, described["architecture"])
        table = TableEncoder.from_plain(described["table"])
        target = TargetEncoder.from_plain(described["target"])
        about = {**described["about"], "weights_sha256": described["weights_sha256"]}
        adjustments = Adjustments.from_plain(described.get("adjustments"))
        stored = load_arrays(folder / WEIGHTS)
        arrays = stored.arrays
        _check_unchanged(folder, stored.sha256, described["weights_sha256"])
        companions = tuple(
            companion_of(plain, arrays, number)
            for number, plain in enumerate(described.get("companions", ()))
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        if isinstance(error, UsageError):
            raise
        raise UsageError(
            f"{safe_text(folder / DESCRIPTION)} is no readable model description "
            f"({type(error).__name__}); point to a folder written by Deepwell"
        ) from None
    parameters = {k: a for k, a in arrays.items() if not k.startswith("companions/")}
    _check_shapes(folder, architecture, parameters)
    for one in companions:
        _check_shapes(folder, one.architecture, one.parameters)
    return Model(architecture, parameters, table, target, about, adjustments, companions)


def _folder(path: Path, store: str | Path | None, which: str) -> Path:
    inside = folder_of(which)
    candidates = [path / inside] if which != BEST else [path, path / inside]
    if path.name == str(path):  # a plain name may be a study's
        from deepwell.storage._open import open_store

        try:
            with open_store(store, create=False) as opened:
                candidates.append(opened.folder / opened.study(str(path)).name / inside)
        except UsageError:
            if not any((c / DESCRIPTION).is_file() for c in candidates):
                raise
    for candidate in candidates:
        if (candidate / DESCRIPTION).is_file():
            return candidate
    if which != BEST:
        raise UsageError(
            f'no model "{which}" of {safe_text(path.name)}: make it by deepwell {which} '
            f"{safe_text(path.name)}"
        )
    raise UsageError(
        f"no model at {safe_text(path)}: neither a folder with {DESCRIPTION} nor a finished study"
    )


def _check_unchanged(folder: Path, found: str, expected: str) -> None:
    if found != expected:
        raise UsageError(
            f"{safe_text(folder / WEIGHTS, 200)} does not hold the weights that {DESCRIPTION} "
            "describes (sha256 does not match); put both files back from one copy"
        )


def _check_shapes(
    folder: Path, architecture: Architecture, parameters: Mapping[str, np.ndarray]
) -> None:
    expected = architecture.parameter_shapes() | architecture.statistic_shapes()
    if {name: array.shape for name, array in parameters.items()} != expected:
        raise UsageError(
            f"the weights in {safe_text(folder)} do not fit their description; "
            "the model's files belong to different models"
        )
