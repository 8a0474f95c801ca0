"""Optimizers, learning-rate decay and penalties."""

from deepwell._base._lazy import lazy_names

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "DECAYS": "._decay",
        "OPTIMIZERS": "._registry",
        "Optimizer": "._optimizer",
        "as_optax": "._optimizer",
        "l1_penalty": "._penalties",
        "l2_penalty": "._penalties",
        "learning_rates": "._learning_rate",
        "weight_sparsity": "._penalties",
    },
)
