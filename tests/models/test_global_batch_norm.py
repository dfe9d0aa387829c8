"""Batch normalisation and dropout of the global batch: several processes compute what torch's own layers do in one."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gansmith.errors import ExperimentError
from gansmith.models.layers import global_batch_norm, shared_dropout
from gansmith.models.layers.conditional_norm import ConditionalBatchNorm
from gansmith.system import sharing
from processes import together

COUNT = 7  # images: shares of 4 and 3, or of 3, 2 and 2
SLOW = 300.0  # seconds, on a machine with other work


class Case(NamedTuple):
    """A network [B, 3, 4, 4] -> [B, ...], and the passes that it makes."""

    network: Callable[[], nn.Module]
    training: bool = True
    blocks: int = 1  # of the batch, in one pass
    layout: torch.memory_format = torch.contiguous_format
    dtype: torch.dtype = torch.float64
    autocast: bool = False


class Conditional(nn.Module):
    """A convolution and a conditional normalisation, by a vector that is the image's mean."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(3, 4, 3, padding=1)
        self.norm = ConditionalBatchNorm(4, nn.Linear(3, 4), nn.Linear(3, 4))

    def forward(self, x: Tensor) -> Tensor:
        return F.leaky_relu(self.norm(self.convolution(x), x.mean((2, 3))), 0.2)


def _convolutional(**options: Any) -> nn.Module:
    return nn.Sequential(
        *(nn.Conv2d(3, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4, **options), nn.LeakyReLU(0.2, inplace=True)),
        *(nn.Conv2d(4, 5, 3, stride=2, bias=False), nn.BatchNorm2d(5, **options), nn.Tanh()),
    )


def _flat() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(48, 6), nn.BatchNorm1d(6), nn.Tanh(), nn.Linear(6, 2))


def _sequence() -> nn.Module:
    return nn.Sequential(nn.Flatten(2), nn.BatchNorm1d(3), nn.Tanh())


def _dropping() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 4, 1), nn.Dropout(0.3), nn.Tanh(), nn.Dropout2d(0.5), nn.Dropout(0.2, inplace=True)
    )


CASES = {
    "convolutional": Case(_convolutional),
    "momentum none": Case(lambda: _convolutional(momentum=None)),
    "no affine": Case(lambda: _convolutional(affine=False)),
    "no running": Case(lambda: _convolutional(track_running_stats=False)),
    "no running, evaluated": Case(lambda: _convolutional(track_running_stats=False), training=False),
    "evaluated": Case(_convolutional, training=False),
    "two blocks": Case(_convolutional, blocks=2),
    "channels last": Case(_convolutional, layout=torch.channels_last),
    "flat": Case(_flat),
    "sequence": Case(_sequence),
    "conditional": Case(Conditional),
    "dropout": Case(_dropping),
    "dropout, channels last": Case(_dropping, layout=torch.channels_last),
    "float32": Case(_convolutional, dtype=torch.float32),
    "float32, channels last": Case(_convolutional, dtype=torch.float32, layout=torch.channels_last),
    "bfloat16": Case(_convolutional, dtype=torch.float32, autocast=True),
    "bfloat16, channels last": Case(_convolutional, dtype=torch.float32, layout=torch.channels_last, autocast=True),
}
TOLERANCE = {"float32": 2e-5, "bfloat16": 4e-2}  # by the first word of the name


def play(name: str, images: Tensor, network: nn.Module) -> dict[str, Tensor]:
    """Two passes with R1 through the layers: outputs and image gradients (rows), weight gradients (to be summed), and
    buffers (the same everywhere). The loss is a sum over images."""
    case = CASES[name]
    network.to(case.dtype).train(case.training)
    images = images.to(case.dtype).contiguous(memory_format=case.layout)
    result: dict[str, Tensor] = {}
    torch.manual_seed(1)
    for number in range(2):
        x = torch.cat([images, images.roll(1, 2)][: case.blocks]).detach().requires_grad_()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=case.autocast):
            scores = network(x)
        total = scores.to(case.dtype).pow(3).sum()
        (slope,) = torch.autograd.grad(total, x, create_graph=True)
        (total + 0.1 * slope.square().sum()).backward()
        assert x.grad is not None
        of_rows = {"scores": scores.detach(), "slope": slope.detach(), "by image": x.grad}
        result |= {f"rows {number} {kind}": values for kind, values in of_rows.items()}
    result |= {f"sum {key}": w.grad for key, w in network.named_parameters() if w.grad is not None}
    result |= {f"same {key}": buffer.clone() for key, buffer in network.named_buffers()}
    return result


