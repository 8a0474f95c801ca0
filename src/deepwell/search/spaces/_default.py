"""The space that is searched when nothing is said, by the size of the data."""

from __future__ import annotations

import math

from ._choice import Choice
from ._distribution import Distribution
from ._integer import integer
from ._log import Log, log
from ._space import Space
from ._uniform import uniform

_SMALL = 1_000  # train rows below which a table needs strong regularization
_LARGE = 20_000  # train rows from which an epoch holds so many updates that rates can be lower


def default_space(
    rows: int,
    inputs: int,
    outputs: int,
    task: str,
    optimizer: str = "adam",
    image: bool = False,
) -> Space:
    """Return the space that `fit` searches unless it is told another.

    Searched, in the order of importance that experience suggests (each study measures its own):

    - `learning_rate`, log: it matters most and by its order of magnitude. Adam moves each weight
      by about the rate in a step, so with some 2,000 updates 3e-4 is the least that reaches a
      solution, and above 3e-2 runs rarely recover; from 20,000 train rows on there are more
      updates and the range is 1e-4..1e-2. Plain and averaged gradients are smaller than Adam's
      normalized ones: `sgd` and `momentum` get 3e-3..1. A velocity adds gradients up, to ten of
      them at momentum 0.9: `velocity` and `nesterov` get a tenth of that. Adagrad's steps fall
      with the square root of their number: it gets ten times Adam's range.
    - `hidden_layers` 1..3: no hidden layer is the linear baseline that every fit trains anyway,
      and tables rarely gain from a fourth. The choice shapes programs, so the range is short.
    - `hidden_units`, the same in each layer: 16..128, 32..256 from 100,000 train rows on, which
      can fill them. With more outputs than 128 the upper end follows them up to 512, lest the
      layer be a bottleneck; with more than 1,000 inputs and fewer than 10 rows an input it is
      64, since the first layer then costs most of the time and holds most of the overfitting.
    - `dropout` 0..0.5, the usual span (Srivastava et al. 2014; Gorishniy et al. 2021 search the
      same for tables); 0..0.3 in regression, where the noise that it adds to the last layer's
      input is paid for in squared error. It is never exactly 0: that would be another program.
    - `l2`, log: 1e-6 does nothing and 1e-2 visibly shrinks weights; below 1,000 train rows up to
      1e-1, where networks are near the linear model and that is often right.

    Fixed, because each value costs a compiled program or matters little:

    - `activation` relu and the optimizer (Adam: the least sensitive to its other settings).
    - `batch_size`: the largest power of two not above 2 sqrt(rows), within 32..512, so that both
      the updates of an epoch and the rows behind an update grow with the square root.
    - `epochs`: 100 below 2,000 train rows, 50 below 20,000, 30 else: about 1,000 updates or
      more from 300 rows on. Early stopping ends most networks sooner.

    >>> default_space(1078, 64, 10, "classification").describe()["batch_size"]
    '64'

    Args:
        rows: train rows, at least 1.
        inputs: D, columns after encoding.
        outputs: C, classes, or 1 for regression.
        task: `classification` or `regression`.
        optimizer: the rule that will be used; it sets the span of `learning_rate`.
        image: whether rows are images, which get 1 or 2 convolutional layers of 8 or 16 channels
            and one dense hidden layer: small networks, of which a CPU trains some in minutes.

    Returns:
        The space, which names every hyperparameter above.
    """
    entries: dict[str, object] = {
        "learning_rate": _RATES.get(optimizer, _normalized)(rows),
        "hidden_layers": integer(1, 3),
        "hidden_units": _hidden_units(rows, inputs, outputs),
        "dropout": uniform(0, 0.3 if task == "regression" else 0.5),
        "l2": log(1e-6, 1e-1 if rows < _SMALL else 1e-2),
        "activation": "relu",
        "optimizer": optimizer,
        "batch_size": _batch_size(rows),
        "epochs": _epochs(rows),
    }
    if image:
        entries |= {"conv_layers": integer(1, 2), "conv_channels": Choice((8, 16))}
        entries |= {"hidden_layers": 1, "epochs": min(30, _epochs(rows))}
    return Space(entries)


def _normalized(rows: int) -> Log:
    """Return rates for steps of about the rate itself, whatever the gradient."""
    return log(1e-4, 1e-2) if rows >= _LARGE else log(3e-4, 3e-2)


def _proportional(rows: int) -> Log:
    """Return rates for steps that are the rate times the gradient."""
    return log(1e-3, 0.3) if rows >= _LARGE else log(3e-3, 1.0)


def _accumulated(rows: int) -> Log:
    """Return rates for steps that add past gradients up."""
    return log(1e-4, 0.03) if rows >= _LARGE else log(3e-4, 0.1)


def _falling(rows: int) -> Log:
    """Return rates for normalized steps that fall with their number."""
    return log(1e-3, 0.1) if rows >= _LARGE else log(3e-3, 0.3)


_RATES = {
    "sgd": _proportional,
    "momentum": _proportional,
    "velocity": _accumulated,
    "nesterov": _accumulated,
    "adagrad": _falling,
    "rmsprop": _normalized,
    "adam": _normalized,
}


def _hidden_units(rows: int, inputs: int, outputs: int) -> Distribution:
    if inputs > 1_000 and rows < 10 * inputs:
        return integer(16, 64)
    low, high = (32, 256) if rows >= 100_000 else (16, 128)
    return integer(low, min(max(high, outputs), 512))


def _batch_size(rows: int) -> int:
    largest = math.floor(math.log2(2 * math.sqrt(rows)))
    return 2 ** min(max(largest, 5), 9)


def _epochs(rows: int) -> int:
    if rows < 2_000:
        return 100
    return 50 if rows < _LARGE else 30
