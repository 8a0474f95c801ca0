"""What happened, as immutable plain data: specs, curves, trials, events, findings. No JAX."""

from ._chunk import ChunkRecord as ChunkRecord
from ._estimate import Estimate as Estimate
from ._event import Event as Event
from ._facts import Baseline as Baseline
from ._facts import DataFacts as DataFacts
from ._facts import Opening as Opening
from ._facts import PlanFacts as PlanFacts
from ._facts import Progress as Progress
from ._facts import Rung as Rung
from ._facts import StudyResult as StudyResult
from ._finding import Finding as Finding
from ._first_steps import FewRows as FewRows
from ._first_steps import FirstSteps as FirstSteps
from ._first_steps import GradientError as GradientError
from ._first_steps import InputsUsed as InputsUsed
from ._first_steps import RowsMixed as RowsMixed
from ._first_steps import StartLoss as StartLoss
from ._non_finite import NonFinite as NonFinite
from ._plain import from_plain as from_plain
from ._plain import to_plain as to_plain
from ._probe import QUANTILES as QUANTILES
from ._probe import Probe as Probe
from ._section import Section as Section
from ._spec import TrialSpec as TrialSpec
from ._status import Status as Status
from ._trial import Trial as Trial
