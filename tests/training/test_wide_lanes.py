"""Lanes that move together, as on an accelerator, train the same networks."""

import os
import subprocess
import sys

import jax
import numpy as np
import pytest

from deepwell.data._batches import epoch_order
from deepwell.training._jax_program import JaxProgram, compiled_programs
from deepwell.training._program import Chunk, Outcome, ProgramOptions
from deepwell.training._state import initial_state


def test_lanes_that_move_together_train_the_same_networks(
    structure, program, member, trained, rows
):
    s = structure(hidden=(8,), optimizer="sgd", activation="relu")
    wide = JaxProgram(s, rows("softmax"), ProgramOptions(lanes=4, width=4))
    members = [member(s, seed=i, learning_rate=0.01 * (i + 1)) for i in range(4)]
    members.append(member(s, seed=9, learning_rate=1e300))
    one_by_one, first = trained(program(s), members, epochs=10)
    together, second = trained(wide, members, epochs=10)
    for a, b in zip(one_by_one[:4], together[:4], strict=True):
        for name in a:
            np.testing.assert_allclose(a[name], b[name], rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(first[-1].outcome, second[-1].outcome)
    np.testing.assert_array_equal(first[-1].step, second[-1].step)


def test_survivors_of_a_wide_step_move_into_a_narrower_program(structure, member, trained, rows):
    s = structure(hidden=(8,), optimizer="sgd", activation="relu", dtype="float32")
    devices = len(jax.devices())
    members = [
        member(s, seed=i, learning_rate=0.01 if i < devices else 1e30, dropout=0.0)
        for i in range(4 * devices)
    ]
    data = rows("softmax")
    options = ProgramOptions(lanes=4, width=4, narrower=(1,))
    before = compiled_programs()
    p = JaxProgram(s, data, options)
    session = p.load(members, [initial_state(m) for m in members])
    infos = [session.advance(Chunk(epoch_order(3, e, 70, 16), e)) for e in range(1, 5)]
    assert compiled_programs() == before + 2
    assert np.flatnonzero(infos[-1].moved).tolist() == list(range(devices))
    # One member a device is left: all lanes moved in the first epoch, one a device from then on.
    assert infos[0].executed == pytest.approx(infos[1].executed * 4)
    alone, _ = trained(p, [members[0]], epochs=4)
    for name, value in session.states()[0].items():
        np.testing.assert_allclose(value, alone[0][name], rtol=1e-5, atol=1e-7)
    ended = session.states()[-1]
    assert int(ended["outcome"]) == Outcome.DIVERGED
    assert int(ended["step"]) == infos[0].step[-1] == infos[-1].step[-1]


def test_lanes_that_ended_are_not_visited_and_the_others_are_dealt_again(
    structure, program, member, trained
):
    s = structure(optimizer="sgd", activation="relu", dtype="float32", drops=False)
    p = program(s)
    half = p.lanes // 2
    wild = [member(s, seed=i, learning_rate=1e30) for i in range(half)]
    calm = [member(s, seed=10 + i) for i in range(half)]
    members = [m for pair in zip(wild, calm, strict=True) for m in pair]  # on two cores one each
    together, infos = trained(p, members, epochs=3)
    alone, _ = trained(p, calm, epochs=3)
    for a, b in zip(alone, together[1::2], strict=True):
        assert {k: v.tobytes() for k, v in a.items()} == {k: v.tobytes() for k, v in b.items()}
    a = calm[0].architecture
    steps, dev = 5 * 16 * a.multiply_adds(), 40 * a.forward_multiply_adds()
    assert infos[2].executed == half * (steps + dev)
    assert infos[2].useful == pytest.approx(half * (70 / 80 * steps + dev))
    assert infos[0].executed < half * (steps + dev) + half * steps / 2


_DEVICES = """
import sys
import jax
jax.config.update("jax_num_cpu_devices", int(sys.argv[1]))
assert len(jax.devices()) == int(sys.argv[1])
import hashlib
import numpy as np
from deepwell.data._batches import epoch_order
from deepwell.networks._architecture import Architecture
from deepwell.training._jax_program import JaxProgram
from deepwell.training._program import Chunk, Member, ProgramOptions, Structure, TrainingRows
from deepwell.training._state import initial_state

rng = np.random.default_rng(0)
x, y = rng.normal(size=(110, 6)), rng.integers(0, 3, 110)
rows = TrainingRows(x[:70], y[:70], np.ones(70), x[70:], y[70:], np.ones(40))
s = Structure(6, (8,), 3, "softmax", "relu", "adam", 16, True, 72, 40, 5, "error")
lanes = int(sys.argv[2])
p = JaxProgram(s, rows, ProgramOptions(lanes=lanes, width=lanes))
numbers = dict(learning_rate=0.01, decay_rate=0.0, momentum=0.9, beta1=0.9, beta2=0.999,
               epsilon=1e-8, l2=1e-3)
shape = Architecture(6, (7,), 3, "relu", dropout=(0.3,))
for count in (2, 7):
    members = [Member(shape, "adam", "he", i, numbers) for i in range(count)]
    session = p.load(members, [initial_state(m) for m in members])
    for epoch in (1, 2):
        session.advance(Chunk(epoch_order(3, epoch, 70, 16), epoch))
    digest = hashlib.sha256()
    for state in session.states():
        for name in sorted(state):
            digest.update(state[name].tobytes())
    print(digest.hexdigest())
"""


def test_several_devices_give_what_one_gives_to_the_bit(tmp_path):
    """Two members on four devices, and seven on four of two lanes: none of it divides."""
    told = {}
    for devices, lanes in ((1, 8), (4, 2)):
        done = subprocess.run(
            [sys.executable, "-c", _DEVICES, str(devices), str(lanes)],
            capture_output=True, text=True, timeout=600,
            env={**os.environ, "DEEPWELL_CACHE": str(tmp_path)},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        told[devices] = done.stdout.split()
    assert len(told[1]) == 2
    assert told[1] == told[4]
