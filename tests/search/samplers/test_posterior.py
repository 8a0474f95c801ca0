import math

import numpy as np
import pytest

from deepwell._base._errors import UsageError
from deepwell.records import Observation
from deepwell.search import Domain, posterior, uniform

DOMAIN = Domain({"x": uniform(0, 1)})
HISTORY = [Observation({"x": u}, 2 + math.cos(7 * u)) for u in (0.0, 0.2, 0.5, 0.9)]


@pytest.mark.proves("H6", "formula")
def test_the_band_is_narrow_at_trials_and_wide_between_them() -> None:
    at = [0.0, 0.2, 0.5, 0.9, 0.1, 0.35, 0.7]
    belief = posterior(DOMAIN, HISTORY, [{"x": u} for u in at])
    np.testing.assert_allclose(belief.mean[:4], [h.score for h in HISTORY], atol=0.1)
    assert (belief.low <= belief.mean).all()
    assert (belief.mean <= belief.high).all()
    assert belief.sd[:4].max() < belief.sd[4:].min()
    assert belief.acquisition[:4].max() < belief.acquisition.max()


def test_scores_that_are_out_are_passed_over() -> None:
    points = [{"x": 0.3}, {"x": 0.7}]
    one = posterior(DOMAIN, HISTORY, points)
    two = posterior(DOMAIN, [*HISTORY, Observation({"x": 0.3})], points)
    np.testing.assert_array_equal(one.mean, two.mean)


def test_what_cannot_be_believed_is_said() -> None:
    with pytest.raises(UsageError, match="needs a finite score"):
        posterior(DOMAIN, [Observation({"x": 0.3}, math.inf)], [{"x": 0.3}])
    with pytest.raises(UsageError, match="point 1 lies outside"):
        posterior(DOMAIN, HISTORY, [{"x": 0.3}, {"x": 1.3}])
