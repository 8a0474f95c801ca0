"""What is particular to the JAX program: compiling, devices, padding."""

import dataclasses
import gc

import numpy as np
import pytest

from deepwell.training._jax_program import compiled_programs
from deepwell.training._program import Chunk, Outcome
from deepwell.training._state import initial_state


def test_one_program_a_structure_and_nothing_compiled_afterwards(
    structure, program, member, trained
):
    import jax

    s = structure(hidden=(8,), dtype="float32")
    compiles = []
    jax.monitoring.register_event_duration_secs_listener(
        lambda name, seconds, **_: compiles.append(name) if "backend_compile" in name else None
    )
    try:
        before = compiled_programs()
        p = program(s)
        assert compiled_programs() == before + 1
        assert len(compiles) == 1
        first, _ = trained(p, [member(s, hidden=(3,), seed=1)])
        trained(p, [member(s, seed=i, dropout=0.5, patience=2, l2=0.0) for i in range(6)])
        trained(p, [member(s, hidden=(3,), seed=1)], states=first, first_epoch=6)
        assert len(compiles) == 1
    finally:
        jax.monitoring.clear_event_listeners()


def test_every_core_is_a_device(structure, program):
    import os

    import jax

    cores = len(os.sched_getaffinity(0))
    p = program(structure(dtype="float32"))
    assert len(jax.devices()) == cores
    assert p.lanes == p.options.lanes * cores


def test_a_member_of_another_shape_is_refused(structure, program, member):
    s = structure(dtype="float32")
    too_wide = member(s, hidden=(9, 8))
    with pytest.raises(ValueError, match="does not fit"):
        program(s).load([too_wide], [initial_state(too_wide)])


def test_a_call_in_which_nobody_trains_moves_nobody(structure, program, member):
    s = structure(dtype="float32")
    ended = initial_state(member(s)) | {"outcome": np.asarray(Outcome.EARLY_STOPPED, np.int64)}
    session = program(s).load([member(s)], [ended])
    info = session.advance(Chunk(np.zeros((1, s.batch), np.int32), epoch=1))
    assert not info.moved.any()
    assert info.useful == info.executed == 0


def test_rows_are_on_the_devices_once_and_no_longer_than_a_program_holds_them(structure, rows):
    import jax
    from jax.sharding import Mesh, NamedSharding, PartitionSpec

    from deepwell.training._jax_rows import DeviceRows

    held, data, s = DeviceRows(), rows("softmax"), structure(dtype="float32")
    everywhere = NamedSharding(Mesh(np.array(jax.devices()), ("lanes",)), PartitionSpec())
    one = held.of(s, data, everywhere)
    names = {field.name for field in dataclasses.fields(one)}

    def shared(one, other):
        return {name for name in names if getattr(one, name) is getattr(other, name)}

    same = dataclasses.replace(s, hidden=(4,), batch=8)
    assert shared(one, held.of(same, data, everywhere)) == names
    wider = held.of(dataclasses.replace(s, dev_rows=s.dev_rows + 8), data, everywhere)
    assert shared(one, wider) == {"x_train", "y_train", "weight_train"}
    np.testing.assert_array_equal(wider.x_dev[: len(data.x_dev)], one.x_dev[: len(data.x_dev)])
    assert shared(one, held.of(s, rows("softmax", seed=1), everywhere)) == set()
    real = held.of(dataclasses.replace(s, loss="squared"), data, everywhere)
    assert shared(one, real) == names - {"y_train", "y_dev"}
    streamed = held.of(s, dataclasses.replace(data, streamed=True), everywhere)
    assert not isinstance(streamed.x_train, jax.Array)  # they come window by window
    assert streamed.x_train.shape == one.x_train.shape
    del one, wider, real, streamed
    gc.collect()
    assert not held._arrays
