"""B6: what it costs to record a study and to open one, beside Optuna's storages."""
