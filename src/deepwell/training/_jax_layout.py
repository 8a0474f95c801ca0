"""How the JAX program holds a member: a few vectors in place of many small arrays.

Each array and scalar of its own would be a kernel of its own wherever a lane is read, written or
compared, and compiling is paid by the kernel.

    parameters, <slot>...   (N,) weights of all layers, then their biases, then what else is trained
    statistics              (S,) of batch normalization, where there is any
    best                    (N + S,) both at the best dev score, all padded
    optax/0, ...            what an Optax transformation remembers, each in its own shape
    whole                         (5,) int32, in the order of WHOLE_NUMBERS
    real                          (4,) in the order of REAL_NUMBERS
"""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from deepwell._base._hash import Purpose, fold, key
from deepwell.data._augmentation import SHARES, share_table
from deepwell.networks._architecture import Architecture
from deepwell.networks._dropout_rate import drop_of
from deepwell.networks._mlp import needs_masks
from deepwell.optimization._decay import decay_code
from deepwell.optimization._foreign import is_foreign
from deepwell.optimization._registry import slots_of

from ._jax_foreign import leaf_kinds
from ._program import NUMBERS, Member, State, Structure
from ._state import REAL_NUMBERS, WHOLE_NUMBERS, padded

Lanes = dict[str, np.ndarray]

REAL_SETTINGS = (*NUMBERS, "slope", "norm_epsilon", "rms_from_first")
WHOLE_SETTINGS = ("decay", "patience", "view", "inputs")
KEYS = {
    "key": Purpose.DROPOUT,
    "noise": Purpose.NOISE,
    "input_noise": Purpose.INPUT_NOISE,
    "mix": Purpose.MIXUP,
    "image": Purpose.IMAGE,
}
BITS = tuple(f"{name}_{part}" for name in KEYS for part in ("first", "second"))
_EMPTY = -1  # the outcome of a lane that holds no member: never running


def shapes_of(network: Architecture, vector: str) -> dict[str, tuple[int, ...]]:
    """Return name -> shape, padded as `network` is, in the order in which a vector holds them."""
    trained = network.parameter_shapes()
    kinds = dict.fromkeys(name.split("/")[0] for name in trained)
    shapes = {n: s for kind in kinds for n, s in trained.items() if n.startswith(f"{kind}/")}
    statistics = network.statistic_shapes()
    if vector == "statistics":
        return statistics
    return shapes | statistics if vector == "best" else shapes


def unpacked(structure: Structure, vector: str, held: Any) -> dict[str, Any]:
    """Return the arrays that a vector holds, by name; views where it is NumPy's."""
    arrays, begin = {}, 0
    for name, shape in shapes_of(structure.network, vector).items():
        size = math.prod(shape)
        arrays[name] = held[begin : begin + size].reshape(shape)
        begin += size
    return arrays


def joined(structure: Structure, vector: str, arrays: dict[str, jax.Array]) -> jax.Array:
    """Return the vector of such arrays, inside a program."""
    names = shapes_of(structure.network, vector)
    return jnp.concatenate([arrays[name].reshape(-1) for name in names])


def vectors_of(structure: Structure) -> tuple[str, ...]:
    """Return the names of a lane's vectors."""
    statistics = ("statistics",) if structure.batch_norm != "none" else ()
    return ("parameters", *slots_of(structure.optimizer), *statistics, "best")


def foreign_of(structure: Structure) -> dict[str, tuple[tuple[int, ...], Any]]:
    """Return name -> shape and type of what an Optax transformation remembers; empty without."""
    if not is_foreign(structure.optimizer):
        return {}
    shapes = shapes_of(structure.network, "parameters")
    return leaf_kinds(structure.optimizer, tuple(shapes.items()), structure.dtype)


def _prefix(vector: str) -> str:
    return "" if vector in ("parameters", "statistics") else f"{vector}/"


def drop_layers(structure: Structure) -> tuple[int, ...]:
    """Return the layers that have a place in the settings of dropout; -1 is the inputs."""
    inputs = (-1,) if structure.drops_inputs else ()
    return inputs + (tuple(range(len(structure.hidden))) if structure.drops else ())


