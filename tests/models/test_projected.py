"""The projected discriminator beside the paper's equations written out, and what is frozen in it."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from gansmith import catalog
from gansmith.adversarial import Dimensions, Moment, Sample
from gansmith.errors import ExperimentError, MissingExtraError
from gansmith.models.projected import ProjectedDiscriminator, as_rgb, sides_read
from gansmith.pretrained import timm_hub
from gansmith.pretrained.backbone import backbone, fused, require
from gansmith.system.allocation import build_in_memory
from gansmith.system.seeding import mix, seeded

SMALL = {"network": "untrained", "resolution": 64, "width": 4}
SIZE = Dimensions(3, 24, 32)


def build(size: Dimensions = SIZE, seed: int = 0, **options: object) -> ProjectedDiscriminator:
    with seeded(seed):
        network = catalog.build("models", "projected", size, factory="discriminator", **{**SMALL, **options})
    assert isinstance(network, ProjectedDiscriminator)
    return network


def images(size: Dimensions = SIZE, count: int = 5, seed: int = 1) -> Tensor:
    rng = torch.Generator().manual_seed(seed)
    return torch.rand((count, *size[:3]), generator=rng, dtype=torch.float64) * 2 - 1


# ---- an independent implementation


def mixed_by_hand(maps: list[Tensor], width: int, seed: int) -> list[Tensor]:
    """Section 3.2: 1 x 1 convolutions as products of matrices, then 3 x 3 from the bottom up."""
    rng = np.random.default_rng(mix("projection of features", seed))

    def draw(after: int, before: int, kernel: int) -> Tensor:
        values = rng.standard_normal((after, before, kernel, kernel), dtype=np.float32)
        return torch.from_numpy(values * np.float32(math.sqrt(2 / (before * kernel**2)))).double()

    channels = [width, 2 * width, 4 * width, 8 * width]
    across = [draw(after, one.shape[1], 1) for after, one in zip(channels, maps, strict=True)]
    scales = [
        draw(after, before, 3) for before, after in zip(channels, (width, width, 2 * width, 4 * width), strict=True)
    ]
    first = [torch.einsum("oi,bihw->bohw", one[:, :, 0, 0], x) for one, x in zip(across, maps, strict=True)]
    mixed: dict[int, Tensor] = {}
    for level in (3, 2, 1, 0):
        x = first[level] + (mixed[level + 1] if level < 3 else 0)
        y = functional.conv2d(x, scales[level], padding=1)
        mixed[level] = functional.interpolate(y, scale_factor=2, mode="bilinear")
    return [mixed[level] for level in range(4)]


def normalised(layer: nn.Conv2d) -> Tensor:
    """Miyato et al. 2018, Algorithm 1: one power iteration from the layer's u. Leaves u alone."""
    matrix = layer.weight.flatten(1)
    with torch.no_grad():
        v = functional.normalize(matrix.t() @ layer.u, dim=0)
        u = functional.normalize(matrix @ v, dim=0)
    return layer.weight / (u @ matrix @ v)


def scores_by_hand(network: ProjectedDiscriminator, seen: Tensor) -> list[Tensor]:
    """[B, S_l] of each scale: convolutions of stride 2, batch statistics, leaky ReLU, and the last convolution."""
    maps = mixed_by_hand(fused(backbone("untrained")).double()(seen), 4, 0)
    scores = []
    for one, mixed in zip(network.discriminators, maps, strict=True):
        x = mixed
        *hidden, last = [module for module in one if isinstance(module, nn.Conv2d)]
        for convolution in hidden:
            y = functional.conv2d(x, normalised(convolution), stride=2, padding=1)
            mean, variance = y.mean((0, 2, 3), keepdim=True), y.var((0, 2, 3), unbiased=False, keepdim=True)
            x = functional.leaky_relu((y - mean) / (variance + 1e-5).sqrt(), 0.2)
        scores.append(functional.conv2d(x, normalised(last)).flatten(1))
    return scores


