"""Which members a structure's program can train."""

from __future__ import annotations

from deepwell.data._image_augmentations import check_augmentation
from deepwell.networks._architecture import Architecture
from deepwell.optimization._foreign import is_foreign

from ._program import EXTRAS, Member, Structure


def check_fit(member: Member, structure: Structure) -> None:
    """Raise an error where a member needs what the program of a structure lacks.

    Raises:
        UsageError: where images of this size cannot be augmented as it asks.
        ValueError: where it needs anything else that the program lacks.
    """
    a = member.architecture
    fits = (
        a.inputs <= structure.inputs
        and len(a.hidden) == len(structure.hidden)
        and all(h <= room for h, room in zip(a.hidden, structure.hidden, strict=True))
        and a.outputs == structure.outputs
        and (a.activation, a.loss) == (structure.activation, structure.loss)
        and (a.pieces, a.batch_norm, a.residual)
        == (structure.pieces, structure.batch_norm, structure.residual)
        and (member.optimizer, member.dtype) == (structure.optimizer, structure.dtype)
        and a.front == structure.front
        and 0 <= member.view < structure.views
        and (structure.drops or not any(a.dropout))
        and (structure.drops_inputs or not a.input_dropout)
        and (structure.smooths or not member.number("label_smoothing"))
        and (not is_foreign(member.optimizer) or _fills(a, structure))
        and all(not member.number(name) for name in EXTRAS if name not in structure.extras)
    )
    if not fits:
        raise ValueError(f"member {member} does not fit structure {structure}")
    check_augmentation(member.numbers, structure.image)


def _fills(a: Architecture, structure: Structure) -> bool:
    return (a.inputs, a.hidden) == (structure.inputs, structure.hidden)
