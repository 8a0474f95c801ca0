"""Ray Tune's ASHA with PyTorch against the clock: one reused actor a core.

Networks report at 3, 9 and 30 epochs, where ASHA decides (grace period 3, reduction factor 3), so
that the cost of a report, tens of milliseconds, is paid three times a network and not thirty.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("RAY_AIR_NEW_OUTPUT", "0")
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
os.environ.setdefault("TUNE_DISABLE_AUTO_CALLBACK_LOGGERS", "1")  # fewer files a trial
os.environ.setdefault("RAY_TRAIN_ENABLE_V2_MIGRATION_WARNINGS", "0")

from target_job import Range, Work, serve

_LOOKS = (0.1, 0.3)  # of all epochs
_FACTOR = 3


def search(work: Work) -> None:
    """Search until time is over."""
    from ray import tune
    from ray.tune.schedulers import ASHAScheduler
    from ray.tune.search.basic_variant import BasicVariantGenerator

    job = work.job
    looks = _looks(work)
    scheduler = ASHAScheduler(
        time_attr="epoch",
        metric="error",
        mode="min",
        max_t=job.epochs,
        grace_period=looks[0],
        reduction_factor=_FACTOR,
    )
    config = tune.TuneConfig(
        num_samples=-1,
        time_budget_s=work.seconds,
        scheduler=scheduler,
        search_alg=BasicVariantGenerator(
            max_concurrent=job.workers, random_state=1_000_003 * job.seed
        ),
        reuse_actors=True,
    )
    _run(work, looks, {one.drawn_as: _drawn(one) for one in work.space}, config)


def given(work: Work) -> Sequence[float]:
    """Train the listed networks to the end."""
    from ray import tune

    listed = [work.drawn(c) for c in work.job.configurations]
    config = tune.TuneConfig(reuse_actors=True, max_concurrent_trials=work.job.workers)
    found = _run(work, (), {"listed": tune.grid_search(listed)}, config)
    return [
        next(r.metrics["error"] for r in found if r.metrics["config"]["listed"] == values)
        for values in listed
    ]


def _run(work: Work, looks: Sequence[int], space: dict[str, Any], config: Any) -> Any:
    """Return the results of a search."""
    import ray
    from ray import tune
    from ray.tune.logger import JsonLoggerCallback

    here = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120
    ray.init(
        num_cpus=work.job.workers,
        include_dashboard=False,
        log_to_driver=False,
        runtime_env={"env_vars": {"PYTHONPATH": here, "OMP_NUM_THREADS": "1"}},
    )
    tuner = tune.Tuner(
        tune.with_resources(_trainable(ray.put(work), looks), {"cpu": 1}),
        param_space=space,
        tune_config=config,
        run_config=tune.RunConfig(
            storage_path=str(work.job.folder / "ray"),
            verbose=0,
            callbacks=[JsonLoggerCallback()] if not looks else [],
            checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
        ),
    )
    found = tuner.fit()
    for result in found:
        if result.error:
            raise result.error
    ray.shutdown()
    return found


def _trainable(shared: Any, looks: Sequence[int]) -> Any:
    """Return the class of which every trial is an object; a step trains to the next look."""
    import ray
    from ray import tune

    class Network(tune.Trainable):
        """One network; the actor and its rows are kept for the next one."""

        def setup(self, config: dict) -> None:
            from torch_network import Rows, prepare

            prepare()
            self.work = ray.get(shared)
            self.rows = Rows(self.work.job)
            self.work.ready()
            self.count = 0
            self._begin(config)

        def _begin(self, config: dict) -> None:
            from torch_network import course

            seed = int(self.trial_id.replace("_", ""), 16) % 2**31
            configuration = self.work.configuration(config.get("listed", config))
            self.course = enumerate(course(self.rows, self.work.job, configuration, seed), 1)

        def step(self) -> dict:
            last = self.work.job.epochs
            for epoch, score in self.course:
                if epoch in looks or epoch == last:
                    error = score()
                    if epoch == last:
                        self.work.finished(error)
                    return {"epoch": epoch, "error": error, "done": epoch == last}
            raise RuntimeError("a network was asked to train beyond its last epoch")

        def reset_config(self, new_config: dict) -> bool:
            self._begin(new_config)
            return True

    return Network


def _looks(work: Work) -> tuple[int, ...]:
    found = (max(1, round(share * work.job.epochs)) for share in _LOOKS)
    return tuple(dict.fromkeys(look for look in found if look < work.job.epochs))


def _drawn(one: Range) -> Any:
    """Return what Ray draws a value from."""
    from ray import tune

    if one.kind == "integer":
        return tune.randint(int(one.low), int(one.high) + 1)
    if one.kind == "uniform":
        return tune.uniform(one.low, one.high)
    return tune.loguniform(*one.ends)


if __name__ == "__main__":
    serve(search, given, ("ray", "torch", "numpy"))
