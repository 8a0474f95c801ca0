"""Where to look next: spaces, samplers and schedulers, all pure functions of records."""

from .samplers import SAMPLERS as SAMPLERS
from .samplers import Posterior as Posterior
from .samplers import Sampler as Sampler
from .samplers import posterior as posterior
from .schedulers import SCHEDULERS as SCHEDULERS
from .schedulers import Decision as Decision
from .schedulers import Scheduler as Scheduler
from .spaces import Axis as Axis
from .spaces import Distribution as Distribution
from .spaces import Domain as Domain
from .spaces import Space as Space
from .spaces import choice as choice
from .spaces import default_space as default_space
from .spaces import integer as integer
from .spaces import log as log
from .spaces import one_minus_log as one_minus_log
from .spaces import parse_entry as parse_entry
from .spaces import uniform as uniform
from .spaces import with_fixed as with_fixed
