"""From a record to the engine: what a trial's specification means as a member."""

from __future__ import annotations

from deepwell.networks._activations import ACTIVATIONS
from deepwell.networks._architecture import Architecture
from deepwell.records import TrialSpec
from deepwell.training._program import NUMBERS, Member


def architecture_of(spec: TrialSpec, inputs: int, outputs: int, loss: str) -> Architecture:
    """Return the network that a specification describes, for data of this shape.

    Args:
        spec: the configuration.
        inputs: D, encoded features.
        outputs: 1 for logistic and linear outputs, C for softmax.
        loss: `softmax`, `logistic` or `squared`.
    """
    activation = spec.text("activation")
    slope_name = ACTIVATIONS[activation].slope_name
    return Architecture(
        inputs=inputs,
        hidden=spec.hidden_units,
        outputs=outputs,
        activation=activation,
        slope=spec.number(slope_name) if slope_name else 0.0,
        loss=loss,
        pieces=spec.whole("maxout_pieces") if activation == "maxout" else 1,
        batch_norm=spec.text("batch_norm"),
        norm_epsilon=spec.number("batch_norm_epsilon"),
        residual=spec.whole("residual"),
        dropout=spec.dropout,
        input_dropout=spec.number("input_dropout"),
        classic_dropout=spec.text("dropout_kind") == "classic",
    )


def member_of(spec: TrialSpec, inputs: int, outputs: int, loss: str) -> Member:
    """Return the member that a specification describes, for data of this shape."""
    return Member(
        architecture=architecture_of(spec, inputs, outputs, loss),
        optimizer=spec.text("optimizer"),
        initializer=spec.text("initializer"),
        seed=spec.seed,
        numbers={name: spec.number(name) for name in NUMBERS},
        decay=spec.text("decay"),
        patience=spec.whole("patience"),
        dtype=spec.dtype,
        initializer_scale=spec.number("initializer_scale"),
        rms_start=spec.text("rms_start"),
        view=max(0, spec.fold - 1),
    )
