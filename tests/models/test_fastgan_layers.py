"""Layers of FastGAN: gated linear unit, skip-layer excitation, quadrants, and the distance of two images."""

from __future__ import annotations

import fastgan_networks as plain
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gansmith.models.layers import reconstruction
from gansmith.models.layers.excitation import Excitation, on_grid
from gansmith.models.layers.glu import glu
from gansmith.models.layers.reconstruction import Decoder, Map, Reconstruction, distance, quadrant, resized


def numbers(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


# gated linear unit


def test_the_gate_is_the_sigmoid_of_the_second_half() -> None:
    x = torch.tensor([[1.0, -2.0, 0.0, 3.0]], dtype=torch.float64)[:, :, None, None]
    second = 1 / (1 + torch.exp(torch.tensor(-3.0, dtype=torch.float64)))
    torch.testing.assert_close(glu(x).flatten(), torch.stack([torch.tensor(0.5).double(), -2 * second]))


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_its_gradient_is_torchs_and_keeps_the_layout(layout: torch.memory_format) -> None:
    x = numbers(2, 6, 3, 5).contiguous(memory_format=layout).requires_grad_()
    given = numbers(2, 3, 3, 5, seed=1).contiguous(memory_format=layout)
    (ours,) = torch.autograd.grad(glu(x), x, given)
    (theirs,) = torch.autograd.grad(F.glu(x, 1), x, given)
    torch.testing.assert_close(ours, theirs)
    assert ours.is_contiguous(memory_format=layout)


def test_it_is_differentiated_twice() -> None:
    x, given = numbers(2, 4, 2, 3).requires_grad_(), numbers(2, 2, 2, 3, seed=1).requires_grad_()
    assert torch.autograd.gradgradcheck(glu, (x,))
    first, second = [], []
    for function in (glu, lambda y: F.glu(y, 1)):
        (gradient,) = torch.autograd.grad(function(x), x, given, create_graph=True)
        first.append(gradient)
        second.append(torch.autograd.grad((gradient * numbers(2, 4, 2, 3, seed=2)).sum(), [x, given]))
    torch.testing.assert_close(*first)
    torch.testing.assert_close(*second)


# skip-layer excitation


@pytest.mark.parametrize("size", [(4, 4), (16, 8), (5, 7), (9, 4), (4, 13)])
def test_the_grid_of_means_is_torchs(size: tuple[int, int]) -> None:
    x = numbers(2, 3, *size).requires_grad_()
    found, expected = on_grid(x), F.adaptive_avg_pool2d(x, 4)
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(found, plain.averaged(x))
    weight = numbers(*found.shape, seed=1)
    ours, theirs = (torch.autograd.grad((y * weight).sum(), x)[0] for y in (found, expected))
    torch.testing.assert_close(ours, theirs)


def test_the_gate_multiplies_channels_and_lies_between_zero_and_one() -> None:
    layer = Excitation(3, 5, spectral=False).double()
    x, source = numbers(2, 5, 8, 6), numbers(2, 3, 4, 4, seed=1)
    gates = (layer(x, source) / x).detach()
    torch.testing.assert_close(gates, gates[:, :, :1, :1].expand_as(gates))
    assert bool((gates > 0).all())
    assert bool((gates < 1).all())
    layer.gate.weight.data.zero_()
    torch.testing.assert_close(layer(x, source), x / 2)  # a gate that knows nothing is half open


# quadrants: the same places of the image and of its map


def test_quadrants_in_the_order_of_reading() -> None:
    x = torch.arange(16).view(1, 1, 4, 4).expand(4, 1, 4, 4)
    found = quadrant(x, torch.arange(4), 2, 2)[:, 0]
    assert found.tolist() == [[[0, 1], [4, 5]], [[2, 3], [6, 7]], [[8, 9], [12, 13]], [[10, 11], [14, 15]]]


def test_quadrants_of_odd_maps_overlap_and_reach_the_corners() -> None:
    x = torch.arange(15).view(1, 1, 3, 5).expand(4, 1, 3, 5)
    corners = quadrant(x, torch.arange(4), 2, 3)[:, 0]
    assert [int(corner.min()) for corner in corners] == [0, 2, 5, 7]
    assert [int(corner.max()) for corner in corners] == [7, 9, 12, 14]


class Enlarged(nn.Module):
    """In a decoder's place: features repeated `scale` times."""

    def __init__(self, scale: int) -> None:
        super().__init__()
        self.scale = scale

    def forward(self, x: Tensor) -> Tensor:
        return x.repeat_interleave(self.scale, 2).repeat_interleave(self.scale, 3)


@pytest.mark.parametrize(("height", "width"), [(8, 12), (5, 7)])
def test_a_map_that_is_the_image_costs_nothing_wherever_it_is_cropped(height: int, width: int) -> None:
    """The maps are the image in cells of 4 and 8 pixels, so the crops agree only where their places do."""
    module = Reconstruction(3, Map(3, 2), Map(3, 3), width=1, spectral=False)
    module.part, module.whole = Enlarged(4), Enlarged(8)  # type: ignore[assignment]
    coarse = numbers(16, 3, height, width)
    fine = coarse.repeat_interleave(2, 2).repeat_interleave(2, 3)
    image = fine.repeat_interleave(4, 2).repeat_interleave(4, 3)
    assert float(module(image, fine, coarse, torch.Generator().manual_seed(0))) < 1e-12
    fine = numbers(16, 3, height, width, seed=1)  # of an odd size
    image = fine.repeat_interleave(4, 2).repeat_interleave(4, 3)
    module.whole = Enlarged(1)  # type: ignore[assignment]
    assert float(module(image, fine, fine, torch.Generator().manual_seed(0))) < 1e-12
    moved = fine.roll(1, 3)
    assert float(module(image, moved, fine, torch.Generator().manual_seed(0))) > 0.1


def test_each_image_has_its_own_quadrant_from_the_turns_generator() -> None:
    module = Reconstruction(1, Map(1, 1), Map(1, 2), width=1, spectral=False)
    seen: list[Tensor] = []

    class Kept(Enlarged):
        def forward(self, x: Tensor) -> Tensor:
            seen.append(x)
            return super().forward(x)

    module.part, module.whole = Kept(2), Enlarged(4)  # type: ignore[assignment]
    fine = torch.arange(4.0).view(1, 1, 2, 2).expand(40, 1, 2, 2)
    for seed in (1, 1, 2):
        module(torch.zeros(40, 1, 4, 4), fine, fine[:, :, :1, :1], torch.Generator().manual_seed(seed))
    assert {*seen[0].flatten().tolist()} == {0.0, 1.0, 2.0, 3.0}
    assert torch.equal(seen[0], seen[1])
    assert not torch.equal(seen[0], seen[2])


# decoders and distances


@pytest.mark.parametrize(("halvings", "side"), [(1, 16), (2, 32), (3, 64), (4, 128), (5, 128), (7, 128)])
def test_a_decoder_doubles_up_to_the_images_size_and_four_times_at_most(halvings: int, side: int) -> None:
    decoder = Decoder(Map(6, halvings), 3, width=2, spectral=True)
    assert decoder(torch.zeros(1, 6, 8, 8)).shape == (1, 3, side, side)
    assert decoder.scale * 8 == side
    assert [norm.num_features // 2 for norm in decoder.norms] == [8, 4, 4, 2][: min(halvings, 4)]  # type: ignore[union-attr, operator]


def test_a_distance_sees_coarse_differences_more_than_fine_ones() -> None:
    """|1| everywhere is 1 at each of the scales 8 and 4; signs in turn are 1 at the first and 0 at the second."""
    one = torch.zeros(2, 3, 8, 8)
    assert float(distance(one, one + 1)) == 1
    assert float(distance(one + 2, one)) == 2
    chequered = (torch.arange(8)[:, None] + torch.arange(8)) % 2 * 2.0 - 1
    assert float(distance(one, chequered.expand_as(one))) == 0.5


@pytest.mark.parametrize("size", [(2, 2), (7, 9), (8, 8), (16, 20), (33, 16)])
def test_a_distance_by_hand(size: tuple[int, int]) -> None:
    one, other = numbers(3, 2, *size).requires_grad_(), numbers(3, 2, *size, seed=1)
    expected = sum((plain.apart(a, b) for a, b in zip(one, other, strict=True)), start=torch.zeros(())) / 3
    found = distance(one, other)
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(*(torch.autograd.grad(value, one)[0] for value in (found, expected)))


def test_targets_are_means_of_areas_without_a_graph() -> None:
    image = numbers(2, 3, 12, 16).requires_grad_()
    found = resized(image, 6, 4)
    assert not found.requires_grad
    torch.testing.assert_close(found[0], plain.shrunk(image[0].detach(), 6, 4))
    assert torch.equal(resized(image, 12, 16), image)
    assert resized(image.bfloat16(), 6, 4).dtype == torch.float32
    assert reconstruction.distance(image.bfloat16(), image.bfloat16()).dtype == torch.float32