@pytest.mark.parametrize(
    ("size", "resolution"), [(SIZE, 64), (Dimensions(3, 64, 64), 128), (Dimensions(1, 40, 40), 64)]
)
def test_scores_and_gradients_are_those_of_the_equations(size: Dimensions, resolution: int) -> None:
    network = build(size, resolution=resolution).double()
    x, again = images(size, 4).requires_grad_(), images(size, 4).requires_grad_()
    weights = [p for p in network.parameters() if p.dim() == 4]
    sides = sides_read(size.height, size.width, resolution)
    seen = functional.interpolate(again, sides, mode="bilinear").expand(-1, 3, -1, -1)
    theirs = torch.cat(scores_by_hand(network, seen), 1)
    gradients = torch.autograd.grad(theirs.square().sum() + theirs.sum(), [again, *weights])
    ours = network(x)
    torch.testing.assert_close(ours, theirs)
    found = torch.autograd.grad(ours.square().sum() + ours.sum(), [x, *weights])
    for mine, other in zip(found, gradients, strict=True):
        assert bool((other != 0).any())
        torch.testing.assert_close(mine, other)


def test_the_hinge_counts_each_scale_once() -> None:
    """Eq. 4 sums over the scales; the mean over all scores is a quarter of that sum."""
    network = build(Dimensions(3, 64, 64), resolution=256).double()  # 5 x 5 scores of each
    objective = catalog.build("objectives", "hinge")
    real, fake = images(Dimensions(3, 64, 64), 3), images(Dimensions(3, 64, 64), 3, seed=2)
    scores = []
    for some in (real, fake):
        seen = functional.interpolate(some, (256, 256), mode="bilinear")
        scores.append(scores_by_hand(network, seen))
        network(some)  # one power iteration, as in the objective's passes
    assert [one.shape for one in scores[0]] == [(3, 25)] * 4
    network = build(Dimensions(3, 64, 64), resolution=256).double()
    at = Moment(0, 0, 0, torch.Generator())
    terms = objective.discriminator_terms(network, Sample(real), Sample(fake), at)
    by_scale = [
        (1 - r).clamp_min(0).mean() + (1 + f).clamp_min(0).mean() for r, f in zip(scores[0], scores[1], strict=True)
    ]
    torch.testing.assert_close(terms.loss["loss"], sum(by_scale) / 4)
    assert len({round(float(one.detach()), 6) for one in by_scale}) == 4  # none could stand for another


# ---- what is frozen


def test_nothing_frozen_learns_or_is_saved() -> None:
    network = build().train()
    before = {name: value.clone() for name, value in network.frozen.state_dict().items()}
    assert any("running_mean" in name for name in backbone("untrained").state_dict())
    optimizer = torch.optim.Adam(network.parameters(), lr=0.1)
    for _ in range(3):
        x = images().float().requires_grad_()
        network(x).square().sum().backward()
        assert x.grad is not None
        optimizer.step()
    assert network.training
    assert not any(module.training for module in network.frozen.modules())
    for name, value in network.frozen.state_dict().items():
        assert torch.equal(value, before[name]), name
    assert all(parameter.grad is None and not parameter.requires_grad for parameter in network.frozen.parameters())
    saved = {id(value) for value in [*network.parameters(), *network.buffers()]}
    assert not saved & {id(value) for value in [*network.frozen.parameters(), *network.frozen.buffers()]}
    assert {name.partition(".")[0] for name in network.state_dict()} == {"discriminators", "frozen_digest"}


def test_the_frozen_part_follows_to_another_type() -> None:
    network = build()
    assert network.double().frozen.mixing.across_scales[0].weight.dtype == torch.float64
    assert network(images()).dtype == torch.float64


