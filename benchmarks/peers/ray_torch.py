"""Ray Tune with PyTorch: one reused actor a core, so that its start-up is paid once."""

from __future__ import annotations

import os
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("RAY_AIR_NEW_OUTPUT", "0")
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
os.environ.setdefault("TUNE_DISABLE_AUTO_CALLBACK_LOGGERS", "1")  # fewer files a trial
os.environ.setdefault("RAY_TRAIN_ENABLE_V2_MIGRATION_WARNINGS", "0")

from job import Job, Outcome, serve


def search(job: Job) -> Outcome:
    """Run the networks as a grid over their numbers."""
    import ray
    from ray import tune
    from ray.tune.logger import JsonLoggerCallback

    here = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120
    ray.init(
        num_cpus=job.workers,
        include_dashboard=False,
        log_to_driver=False,
        runtime_env={"env_vars": {"PYTHONPATH": here, "OMP_NUM_THREADS": "1"}},
    )
    shared = ray.put(job)

    class Network(tune.Trainable):
        """One network a step; the actor and its rows are kept for the next one."""

        def setup(self, config: dict) -> None:
            from torch_network import Rows, prepare

            prepare()
            self.job = ray.get(shared)
            self.rows = Rows(self.job)
            self.index = config["index"]

        def step(self) -> dict:
            from torch_network import train

            score = train(self.rows, self.job, self.index)
            return {"score": score, "at": time.time(), "index": self.index, "done": True}

        def reset_config(self, new_config: dict) -> bool:
            self.index = new_config["index"]
            return True

    tuner = tune.Tuner(
        tune.with_resources(Network, {"cpu": 1}),
        param_space={"index": tune.grid_search(list(range(len(job.configurations))))},
        tune_config=tune.TuneConfig(reuse_actors=True, max_concurrent_trials=job.workers),
        run_config=tune.RunConfig(
            storage_path=str(job.folder / "ray"),
            verbose=0,
            callbacks=[JsonLoggerCallback()],  # the one file that results are read from
            checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
        ),
    )
    scores, ended = [1.0] * len(job.configurations), []
    for result in tuner.fit():
        if result.error:
            raise result.error
        scores[result.metrics["index"]] = result.metrics["score"]
        ended.append(result.metrics["at"])
    ray.shutdown()
    return Outcome(scores, ended)


if __name__ == "__main__":
    serve(search, ("ray", "torch", "numpy"))
