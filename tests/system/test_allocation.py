"""Networks that do not fit in memory are refused before they are built."""

from __future__ import annotations

import math
import resource
import time
from typing import Any

import pytest
import torch
from torch import nn

from gansmith import catalog
from gansmith.adversarial import Dimensions
from gansmith.errors import ExperimentError, RunError
from gansmith.experiment.assemble import assemble
from gansmith.experiment.with_data import with_data
from gansmith.models.saved import Card
from gansmith.runs.train import experiment_from
from gansmith.system import allocation, memory
from gansmith.system.allocation import build_in_memory
from gansmith.system.memory import gibibytes, require_memory

HUGE: list[list[str]] = [
    ["generator.width=100000000"],
    ["generator.width=2147483647"],
    ["generator.width=20000"],
    ["prior.size=1000000000"],
    ["discriminator.width=10000000"],
    ["generator=r3gan", "generator.width=16000000"],
    ["generator=resnet", "generator.width=500000"],
    ["generator=mlp", "generator.width=2000000000"],
]


@pytest.mark.parametrize("assignments", HUGE, ids=str)
def test_huge_networks_are_refused_at_once_and_without_memory(assignments: list[str]) -> None:
    experiment, _ = experiment_from("digits", assignments=[*assignments, "data.fraction=0.1"], environment={})
    experiment, data = with_data(experiment)
    before, begun = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    with pytest.raises(ExperimentError, match=r"GiB.*free.*--set"):
        assemble(experiment, data)
    assert time.process_time() - begun < 5
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 500 << 10


def test_a_card_may_not_ask_for_more_than_there_is() -> None:
    with pytest.raises(RunError, match="GiB"):
        Card("generator", "generator", "dcgan", {"width": 10**8}, Dimensions(3, 64, 64, 100)).build()


ROLES = [(model, role) for role in catalog.ROLES for model in catalog.names("models", role)]


@pytest.mark.parametrize(("model", "role"), ROLES)
def test_the_weights_of_every_model_are_counted(model: str, role: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the meta device, and to the byte: the limit lies exactly at what the built network has."""
    chosen = {"biggan": {"initialisation": "normal"}, "projected": {"network": "untrained"}}  # orthogonal takes long
    options: dict[str, Any] = chosen.get(model, {})

    def build() -> nn.Module:
        network: nn.Module = catalog.build("models", model, Dimensions(3, 64, 64, 16, 10), factory=role, **options)
        return network

    tensors = [*build().parameters(), *build().buffers()]
    tensors = [tensor for tensor in tensors if tensor.dtype != torch.uint8]  # a digest of frozen weights is none itself
    weights = sum(tensor.numel() * tensor.element_size() for tensor in tensors)
    monkeypatch.setattr(allocation, "available", lambda: weights)
    assert {tensor.device.type for tensor in build_in_memory(build, "it", "").parameters()} <= {"cpu"}
    monkeypatch.setattr(allocation, "available", lambda: weights - 1)
    with pytest.raises(ExperimentError):
        build_in_memory(build, "it", "")


def test_counting_changes_no_number() -> None:
    def built(count: bool) -> list[torch.Tensor]:
        torch.manual_seed(3)
        function = lambda: catalog.build("models", "r3gan", Dimensions(3, 16, 16, 8), factory="generator", width=32)  # noqa: E731
        network: nn.Module = build_in_memory(function, "it", "") if count else function()
        return [*network.parameters(), torch.rand(2)]

    assert all(torch.equal(one, other) for one, other in zip(built(True), built(False), strict=True))


def test_code_that_reads_numbers_of_its_tensors_is_not_counted() -> None:
    class Reading(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.ones(3) / float(torch.ones(3).sum()))

    assert build_in_memory(Reading, "it", "").weight.tolist() == pytest.approx([1 / 3] * 3)


def test_the_numbers_of_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "available", lambda: 2 << 30)
    require_memory(2 << 30, "it", "less")
    with pytest.raises(RunError, match=r"^it needs 3\.0 GiB of memory, and 2\.0 GiB are free: less$"):
        require_memory(3 << 30, "it", "less", error=RunError)
    with pytest.raises(RunError, match=r"inf GiB"):
        require_memory(math.inf, "it", "less", error=RunError)
    assert gibibytes(1e30) == "9e+20 GiB"
    assert 0 < memory.available() < 1 << 50
