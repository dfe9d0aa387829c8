"""Networks beside the same formulas written out in plain tensors: values and every gradient, in float64."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def scattered(network: nn.Module) -> nn.Module:
    """In float64, and with no parameter at the zero or one where it begins."""
    rng = torch.Generator().manual_seed(7)
    with torch.no_grad():
        for parameter in network.double().parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=rng, dtype=torch.float64))
    return network


def compare(network: nn.Module, given: Tensor, label: Tensor | None, expected: Tensor) -> None:
    names, parameters = zip(*network.named_parameters(), strict=True)
    weight = torch.randn(expected.shape, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    theirs = torch.autograd.grad((expected * weight).sum(), [given, *parameters])
    found = network(given, label)
    torch.testing.assert_close(found, expected)
    ours = torch.autograd.grad((found * weight).sum(), [given, *parameters])
    for name, one, other in zip(("input", *names), ours, theirs, strict=True):
        torch.testing.assert_close(one, other, msg=lambda text, name=name: f"{name}: {text}")
