"""Where to look next: spaces, samplers and schedulers, all pure functions of records."""

from ._ask import Search as Search
from ._blackbox import BlackboxResult as BlackboxResult
from ._blackbox import minimize_blackbox as minimize_blackbox
from .interchange import from_optuna as from_optuna
from .interchange import optuna_history as optuna_history
from .interchange import optuna_sampler as optuna_sampler
from .samplers import SAMPLERS as SAMPLERS
from .samplers import Sampler as Sampler
from .schedulers import SCHEDULERS as SCHEDULERS
from .schedulers import Decision as Decision
from .schedulers import Scheduler as Scheduler
from .spaces import Axis as Axis
from .spaces import Constraint as Constraint
from .spaces import Distribution as Distribution
from .spaces import Domain as Domain
from .spaces import Space as Space
from .spaces import choice as choice
from .spaces import default_space as default_space
from .spaces import integer as integer
from .spaces import log as log
from .spaces import one_minus_log as one_minus_log
from .spaces import parse_entry as parse_entry
from .spaces import per_layer as per_layer
from .spaces import uniform as uniform
from .spaces import when as when
from .spaces import with_fixed as with_fixed