def empty_lanes(structure: Structure, lanes: int) -> Lanes:
    """Return lanes that hold no member, with a leading lane axis."""
    kind = np.dtype(structure.dtype)
    held: Lanes = {
        name: np.zeros(
            (lanes, sum(map(math.prod, shapes_of(structure.network, name).values()))), kind
        )
        for name in vectors_of(structure)
    }
    for name, (shape, dtype) in foreign_of(structure).items():
        held[name] = np.zeros((lanes, *shape), dtype)
    held["whole"] = np.zeros((lanes, len(WHOLE_NUMBERS)), np.int32)
    held["whole"][:, WHOLE_NUMBERS.index("outcome")] = _EMPTY
    held["real"] = np.zeros((lanes, len(REAL_NUMBERS)), kind)
    return held


def write_lane(structure: Structure, held: Lanes, lane: int, state: State) -> None:
    """Put a state into a lane, in the corner of its padded shapes."""
    for vector in vectors_of(structure):
        for name, room in unpacked(structure, vector, held[vector][lane]).items():
            one = state[_prefix(vector) + name]
            room[tuple(slice(0, n) for n in one.shape)] = one
    for name in foreign_of(structure):
        held[name][lane] = state[name]
    held["whole"][lane] = [state[name] for name in WHOLE_NUMBERS]
    held["real"][lane] = [state[name] for name in REAL_NUMBERS]


def read_lane(structure: Structure, held: Lanes, lane: int, member: Member) -> State:
    """Return the state in a lane without its padding, in types that hold the values exactly."""
    state: State = {}
    for vector in vectors_of(structure):
        shapes = shapes_of(member.architecture, vector)
        for name, room in unpacked(structure, vector, held[vector][lane]).items():
            state[_prefix(vector) + name] = room[tuple(slice(0, n) for n in shapes[name])].copy()
    state.update({name: np.array(held[name][lane]) for name in foreign_of(structure)})
    pairs = zip(WHOLE_NUMBERS, held["whole"][lane], strict=True)
    state.update({name: np.asarray(value, np.int64) for name, value in pairs})
    pairs = zip(REAL_NUMBERS, held["real"][lane], strict=True)
    state.update({name: np.asarray(value, np.float64) for name, value in pairs})
    return state


def order_shape(structure: Structure) -> tuple[int, ...]:
    """Return the shape of a call's order: with a leading axis for several data views."""
    views = (structure.views,) if structure.views > 1 else ()
    return (*views, structure.steps, structure.batch)


def empty_settings(structure: Structure, lanes: int) -> Lanes:
    """Return the hyperparameters of lanes that hold no member."""
    kind = np.dtype(structure.dtype)
    settings: Lanes = {
        "real": np.zeros((lanes, len(REAL_SETTINGS)), kind),
        "whole": np.zeros((lanes, len(WHOLE_SETTINGS)), np.int32),
        "bits": np.zeros((lanes, len(BITS)), np.uint32),
    }
    dropping = len(drop_layers(structure))
    if dropping:
        settings["drop_below"] = np.zeros((lanes, dropping), np.uint32)
        settings["drop_scales"] = np.ones((lanes, dropping, 2), kind)
    if needs_masks(structure.network):
        settings["mask"] = np.zeros((lanes, sum(structure.hidden)), kind)
    if "gradient_noise" in structure.extras:
        settings["widths"] = np.zeros((lanes, len(structure.hidden) + 2), np.int32)
    if "mixup" in structure.extras:
        settings["shares"] = np.ones((lanes, SHARES), kind)
    return settings


def write_settings(structure: Structure, settings: Lanes, lane: int, member: Member) -> None:
    """Put a member's hyperparameters into a lane: everything that varies and is traced."""
    a = member.architecture
    seed = key(member.seed)
    bits = [word for purpose in KEYS.values() for word in fold(seed, purpose)]
    numbers = [member.number(name) for name in NUMBERS]
    from_first = float(member.rms_start == "first_gradient")
    settings["real"][lane] = [*numbers, a.slope, a.norm_epsilon, from_first]
    settings["whole"][lane] = [decay_code(member.decay), member.patience, member.view, a.inputs]
    settings["bits"][lane] = bits
    for place, layer in enumerate(drop_layers(structure)):
        drop = drop_of(a, layer)
        settings["drop_below"][lane, place] = drop.threshold
        settings["drop_scales"][lane, place] = drop.train_scale, drop.predict_scale
    if needs_masks(structure.network):
        pairs = zip(a.hidden, structure.hidden, strict=True)
        ones = [padded(np.ones(true), (room,)) for true, room in pairs]
        settings["mask"][lane] = np.concatenate(ones) if ones else 0.0
    if "gradient_noise" in structure.extras:
        settings["widths"][lane] = member.architecture.widths
    if "mixup" in structure.extras:
        settings["shares"][lane] = share_table(member.number("mixup")) or 1.0