def test_the_projection_is_its_seeds_and_no_other() -> None:
    plain = images().float()
    one, same, other = (build(seed=seed, projection=number) for seed, number in ((0, 0), (1, 0), (0, 1)))
    for mine, theirs, its in zip(*(network.frozen(plain) for network in (one, same, other)), strict=True):
        assert torch.equal(mine, theirs)
        assert not torch.allclose(mine, its)


def test_a_state_beside_another_frozen_part_is_refused() -> None:
    one = build()
    build(seed=1).load_state_dict(one.state_dict())
    with pytest.raises(ExperimentError, match="another frozen network"):
        build(projection=1).load_state_dict(one.state_dict())


def test_folded_normalisation_is_the_same_map() -> None:
    with torch.no_grad():
        plain = backbone("untrained").double()
        for module in plain.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.running_mean.uniform_(-1, 1)
                module.running_var.uniform_(0.5, 2)
        x = images(Dimensions(3, 64, 64))
        wanted = plain(x)
        for mine, theirs in zip(fused(plain)(x), wanted, strict=True):
            torch.testing.assert_close(mine, theirs)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in plain.modules())


# ---- sizes and channels


def test_sides_that_the_network_reads() -> None:
    assert sides_read(32, 32, 64) == (64, 64)
    assert sides_read(8, 200, 128) == (64, 128)  # at least 64
    assert sides_read(100, 50, 192) == (192, 96)
    assert sides_read(64, 64, None) == (224, 224)
    assert sides_read(256, 256, None) == (256, 256)
    assert sides_read(256, 256, 128) == (128, 128)


def test_grey_is_repeated_and_transparency_seen_on_white_and_on_black() -> None:
    grey = images(Dimensions(1, 8, 8), 2)
    assert torch.equal(as_rgb(grey), torch.cat([grey] * 3, 1))
    colour, alpha = images(Dimensions(3, 8, 8), 2), images(Dimensions(1, 8, 8), 2, seed=5)
    share = (alpha + 1) / 2
    white, black = as_rgb(torch.cat([colour, alpha], 1)).split(2)
    torch.testing.assert_close(white, share * colour + (1 - share))
    torch.testing.assert_close(black, share * colour - (1 - share))


def test_both_views_of_an_image_are_its_own_scores() -> None:
    network = build(Dimensions(4, 16, 16)).eval()
    x = images(Dimensions(4, 16, 16), 3).float()
    with torch.no_grad():
        scores = network(x)
        assert scores.shape == (3, 8)
        torch.testing.assert_close(network(x[1:2]), scores[1:2])
        clear = x.clone()
        clear[0, 3] = -1  # transparent: its colours are not seen
        other = clear.clone()
        other[0, :3] = 0.5
        torch.testing.assert_close(network(clear), network(other))


@pytest.mark.parametrize("channels", [2, 5])
def test_other_channels_are_refused(channels: int) -> None:
    with pytest.raises(ExperimentError, match=f"1, 3 or 4 channels, not {channels}"):
        build(Dimensions(channels, 16, 16))


@pytest.mark.parametrize("width", [10**6, 10**9])
def test_networks_too_wide_are_refused_before_anything_is_drawn(width: int) -> None:
    with pytest.raises(ExperimentError, match=r"it needs .* of memory"):
        build_in_memory(lambda: build(width=width), "it", "choose a smaller one")


# ---- networks that are not here


def test_missing_weights_are_refused_with_the_way_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANSMITH_CACHE", str(tmp_path))
    with pytest.raises(ExperimentError, match=r"mobilenet_v2-b0353104\.pth.*gansmith features install mobilenet"):
        build(network="mobilenet")
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "vgg16.ckpt").touch()
    with pytest.raises(ExperimentError, match=r"--set discriminator\.network=vgg"):
        require("mobilenet")
    with pytest.raises(ExperimentError, match=r"'mobilnet'.*mobilenet"):
        build(network="mobilnet")


def test_a_hub_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timm_hub.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"timm:resnet18.*pip install"):
        require("timm:resnet18")
