"""`deepwell narrow`: another space for the networks that are still to be proposed."""

from __future__ import annotations

from ._acts import live, tell
from ._live_options import Narrowed
from ._options import Place
from ._space import parsed_space

EXAMPLES = 'deepwell narrow churn --space "learning_rate=log(1e-3,1e-2)"'


def narrow(asked: Narrowed, place: Place) -> int:
    """Change what is searched while a run trains.

    Another space or sampler for the networks that are still to be proposed; those that train stay
    as they are.
    """
    answer = live(asked.name, place).narrow(
        parsed_space(asked.space), constraints=asked.constraint, search=asked.search
    )
    return tell(answer, place)
