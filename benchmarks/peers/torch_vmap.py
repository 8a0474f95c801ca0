"""PyTorch's `torch.func`: networks of one architecture stacked and trained by one vmap.

The user's own code around it: Adam by hand over the stacked parameters, one rate a member,
masks drawn by member. Architectures train one after another, on as many processes as cores.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from collections import defaultdict
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch
from job import Job, Outcome, error_of_outputs, serve
from torch.func import functional_call, grad_and_value, stack_module_state, vmap
from torch_network import Rows, network, prepare

# Members in one stack. The 16 networks of B2 took 52 and 42 s in stacks of 4, 39 and 56 s in stacks
# of 8, 33 and 37 s in one stack, beside other work on the machine.
MOST = 16


def search(job: Job) -> Outcome:
    """Train the stacks, the largest first, on every core."""
    alike: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for index, configuration in enumerate(job.configurations):
        alike[tuple(configuration["hidden"])].append(index)
    stacks = [same[i : i + MOST] for same in alike.values() for i in range(0, len(same), MOST)]
    stacks.sort(key=len, reverse=True)
    context = multiprocessing.get_context("fork")
    counter, results = context.Value("q", 0), context.SimpleQueue()
    workers = [
        context.Process(target=_work, args=(job, stacks, counter, results))
        for _ in range(job.workers)
    ]
    for worker in workers:
        worker.start()
    scores = [1.0] * len(job.configurations)
    began, ended = [], []
    for _ in stacks:
        numbers, errors, times = results.get()
        for number, error in zip(numbers, errors, strict=True):
            scores[number] = error
        began.append(times[0])
        ended.append(times[1])
    for worker in workers:
        worker.join()
    # Nothing is compiled, so the first stacks count too: they are a large share of the work.
    steady = (float(len(scores)), max(ended) - min(began))
    return Outcome(scores, steady=steady, facts={"stacks": len(stacks)})


def _work(job: Job, stacks: list[list[int]], counter: Any, results: Any) -> None:
    prepare()
    rows = Rows(job)
    while True:
        with counter.get_lock():
            place = counter.value
            counter.value += 1
        if place >= len(stacks):
            return
        began = time.time()
        errors = _train(rows, job, stacks[place])
        results.put((stacks[place], errors, (began, time.time())))


def _train(rows: Rows, job: Job, numbers: list[int]) -> list[float]:
    """Train one stack and return the dev errors of its members."""
    configurations = [job.configurations[n] for n in numbers]
    torch.manual_seed(1_000_003 * job.seed + numbers[0])
    hidden = configurations[0]["hidden"]
    models = [network(rows.x.shape[1], job.outputs, hidden, 0.0) for _ in numbers]
    base = models[0]
    parameters, _ = stack_module_state(models)
    parameters = {name: p.detach() for name, p in parameters.items()}
    keep = 1 - torch.tensor([c["dropout"] for c in configurations])
    drops = bool((keep < 1).any())  # masks cost time where none drops
    steps = vmap(
        grad_and_value(lambda p, k, x, y: rows.cost(_forward(p, k if drops else None, x), y)),
        in_dims=(0, 0, None, None),
        randomness="different",
    )
    adam = _Adam(parameters, configurations)
    for _ in range(job.epochs):
        for batch in torch.randperm(len(rows.x)).split(job.batch_size):
            gradients, _ = steps(parameters, keep, rows.x[batch], rows.y[batch])
            adam.step(parameters, gradients)
    base.eval()
    outputs = vmap(lambda p: functional_call(base, p, (rows.x_dev,)))(parameters)
    return [error_of_outputs(member.numpy(), rows.y_dev) for member in outputs]


def _forward(p: dict[str, Any], keep: Any, x: Any) -> Any:
    """Return the outputs of one member, what it keeps after each hidden layer; None for all."""
    names = sorted({int(name.split(".")[0]) for name in p})
    for place in names[:-1]:
        x = torch.relu(torch.nn.functional.linear(x, p[f"{place}.weight"], p[f"{place}.bias"]))
        if keep is not None:
            x = x * (torch.rand_like(x) < keep) / keep
    last = names[-1]
    return torch.nn.functional.linear(x, p[f"{last}.weight"], p[f"{last}.bias"])


class _Adam:
    """Adam over stacked parameters, one learning rate, beta1 and L2 a member."""

    def __init__(self, parameters: dict[str, Any], configurations: list[dict[str, Any]]) -> None:
        self.m = {n: torch.zeros_like(p) for n, p in parameters.items()}
        self.s = {n: torch.zeros_like(p) for n, p in parameters.items()}
        self.t = 0
        self.numbers = {
            name: torch.tensor([c[name] for c in configurations])
            for name in ("learning_rate", "beta1", "l2")
        }
        self.beta2, self.epsilon = configurations[0]["beta2"], configurations[0]["epsilon"]

    def step(self, parameters: dict[str, Any], gradients: dict[str, Any]) -> None:
        self.t += 1
        numbers = self.numbers
        rate = numbers["learning_rate"] / (1 - numbers["beta1"] ** self.t)
        root = (1 - self.beta2**self.t) ** 0.5
        for name, p in parameters.items():
            shape = (-1, *[1] * (p.dim() - 1))
            g = gradients[name]
            if name.endswith("weight"):
                g = torch.addcmul(g, p, numbers["l2"].view(shape))
            m, s, beta1 = self.m[name], self.s[name], numbers["beta1"].view(shape)
            m.lerp_(g, 1 - beta1)
            s.mul_(self.beta2).addcmul_(g, g, value=1 - self.beta2)
            change = m / (s.sqrt().div_(root).add_(self.epsilon))
            p.sub_(change.mul_(rate.view(shape)))


if __name__ == "__main__":
    serve(search, ("torch", "numpy"))
