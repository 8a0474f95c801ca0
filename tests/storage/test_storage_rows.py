import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepwell._base._errors import UsageError
from deepwell.records import Estimate, Opening
from deepwell.storage import RowReuse, Store
from deepwell.storage._reuse import count_known

HIGH = 2**64 - 1


def hashes(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.uint64)


def test_rows_of_earlier_studies_are_found(store: Store):
    first, second, third = (store.create_study("churn", {}) for _ in range(3))
    store.row_hashes.record(first.id, "train", hashes(HIGH, 5, 1))
    store.row_hashes.record(first.id, "dev", hashes(2, 9))
    store.row_hashes.record(second.id, "dev", hashes(1))
    store.row_hashes.record(second.id, "train", hashes(HIGH))
    store.row_hashes.record(third.id, "train", hashes(1, 2, 3))
    wanted = hashes(2, 1, 7, HIGH, 1)
    assert store.row_hashes.reuse_of(third.id, wanted) == [
        RowReuse("churn", "train", 3),  # 1 twice, and the largest hash
        RowReuse("churn", "dev", 1),
        RowReuse("churn-2", "train", 1),
        RowReuse("churn-2", "dev", 2),
    ]
    assert store.row_hashes.reuse_of(first.id, wanted) == []  # nothing is earlier
    assert store.row_hashes.reuse_of(third.id, hashes(7, 8)) == []
    assert store.row_hashes.reuse_of(third.id, hashes()) == []


def test_test_rows_count_once_their_vault_is_open(store: Store):
    first, second = store.create_study("churn", {}), store.create_study("again", {})
    store.row_hashes.record(first.id, "test", hashes(1, 2, 3))
    assert store.row_hashes.reuse_of(second.id, hashes(3, 2)) == []
    opening = Opening(0.0, "churn", 3, "error", Estimate(0.2, 0.1, 0.3), 0)
    store.ledger.append("f" * 64, opening, "0" * 64)
    assert store.row_hashes.reuse_of(second.id, hashes(3, 2)) == [RowReuse("churn", "test", 2)]


def test_opening_of_a_deleted_study_does_not_taint_its_namesake(store: Store):
    first = store.create_study("churn", {})
    store.ledger.append("f", Opening(0.0, "churn", 3, "error", Estimate(0.2, 0.1, 0.3), 0), "m")
    store.delete_empty(first.id)
    again, later = store.create_study("churn", {}), store.create_study("later", {})
    store.row_hashes.record(again.id, "test", hashes(1))
    assert store.row_hashes.reuse_of(later.id, hashes(1)) == []


def test_recording_a_part_again_replaces_it(store: Store):
    first, second = store.create_study("churn", {}), store.create_study("again", {})
    store.row_hashes.record(first.id, "train", hashes(1, 2))
    store.row_hashes.record(first.id, "train", hashes(3))
    store.row_hashes.record(first.id, "dev", hashes())
    assert store.row_hashes.reuse_of(second.id, hashes(1, 2, 3)) == [RowReuse("churn", "train", 1)]


def test_wrong_rows_are_refused(store: Store):
    study = store.create_study("churn", {})
    with pytest.raises(UsageError, match='rows must be of train, dev, test, got "validation"'):
        store.row_hashes.record(study.id, "validation", hashes(1))
    with pytest.raises(UsageError, match=r"array of uint64, got \(2,\) of int64"):
        store.row_hashes.record(study.id, "train", np.array([1, 2]))
    with pytest.raises(UsageError, match="array of uint64"):
        store.row_hashes.reuse_of(study.id, np.zeros((2, 2), np.uint64))


small = st.lists(st.integers(0, 20) | st.integers(2**64 - 3, HIGH), max_size=30)


@given(small, small)
def test_count_is_that_of_plain_membership(wanted: list[int], known: list[int]):
    expected = sum(value in set(known) for value in wanted)
    assert count_known(hashes(*wanted), np.sort(hashes(*known))) == expected
