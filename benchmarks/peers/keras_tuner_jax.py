"""KerasTuner with Keras on JAX: every trial builds and compiles its own model, as the tool does."""

from __future__ import annotations

import os
import time
from typing import Any

os.environ["KERAS_BACKEND"] = "jax"

from job import Job, Outcome, error_of_outputs, serve


def search(job: Job) -> Outcome:
    """Run a search whose trials take the job's configurations one after another."""
    import keras
    import keras_tuner

    scores, ended = [1.0] * len(job.configurations), []

    class Networks(keras_tuner.HyperModel):
        """The job's networks, by their number."""

        def build(self, hp: Any) -> Any:
            index = hp.Int("index", 0, len(job.configurations) - 1)
            keras.utils.set_random_seed(job.seed * len(job.configurations) + index)
            return _network(keras, job, job.configurations[index])

        def fit(self, hp: Any, model: Any, *args: Any, **kwargs: Any) -> float:
            kwargs.pop("callbacks", None)  # no checkpoint a trial: the best case for the tool
            index = hp.get("index")
            model.fit(
                job.x_train,
                job.y_train,
                batch_size=job.batch_size,
                epochs=job.epochs,
                verbose=0,
            )
            scores[index] = error_of_outputs(
                model.predict(job.x_dev, batch_size=len(job.x_dev), verbose=0), job.y_dev
            )
            ended.append(time.time())
            return scores[index]

    tuner = keras_tuner.GridSearch(
        Networks(), max_trials=len(job.configurations), directory=str(job.folder / "tuner")
    )
    tuner.search(verbose=0)
    return Outcome(scores, ended)


def _network(keras: Any, job: Job, c: dict[str, Any]) -> Any:
    """Return the compiled model; Keras' L2(f) is f * sum W^2, so f = l2 / 2."""
    layers = [keras.Input((job.x_train.shape[1],))]
    for units in c["hidden"]:
        layers.append(_dense(keras, units, c["l2"], "relu"))
        if c["dropout"] > 0:
            layers.append(keras.layers.Dropout(c["dropout"]))
    model = keras.Sequential([*layers, _dense(keras, job.outputs, c["l2"], None)])
    kind = keras.losses.SparseCategoricalCrossentropy
    loss = kind if job.loss == "softmax" else keras.losses.BinaryCrossentropy
    # One step a call, the default: six networks took 51 and 49 s, with an epoch a call 51 and 41 s.
    model.compile(
        keras.optimizers.Adam(
            c["learning_rate"], beta_1=c["beta1"], beta_2=c["beta2"], epsilon=c["epsilon"]
        ),
        loss(from_logits=True),
        jit_compile=True,
    )
    return model


def _dense(keras: Any, units: int, l2: float, activation: str | None) -> Any:
    return keras.layers.Dense(
        units,
        activation,
        kernel_initializer="he_normal",
        kernel_regularizer=keras.regularizers.L2(l2 / 2),
    )


if __name__ == "__main__":
    serve(search, ("keras-tuner", "keras", "jax", "numpy"))
