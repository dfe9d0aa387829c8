"""FastGAN's reconstruction by LPIPS: against Eq. 1 written out, and what it asks of the machine and the images."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from gansmith.adversarial import Dimensions
from gansmith.evaluation.features import vgg
from gansmith.models import fastgan
from gansmith.models.layers.reconstruction import Map, Reconstruction, quadrant
from gansmith.pretrained import lpips
from gansmith.system.seeding import seeded
from refusals import refused

WIDTHS = ((3, 4), (5,), (4,), (3,), (2,))


def numbers(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def small() -> lpips.Lpips:
    with seeded("lpips"):
        network = lpips.Lpips(WIDTHS).double()
    for number, head in enumerate(network.heads):
        head.data.copy_(numbers(*head.shape, seed=number).abs())
    return network.requires_grad_(False)


def by_hand(network: lpips.Lpips, one: Tensor, other: Tensor) -> Tensor:
    """Eq. 1, place by place."""
    shift, scale = torch.tensor([-0.030, -0.088, -0.188]).double(), torch.tensor([0.458, 0.448, 0.450]).double()
    maps = [(x - shift[:, None, None]) / scale[:, None, None] for x in (one, other)]
    total = one.new_zeros(len(one))
    for number, (stage, head) in enumerate(zip(network.stages, network.heads, strict=True)):
        for place, x in enumerate(maps):
            y = torch.nn.functional.max_pool2d(x, 2) if number else x
            for layer in stage:  # type: ignore[attr-defined]
                y = layer(y).clamp(min=0)
            maps[place] = y
        first, second = (x / (x.square().sum(1, keepdim=True).sqrt() + 1e-10) for x in maps)
        for i in range(first.shape[2]):
            for j in range(first.shape[3]):
                apart = (first[:, :, i, j] - second[:, :, i, j]) ** 2 @ head
                total = total + apart / first[0, 0].numel()
    return total


def test_lpips_by_hand() -> None:
    network, one, other = small(), numbers(2, 3, 16, 20).tanh().requires_grad_(), numbers(2, 3, 16, 20, seed=1).tanh()
    found, expected = network(one, other), by_hand(network, one, other)
    assert bool((found > 0).all())
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(*(torch.autograd.grad(value.sum(), one)[0] for value in (found, expected)))


def test_it_is_the_distance_of_the_extractor() -> None:
    network, judge = small().float(), vgg.Lpips(WIDTHS)
    judge.load_state_dict(network.state_dict())
    levels = [torch.randint(256, (2, 3, 16, 16), generator=torch.Generator().manual_seed(s)).float() for s in (0, 1)]
    torch.testing.assert_close(network(*(x / 127.5 - 1 for x in levels)), judge(*levels), rtol=0, atol=0)


@pytest.mark.parametrize("channels", [1, 3])
def test_the_term_is_the_mean_lpips_of_part_and_whole(channels: int, monkeypatch: pytest.MonkeyPatch) -> None:
    network = small()
    monkeypatch.setattr(lpips, "published", small)
    module = Reconstruction(channels, Map(4, 2), Map(5, 3), width=1, spectral=True, perceptual=True).double().eval()
    image, fine, coarse = numbers(5, channels, 32, 32).tanh(), numbers(5, 4, 8, 8), numbers(5, 5, 4, 4, seed=1)
    found = module(image, fine, coarse, torch.Generator().manual_seed(2))
    which = torch.randint(4, (5,), generator=torch.Generator().manual_seed(2))
    part = module.part(quadrant(fine, which, 4, 4)).expand(-1, 3, -1, -1)
    target = quadrant(image, which, 16, 16).expand(-1, 3, -1, -1)
    whole = module.whole(coarse).expand(-1, 3, -1, -1)
    expected = by_hand(network, part, target).mean() + by_hand(network, whole, image.expand(-1, 3, -1, -1)).mean()
    torch.testing.assert_close(found, expected)
    weights = [*module.parameters()]
    for one, other in zip(*(torch.autograd.grad(value, weights) for value in (found, expected)), strict=True):
        torch.testing.assert_close(one, other)
    assert not any("stages" in name or "network" in name for name in module.state_dict())


def test_a_turn_by_lpips_in_bfloat16(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lpips, "published", lambda: small().float())
    network = fastgan.discriminator(Dimensions(3, 32, 32), width=2, distance="lpips", reconstruction=2)
    with torch.autocast("cpu", torch.bfloat16):
        _, own = network(numbers(4, 3, 32, 32).float().tanh(), own=torch.Generator())  # type: ignore[misc]
    assert own["reconstruction"].dtype == torch.float32  # type: ignore[index]
    own["reconstruction"].backward()  # type: ignore[index]
    assert all(p.grad is not None for p in network.decoders.parameters())


def test_without_weights_it_is_refused_but_scores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lpips, "folder", lambda: tmp_path)
    options = {"distance": "lpips", "reconstruction": 1.0}
    assert fastgan.extractors_read(options) == ("vgg",)
    with refused("vgg16.ckpt", tmp_path, "gansmith features install vgg", "discriminator.distance=pixels"):
        fastgan.require_parts(options)
    network, image = fastgan.discriminator(Dimensions(3, 32, 32), width=1, distance="lpips"), torch.zeros(2, 3, 32, 32)
    assert network(image).shape == (2, 5, 5)  # type: ignore[union-attr]
    with refused("vgg16.ckpt"):
        network(image, own=torch.Generator())


@pytest.mark.parametrize("options", [{}, {"distance": "pixels"}, {"distance": "lpips", "reconstruction": 0}])
def test_other_runs_need_no_weights(
    options: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lpips, "folder", lambda: tmp_path)
    fastgan.require_parts(options)
    assert fastgan.extractors_read(options) == ()


def test_images_that_lpips_cannot_compare_are_refused() -> None:
    with refused("31x64", "32", "discriminator.distance=pixels"):
        fastgan.discriminator(Dimensions(3, 31, 64), width=1, distance="lpips")
    with refused("4", "1 or 3", "discriminator.distance=pixels"):
        fastgan.discriminator(Dimensions(4, 64, 64), width=1, distance="lpips")


@pytest.mark.parametrize("size", [(32, 32), (33, 47), (40, 90), (47, 47), (64, 48)])
def test_what_is_rebuilt_is_large_enough(size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lpips, "published", lambda: small().float())
    network = fastgan.discriminator(Dimensions(1, *size), width=1, distance="lpips")
    _, own = network(numbers(2, 1, *size).float().tanh(), own=torch.Generator())  # type: ignore[misc]
    assert bool(torch.isfinite(own["reconstruction"]))  # type: ignore[index]
