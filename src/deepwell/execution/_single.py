"""Single trials apart from the others: trained again from their start, or looked into."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from deepwell.checking._rerun import Rerun
from deepwell.records import Probe, TrialSpec
from deepwell.training._epochs import Epochs
from deepwell.training._program import Member, Outcome, Program, TrainingRows

from ._course import Course
from ._members import member_of
from ._planner import Machine, Shape
from ._programs import Programs
from ._shelf import Shelf


class Single:
    """The part of an engine that has to do with one trial, by the programs that all share.

    Attributes:
        shape: the data and task as programs see them.
        machine: what is assumed of the machine.
    """

    shape: Shape
    machine: Machine
    _rows: TrainingRows
    _programs: Programs
    _states: Shelf
    _specs: dict[int, TrialSpec]
    _members: dict[int, Member]

    def needs_compiling(self, number: int) -> bool:
        """Whether a trial's program would have to be compiled to train it again, as on resume."""
        return self.machine.compile_seconds > 0 and self._programs.of(number) is None

    def has_room(self, spec: TrialSpec) -> bool:
        """Whether a network fits in memory alone, as far as that is known before it is tried."""
        return self._programs.has_room(self._member(spec), spec.whole("batch_size"))

    def rerun(self, number: int, spec: TrialSpec) -> Rerun:
        """Return what trains a trial again from its start, apart from the others.

        Compiles where its program is not there, as after a resume that had no use for it.
        """
        member = self._member(spec)
        program = self._programs.of(number)
        if program is None:
            program = self._programs.made_for(number, member, spec.whole("batch_size"))
        order = Epochs(program, self._rows, spec.order_seed).order
        return Rerun(program, member, self._rows, order, spec.whole("epochs"))

    def replay(self, number: int, epochs: Sequence[int]) -> list[Probe]:
        """Return what is inside a trial after so many epochs, by training it again from its start.

        Args:
            number: of a trial that was prepared.
            epochs: how many must be done at each probe, rising; 0 for none.
        """
        member = self._members[number]
        return self._course(number).replay(number, member, epochs)

    def probe(self, number: int, epoch: int) -> list[Probe]:
        """Return what is inside a trial whose state is held, which ended this epoch last.

        Nothing when no state is held, or it stands elsewhere: a stop may leave it inside an epoch.
        """
        state = self._states.get(number)
        if state is None or number not in self._members or int(state["epoch"]) != epoch:
            return []
        course = self._course(number)
        running = int(state["outcome"]) != Outcome.DIVERGED
        if running and int(state["step"]) != epoch * course.epochs.steps:
            return []
        return course.probe({number: self._members[number]}, {number: state}, epoch)

    def prepared(self, number: int) -> bool:
        """Whether a trial was handed to `prepare`, with a program for it."""
        return number in self._members and self._programs.planned(number)

    def program_of(self, number: int) -> Program | None:
        """Return the program that a trial trains in as soon as it is there; None for no program.

        Raises:
            Exception: what building it raised.
        """
        return self._programs.of(number)

    def ways(self, number: int, spec: TrialSpec) -> list[Epochs]:
        """Return what may train networks like a trial: its own program first, then the others.

        Args:
            number: of the trial.
            spec: its configuration; its order of batches is the ways'.
        """
        own = self._programs.of(number)
        others = [program for program in self._programs.built() if program is not own]
        batch = own.structure.batch if own is not None else 0
        alike = [program for program in others if program.structure.batch == batch]
        first = [] if own is None else [own]
        return [Epochs(program, self._rows, spec.order_seed) for program in first + alike]

    def compiled(self, number: int, member: Member, spec: TrialSpec) -> Epochs:
        """Return a way for a network that no program of the study has; compiles."""
        program = self._programs.made_for(number, member, spec.whole("batch_size"))
        return Epochs(program, self._rows, spec.order_seed)

    def _course(self, number: int) -> Course:
        program = self._programs.of(number)
        if program is None:
            raise KeyError(number)
        return Course(Epochs(program, self._rows, self._specs[number].order_seed))

    def _member(self, spec: TrialSpec) -> Member:
        shape = self.shape
        member = member_of(spec, shape.inputs, shape.outputs, shape.loss, shape.image)
        if not self._rows.parts:
            return member
        return replace(member, view=self._rows.view_of_part(spec.rows, spec.subset))
