"""Digest of this processor's float32 arithmetic, and the distance of two vectors from a few sums of each.

Torch adds up in another order with other vector instructions, and oneDNN and MKL choose their own instructions, so the
name of torch's capability does not say enough. `digest` computes with all of them what a training computes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

_SUMS = 16
_STEPS = 2
_WAYS = {3: [("down", 1), ("down", 2), ("up", 2)], 4: [("down", 2), ("up", 2)]}  # of convolutions, with their strides


def digest(shapes: Iterable[Sequence[int]]) -> str:
    """The digest of forward and backward passes, and of steps of Adam, through weights of these shapes ([O, I] linear,
    [O, I, k, k] convolutions), by one thread in float32."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    hasher = hashlib.sha256()
    rng = torch.Generator().manual_seed(0)
    try:
        for shape in sorted({tuple(shape) for shape in shapes}):
            for batch in (4, 16):
                for result in _played(shape, batch, rng):
                    hasher.update(result.detach().contiguous().numpy().tobytes())
    finally:
        torch.set_num_threads(threads)
    return hasher.hexdigest()


def _played(shape: tuple[int, ...], batch: int, rng: torch.Generator) -> list[Tensor]:
    outward, inward, *kernel = shape
    results = []
    ways = _WAYS.get(kernel[0], [("down", 1)]) if kernel else [("linear", 1)]
    for way, stride in ways:
        weight = (torch.randn(shape, generator=rng) / inward**0.5).requires_grad_()
        optimizer = torch.optim.Adam([weight], lr=1e-3, betas=(0.5, 0.999), fused=True)
        size = (batch, outward if way == "up" else inward, *([8, 8] if kernel else []))
        image = torch.randn(size, generator=rng)
        if kernel:
            image = image.contiguous(memory_format=torch.channels_last)
        for _ in range(_STEPS):
            if way == "linear":
                output = F.linear(image, weight)
            elif way == "down":
                output = F.conv2d(image, weight, stride=stride, padding=(kernel[0] - 1) // 2)
            else:
                output = F.conv_transpose2d(image, weight, stride=stride, padding=(kernel[0] - 1) // 2)
            output = F.leaky_relu(F.batch_norm(output, None, None, training=True), 0.2)
            loss = F.softplus(output).mean() + output.tanh().square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            results += [output, loss]
        results.append(weight)
    return results


def sums(values: np.ndarray) -> list[float]:
    """float64 [N] -> its sums under sixteen fixed patterns of signs, by which `distance` knows it again."""
    signs = np.random.RandomState(1).randint(0, 2, (len(values), _SUMS)) * 2.0 - 1.0
    return [float(f"{value:.10g}") for value in values @ signs]


def distance(one: Sequence[float], other: Sequence[float]) -> float:
    """About |v - w| (Euclidean) from `sums` of v and of w: the square of a sum under random signs is on average the
    square of the norm (Achlioptas 2003, "Database-friendly random projections"), and the mean of sixteen is within
    a factor of about two, up or down."""
    return float(np.sqrt(np.mean(np.square(np.subtract(one, other)))))
