"""Orthogonal regularisation: its value and gradient, and which weights it means."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from gansmith import catalog
from gansmith.adversarial import Moment, Objective, OnWeights, Sample
from gansmith.data.prior import Prior
from gansmith.errors import ExperimentError
from gansmith.penalties.orthogonal import penalty


def matrix(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def linear(weight: Tensor, bias: bool = True) -> nn.Linear:
    layer = nn.Linear(weight.shape[1], weight.shape[0], bias=bias, dtype=weight.dtype)
    layer.weight = nn.Parameter(weight)
    return layer


def by_pairs(filters: Tensor) -> Tensor:
    """The squared inner products of all ordered pairs of different rows, one by one."""
    total = torch.zeros((), dtype=filters.dtype)
    for i, one in enumerate(filters):
        for j, other in enumerate(filters):
            if i != j:
                total = total + (one * other).sum() ** 2
    return total


def test_orthogonal_filters_cost_nothing_whatever_their_length() -> None:
    rows = torch.linalg.qr(matrix(6, 6))[0][:4] * torch.tensor([[1.0], [2.0], [0.1], [5.0]], dtype=torch.float64)
    torch.testing.assert_close(penalty(linear(rows)), torch.zeros((), dtype=torch.float64), rtol=0, atol=1e-24)
    two = torch.tensor([[3.0, 4.0], [5.0, 1.0]], dtype=torch.float64)
    torch.testing.assert_close(penalty(linear(two)), torch.tensor(2 * 19.0**2, dtype=torch.float64))


@pytest.mark.parametrize("shape", [(4, 9), (9, 4), (5, 5), (1, 7), (7, 1)])
def test_values_and_gradients_of_every_shape(shape: tuple[int, int]) -> None:
    """More filters than dimensions go by the smaller product; the value is the same."""
    layer = linear(matrix(*shape))
    found, expected = penalty(layer), by_pairs(layer.weight)
    torch.testing.assert_close(found, expected, rtol=1e-11, atol=1e-12)
    (mine,) = torch.autograd.grad(found, layer.weight)
    squares = layer.weight @ layer.weight.T
    expected = 4 * (squares - squares.diag().diag()) @ layer.weight
    torch.testing.assert_close(mine, expected, rtol=1e-10, atol=1e-11)


def test_filters_of_convolutions() -> None:
    """A filter is what makes one channel of the output, also where a transposed convolution stores it second."""
    usual = nn.Conv2d(3, 5, 2, dtype=torch.float64)
    torch.testing.assert_close(penalty(usual), by_pairs(usual.weight.flatten(1)))
    turned = nn.ConvTranspose2d(3, 5, 2, dtype=torch.float64)
    torch.testing.assert_close(penalty(turned), by_pairs(turned.weight.transpose(0, 1).flatten(1)))


def test_what_is_left_out() -> None:
    """Vectors, embeddings (bare or normalised) and frozen weights."""
    weight = matrix(4, 4)
    network = nn.ModuleList(
        [
            linear(weight),
            nn.BatchNorm2d(4),
            nn.Embedding(3, 4),
            spectral_norm(nn.Embedding(3, 4)),
            linear(matrix(4, 4, seed=1)).requires_grad_(False),
        ]
    )
    torch.testing.assert_close(penalty(network), by_pairs(weight))
    network.append(linear(matrix(2, 3)))
    torch.testing.assert_close(penalty(network), by_pairs(weight) + by_pairs(matrix(2, 3)))


def test_normalised_weights_are_meant_as_they_are_stored() -> None:
    """The forward pass would scale them, and a look at them in training would turn the power iteration."""
    raw = matrix(4, 6)
    layer = spectral_norm(linear(raw))
    state = {name: value.clone() for name, value in layer.state_dict().items()}
    torch.testing.assert_close(penalty(layer), by_pairs(raw))
    assert all(torch.equal(value, state[name]) for name, value in layer.state_dict().items())


@pytest.mark.parametrize("network", [nn.Embedding(3, 4), nn.BatchNorm2d(4)])
def test_nothing_to_make_orthogonal(network: nn.Module) -> None:
    with pytest.raises(ExperimentError, match=rf"orthogonal.*{type(network).__name__}.*penalties\.orthogonal\.side"):
        penalty(network)


def test_autocast_does_not_shorten_it() -> None:
    layer = linear(matrix(6, 50).float())
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = penalty(layer)
        wide = penalty(linear(matrix(50, 6).float()))
    assert found.dtype == wide.dtype == torch.float32
    torch.testing.assert_close(found, by_pairs(matrix(6, 50)).float(), rtol=1e-5, atol=0)
    torch.testing.assert_close(wide, by_pairs(matrix(50, 6)).float(), rtol=1e-5, atol=0)
    torch.testing.assert_close(penalty(linear(matrix(6, 50).bfloat16())), found, rtol=0.05, atol=0)


def test_the_papers_weight_on_the_generator() -> None:
    made = catalog.build("penalties", "orthogonal")
    assert isinstance(made, OnWeights)
    assert (made.term.weight(0), made.term.every, made.term.per_sample, made.side) == (1e-4, 1, False, "generator")


@pytest.mark.parametrize("side", ["generator", "discriminator"])
def test_it_is_added_in_the_turn_of_its_side(side: str) -> None:
    class Player(nn.Module):
        def __init__(self, seed: int) -> None:
            super().__init__()
            self.layer = linear(matrix(4, 4, seed=seed))

        def forward(self, given: Tensor, label: Tensor | None = None) -> Tensor:
            out: Tensor = self.layer(given.double().flatten(1))
            return out[:, :, None, None] if given.dim() == 2 else out.sum(1)

    players = {"generator": Player(1), "discriminator": Player(2)}
    objective: Objective = catalog.build("objectives", "hinge")
    objective = objective.penalised({"orthogonal": catalog.build("penalties", "orthogonal", weight=2.0, side=side)})
    game = catalog.build("games", "two_player", players, objective, Prior(size=4))
    batch = {"real": Sample(torch.zeros(3, 4, 1, 1).double())}
    for turn in game.turns:
        loss = turn.play(batch, Moment(0, 0, 0, torch.Generator().manual_seed(0))).loss
        if turn.name == side:
            torch.testing.assert_close(loss["orthogonal"], 2 * by_pairs(players[side].layer.weight))
        else:
            assert "orthogonal" not in loss
