"""The checks of the first steps by the JAX program, through the same contract."""

from dataclasses import replace

import numpy as np
import pytest

from deepwell.checking._first_steps_bench import Bench, native_bench
from deepwell.checking._first_steps_compiled import compiled_first_steps
from deepwell.checking._first_steps_gradient import gradient_error
from deepwell.checking._first_steps_rows import Sample
from deepwell.checking._first_steps_start import start_loss
from deepwell.diagnosis import diagnose_first_steps
from deepwell.records import FirstSteps, from_plain


@pytest.mark.proves("C4", "population")
def test_the_start_is_the_same_by_both_programs(structure, program, member, rows):
    s = structure(dtype="float64", drops=False, train_rows=72)
    one, data = member(s, hidden=(5, 6)), rows("softmax")
    batch = Sample(data.x_train[:16], data.y_train[:16], data.weight_train[:16])
    jax = Bench(program(s), np.arange(16), 70, 16, s.steps)
    told = start_loss(jax, one, batch)
    native = native_bench(one, batch.x, batch.y, batch.weight)
    wanted = start_loss(native, one, batch)
    assert told == {k: pytest.approx(v, rel=1e-9) for k, v in wanted.items()}


@pytest.mark.proves("C4", "gradient", "population")
def test_the_gradient_of_the_other_program(structure, program, member):
    s = structure(dtype="float64", drops=False, train_rows=72, optimizer="sgd", activation="relu")
    one = member(s, hidden=(5, 6), l2=0.01)
    bench = Bench(program(s), np.arange(16), 70, 16, s.steps)
    told = gradient_error(bench, one, np.arange(16))
    assert told["wrong"] == []
    assert told["error"] < 1e-7


def test_a_compiled_program_serves_as_it_is(structure, program, member, rows):
    s = structure(drops=True, train_rows=72, dtype="float32")
    data = rows("softmax")
    one = replace(member(s, hidden=(7, 5)), initializer="lecun")
    found = compiled_first_steps(program(s), one, data)
    about = {"trial": 0, "network": "", "parameters": 1, "program": "jax", "initializer": "lecun"}
    record = from_plain(FirstSteps, {**about, **found})
    assert diagnose_first_steps(record) == []
    assert record.gradient.wrong == ()
    assert record.gradient.error < 1e-5  # float32 against costs in float64
    assert record.inputs is None  # 70 rows are too few for both the few and those to train on
    assert record.left_out == (
        "zeroed inputs: the program takes too few rows, or too many, at a time",
    )
    assert record.fits[0].rows == 2
    assert record.fits[0].fitted
    assert record.mixed.error <= record.mixed.threshold
    zeros = compiled_first_steps(program(s), replace(one, initializer="zeros"), data)
    assert zeros["alike"] == [1.0, 1.0]
