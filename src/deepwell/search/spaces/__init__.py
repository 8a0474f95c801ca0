"""Search spaces: a distribution for each hyperparameter, from Python or from text."""

from ._choice import choice as choice
from ._constraint import Constraint as Constraint
from ._default import default_space as default_space
from ._distribution import Distribution as Distribution
from ._domain import Axis as Axis
from ._domain import Domain as Domain
from ._fixed import Fixed as Fixed
from ._integer import integer as integer
from ._log import log as log
from ._one_minus_log import one_minus_log as one_minus_log
from ._parse import parse_entry as parse_entry
from ._per_layer import per_layer as per_layer
from ._space import Space as Space
from ._space import with_fixed as with_fixed
from ._uniform import uniform as uniform
from ._when import when as when