def case_of(name: str) -> tuple[Tensor, nn.Module]:
    torch.manual_seed(0)
    network = CASES[name].network()
    return torch.randn(COUNT, 3, 4, 4, dtype=torch.float64) * 2 + 0.5, network


def of_a_rank() -> dict[str, dict[str, Tensor]]:
    """Every case, of this rank's rows."""
    results = {}
    for name in CASES:
        images, network = case_of(name)
        before = sorted(network.state_dict())
        global_batch_norm.shared(network)
        shared_dropout.shared(network)
        assert sorted(network.state_dict()) == before
        with sharing.part_of(COUNT):
            results[name] = play(name, sharing.rows_of(images), network)
    return results


def put_together(name: str, of_ranks: list[Tensor], blocks: int) -> Tensor:
    if name.startswith("rows"):
        return torch.cat([torch.cat(pieces) for pieces in zip(*(part.chunk(blocks) for part in of_ranks), strict=True)])
    return torch.stack(of_ranks).sum(0) if name.startswith("sum") else of_ranks[0]


@pytest.mark.parametrize("world", [2, 3])
def test_several_processes_normalise_and_drop_as_one(world: int) -> None:
    ranks = together(of_a_rank, world=world, limit=SLOW)
    for name, case in CASES.items():
        expected = play(name, *case_of(name))
        assert {*ranks[0][name]} == {*expected}
        for key, of_one in expected.items():
            of_ranks = [rank[name][key] for rank in ranks]
            if key.startswith("same"):
                assert all(torch.equal(other, of_ranks[0]) for other in of_ranks), (name, key)
            size = TOLERANCE.get(name.split(",")[0], 1e-12)
            ours, value = put_together(key, of_ranks, case.blocks).double(), of_one.double()
            assert (ours - value).norm() <= size * max(value.norm(), 1.0), (name, key, ours, value)
            if "dropout" in name and key.endswith("scores"):
                assert torch.equal(ours, value), name  # the very bits


@pytest.mark.parametrize(
    ("layer", "shared", "facts"),
    [
        (nn.SyncBatchNorm(3), global_batch_norm.shared, ["layer 1 ", "SyncBatchNorm", "nn.BatchNorm2d"]),
        (nn.AlphaDropout(), shared_dropout.shared, ["layer 1 ", "AlphaDropout", "Dropout2d", "one process"]),
        (nn.RReLU(), shared_dropout.shared, ["layer 1 ", "RReLU", "Dropout"]),
    ],
)
def test_layers_that_cannot_be_shared_are_refused(
    layer: nn.Module, shared: Callable[[nn.Module], None], facts: list[str]
) -> None:
    with pytest.raises(ExperimentError) as raised:
        shared(nn.Sequential(nn.Conv2d(3, 3, 1), layer))
    for fact in facts:
        assert fact in str(raised.value)


def test_shared_layers_stay_what_they_are() -> None:
    """Their kind, names and copies, and alone their values to the bit; twice is once."""
    network, plain = _convolutional(), _convolutional()
    plain.load_state_dict(network.state_dict())
    for _ in range(2):
        global_batch_norm.shared(network)
    copied = copy.deepcopy(network)
    assert str(network) == str(plain)
    assert isinstance(copied[1], nn.BatchNorm2d)
    assert type(copied[1]) is type(network[1])
    images = torch.randn(4, 3, 4, 4)
    assert torch.equal(network(images), plain(images))
    assert torch.equal(copied(images), network(images))
    assert torch.equal(network[1].running_var, plain[1].running_var) is False  # it has seen the images twice


def test_one_value_a_channel_is_torchs_error() -> None:
    layer = nn.BatchNorm1d(3)
    global_batch_norm.shared(layer)
    with pytest.raises(ValueError, match="more than 1 value per channel"):
        layer(torch.zeros(1, 3))
