"""The shape of a dense network, as plain data."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

from ._convolutions import Convolutions


@dataclass(frozen=True)
class Architecture:
    """A multilayer perceptron: dense layers with one activation, and an output layer.

    `a[0] = x`, `z[l] = a[l-1] W[l] + b[l]`, `a[l] = g(z[l])`, and the last z is the output. The
    options, each off by default, come in this order in a hidden layer:

        z = a[l-1] W        no bias where batch normalization is before g
        z = BN(z)           batch_norm "before"
        a = g(z)            maxout: the largest of each unit's `pieces` z, which lie side by side
        a = BN(a)           batch_norm "after"
        a = dropout(a)
        a = a + a[l-r]      residual r, in the hidden layers 1 + r, 1 + 2 r, ...

    A skip connection between layers of unlike widths adds the units that both have: the narrower
    one counts as padded with zeros, the wider one as cut (He et al. 2016, option A).

    Attributes:
        inputs: D, features of a row.
        hidden: H, units of each hidden layer, first to last; empty for linear models.
        outputs: 1 for logistic and linear outputs, C for softmax.
        activation: name of g.
        slope: hyperparameter of g, where it has one.
        loss: `softmax`, `logistic` or `squared`; says how outputs become predictions.
        pieces: k of maxout, else 1.
        batch_norm: `none`, `before` or `after` the activation.
        norm_epsilon: added to the variance in batch normalization.
        residual: r, hidden layers that a skip connection spans; 0 for none.
        dropout: share of each hidden layer's units that is dropped in training; empty for none.
        input_dropout: share of the inputs.
        classic_dropout: whether what is kept stays as it is in training and is multiplied by
            1 - p at prediction, in place of being divided by 1 - p in training.
        front: convolutional layers before the dense ones; None for none.
    """

    inputs: int
    hidden: tuple[int, ...]
    outputs: int
    activation: str = "relu"
    slope: float = 0.0
    loss: str = "softmax"
    pieces: int = 1
    batch_norm: str = "none"
    norm_epsilon: float = 1e-5
    residual: int = 0
    dropout: tuple[float, ...] = ()
    input_dropout: float = 0.0
    classic_dropout: bool = False
    front: Convolutions | None = None

    @property
    def widths(self) -> tuple[int, ...]:
        """Sizes from the dense layers' input to the output, `len(hidden) + 2` numbers."""
        inputs = self.inputs if self.front is None else self.front.features
        return (inputs, *self.hidden, self.outputs)

    def layer_shapes(self) -> list[tuple[int, int]]:
        """Return the shape of each dense layer's weights, first to last."""
        shapes = list(itertools.pairwise(self.widths))
        return [(n_in, n_out * self.pieces) for n_in, n_out in shapes[:-1]] + shapes[-1:]

    def parameter_shapes(self) -> dict[str, tuple[int, ...]]:
        """Return name -> shape of what the optimizer trains, layer by layer.

        `weights/l` and `biases/l`; with batch normalization of layer l also `scales/l` (gamma)
        and `shifts/l` (beta), which takes the place of the bias where it follows z at once. Those
        of convolutional layer l are `kernels/l`, `offsets/l`, `channel_scales/l` and
        `channel_shifts/l`.
        """
        shapes: dict[str, tuple[int, ...]] = {}
        for layer, kernel in enumerate(self.front.kernel_shapes() if self.front else ()):
            shapes[f"kernels/{layer}"] = kernel
            if self.batch_norm != "before":
                shapes[f"offsets/{layer}"] = kernel[3:]
            if self.batch_norm != "none":
                shapes[f"channel_scales/{layer}"] = shapes[f"channel_shifts/{layer}"] = kernel[3:]
        for layer, shape in enumerate(self.layer_shapes()):
            shapes[f"weights/{layer}"] = shape
            if self.has_bias(layer):
                shapes[f"biases/{layer}"] = shape[1:]
            if self.normed_units(layer):
                for name in ("scales", "shifts"):
                    shapes[f"{name}/{layer}"] = (self.normed_units(layer),)
        return shapes

    def statistic_shapes(self) -> dict[str, tuple[int, ...]]:
        """Return name -> shape of what batch normalization remembers: `means/l`, `variances/l`.

        And of convolutional layers `channel_means/l`, `channel_variances/l`.
        """
        normed = self.front is not None and self.batch_norm != "none"
        channels = self.front.channels if self.front is not None and normed else ()
        of_front = {
            f"{name}/{layer}": (count,)
            for layer, count in enumerate(channels)
            for name in ("channel_means", "channel_variances")
        }
        return of_front | {
            f"{name}/{layer}": (self.normed_units(layer),)
            for layer in range(self.layers)
            for name in ("means", "variances")
            if self.normed_units(layer)
        }

    def has_bias(self, layer: int) -> bool:
        """Whether a dense layer has a bias: not where batch normalization would cancel it."""
        return layer == self.layers - 1 or self.batch_norm != "before"

    def normed_units(self, layer: int) -> int:
        """Return how many numbers of each row a layer normalizes; 0 where it does not."""
        if layer == self.layers - 1 or self.batch_norm == "none":
            return 0
        return self.hidden[layer] * (self.pieces if self.batch_norm == "before" else 1)

    def skip_source(self, layer: int) -> int | None:
        """Return the hidden layer whose output is added to this one's, both counted from 0."""
        spans = self.residual and layer >= self.residual and layer % self.residual == 0
        return layer - self.residual if spans else None

    def rate(self, layer: int) -> float:
        """Return the dropout rate of a hidden layer."""
        return self.dropout[layer] if self.dropout else 0.0

    @property
    def layers(self) -> int:
        """Dense layers, the output layer included."""
        return len(self.hidden) + 1

    @property
    def parameters(self) -> int:
        """Numbers that the optimizer trains."""
        shapes = self.parameter_shapes().values()
        return sum(math.prod(shape) for shape in shapes)

    def multiply_adds(self) -> int:
        """Return useful multiply-adds of one train row: forward, backward to weights, to inputs.

        Three products a layer, less the gradient of the first layer's input, which nobody needs.
        """
        first = self.inputs * self.layer_shapes()[0][1]
        if self.front is not None:
            first = self.front.layer_multiply_adds()[0]
        return 3 * self.forward_multiply_adds() - first

    def forward_multiply_adds(self) -> int:
        """Return useful multiply-adds of scoring one row."""
        front = sum(self.front.layer_multiply_adds()) if self.front is not None else 0
        return front + sum(n_in * n_out for n_in, n_out in self.layer_shapes())
