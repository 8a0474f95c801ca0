"""The store: studies, trials, curves, events, the ledger and files, safe at any moment. No JAX.

SQLAlchemy is imported when a store is opened, not before.
"""

from typing import TYPE_CHECKING

from deepwell._base._lazy import lazy_names

from ._blobs import StoredArrays as StoredArrays
from ._blobs import load_arrays as load_arrays
from ._blobs import save_arrays as save_arrays
from ._files import write_atomic as write_atomic
from ._names import clean_name as clean_name
from ._open import open_store as open_store
from ._reuse import RowReuse as RowReuse
from ._study_record import StudyRecord as StudyRecord

if TYPE_CHECKING:
    from ._store import Store as Store

__getattr__, __dir__ = lazy_names(__name__, {"Store": "._store"})
