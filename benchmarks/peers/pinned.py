"""One pinned process a core, each training every second network, without start-up and compiling."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable
from typing import Any

from job import Job, Outcome

Train = Callable[[int], float]  # number of a network -> its dev error


def search_pinned(job: Job, ready: Callable[[Job], Train]) -> Outcome:
    """Return the scores and the steady rate of networks trained one after another on every core.

    Args:
        job: the networks.
        ready: called once in each process, outside the clock: returns what trains one network.
    """
    context = multiprocessing.get_context("spawn")
    results = context.SimpleQueue()
    cores = sorted(os.sched_getaffinity(0))[: job.workers]
    workers = [
        context.Process(target=_work, args=(job, ready, place, cores, results))
        for place in range(len(cores))
    ]
    for worker in workers:
        worker.start()
    scores, seconds = [1.0] * len(job.configurations), [0.0] * len(cores)
    for _ in job.configurations:
        index, score, took = results.get()
        scores[index] = score
        seconds[index % len(cores)] += took
    for worker in workers:
        worker.join()
    return Outcome(scores, steady=(len(scores), sum(seconds) / len(seconds)))


def _work(
    job: Job, ready: Callable[[Job], Train], place: int, cores: list[int], results: Any
) -> None:
    os.sched_setaffinity(0, {cores[place]})  # before a library starts its threads
    train = ready(job)
    train(place)  # compiles, and loads what is loaded once
    for index in range(place, len(job.configurations), len(cores)):
        began = time.perf_counter()
        score = train(index)
        results.put((index, score, time.perf_counter() - began))
