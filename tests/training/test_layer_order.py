"""The order of a network's layers, read from the graph of a pass."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from gansmith import catalog
from gansmith.adversarial import Dimensions
from gansmith.training.layer_order import example_input, layers_of

IMAGE = torch.zeros(2, 3, 32, 32)


def modules(network: nn.Module, example: Tensor = IMAGE) -> list[list[str]]:
    return [list(dict.fromkeys(name.rpartition(".")[0] for name in layer)) for layer in layers_of(network, example)]


def network(name: str, role: str = "discriminator", **options: Any) -> Any:
    return catalog.build("models", name, Dimensions(3, 32, 32, 8, 4), factory=role, width=4, **options)


def test_a_normalisation_belongs_to_the_layer_before_it() -> None:
    """And a projection of the class to the score that it is added to."""
    assert modules(network("dcgan")) == [["layers.0"], ["layers.2", "layers.3"], ["layers.5", "layers.6"], ["layers.8"]]
    assert modules(network("dcgan", conditional=True))[-1] == ["layers.8", "projection"]


def test_a_residual_block_is_a_layer() -> None:
    layers = modules(network("resnet", spectral_norm=True))
    assert [{name[:8] for name in layer} for layer in layers[:4]] == [{f"blocks.{number}"} for number in range(4)]
    assert layers[4:] == [["head.score"]]


def test_the_order_is_that_of_the_pass_and_not_of_the_names() -> None:
    """R3GAN's discriminator stores its coarsest stage first."""
    layers = modules(network("r3gan", blocks=1))
    assert [layer[0] for layer in layers] == [
        *("begin", "stages.3.0.widen", "stages.2.0.widen", "stages.1.0.widen", ""),
        "features",
    ]


def test_layers_side_by_side_are_one() -> None:
    class Scales(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scales = nn.ModuleList(nn.Sequential(nn.Conv2d(3, 2, 3), nn.Conv2d(2, 1, 3)) for _ in range(3))
            self.unused = nn.Conv2d(1, 1, 1)

        def forward(self, image: Tensor) -> Tensor:
            return torch.cat([scale(image).flatten(1) for scale in self.scales], 1)

    assert modules(Scales()) == [[f"scales.{scale}.{place}" for scale in range(3)] for place in range(2)]


def test_the_longest_way_counts() -> None:
    class Skip(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.last, self.first, self.middle = (nn.Conv2d(3, 3, 1) for _ in range(3))

        def forward(self, image: Tensor) -> Tensor:
            x = self.first(image)
            output: Tensor = self.last(x + self.middle(x))
            return output

    assert modules(Skip()) == [["first"], ["middle"], ["last"]]


def test_a_pass_leaves_no_trace() -> None:
    judge = network("dcgan", dropout=0.5)
    before = {name: value.clone() for name, value in judge.state_dict().items()}
    torch.manual_seed(3)
    drawn = torch.rand(1)
    torch.manual_seed(3)
    judge.layers[2].eval()
    layers_of(judge, IMAGE)
    assert torch.equal(torch.rand(1), drawn)
    assert all(torch.equal(value, before[name]) for name, value in judge.state_dict().items())
    assert judge.training
    assert judge.layers[3].training
    assert not judge.layers[2].training
    assert all(parameter.grad is None and parameter.requires_grad for parameter in judge.parameters())


def test_what_the_network_reads() -> None:
    size = Dimensions(3, 8, 12, latent=5)
    assert example_input("generator", size).shape == (2, 5)
    assert example_input("discriminator", size).shape == (2, 3, 8, 12)
