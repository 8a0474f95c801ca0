"""Network architectures: activations, initializers, losses and the forward pass."""

from deepwell._base._lazy import lazy_names

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "ACTIVATIONS": "._activations",
        "Activation": "._activations",
        "Architecture": "._architecture",
        "INITIALIZERS": "._initializers",
        "initial_parameters": "._initializers",
        "LOSSES": "._losses",
        "Loss": "._losses",
        "hardmax": "._losses",
        "softmax": "._losses",
        "initial_statistics": "._initializers",
        "Sampled": "._monte_carlo",
        "sampled_predictions": "._monte_carlo",
        "with_exact_statistics": "._exact_statistics",
        "batch_moments": "._batch_norm",
        "normalized": "._batch_norm",
        "forward": "._forward",
        "predictions": "._forward",
    },
)
