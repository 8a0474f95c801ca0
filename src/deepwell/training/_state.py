"""A member's state as named arrays of its true shapes.

    weights/l, biases/l                 parameters of layer l
    scales/l, shifts/l                  where layer l has batch normalization, gamma and beta
    means/l, variances/l                and what it normalizes with at prediction
    <slot>/<parameter>                  what the optimizer remembers of each parameter
    optax/0, optax/1, ...               the same of an Optax transformation, of its own shapes
    best/<parameter>, best/<statistic>  those of the first three lines at the best dev score
    step, epoch                         int64, update steps and epochs done
    best_epoch, stale                   int64, epoch of the best score; epochs since then
    best_score, best_cost               float64 at that epoch, infinite before the first
    outcome                             int64, a code of `Outcome`
    cost_sum, weight_sum                sums over the batches of the epoch at work

Everything that decides the member's future is in here, so a state written to disk and read
back goes on to the bit.
"""

from __future__ import annotations

import numpy as np

from deepwell.networks._initializers import initial_parameters, initial_statistics
from deepwell.optimization._foreign import is_foreign
from deepwell.optimization._registry import slots_of

from ._program import Member, Outcome, State

WHOLE_NUMBERS = ("step", "epoch", "best_epoch", "stale", "outcome")
REAL_NUMBERS = ("best_score", "best_cost", "cost_sum", "weight_sum")


def initial_state(member: Member) -> State:
    """Return the state of a member that has not trained yet."""
    parameters = initial_parameters(
        member.architecture,
        member.initializer,
        member.seed,
        member.dtype,
        member.initializer_scale,
    )
    statistics = initial_statistics(member.architecture, member.dtype)
    state: State = parameters | statistics
    for slot in slots_of(member.optimizer):
        state.update({f"{slot}/{name}": np.zeros_like(p) for name, p in parameters.items()})
    if is_foreign(member.optimizer):
        from ._jax_foreign import initial_leaves

        state.update(initial_leaves(member, parameters))
    state.update({f"best/{name}": p.copy() for name, p in (parameters | statistics).items()})
    state.update({name: np.asarray(0, np.int64) for name in WHOLE_NUMBERS})
    state.update({name: np.asarray(0.0, np.float64) for name in REAL_NUMBERS})
    state["best_score"] = np.asarray(np.inf)
    state["best_cost"] = np.asarray(np.inf)
    return state


def best_parameters(state: State) -> dict[str, np.ndarray]:
    """Return the parameters at the best dev score, under their plain names."""
    return {k.removeprefix("best/"): v for k, v in state.items() if k.startswith("best/")}


def at_best(state: State) -> State:
    """Return a running state that stands at the best weights, to be scored again."""
    return {**state, **best_parameters(state), "outcome": np.asarray(Outcome.RUNNING, np.int64)}


def padded(array: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return the array in the corner of zeros of a larger shape."""
    if array.shape == shape:
        return array
    out = np.zeros(shape, array.dtype)
    out[tuple(slice(0, n) for n in array.shape)] = array
    return out
