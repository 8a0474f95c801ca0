"""The conductor: propose, execute, record, decide, diagnose. Wiring only."""

from deepwell._base._lazy import lazy_names

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "FinishedStudy": "._finished",
        "LiveStudy": "._live",
        "Model": "._model",
        "Observer": "._observer",
        "Study": "._study",
        "diagnose_predictions": "._diagnose_predictions",
        "load_model": "._model",
        "open_live": "._live",
        "open_study": "._finished",
        "replay": "._replay",
        "resume": "._resume",
        "verify": "._verify",
        "work": "._worker",
    },
)
