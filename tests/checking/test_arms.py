from dataclasses import replace

import numpy as np
import pytest

from deepwell.checking._arms import Arm, Bench, native_way
from deepwell.data._batches import epoch_order
from deepwell.networks._architecture import Architecture
from deepwell.training._native_program import NativeProgram
from deepwell.training._program import Chunk, Member, Structure, TrainingRows


def _rows(n: int = 90) -> TrainingRows:
    generator = np.random.default_rng(0)
    x = generator.normal(size=(n + 40, 5)).astype(np.float32)
    y = (x[:, 0] + x[:, 1] > 0).astype(np.int32)
    ones = np.ones(n + 40, np.float32)
    return TrainingRows(x[:n], y[:n], ones[:n], x[n:], y[n:], ones[n:])


def _member(seed: int, **numbers: float) -> Member:
    network = Architecture(5, (8, 8), 1, "relu", loss="logistic", dropout=(0.1, 0.1))
    return Member(
        network, "adam", "he", seed, {"learning_rate": 0.01, "beta2": 0.999, "epochs": 6, **numbers}
    )


def _bench(rows: TrainingRows, batch: int = 16) -> Bench:
    return Bench([native_way(rows, "logistic", 1, "error", batch, order_seed=3)])


def test_an_arm_is_the_network_that_a_study_trains() -> None:
    """The same batches and draws as a program gives: bit for bit, whoever trains beside it."""
    rows = _rows()
    structure = Structure(5, (), 1, "logistic", "", "", 16, True, 91, 41, 6, "error")
    session = NativeProgram(structure, rows).load([_member(7)], [None])
    infos = [session.advance(Chunk(epoch_order(3, e, 90, 16), e)) for e in range(1, 7)]
    [state] = session.states()
    _, arm = _bench(rows).train([_member(8), _member(7)], epochs=6)
    np.testing.assert_array_equal(arm.dev_cost, [info.dev_cost[0] for info in infos])
    np.testing.assert_array_equal(arm.dev_score, [info.dev_score[0] for info in infos])
    for name, array in state.items():
        np.testing.assert_array_equal(arm.state[name], array)


def test_a_batch_larger_than_the_rows_is_all_of_them() -> None:
    [course] = _bench(_rows(30), batch=500).train([_member(1)], epochs=2)
    assert int(course.state["step"]) == 2


def test_what_diverged_has_no_curve_from_there() -> None:
    [course] = _bench(_rows()).train([_member(1, learning_rate=1e30)], epochs=4)
    assert np.isnan(course.dev_cost[-1])
    assert course.score == pytest.approx(_lowest(course.dev_score))


def _lowest(curve: np.ndarray) -> float:
    means = [curve[i : i + 3].mean() for i in range(len(curve) - 2)]
    finite = [m for m in means if np.isfinite(m)] or [c for c in curve if np.isfinite(c)]
    return min(finite, default=float("inf"))


def test_the_score_is_the_lowest_mean_of_three_epochs() -> None:
    curve = np.array([0.5, 0.4, 0.1, 0.4, 0.3, 0.3, 0.3])
    course = Arm(_member(0), curve, 2 * curve, curve, {})
    assert course.score == pytest.approx(0.8 / 3)  # 0.4, 0.1, 0.3 never are; 0.1, 0.4, 0.3 are
    assert course.cost == pytest.approx(1.6 / 3)
    short = Arm(_member(0), curve[:2], curve[:2], curve[:2], {})
    assert short.score == pytest.approx(0.45)
    broke = np.array([0.5, 0.6, np.nan, np.nan, np.nan])
    assert Arm(_member(0), broke, broke, broke, {}).score == 0.5
    nothing = np.full(5, np.nan)
    assert Arm(_member(0), nothing, nothing, nothing, {}).score == float("inf")


def test_what_is_looked_at_are_the_states_that_are_given() -> None:
    bench = _bench(_rows())
    members = [_member(1), _member(2)]
    starts = bench.start(members)
    arms = bench.train(members, epochs=3)
    assert [int(arm.state["step"]) for arm in arms] == [18, 18]
    early = bench.look(members, starts, (0.0, 1.0))
    late = bench.look(members, [arm.state for arm in arms], (0.0, 1.0), dev_rows=7)
    norm = np.sqrt(sum(np.square(starts[1][f"{n}/0"]).sum() for n in ("weights", "biases")))
    assert early[1].weight_norm[0] == pytest.approx(norm, rel=1e-6)
    assert not np.array_equal(early[0].weight_norm, late[0].weight_norm)
    rows = _rows()
    few = replace(rows, x_dev=rows.x_dev[:7], y_dev=rows.y_dev[:7], weight_dev=rows.weight_dev[:7])
    first = _bench(few).look(members, [arm.state for arm in arms], (0.0, 1.0))
    np.testing.assert_array_equal(late[0].activations, first[0].activations)


def test_the_work_of_an_arm_grows_with_its_network_and_never_below_its_steps() -> None:
    member, bench = _member(0), _bench(_rows())
    network = member.architecture
    wide = replace(member, architecture=replace(network, hidden=(800, 800)))
    products = (
        90 * wide.architecture.multiply_adds() + 40 * wide.architecture.forward_multiply_adds()
    )
    assert bench.work(wide) > products > 50 * bench.work(member) > 50 * 6 * 300_000


def test_an_arm_changes_by_hand_as_the_network_does() -> None:
    rows = _rows()
    plain = _member(7)
    changed = replace(plain, changes={2: {"learning_rate": 0.3}})
    before, after = _bench(rows).train([plain, changed], epochs=4)
    np.testing.assert_array_equal(before.dev_cost[:2], after.dev_cost[:2])
    assert (before.dev_cost[2:] != after.dev_cost[2:]).all()
