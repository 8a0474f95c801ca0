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
        "forward": "._forward",
        "predictions": "._forward",
    },
)
