"""The checks before training: one network of the population takes its first steps."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from deepwell._native._core_module import available
from deepwell.checking._first_steps import first_steps
from deepwell.checking._first_steps_compiled import compiled_first_steps
from deepwell.data._data import Data
from deepwell.diagnosis._first_steps import diagnose_first_steps
from deepwell.execution._local import LocalEngine
from deepwell.execution._members import member_of
from deepwell.execution._recovery import out_of_memory
from deepwell.optimization._foreign import is_foreign
from deepwell.records import Finding, FirstSteps, TrialSpec, from_plain, to_plain
from deepwell.report._network import network_words
from deepwell.training._program import Member

from ._arrays import training_rows
from ._history import History

EVENT = "checks"
_NO_MEMORY = "there is too little memory for them"
_NO_PROGRAM = "this run has no program for such a network"
_LARGEST = 1_000_000  # parameters: a larger network takes longer to check than seems worth while
_TOO_LARGE = f"no network has {_LARGEST:,} parameters or fewer"


def checked(
    data: Data, specs: Mapping[int, TrialSpec], engine: LocalEngine, history: History
) -> FirstSteps | None:
    """Return what the checks found, in this run or an earlier one of the study, and record it.

    Args:
        data: the study's data, or its first fold's.
        specs: trial number -> configuration, of the round that is to be trained.
        engine: what trains; knows the shape of the data.
        history: the study in its store.

    Returns:
        The measurements; None where there is no network to check.
    """
    told: list[Any] = [e.details for e in history.store.events(history.record.id, EVENT)]
    if told:
        return from_plain(FirstSteps, told[0])
    if not specs:
        return None
    found = check(data, specs, engine)
    history.note(EVENT, to_plain(found))
    return found


def check(data: Data, specs: Mapping[int, TrialSpec], engine: LocalEngine) -> FirstSteps:
    """Return what the first steps of a network show that stands for these trials."""
    members = {n: _member(spec, engine) for n, spec in specs.items()}
    number = representative(members)
    member, spec = members[number], specs[number]
    found = FirstSteps(
        trial=number,
        network=network_words(spec.hyperparameters),
        parameters=member.architecture.parameters,
        program=engine.name,
        learning_rate=spec.number("learning_rate"),
        initializer=spec.text("initializer"),
        initializer_scale=spec.number("initializer_scale"),
        activation=spec.text("activation"),
        batch_norm=spec.text("batch_norm"),
    )
    if member.architecture.parameters > _LARGEST:
        return replace(found, left_out=(f"all checks: {_TOO_LARGE}",))
    try:
        measured = _measured(number, member, data, engine)
    except Exception as error:  # what a lack of memory raises depends on the program
        if not out_of_memory(error):
            raise
        measured = {"left_out": (f"all checks: {_NO_MEMORY}",)}
    return from_plain(FirstSteps, {**to_plain(found), **measured})


def _measured(number: int, member: Member, data: Data, engine: LocalEngine) -> Mapping[str, object]:
    """Return the fields that were measured, by the native program where it has such networks."""
    rows, began = training_rows(data), time.perf_counter()
    measured: dict[str, object] = {}
    if member.architecture.front is None and available():
        own_rule = not is_foreign(member.optimizer)
        measured = {"left_out": _left_out(member, engine), "program": "native"}
        measured |= first_steps(member, rows, own_rule=own_rule)
    elif (program := engine.program_of(number)) is None:
        measured["left_out"] = (f"all checks: {_NO_PROGRAM}",)
    else:
        began = time.perf_counter()  # it would be compiled without these checks too
        measured = compiled_first_steps(program, replace(member, view=0), rows)
    return {**measured, "seconds": time.perf_counter() - began}


def check_findings(found: FirstSteps | None) -> tuple[Finding, ...]:
    """Return what the checks say, nothing where none were made."""
    return () if found is None else tuple(diagnose_first_steps(found))


def representative(members: Mapping[int, Member]) -> int:
    """Return the number of the network that stands for all: the one of median size.

    Of those with as many parameters the first; of networks too large to be checked none, unless
    all are.
    """
    sizes = {n: m.architecture.parameters for n, m in members.items()}
    small = {n: size for n, size in sizes.items() if size <= _LARGEST} or sizes
    ranked = sorted(small, key=lambda n: (small[n], n))
    median = small[ranked[(len(ranked) - 1) // 2]]
    return min(n for n in ranked if small[n] == median)


def _member(spec: TrialSpec, engine: LocalEngine) -> Member:
    shape = engine.shape
    return member_of(spec, shape.inputs, shape.outputs, shape.loss, shape.image)


def _left_out(member: Member, engine: LocalEngine) -> tuple[str, ...]:
    said: list[str] = []
    if engine.name != "native":
        said.append("the JAX program: these are the native program's figures")
    if is_foreign(member.optimizer):
        said.append(f"steps of {member.optimizer}")
    if member.architecture.batch_norm != "none":
        said.append("rows that mix: batch norm is meant to")
    return tuple(said)
