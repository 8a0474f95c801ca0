"""The engine: programs that train populations of networks, arrays in, arrays out."""

from deepwell._base._lazy import lazy_names

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "JaxProgram": "._jax_program",
        "Member": "._program",
        "NativeProgram": "._native_program",
        "Outcome": "._program",
        "Program": "._program",
        "State": "._program",
        "Structure": "._program",
        "TrainingRows": "._program",
        "compiled_programs": "._jax_program",
        "initial_state": "._state",
    },
)
