import numpy as np
import pytest

from deepwell.search.samplers._numerics import lower_product, lower_products


@pytest.mark.parametrize("n", [1, 64, 300])
def test_products_with_a_triangular_matrix(n: int) -> None:
    rng = np.random.default_rng(0)
    lower, right = np.tril(rng.standard_normal((n, n))), rng.standard_normal((n, 7))
    np.testing.assert_allclose(lower_product(lower, right), lower @ right, atol=1e-12)
    product, back = lower_products(lower, right[:, 0])
    np.testing.assert_allclose(product, lower @ right[:, 0], atol=1e-12)
    np.testing.assert_allclose(back, lower.T @ lower @ right[:, 0], atol=1e-10)
