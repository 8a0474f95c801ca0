"""Convolutional networks in PyTorch: an eager loop, one thread in one pinned process a core."""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch
from job import Job, Outcome, error_of_outputs, serve
from pinned import Train, search_pinned
from torch import nn


def search(job: Job) -> Outcome:
    """Train every second network on each core."""
    return search_pinned(job, ready)


def ready(job: Job) -> Train:
    """Return what trains one network."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    image = job.configurations[0]["image"]
    x, x_dev = (_channels_first(rows, image) for rows in (job.x_train, job.x_dev))
    y = torch.from_numpy(job.y_train)

    def train(index: int) -> float:
        torch.manual_seed(index)
        model = _network(image, job.configurations[index], job.outputs)
        rate = job.configurations[index]["learning_rate"]
        optimizer = torch.optim.Adam(model.parameters(), lr=rate, fused=True)
        for _ in range(job.epochs):
            for batch in torch.randperm(len(x)).split(job.batch_size):
                nn.functional.cross_entropy(model(x[batch]), y[batch]).backward()
                optimizer.step()
                optimizer.zero_grad(set_to_none=True)
        with torch.inference_mode():
            outputs = torch.cat([model(rows) for rows in x_dev.split(250)])
        return error_of_outputs(outputs.numpy(), job.y_dev)

    return train


def _channels_first(rows, image: list[int]) -> torch.Tensor:
    return torch.from_numpy(rows).reshape(-1, *image).permute(0, 3, 1, 2).contiguous()


def _network(image: list[int], configuration: dict, outputs: int) -> nn.Sequential:
    """Return convolutions with ReLU and pooling, then dense layers; weights by He et al. 2015."""
    height, width, channels = image
    layers: list[nn.Module] = []
    for made in configuration["channels"]:
        layers += [nn.Conv2d(channels, made, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
        height, width, channels = height // 2, width // 2, made
    inputs = height * width * channels
    layers.append(nn.Flatten())
    for units in configuration["hidden"]:
        layers += [nn.Linear(inputs, units), nn.ReLU()]
        inputs = units
    layers.append(nn.Linear(inputs, outputs))
    for layer in layers:
        if isinstance(layer, nn.Linear | nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)
    return nn.Sequential(*layers)


if __name__ == "__main__":
    serve(search, ("torch", "numpy"))
