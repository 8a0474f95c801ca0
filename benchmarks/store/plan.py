"""B6's measurements: which stores, at which tasks, at which sizes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """One way to keep a study.

    Attributes:
        title: for the docs.
        ours: whether it is Deepwell's.
        server: whether it lies on PostgreSQL.
    """

    title: str
    ours: bool
    server: bool = False


KINDS = {
    "deepwell-sqlite": Kind("Deepwell, SQLite", ours=True),
    "deepwell-postgresql": Kind("Deepwell, PostgreSQL", ours=True, server=True),
    "optuna-sqlite": Kind("Optuna, RDB on SQLite", ours=False),
    "optuna-postgresql": Kind("Optuna, RDB on PostgreSQL", ours=False, server=True),
    "optuna-journal": Kind("Optuna, journal file", ours=False),
}


@dataclass(frozen=True)
class Job:
    """One measurement.

    Attributes:
        kind: in `KINDS`; task: as the workers know it; size: trials.
        repeats: how often the task is timed in the process.
    """

    kind: str
    task: str
    size: int
    repeats: int

    @property
    def key(self) -> str:
        """Its name among the results."""
        return f"{self.kind}/{self.task}/{self.size}"


@dataclass(frozen=True)
class Plan:
    """What a scale measures: sizes of each task, and how often."""

    epochs: tuple[tuple[int, int, int], ...]  # members, repeats of ours, repeats of a peer
    proposals: int
    opened: tuple[int, ...]
    peers_open: tuple[int, ...]

    def jobs(self) -> list[Job]:
        """Return all measurements, the long ones of peers last."""
        jobs: list[Job] = []
        for name, kind in KINDS.items():
            for size, ours, peers in self.epochs:
                jobs.append(Job(name, "epoch", size, ours if kind.ours else peers))
            jobs.append(Job(name, "propose", self.proposals, 3))
            jobs += [
                Job(name, "open", n, 9) for n in (self.opened if kind.ours else self.peers_open)
            ]
        return sorted(jobs, key=lambda job: (not KINDS[job.kind].ours, job.size))


PLANS = {
    "full": Plan(((256, 200, 5), (4096, 30, 2)), 2048, (10_000, 100_000), (10_000, 100_000)),
    "reduced": Plan(((256, 100, 2), (4096, 10, 1)), 512, (10_000, 100_000), (1_000,)),
    "quick": Plan(((256, 5, 1),), 64, (1_000,), (100,)),
}
TARGETS = (
    ("deepwell-sqlite", "epoch", 256, 0.005, "an epoch of 256 networks on SQLite under 5 ms"),
    ("deepwell-postgresql", "epoch", 256, 0.020, "the same on PostgreSQL under 20 ms"),
    ("deepwell-sqlite", "open", 100_000, 1.0, "100,000 trials open and list their best under 1 s"),
    ("deepwell-postgresql", "open", 100_000, 1.0, "the same on PostgreSQL"),
)
