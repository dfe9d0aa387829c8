"""Sums over processes: whatever the memory format of a weight and of its gradient, values stay at their places."""

from __future__ import annotations

import pytest
import torch
import torch.distributed as dist
from torch import nn

from gansmith.adversarial import Terms
from gansmith.system.sharing import Share, joined_as
from gansmith.training import shared_sums

FORMATS = [torch.contiguous_format, torch.channels_last]


@pytest.mark.parametrize("of_weight", FORMATS)
@pytest.mark.parametrize("of_gradient", FORMATS)
def test_a_gradient_is_summed_where_it_lies(
    of_weight: torch.memory_format, of_gradient: torch.memory_format, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[torch.Tensor] = []

    def all_reduce(flat: torch.Tensor) -> None:
        sent.append(flat.clone())
        flat.mul_(3)  # two others hold the same

    monkeypatch.setattr(dist, "all_reduce", all_reduce)
    weight = nn.Parameter(torch.zeros(4, 3, 2, 2).to(memory_format=of_weight))
    gradient = torch.randn(4, 3, 2, 2, generator=torch.Generator().manual_seed(0))
    weight.grad = gradient.to(memory_format=of_gradient).clone()
    with joined_as(Share(0, 3)):
        terms = shared_sums.summed([weight], Terms({"loss": torch.tensor(6.0)}, {}), 0.5, [])
    assert torch.equal(weight.grad, 3 * gradient)
    assert terms.loss["loss"] == 9
    in_memory = gradient.permute(0, 2, 3, 1) if of_weight == torch.channels_last else gradient
    assert torch.equal(sent[0], in_memory.flatten())  # by the weight's format alone, which all processes share
