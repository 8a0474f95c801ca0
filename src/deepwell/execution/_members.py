"""From a record to the engine: what a trial's specification means as a member."""

from __future__ import annotations

from deepwell._base._errors import UsageError
from deepwell.networks._activations import ACTIVATIONS
from deepwell.networks._architecture import Architecture
from deepwell.networks._convolutions import Convolutions
from deepwell.records import TrialSpec
from deepwell.training._program import NUMBERS, Member


def architecture_of(
    spec: TrialSpec, inputs: int, outputs: int, loss: str, image: tuple[int, ...] = ()
) -> Architecture:
    """Return the network that a specification describes, for data of this shape.

    Args:
        spec: the configuration.
        inputs: D, encoded features.
        outputs: 1 for logistic and linear outputs, C for softmax.
        loss: `softmax`, `logistic` or `squared`.
        image: height, width and channels of a row, for convolutions; empty where it is none.

    Raises:
        UsageError: when there are convolutions but no image, or with maxout.
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
        front=_front(spec, image),
    )


def _front(spec: TrialSpec, image: tuple[int, ...]) -> Convolutions | None:
    channels = spec.conv_channels
    if not channels:
        return None
    if len(image) != 3:
        raise UsageError(
            "`conv_layers` needs images, and these rows are none; give X of the shape "
            "(rows, height, width) or (rows, height, width, channels)"
        )
    if spec.text("activation") == "maxout":
        raise UsageError("maxout has no convolutional form; choose another activation")
    return Convolutions(
        (image[0], image[1], image[2]),
        channels,
        spec.whole("conv_kernel"),
        spec.whole("conv_stride"),
        spec.whole("pool"),
        spec.text("pooling"),
    )


def member_of(
    spec: TrialSpec, inputs: int, outputs: int, loss: str, image: tuple[int, ...] = ()
) -> Member:
    """Return the member that a specification describes, for data of this shape."""
    return Member(
        architecture=architecture_of(spec, inputs, outputs, loss, image),
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
        changes=spec.changes,
    )
