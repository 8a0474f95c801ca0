"""How the JAX program holds a member: a few vectors in place of many small arrays.

Each array and scalar of its own would be a kernel of its own wherever a lane is read, written or
compared, and compiling is paid by the kernel.

    parameters, <slot>..., best   (N,) weights of all layers, then biases of all layers, padded
    whole                         (5,) int32, in the order of WHOLE_NUMBERS
    real                          (4,) in the order of REAL_NUMBERS
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from deepwell._base._hash import Purpose, fold, key
from deepwell.networks._activations import ACTIVATIONS
from deepwell.networks._dropout_rate import drop_threshold
from deepwell.optimization._decay import decay_code
from deepwell.optimization._registry import OPTIMIZERS

from ._program import NUMBERS, Member, State, Structure
from ._state import REAL_NUMBERS, WHOLE_NUMBERS, padded

Lanes = dict[str, np.ndarray]

_NUMBERS = tuple(name for name in NUMBERS if name != "dropout")
REAL_SETTINGS = (*_NUMBERS, "slope", "drop_scale", "rms_from_first")
WHOLE_SETTINGS = ("decay", "patience")
BITS = ("drop_below", "key_first", "key_second", "noise_first", "noise_second")
_EMPTY = -1  # the outcome of a lane that holds no member: never running


def shapes_of(structure: Structure) -> dict[str, tuple[int, ...]]:
    """Return name -> padded shape, in the order in which a vector of parameters holds them."""
    widths = (structure.inputs, *structure.hidden, structure.outputs)
    weights = {f"weights/{i}": pair for i, pair in enumerate(itertools.pairwise(widths))}
    return weights | {f"biases/{i}": (n_out,) for i, n_out in enumerate(widths[1:])}


def unpacked(structure: Structure, vector: Any) -> dict[str, Any]:
    """Return the arrays that a vector (N,) holds, by name; views where it is NumPy's."""
    arrays, begin = {}, 0
    for name, shape in shapes_of(structure).items():
        size = math.prod(shape)
        arrays[name] = vector[begin : begin + size].reshape(shape)
        begin += size
    return arrays


def joined(structure: Structure, arrays: dict[str, jax.Array]) -> jax.Array:
    """Return the vector (N,) of such arrays, inside a program."""
    return jnp.concatenate([arrays[name].reshape(-1) for name in shapes_of(structure)])


def vectors_of(structure: Structure) -> tuple[str, ...]:
    """Return the names of a lane's vectors of N numbers."""
    return ("parameters", *OPTIMIZERS[structure.optimizer].slots, "best")


def masks_units(structure: Structure) -> bool:
    """Whether padded units must be masked, because g(0) is not 0."""
    return not ACTIVATIONS[structure.activation].zero_at_zero


def empty_lanes(structure: Structure, lanes: int) -> Lanes:
    """Return lanes that hold no member, with a leading lane axis."""
    kind = np.dtype(structure.dtype)
    size = sum(math.prod(shape) for shape in shapes_of(structure).values())
    held: Lanes = {name: np.zeros((lanes, size), kind) for name in vectors_of(structure)}
    held["whole"] = np.zeros((lanes, len(WHOLE_NUMBERS)), np.int32)
    held["whole"][:, WHOLE_NUMBERS.index("outcome")] = _EMPTY
    held["real"] = np.zeros((lanes, len(REAL_NUMBERS)), kind)
    return held


def write_lane(structure: Structure, held: Lanes, lane: int, state: State) -> None:
    """Put a state into a lane, in the corner of its padded shapes."""
    for vector in vectors_of(structure):
        prefix = "" if vector == "parameters" else f"{vector}/"
        for name, room in unpacked(structure, held[vector][lane]).items():
            one = state[prefix + name]
            room[tuple(slice(0, n) for n in one.shape)] = one
    held["whole"][lane] = [state[name] for name in WHOLE_NUMBERS]
    held["real"][lane] = [state[name] for name in REAL_NUMBERS]


def read_lane(structure: Structure, held: Lanes, lane: int, member: Member) -> State:
    """Return the state in a lane without its padding, in types that hold the values exactly."""
    shapes = member.architecture.layer_shapes()
    state: State = {}
    for vector in vectors_of(structure):
        prefix = "" if vector == "parameters" else f"{vector}/"
        for name, room in unpacked(structure, held[vector][lane]).items():
            kind, layer = name.split("/")
            shape = shapes[int(layer)] if kind == "weights" else shapes[int(layer)][1:]
            state[prefix + name] = room[tuple(slice(0, n) for n in shape)].copy()
    pairs = zip(WHOLE_NUMBERS, held["whole"][lane], strict=True)
    state.update({name: np.asarray(value, np.int64) for name, value in pairs})
    pairs = zip(REAL_NUMBERS, held["real"][lane], strict=True)
    state.update({name: np.asarray(value, np.float64) for name, value in pairs})
    return state


def empty_settings(structure: Structure, lanes: int) -> Lanes:
    """Return the hyperparameters of lanes that hold no member."""
    kind = np.dtype(structure.dtype)
    settings: Lanes = {
        "real": np.zeros((lanes, len(REAL_SETTINGS)), kind),
        "whole": np.zeros((lanes, len(WHOLE_SETTINGS)), np.int32),
        "bits": np.zeros((lanes, len(BITS)), np.uint32),
    }
    if masks_units(structure):
        settings["mask"] = np.zeros((lanes, sum(structure.hidden)), kind)
    if "gradient_noise" in structure.extras:
        settings["widths"] = np.zeros((lanes, len(structure.hidden) + 2), np.int32)
    return settings


def write_settings(structure: Structure, settings: Lanes, lane: int, member: Member) -> None:
    """Put a member's hyperparameters into a lane: everything that varies and is traced."""
    dropout = member.number("dropout")
    masks, noise = (fold(key(member.seed), p) for p in (Purpose.DROPOUT, Purpose.NOISE))
    numbers = [member.number(name) for name in _NUMBERS]
    from_first = float(member.rms_start == "first_gradient")
    settings["real"][lane] = [
        *numbers,
        *(member.architecture.slope, 1.0 / (1.0 - dropout), from_first),
    ]
    settings["whole"][lane] = [decay_code(member.decay), member.patience]
    settings["bits"][lane] = [drop_threshold(dropout), *masks, *noise]
    if masks_units(structure):
        pairs = zip(member.architecture.hidden, structure.hidden, strict=True)
        ones = [padded(np.ones(true), (room,)) for true, room in pairs]
        settings["mask"][lane] = np.concatenate(ones) if ones else 0.0
    if "gradient_noise" in structure.extras:
        settings["widths"][lane] = member.architecture.widths
