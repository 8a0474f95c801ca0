"""O9: Optax transformations as optimizers in the JAX program: same numbers, alone, resumed."""

import numpy as np
import optax
import pytest

from deepwell._base._errors import UsageError
from deepwell._base._hyperparameters import validate
from deepwell.execution._backends import choose_backend, needs_jax
from deepwell.execution._planner import Machine, Shape, plan
from deepwell.optimization._foreign import check_foreign, register_optimizer, transformation
from deepwell.training._state import initial_state


def _rates(learning_rate, beta1):
    return optax.chain(optax.scale_by_lion(b1=beta1), optax.scale_by_learning_rate(learning_rate))


SLOW_LION = register_optimizer("tested_lion", _rates)


@pytest.mark.proves("O9", "independent", "population")
def test_optaxs_adam_trains_as_ours_with_decay_and_dropout(structure, program, member, trained):
    options = {"seed": 3, "decay": "cosine", "warmup_epochs": 1.0, "epochs": 8}
    foreign, ours = (structure(optimizer=o, train_rows=71) for o in ("optax:adam", "adam"))
    members = [member(foreign, learning_rate=0.01 * (i + 1), **options) for i in range(3)]
    same = [member(ours, learning_rate=0.01 * (i + 1), **options) for i in range(3)]
    got, _ = trained(program(foreign), members, epochs=8)
    right, _ = trained(program(ours), same, epochs=8)
    for state, other in zip(got, right, strict=True):
        for name in ("weights/0", "weights/2", "biases/1", "best/weights/1"):
            np.testing.assert_allclose(state[name], other[name], rtol=1e-9, atol=1e-12)


@pytest.mark.proves("O9", "population")
def test_a_registered_one_trains_alone_as_among_others_and_goes_on(
    structure, program, member, trained
):
    s = structure(optimizer=SLOW_LION, dtype="float32", train_rows=71)
    p = program(s)
    members = [member(s, seed=i, learning_rate=1e-3, beta1=0.5 + 0.1 * i) for i in range(3)]
    together, _ = trained(p, members, epochs=4)
    half, _ = trained(p, members, epochs=2)
    resumed, _ = trained(p, members[::-1], epochs=2, states=half[::-1], first_epoch=3)
    for one, state, again in zip(members, together, resumed[::-1], strict=True):
        (alone,), _ = trained(p, [one], epochs=4)
        for name in state:
            assert alone[name].tobytes() == state[name].tobytes() == again[name].tobytes(), name
    start = initial_state(members[0])
    assert {name for name in start if name.startswith("optax/")} == {
        name for name in together[0] if name.startswith("optax/")
    }
    # Lion moves every weight by the rate in each step: the sign of its average decides.
    first, _ = trained(p, members[:1], epochs=1)
    moved = np.abs(first[0]["weights/0"] - start["weights/0"]) / 1e-3
    assert moved.max() <= 5.01


def test_the_native_program_refuses_it(structure, native, member):
    s = structure(optimizer="optax:lion")
    one = member(s)
    with pytest.raises(ValueError, match="the native core has no optax:lion; the JAX program has"):
        native(s).load([one], [None])


def test_a_member_that_would_be_padded_is_refused_and_the_planner_pads_none(
    structure, program, member
):
    s = structure(optimizer=SLOW_LION, dtype="float32", train_rows=71)
    narrow = member(s, hidden=(5, 8))
    with pytest.raises(ValueError, match="does not fit"):
        program(s).load([narrow], [initial_state(narrow)])
    members = {0: member(s), 1: narrow, 2: member(s, seed=4)}
    planned = plan(members, dict.fromkeys(members, 16), 5, Shape(70, 40, 6, 3, "softmax", "error"),
                   Machine())  # fmt: skip
    assert {b.structure.hidden: b.trials for b in planned.buckets} == {(8, 8): (0, 2), (5, 8): (1,)}
    assert all(b.structure.inputs == 6 for b in planned.buckets)


def test_names_are_checked_before_anything_is_trained():
    check_foreign("optax:lion")
    check_foreign(SLOW_LION)
    with pytest.raises(UsageError, match=r"optax:no_such is no optimizer of Optax.*register_optim"):
        check_foreign("optax:no_such")
    with pytest.raises(UsageError, match="optax:lbfgs cannot train networks here"):
        check_foreign("optax:lbfgs")
    with pytest.raises(UsageError, match=r"`optimizer` must be one of sgd, .* or optax:NAME"):
        validate("optimizer", "optax:two words")
    with pytest.raises(UsageError, match="optax has a lion already"):
        register_optimizer("lion", _rates)
    with pytest.raises(UsageError, match="must be a Python name, got 'my own'"):
        register_optimizer("my own", _rates)
    with pytest.raises(UsageError, match="asks for speed, which is no numeric hyperparameter"):
        register_optimizer("fast", lambda speed: optax.sgd(speed))
    assert transformation("optax:sgd", {"learning_rate": 0.1}).update is not None


def test_a_study_with_one_trains_by_jax_and_says_why():
    assert needs_jax(["adam", "optax:lion"]) == "optax:lion from Optax"
    assert needs_jax(["adam", "sgd"]) == ""
    assert choose_backend(None, ["adam", "optax:lion"]).name == "jax"
    with pytest.raises(UsageError, match="the native program cannot train optax:lion from Optax"):
        choose_backend("native", ["optax:lion"])
