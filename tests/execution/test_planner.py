"""The planner against brute force, and the bounds that every plan keeps."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepwell.data._batches import steps_per_epoch
from deepwell.execution._planner import Bucket, Machine, Plan, Shape, padded_size, plan
from deepwell.networks._architecture import Architecture
from deepwell.training._program import Member

SHAPE = Shape(train_rows=1_000, dev_rows=200, inputs=10, outputs=3, loss="softmax", score="error")
MACHINE = Machine(devices=2)
NUMBERS = {"learning_rate": 0.01}
EPOCHS = 20.0
Hidden = tuple[int, ...]


def member(hidden: Hidden, shape: Shape = SHAPE, **changes: object) -> Member:
    activation = str(changes.pop("activation", "relu"))
    rates = tuple(changes.pop("dropout", ()))  # type: ignore[arg-type]
    a = Architecture(
        shape.inputs, hidden, shape.outputs, activation, loss=shape.loss, dropout=rates
    )
    return replace(Member(a, "adam", "he", 0, NUMBERS), **changes)  # type: ignore[arg-type]


def planned(
    hiddens: Sequence[Hidden], epochs: float = EPOCHS, machine: Machine = MACHINE
) -> tuple[Plan, dict[int, Member]]:
    members = {n: member(hidden) for n, hidden in enumerate(hiddens)}
    return plan(members, dict.fromkeys(members, 64), epochs, SHAPE, machine), members


def multiply_adds(hidden: Hidden) -> int:
    """Forward, backward to the weights, backward to the inputs of all layers but the first."""
    sizes = [a * b for a, b in itertools.pairwise((10, *hidden, 3))]
    return 3 * sum(sizes) - sizes[0]


def padded(group: Sequence[Hidden]) -> Hidden:
    return tuple(8 * ((max(layer) + 7) // 8) for layer in zip(*group, strict=True))


def cost(groups: Sequence[Sequence[Hidden]], epochs: float, machine: Machine) -> float:
    seconds = epochs * SHAPE.train_rows / machine.multiply_adds
    return sum(
        machine.compile_seconds + len(group) * seconds * multiply_adds(padded(group))
        for group in groups
    )


def cost_of(plan: Plan, members: Mapping[int, Member], epochs: float, machine: Machine) -> float:
    groups = [[members[n].architecture.hidden for n in b.trials] for b in plan.buckets]
    return cost(groups, epochs, machine)


def all_cuts(ordered: Sequence[Hidden]) -> Iterator[list[Sequence[Hidden]]]:
    for cuts in itertools.product([False, True], repeat=len(ordered) - 1):
        ends = [i + 1 for i, cut in enumerate(cuts) if cut]
        yield [ordered[a:b] for a, b in itertools.pairwise([0, *ends, len(ordered)])]


def all_partitions(items: Sequence[Hidden]) -> Iterator[list[list[Hidden]]]:
    if not items:
        yield []
        return
    for rest in all_partitions(items[1:]):
        yield [[items[0]], *rest]
        for i, group in enumerate(rest):
            yield [*rest[:i], [items[0], *group], *rest[i + 1 :]]


def lanes_and_steps(bucket: Bucket) -> tuple[int, int]:
    return bucket.options.lanes, bucket.structure.steps


@st.composite
def populations(draw: st.DrawFn) -> list[Hidden]:
    depth = draw(st.integers(0, 3))
    units = st.lists(st.integers(1, 300), min_size=depth, max_size=depth).map(tuple)
    return draw(st.lists(units, min_size=1, max_size=8))


machines = st.builds(
    Machine,
    compile_seconds=st.floats(0.001, 10),
    multiply_adds=st.floats(1e7, 1e11),
    devices=st.integers(1, 8),
)


@settings(max_examples=60)
@given(populations(), machines, st.floats(1, 100))
def test_the_plan_is_as_cheap_as_the_best_of_all_cuts(
    hiddens: list[Hidden], machine: Machine, epochs: float
) -> None:
    got, members = planned(hiddens, epochs, machine)
    ordered = sorted(hiddens, key=lambda h: (multiply_adds(h), h))
    best = min(cost(groups, epochs, machine) for groups in all_cuts(ordered))
    assert cost_of(got, members, epochs, machine) <= best * (1 + 1e-12)


@settings(max_examples=30)
@given(st.lists(st.integers(1, 300).map(lambda h: (h,)), min_size=1, max_size=6), machines)
def test_with_one_hidden_layer_no_grouping_at_all_is_cheaper(
    hiddens: list[Hidden], machine: Machine
) -> None:
    got, members = planned(hiddens, EPOCHS, machine)
    best = min(cost(groups, EPOCHS, machine) for groups in all_partitions(hiddens))
    assert cost_of(got, members, EPOCHS, machine) == pytest.approx(best, rel=1e-12)


mixed = st.fixed_dictionaries(
    {
        "hidden": st.lists(st.integers(1, 90), max_size=2).map(tuple),
        "activation": st.sampled_from(["relu", "sigmoid"]),
        "optimizer": st.sampled_from(["adam", "sgd"]),
        "dtype": st.sampled_from(["float32", "float64"]),
        "dropout": st.sampled_from([0.0, 0.2]),
        "batch": st.sampled_from([32, 64, 1_000, 5_000]),
    }
)


@given(st.lists(mixed, max_size=12), machines)
def test_every_trial_has_one_program_and_fits_it(wanted: list[dict], machine: Machine) -> None:
    members = {
        10 + n: member(
            w["hidden"],
            activation=w["activation"],
            optimizer=w["optimizer"],
            dtype=w["dtype"],
            dropout=(w["dropout"],) * len(w["hidden"]),
        )
        for n, w in enumerate(wanted)
    }
    batches = {10 + n: w["batch"] for n, w in enumerate(wanted)}
    got = plan(members, batches, EPOCHS, SHAPE, machine)
    assert sorted(n for b in got.buckets for n in b.trials) == sorted(members)
    for bucket in got.buckets:
        s = bucket.structure
        for n in bucket.trials:
            a = members[n].architecture
            assert len(s.hidden) == len(a.hidden)
            assert all(room >= h for room, h in zip(s.hidden, a.hidden, strict=True))
            assert (s.activation, s.optimizer) == (a.activation, members[n].optimizer)
            assert s.dtype == members[n].dtype
            assert s.batch == min(batches[n], SHAPE.train_rows)
        assert s.hidden == padded([members[n].architecture.hidden for n in bucket.trials])
        assert s.drops == any(any(members[n].architecture.dropout) for n in bucket.trials)
        assert (s.outputs, s.loss, s.score) == (3, "softmax", "error")
        assert s.inputs >= SHAPE.inputs
        assert s.train_rows > SHAPE.train_rows  # the row of weight 0
        assert s.dev_rows >= SHAPE.dev_rows
    assert len({b.structure for b in got.buckets}) == len(got.buckets)


def test_no_trials_need_no_program() -> None:
    assert plan({}, {}, EPOCHS, SHAPE, MACHINE) == Plan((), 0.0, 0.0)


def test_dearer_compiling_means_fewer_programs() -> None:
    hiddens = [(h, h // 2) for h in range(8, 260, 12)]
    counts = [
        len(planned(hiddens, machine=replace(MACHINE, compile_seconds=s))[0].buckets)
        for s in (0.0, 0.001, 0.01, 0.1, 1.0, 1e6)
    ]
    assert counts == sorted(counts, reverse=True)
    assert counts[-1] == 1
    assert counts[0] > counts[2] > counts[-1]


def test_longer_training_means_more_programs() -> None:
    hiddens = [(h,) for h in range(8, 260, 12)]
    counts = [len(planned(hiddens, epochs)[0].buckets) for epochs in (0.1, 10, 1_000, 1e9)]
    assert counts == sorted(counts)
    assert (counts[0], counts[-1]) == (1, len({padded([h]) for h in hiddens}))


def test_work_is_counted_without_and_with_padding() -> None:
    shape = replace(SHAPE, inputs=37)  # padded to 40
    members = {n: member((h,), shape) for n, h in enumerate((5, 60))}
    one = replace(MACHINE, compile_seconds=1e6)
    got = plan(members, dict.fromkeys(members, 64), EPOCHS, shape, one)
    assert len(got.buckets) == 1

    def work(inputs: int, units: int) -> int:
        return 2 * inputs * units + 3 * units * 3

    assert got.useful == 1_000 * (work(37, 5) + work(37, 60))
    assert got.executed == 1_000 * 2 * work(40, 64)


def test_the_largest_work_comes_first() -> None:
    got, _ = planned([(8,), (64,), (250,)], epochs=1e9)
    assert [b.structure.hidden for b in got.buckets] == [(256,), (64,), (8,)]


def test_one_call_is_short_enough_to_stop() -> None:
    """Within the eighth by which the number of steps is padded."""
    big = replace(SHAPE, train_rows=200_000)
    seen = set()
    for seconds, units in itertools.product((1e-9, 0.05, 0.5, 1e9), (8, 64, 512)):
        machine = replace(MACHINE, chunk_seconds=seconds)
        members = {0: member((units, units), big)}
        (bucket,) = plan(members, {0: 64}, EPOCHS, big, machine).buckets
        lanes, steps = lanes_and_steps(bucket)
        work = 3 * (10 * units + units**2 + 3 * units) - 10 * units
        step_seconds = lanes * 64 * work / (machine.multiply_adds / machine.devices)
        assert steps == 2 or steps * step_seconds <= seconds * 9 / 8
        assert steps <= padded_size(steps_per_epoch(200_000, 64))
        seen.add(steps)
    assert {2, padded_size(3_125)} < seen


@pytest.mark.parametrize("units", [16, 512, 8_192])
def test_states_in_flight_fit_the_memory(units: int) -> None:
    machine = replace(MACHINE, memory=256 * 1024**2)
    (bucket,) = planned([(units, units)], machine=machine)[0].buckets
    lanes, _ = lanes_and_steps(bucket)
    # Parameters, best parameters and Adam's two moments, eight bytes a number.
    state = 4 * 8 * (11 * units + (units + 1) * units + (units + 1) * 3)
    at_most = machine.memory // (machine.devices * state)
    assert lanes == max(1, min(machine.lanes, at_most)) == {16: 16, 512: 15, 8_192: 1}[units]


@given(st.integers(1, 10**7))
def test_padding_wastes_an_eighth_at_most_and_grows_with_the_size(n: int) -> None:
    size = padded_size(n)
    assert n <= size
    assert (size - n) / size <= 1 / 8
    assert size <= padded_size(n + 1)
    assert padded_size(size) == size


def test_padded_sizes_are_few() -> None:
    assert len({padded_size(n) for n in range(1, 2**16 + 1)}) <= 8 * 16 + 8
    assert [padded_size(n) for n in (0, 1, 13, 64, 1_078)] == [0, 1, 13, 64, 1_152]


def test_five_hundred_widths_are_planned_as_well_as_by_hand() -> None:
    rng = np.random.default_rng(2)
    hiddens = [tuple(int(h) for h in rng.integers(8, 257, 2)) for _ in range(500)]
    got, members = planned(hiddens)
    ordered = sorted(hiddens, key=multiply_adds)
    by_hand = [[ordered[i : i + k] for i in range(0, 500, k)] for k in (500, 100, 50, 20, 1)]
    assert cost_of(got, members, EPOCHS, MACHINE) <= min(
        cost(groups, EPOCHS, MACHINE) for groups in by_hand
    )
    assert got.useful <= got.executed


def test_a_wide_step_is_no_wider_than_its_trials_and_has_narrower_ones_below() -> None:
    wide = replace(MACHINE, lanes=256, width=256, narrower=(64, 16), compile_seconds=1e6)
    for trials, lanes, narrower in ((2_000, 256, (64, 16)), (129, 256, (64, 16)), (128, 64, (16,)),
                                    (20, 16, ())):  # fmt: skip
        (bucket,) = (got := planned([(8,)] * trials, machine=wide)[0]).buckets
        options = bucket.options
        assert (options.lanes, options.width, options.narrower) == (lanes, lanes, narrower)
        assert got.programs == 1 + len(narrower)
