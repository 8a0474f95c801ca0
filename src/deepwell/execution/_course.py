"""Probes of members on their way through the epochs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from deepwell.checking._probes import Where, look_inside
from deepwell.records import Probe
from deepwell.records._probe import QUANTILES
from deepwell.training._changing import changing
from deepwell.training._epochs import Epochs
from deepwell.training._program import Chunk, Member, State
from deepwell.training._state import initial_state

from ._probe_record import probe_record


@dataclass(frozen=True)
class Course:
    """Members' way through the epochs, and what is seen of them on it.

    Attributes:
        epochs: that they go through.
    """

    epochs: Epochs

    def probe(
        self, members: Mapping[int, Member], states: Mapping[int, State], epoch: int
    ) -> list[Probe]:
        """Return what is inside members after an epoch, by the next step; they stay as they are.

        Args:
            members: trial number -> network.
            states: of the same trials.
            epoch: the last one that they ended, or ended in.
        """
        way = self.epochs
        where = Where(way.program, way.rows, way.first_step(epoch + 1), QUANTILES)
        each = [states[n] for n in members]
        now = [member.during(epoch + 1) for member in members.values()]
        found = look_inside(now, each, where)
        return [
            probe_record(inside, number, epoch, int(state["step"]))
            for number, state, inside in zip(members, each, found, strict=True)
        ]

    def probe_start(self, members: Mapping[int, Member]) -> list[Probe]:
        """Return what is inside members before their first step."""
        return self.probe(members, {n: initial_state(member) for n, member in members.items()}, 0)

    def replay(self, number: int, member: Member, epochs: Sequence[int]) -> list[Probe]:
        """Train a member once more from its start, alone, and probe it after these epochs.

        It comes out as it did before, to the bit, whoever trained beside it then.

        Args:
            number: of the trial.
            member: the network.
            epochs: how many must be done at each probe, rising.
        """
        alone = {number: member}
        probes = self.probe_start(alone) if 0 in epochs else []
        session = changing(self.epochs.program.load([member], [None]), [member])
        for epoch in range(1, max(epochs) + 1):
            for chunk in self.epochs.chunks(epoch):
                session.advance(_unscored(chunk))
            if epoch in epochs:
                probes += self.probe(alone, {number: next(session.read())}, epoch)
        return probes


def _unscored(chunk: Chunk) -> Chunk:
    return Chunk(chunk.order, chunk.epoch, ends_epoch=False, window=chunk.window)
