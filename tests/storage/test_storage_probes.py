"""Probes in the store: what went in comes out, and goes with its chunk."""

from dataclasses import replace

import numpy as np
import pytest

from deepwell._base._errors import UsageError
from deepwell.records import Event, Probe
from deepwell.storage import Store, StudyRecord
from deepwell.storage._checkpoint_record import CheckpointRecord

NAMES = (
    *("activations", "gradients", "weights", "dead", "saturated", "zero"),
    *("weight_norm", "gradient_norm", "update_norm"),
)


def make_probe(trial: int, epoch: int, layers: int = 3) -> Probe:
    rng = np.random.default_rng([trial, epoch, layers])
    spreads = rng.normal(size=(3, layers, 7)).astype(np.float32)
    singles = rng.normal(size=(6, layers)).astype(np.float32)
    singles[1, -1] = np.nan
    singles[4, 0] = np.inf
    names = tuple(f"hidden {n + 1}" for n in range(layers - 1))
    return Probe(trial, epoch, 10 * epoch, (*names, "output"), *spreads, *singles)


def same(one: Probe, other: Probe) -> bool:
    keys = [(p.trial, p.epoch, p.step, p.layers) for p in (one, other)]
    arrays = [b"".join(getattr(p, name).tobytes() for name in NAMES) for p in (one, other)]
    return keys[0] == keys[1] and arrays[0] == arrays[1]


def record(store: Store, study: StudyRecord, make_chunk, epoch: int, *probes: Probe) -> None:
    chunk = make_chunk(epoch, [0.5, 0.4, 0.3, 0.2])
    store.record_chunk(study.id, 0, replace(chunk, probes=probes))


def test_round_trip_to_the_bit(store: Store, study: StudyRecord, make_chunk) -> None:
    given = [make_probe(1, 0, 1), make_probe(1, 1, 1), make_probe(3, 1, 5)]
    record(store, study, make_chunk, 1, *reversed(given))
    later = make_probe(1, 2)
    store.finish(study.id, {}, "finished", 1.0, Event(1.0, "finish"), [later])
    found = store.probes(study.id)
    expected = [given[0], given[1], later, given[2]]
    assert len(found) == 4
    assert all(same(one, other) for one, other in zip(found, expected, strict=True))
    assert found[0].weights.dtype == np.float32
    assert [p.trial for p in store.probes(study.id, [3, 2])] == [3]
    assert store.probes(study.id, []) == []
    assert len(store.probes(study.id, range(2000))) == 4  # more than one query may name


def test_a_probe_takes_the_place_of_an_older_one(
    store: Store, study: StudyRecord, make_chunk
) -> None:
    record(store, study, make_chunk, 1, make_probe(1, 1))
    newer = replace(make_probe(1, 1, 2), step=7)
    store.finish(study.id, {}, "stopped", 1.0, Event(1.0, "stop"), [newer])
    (found,) = store.probes(study.id)
    assert same(found, newer)


def test_going_back_takes_back_what_came_later(
    store: Store, study: StudyRecord, make_chunk
) -> None:
    record(store, study, make_chunk, 1, make_probe(1, 0), make_probe(1, 1))
    store.save_checkpoint(study.id, CheckpointRecord(1.0, 0, {"rung": 1, "files": []}))
    record(store, study, make_chunk, 2, make_probe(1, 2), make_probe(2, 2))
    store.finish(study.id, {}, "stopped", 1.0, Event(1.0, "stop"), [make_probe(3, 2)])
    store.roll_back(study.id, (), Event(2.0, "resume"))
    assert [(p.trial, p.epoch) for p in store.probes(study.id)] == [(1, 0), (1, 1)]


def test_studies_have_their_own(store: Store, study: StudyRecord, make_chunk) -> None:
    record(store, study, make_chunk, 1, make_probe(1, 1))
    other = store.create_study("other", {})
    assert store.probes(other.id) == []


def test_shapes_that_do_not_belong_together_record_nothing(
    store: Store, study: StudyRecord, make_chunk
) -> None:
    bad = replace(make_probe(1, 1), gradients=np.zeros((3, 6), np.float32))
    with pytest.raises(UsageError, match=r"`gradients` of a probe of 3 layers .* \(3, 7\)"):
        record(store, study, make_chunk, 1, bad)
    assert store.probes(study.id) == []
    assert store.trials(study.id)[0].epochs == 0
