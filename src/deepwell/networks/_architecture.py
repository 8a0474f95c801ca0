"""The shape of a dense network, as plain data."""

from __future__ import annotations

import itertools
from dataclasses import dataclass


@dataclass(frozen=True)
class Architecture:
    """A multilayer perceptron: dense layers with one activation, and an output layer.

    `a[0] = x`, `z[l] = a[l-1] W[l] + b[l]`, `a[l] = g(z[l])`, and the last z is the output.

    Attributes:
        inputs: D, features of a row.
        hidden: H, units of each hidden layer, first to last; empty for linear models.
        outputs: 1 for logistic and linear outputs, C for softmax.
        activation: name of g.
        slope: hyperparameter of g, where it has one.
        loss: `softmax`, `logistic` or `squared`; says how outputs become predictions.
    """

    inputs: int
    hidden: tuple[int, ...]
    outputs: int
    activation: str = "relu"
    slope: float = 0.0
    loss: str = "softmax"

    @property
    def widths(self) -> tuple[int, ...]:
        """Sizes from the input to the output, `len(hidden) + 2` numbers."""
        return (self.inputs, *self.hidden, self.outputs)

    def layer_shapes(self) -> list[tuple[int, int]]:
        """Return (n_in, n_out) of each dense layer, first to last."""
        return list(itertools.pairwise(self.widths))

    @property
    def layers(self) -> int:
        """Dense layers, the output layer included."""
        return len(self.hidden) + 1

    @property
    def parameters(self) -> int:
        """Weights and biases."""
        return sum((n_in + 1) * n_out for n_in, n_out in self.layer_shapes())

    def multiply_adds(self) -> int:
        """Return useful multiply-adds of one train row: forward, backward to weights, to inputs.

        Three products a layer, less the gradient of the first layer's input, which nobody needs.
        """
        return 3 * self.forward_multiply_adds() - self.inputs * self.widths[1]

    def forward_multiply_adds(self) -> int:
        """Return useful multiply-adds of scoring one row."""
        return sum(n_in * n_out for n_in, n_out in self.layer_shapes())
