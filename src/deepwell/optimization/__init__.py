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
        "l2_penalty": "._penalties",
        "minimize": "._minimize",
    },
)
