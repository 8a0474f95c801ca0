"""Tables in, rows to train on out: reading, understanding, splitting, sealing, encoding. No JAX."""

from typing import TYPE_CHECKING

from deepwell._base._lazy import lazy_names

if TYPE_CHECKING:
    from ._batches import epoch_order as epoch_order
    from ._batches import steps_per_epoch as steps_per_epoch
    from ._data import Data as Data
    from ._load import load as load
    from ._rows import Rows as Rows
    from ._samples import write_sample as write_sample
    from ._table_encoder import TableEncoder as TableEncoder
    from ._table_input import read_table as read_table
    from ._target import TargetEncoder as TargetEncoder
    from ._task import Task as Task
    from ._vault import SealedTest as SealedTest

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "Data": "._data",
        "Rows": "._rows",
        "SealedTest": "._vault",
        "TableEncoder": "._table_encoder",
        "TargetEncoder": "._target",
        "Task": "._task",
        "epoch_order": "._batches",
        "load": "._load",
        "read_table": "._table_input",
        "steps_per_epoch": "._batches",
        "write_sample": "._samples",
    },
)
