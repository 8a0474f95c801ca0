"""Optimizers, learning-rate decay, penalties, averages; descent of any cost."""

from deepwell._base._lazy import lazy_names

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "DECAYS": "._decay",
        "OPTIMIZERS": "._registry",
        "Optimizer": "._optimizer",
        "Minimum": "._minimize",
        "as_optax": "._optimizer",
        "average_window": "._averages",
        "exponential_average": "._averages",
        "l1_penalty": "._penalties",
        "l2_penalty": "._penalties",
        "register_optimizer": "._foreign",
        "learning_rates": "._learning_rate",
        "minimize": "._minimize",
        "weight_sparsity": "._penalties",
    },
)
