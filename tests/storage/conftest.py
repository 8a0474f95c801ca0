from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from benchmarks.store.server import PostgresqlServer

from deepwell.records import ChunkRecord, Event, Status, TrialSpec
from deepwell.storage import Store, StudyRecord, open_store
from deepwell.storage._open import FOLDER_VARIABLE

KINDS = ("sqlite", "postgresql")


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """The kind of database: whoever asks for it, or for a store, runs once with each."""
    return request.param


@pytest.fixture
def where(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of an empty store whose files lie below the test's own folder."""
    folder = tmp_path / "deepwell"
    if kind == "sqlite":
        yield str(folder)
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(FOLDER_VARIABLE, str(folder))
        server: PostgresqlServer = request.getfixturevalue("postgresql")
        yield server.empty_database("tests")


@pytest.fixture
def store(where: str) -> Iterator[Store]:
    with open_store(where) as opened:
        yield opened


@pytest.fixture
def sqlite_store(tmp_path: Path) -> Iterator[Store]:
    """For what is particular to SQLite."""
    with open_store(tmp_path / "deepwell") as opened:
        yield opened


@pytest.fixture(scope="module", params=KINDS)
def shared(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Store]:
    """A store for the many examples of a property, each with a study of its own."""
    folder = tmp_path_factory.mktemp("shared")
    with pytest.MonkeyPatch.context() as patch:
        place = str(folder)
        if request.param == "postgresql":
            patch.setenv(FOLDER_VARIABLE, str(folder))
            server: PostgresqlServer = request.getfixturevalue("postgresql")
            place = server.empty_database("shared")
        with open_store(place) as opened:
            yield opened


@pytest.fixture
def study(store: Store) -> StudyRecord:
    """A study with trials 0 to 3."""
    made = store.create_study("churn", {"target": "churned"})
    trials = [(n, TrialSpec({"learning_rate": 0.01 * (n + 1)}, seed=n)) for n in range(4)]
    store.propose(made.id, trials, Event(1.0, "propose", None, {"count": 4}))
    return made


@pytest.fixture
def make_chunk() -> Callable[..., ChunkRecord]:
    def make(
        epoch: int,
        scores: Sequence[float],
        costs: Sequence[float] | None = None,
        trials: Sequence[int] | None = None,
        statuses: Mapping[int, Status] | None = None,
    ) -> ChunkRecord:
        """A chunk; `train_cost` is twice the cost, costs are the scores plus 1 unless given."""
        score = np.array(scores, dtype=np.float32)
        cost = score + 1 if costs is None else np.array(costs, dtype=np.float32)
        numbers = np.arange(score.size) if trials is None else np.array(trials)
        return ChunkRecord(
            epoch=epoch,
            trials=numbers,
            metrics={"train_cost": 2 * cost, "dev_cost": cost, "dev_score": score},
            statuses=statuses or {},
            steps=np.full(score.size, 10 * epoch),
        )

    return make
