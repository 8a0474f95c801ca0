"""Deepwell makes deep neural networks better.

>>> import deepwell as dw  # doctest: +SKIP
>>> data = dw.load("churn.csv", target="churned")  # doctest: +SKIP
>>> study = dw.Study(data)  # doctest: +SKIP
>>> study.run(trials=64).dev  # doctest: +SKIP
Estimate(value=0.186, low=0.167, high=0.207)
>>> study.open_test()  # doctest: +SKIP
"""

from ._base._lazy import lazy_names

__version__ = "0.1.0"

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "BlackboxResult": ".search._blackbox",
        "Data": ".data._data",
        "DeepwellError": "._base._errors",
        "GradientCheck": ".checking._gradient_check",
        "Model": ".study._model",
        "Observation": ".records._observation",
        "Observer": ".study._observer",
        "Search": ".search._ask",
        "Space": ".search.spaces._space",
        "Study": ".study._study",
        "StudyError": "._base._errors",
        "UsageError": "._base._errors",
        "annotations_of": ".study._annotate",
        "check_gradients": ".checking._check_gradients",
        "check_gradients_of": ".checking._check_gradients_of",
        "choice": ".search.spaces._choice",
        "collect_garbage": ".study._garbage",
        "compare": ".study._compare",
        "copy_study": ".study._copy_study",
        "delete_study": ".study._delete",
        "diagnose_predictions": ".study._diagnose_predictions",
        "exponential_average": ".optimization._averages",
        "from_optuna": ".search.interchange._their_sampler",
        "integer": ".search.spaces._integer",
        "load": ".data._load",
        "load_model": ".study._model",
        "log": ".search.spaces._log",
        "minimize": ".optimization._minimize",
        "minimize_blackbox": ".search._blackbox",
        "nan_origin": ".checking._nan_origin",
        "note": ".study._annotate",
        "one_minus_log": ".search.spaces._one_minus_log",
        "open_live": ".study._live",
        "open_study": ".study._finished",
        "optuna_history": ".search.interchange._optuna_history",
        "optuna_sampler": ".search.interchange._optuna_sampler",
        "per_layer": ".search.spaces._per_layer",
        "query": ".study._query",
        "register_optimizer": ".optimization._foreign",
        "remove_note": ".study._annotate",
        "rename_study": ".study._rename",
        "replay": ".study._replay",
        "restore_study": ".study._delete",
        "resume": ".study._resume",
        "run_file": ".study._run_file",
        "studies": ".study._listing",
        "tag": ".study._annotate",
        "uniform": ".search.spaces._uniform",
        "verify": ".study._verify",
        "when": ".search.spaces._when",
        "work": ".study._worker",
        "write_sample": ".data._samples",
    },
)
