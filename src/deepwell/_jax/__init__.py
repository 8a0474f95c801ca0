"""The only place that knows JAX's corners: start, numerics guard, generator, devices."""

from deepwell._base._lazy import lazy_names

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "Runtime": "._start",
        "start": "._start",
        "check_numerics": "._numerics",
        "coordinate_key": "._generator",
    },
)
