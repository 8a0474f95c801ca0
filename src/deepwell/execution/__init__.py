"""The one place where records meet the engine: planner, local engine."""

from deepwell._base._lazy import lazy_names

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "Bucket": "._planner",
        "LocalEngine": "._local",
        "Plan": "._planner",
        "plan": "._planner",
    },
)
