"""E5: a study that is killed with SIGKILL, again and again, ends where an unkilled one ends."""

from __future__ import annotations

import json
import random
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.study.broken_off import (
    CHUNKS,
    NAME,
    PROGRAMS,
    Moment,
    Suicide,
    arguments,
    ask,
    at_once,
    await_moment,
    check_nothing_was_trained_in_vain,
    chunks,
    contents,
    finished,
    run_and_kill,
    start,
    write_table,
    writing_a_checkpoint,
)

from deepwell._native._core_module import available
from deepwell.records import Status
from deepwell.storage import open_store


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("table") / "t.csv"
    write_table(file)
    return file


@pytest.fixture(scope="module")
def unkilled(table: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return, by program, what a study leaves that nobody killed, and its number of records."""
    done: dict[str, tuple[dict[str, Any], int]] = {}

    def of(program: str) -> tuple[dict[str, Any], int]:
        if program not in done:
            store = tmp_path_factory.mktemp(program)
            assert run_and_kill(store, arguments(program, table, store), []) == 0
            done[program] = contents(store), ask(store, CHUNKS)
        return done[program]

    return of


def check(
    program: str, table: Path, store: Path, unkilled: Any, kills: Sequence[Moment | Suicide]
) -> int:
    expected, _ = unkilled(program)
    hits = run_and_kill(store, arguments(program, table, store), kills)
    found = contents(store)
    for what, value in expected.items():
        assert found[what] == value, what
    check_nothing_was_trained_in_vain(store)
    return hits


def test_the_unkilled_study_has_every_kind_of_end(unkilled: Any) -> None:
    """Else the comparisons below would prove less than they seem to."""
    expected, total = unkilled("native" if available() else "jax")
    ends = {trial.status for trial in expected["trials"]}
    assert {Status.DIVERGED, Status.PRUNED} < ends
    assert ends <= {Status.DIVERGED, Status.PRUNED, Status.FINISHED, Status.EARLY_STOPPED}
    assert total >= 20
    assert len(expected["result"].plan.rungs) == 3
    assert expected["checkpoint"] is None
    assert not any("checkpoint" in name for name in expected["files"])


@pytest.mark.parametrize("program", [PROGRAMS[0], pytest.param("jax", marks=pytest.mark.slow)])
def test_a_killed_study_ends_where_an_unkilled_one_ends(
    program: str, table: Path, tmp_path: Path, unkilled: Any
) -> None:
    _, total = unkilled(program)
    moments: list[Moment | Suicide] = [
        Moment(chunks(total // 3), 0.002),
        Moment(chunks(total), 0.0),  # the last record: what follows is the result
    ]
    if program == "native":
        moments[1:1] = [Moment(writing_a_checkpoint, 0.0), Suicide("record", 3, 0.0005)]
    assert check(program, table, tmp_path / "store", unkilled, moments) == len(moments)


@pytest.mark.slow
@pytest.mark.skipif(not available(), reason="no compiled core here")
def test_a_killed_population_with_copies_ends_where_an_unkilled_one_ends(
    table: Path, tmp_path: Path, unkilled: Any
) -> None:
    expected, total = unkilled("native pbt")
    assert len(expected["events"]["fork"]) >= 5
    moments = [
        Moment(chunks(total // 3), 0.001),
        Moment(writing_a_checkpoint, 0.0),
        Moment(chunks(3 * total // 4), 0.0),
    ]
    hits = check("native pbt", table, tmp_path / "store", unkilled, moments)
    assert hits == len(moments)


@pytest.mark.skipif(not available(), reason="no compiled core here")
def test_one_of_two_takes_over_from_a_killed_runner(
    table: Path, tmp_path: Path, unkilled: Any
) -> None:
    expected, total = unkilled("native")
    where, kill = ("--store", str(tmp_path), "--json"), Suicide("record", total, 0.0005)
    first = start(*arguments("native", table, tmp_path), dies=kill)
    await_moment(first, tmp_path, chunks(1))
    workers = [start("work", NAME, *where)]
    assert finished(first)[0] == -signal.SIGKILL
    resumed = [start("resume", NAME, *where)]
    told = [json.loads(out) for code, out, _ in map(finished, workers) if code == 0]
    assert [t["name"] for t in told] == [NAME]
    for code, out, _ in map(finished, resumed):
        refused = json.loads(out).get("error", "")
        assert code == (1 if "is being run by process" in refused else 0)
    assert contents(tmp_path) == expected
    check_nothing_was_trained_in_vain(tmp_path)
    with open_store(tmp_path, create=False) as opened:
        study = opened.study(NAME)
        assert len(opened.events(study.id, "resume")) == 1  # one of the two went on with it
        assert opened.leases.row(study.id) is None


@pytest.mark.skipif(not available(), reason="no compiled core here")
def test_a_runner_that_was_taken_for_dead_records_nothing_any_more(
    table: Path, tmp_path: Path, unkilled: Any
) -> None:
    """A process of another machine that hangs for longer than its lease, and comes back."""
    expected, total = unkilled("native")
    hanging = start(*arguments("native", table, tmp_path), apart=True)
    await_moment(hanging, tmp_path, chunks(total // 3))
    hanging.send_signal(signal.SIGSTOP)
    worker = start("work", NAME, "--store", str(tmp_path), "--json", apart=True)
    code, out, complaints = finished(worker)
    assert code == 0, complaints
    hanging.send_signal(signal.SIGCONT)
    code, out, _ = finished(hanging)
    assert code == 1
    assert "study killed was taken from this process" in json.loads(out)["error"]
    assert contents(tmp_path) == expected
    check_nothing_was_trained_in_vain(tmp_path)


@pytest.mark.skipif(not available(), reason="no compiled core here")
def test_two_fits_of_one_name_and_a_reader_do_not_disturb_each_other(
    table: Path, tmp_path: Path, unkilled: Any
) -> None:
    expected, _ = unkilled("native")
    fits = [start(*arguments("native", table, tmp_path)) for _ in range(2)]
    seen = 0
    while any(process.poll() is None for process in fits):
        seen += read_whole(tmp_path)
        time.sleep(0.01)
    told = [json.loads(out) for code, out, _ in map(finished, fits) if code == 0]
    names = sorted(t["name"] for t in told)
    assert names == [NAME, f"{NAME}-2"]
    assert seen > 5
    for name in names:
        found = contents(tmp_path, name)
        assert {**found, "reuse": []} == {**expected, "reuse": []}


def read_whole(store: Path) -> int:
    """Read all studies while others write; return how many records had been made of them."""
    if not ask(store, "SELECT count(*) FROM study"):  # the store is just being made
        return 0
    with open_store(store, create=False) as opened:
        studies = opened.studies()
        for study in studies:
            for trial in opened.trials(study.id, curves=True):
                # What is read is one state: curves as long as the trials that they belong to.
                assert all(len(curve) == trial.epochs for curve in trial.curves.values())
            opened.best_trials(study.id)
    return len(studies)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_killed_from_inside(seed: int, table: Path, tmp_path: Path, unkilled: Any) -> None:
    """Ninety kills in six studies: in commits, in files of states, in the model at the end."""
    if not available():
        pytest.skip("no compiled core here")
    draw, program = random.Random(seed), ("native", "native pbt")[seed % 2]
    kills = [
        draw.choice(
            [
                Suicide("record", draw.randint(1, 6), draw.uniform(0.0, 0.002)),
                Suicide("states", draw.randint(1, 3), draw.uniform(0.0, 0.01)),
            ]
        )
        for _ in range(14)
    ]
    kills.append(Suicide("model", 1, draw.uniform(0.0, 0.005)))
    assert check(program, table, tmp_path / "store", unkilled, kills) == len(kills)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_workers_killed_by_turns(seed: int, table: Path, tmp_path: Path, unkilled: Any) -> None:
    """Sixty kills in four studies, of the runner or of one who waits; there are always three."""
    if not available():
        pytest.skip("no compiled core here")
    draw = random.Random(100 + seed)
    expected, _ = unkilled("native")
    work = ("work", NAME, "--store", str(tmp_path), "--json")
    alive = [start(*arguments("native", table, tmp_path))]
    await_moment(alive[0], tmp_path, chunks(1))
    hits = 0
    while hits < 15:
        alive += [
            start(*work, dies=Suicide("record", draw.randint(2, 8), draw.uniform(0.0, 0.002)))
            for _ in range(3 - len(alive))
        ]
        time.sleep(draw.uniform(0.0, 0.3))
        if draw.random() < 0.5:
            draw.choice(alive).send_signal(signal.SIGKILL)
        ended = [process for process in alive if process.poll() is not None]
        codes = [finished(process)[0] for process in ended]
        assert set(codes) <= {-signal.SIGKILL, 0}
        hits += codes.count(-signal.SIGKILL)
        alive = [process for process in alive if process not in ended]
        if 0 in codes:
            break
    for process in alive:
        process.kill()
        hits += finished(process)[0] == -signal.SIGKILL
    code, _, complaints = finished(start("resume", NAME, "--store", str(tmp_path), "--json"))
    assert code == 0, complaints
    assert hits >= 10
    assert contents(tmp_path) == expected
    check_nothing_was_trained_in_vain(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("program", "kills"), [(PROGRAMS[0].values[0], 8), ("jax", 2)])
def test_killed_at_random_moments(
    program: str, kills: int, seed: int, table: Path, tmp_path: Path, unkilled: Any
) -> None:
    """Fifty kills in ten studies, from outside: from start-up to the result."""
    if program == "native" and not available():
        pytest.skip("no compiled core here")
    draw = random.Random(1000 * seed + kills)
    _, total = unkilled(program)
    moments = []
    for place in range(kills):
        reached = 1 + total * place // kills
        moments.append(
            draw.choice(
                [
                    Moment(at_once, draw.uniform(0.0, 4.0)),
                    Moment(chunks(reached), draw.uniform(0.0, 0.05)),
                    Moment(chunks(reached), 0.0),
                    Moment(writing_a_checkpoint, draw.uniform(0.0, 0.01)),
                ]
            )
        )
    moments[-1] = Moment(chunks(total), draw.uniform(0.0, 0.5))
    hits = check(program, table, tmp_path / "store", unkilled, moments)
    assert hits >= kills - 2  # one that comes after the end ends the series
