"""MUNIT's discriminator: the mean over scales, the sizes that it accepts, and its slope."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from munit_networks import convolved, discriminator, images
from torch import Tensor, nn

from gansmith.adversarial import Dimensions
from gansmith.models import munit
from refusals import refused


@pytest.mark.parametrize(
    ("size", "scales", "least", "enough", "instead"),
    [
        ((60, 99), 3, 61, "64x100", (3, 3)),
        ((28, 28), 3, 61, "64x64", (3, 2)),
        ((14, 40), 3, 61, "64x64", (2, 3)),
        ((8, 8), 1, 16, "16x16", (3, 1)),
        ((1, 1), 3, 61, "64x64", None),
    ],
)
def test_sizes_that_cannot_be_judged(
    size: tuple[int, int], scales: int, least: int, enough: str, instead: tuple[int, int] | None
) -> None:
    """The size that is advised can be made too."""
    facts = ["depth 4", f"{scales} scale(s)", f"at least {least}", f"--size {enough}"]
    assert munit.autoencoder(Dimensions(3, *map(int, enough.split("x")), 8), style_downsamplings=2)
    if instead is not None:
        depth, fewer = instead
        facts += [f"--set discriminator.depth={depth}", f"--set discriminator.scales={fewer}"]
        assert munit.discriminator(Dimensions(3, *size), depth=depth, scales=fewer)
    with refused("munit", f"{size[0]}x{size[1]}", *facts):
        munit.discriminator(Dimensions(3, *size), scales=scales)


# ---- the discriminator


@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("scales", [1, 2, 3])
def test_the_shortest_side_that_can_be_judged(depth: int, scales: int) -> None:
    shortest = (2**depth - 1) * 2 ** (scales - 1) + 1
    size = Dimensions(1, shortest, shortest + 3)
    assert discriminator(size, depth=depth, scales=scales)(images(2, *size[:3], dtype=torch.float32)).shape[:2] == (
        2,
        scales,
    )
    with refused(f"at least {shortest}"):
        discriminator(Dimensions(1, shortest - 1, 64), depth=depth, scales=scales)


def scores_by_hand(judge: munit.Discriminator, x: Tensor) -> list[Tensor]:
    """The map of each scale [B, h, w]."""
    found = []
    for network in judge.networks:
        assert isinstance(network, nn.Sequential)
        y = x
        convolutions = [module for module in network if isinstance(module, nn.Conv2d)]
        for layer in convolutions[:-1]:
            y = convolved(y, layer, 4, 2)
            y = torch.where(y > 0, y, 0.2 * y)
        head = convolutions[-1]
        assert head.bias is not None
        found.append(torch.einsum("bchw,c->bhw", y, head.weight[0, :, 0, 0]) + head.bias)
        padded, there = F.pad(x, (1, 1, 1, 1)), F.pad(torch.ones_like(x), (1, 1, 1, 1))
        sums, counts = (  # of 3 x 3 pixels at every second place, those outside the image left out
            t.unfold(2, 3, 2).unfold(3, 3, 2).sum((4, 5)) for t in (padded, there)
        )
        x = sums / counts
    return found


def test_each_scale_has_the_same_weight() -> None:
    """The mean of a loss over all scores is the mean over scales of its mean over that scale's patches; times `scales`
    it is the paper's sum. Values and gradients, float64."""
    judge = discriminator(Dimensions(3, 32, 16)).double()
    for parameter in judge.parameters():
        parameter.data *= 20
        parameter.data += 0.1
    x = images(2, 3, 32, 16)
    maps = scores_by_hand(judge, x)
    assert [tuple(scores.shape[1:]) for scores in maps] == [(8, 4), (4, 2), (2, 1)]
    wanted = sum((scores - 1).square().mean() for scores in maps)
    scores = judge(x)
    assert scores.shape == (2, 3, 8, 4)
    assert judge.scales == 3
    found = judge.scales * (scores - 1).square().mean()
    assert isinstance(wanted, Tensor)
    torch.testing.assert_close(found, wanted)
    parameters = [*judge.parameters()]
    for mine, theirs in zip(
        torch.autograd.grad(found, parameters), torch.autograd.grad(wanted, parameters), strict=True
    ):
        torch.testing.assert_close(mine, theirs)


def test_scales_whose_patches_do_not_divide() -> None:
    """Each scale still has the same weight, and its scores are all there, some more often than others."""
    judge = discriminator(Dimensions(3, 30, 22)).double()
    for parameter in judge.parameters():
        parameter.data *= 20
    x = images(2, 3, 30, 22)
    maps = scores_by_hand(judge, x)
    assert [tuple(scores.shape[1:]) for scores in maps] == [(7, 5), (3, 2), (2, 1)]
    for found, wanted in zip(judge(x).unbind(1), maps, strict=True):
        assert found.shape == maps[0].shape
        torch.testing.assert_close(found.flatten().sort().values.unique(), wanted.flatten().sort().values)


def test_the_slope_of_the_leaky_relu() -> None:
    judge = munit.discriminator(Dimensions(1, 8, 8), width=2, depth=1, scales=1, slope=0.5)
    assert [m.negative_slope for m in judge.modules() if isinstance(m, nn.LeakyReLU)] == [0.5]
    assert [m.negative_slope for m in discriminator().modules() if isinstance(m, nn.LeakyReLU)] == [0.2] * 6
