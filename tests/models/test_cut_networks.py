"""CUT's networks: places and channels of the features, the resampling, and heads that sleep."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from gansmith import catalog
from gansmith.adversarial import Dimensions
from gansmith.models.cut import Bilinear, Blur, Translator, discriminator, translator
from gansmith.models.layers.translation import Residual

SIZE = Dimensions(3, 16, 24)


def test_the_papers_translator_has_its_parameters() -> None:
    """Nine blocks, width 64: the 11,378,179 of CycleGAN's, as the resampling has none; 256 outputs a head."""
    network = translator(Dimensions(3, 256, 256))
    heads = sum(p.numel() for p in network.heads.parameters())
    assert sum(p.numel() for p in network.parameters()) - heads == 11_378_179
    assert heads == sum(inputs * 256 + 256 + 256 * 256 + 256 for inputs in (3, 128, 256, 256, 256))
    assert sum(isinstance(module, Residual) for module in network.encoder.modules()) == 5
    assert sum(isinstance(module, Residual) for module in network.decoder.modules()) == 4


@pytest.mark.parametrize(("antialias", "first"), [(True, 1), (False, 2)])
@pytest.mark.parametrize(("blocks", "places"), [(0, 3), (1, 4), (2, 5), (9, 5)])
def test_the_places_of_the_features(antialias: bool, first: int, blocks: int, places: int) -> None:
    network = translator(SIZE, width=4, blocks=blocks, heads=64, antialias=antialias)
    image = torch.rand(2, 3, 16, 24)
    features = network.encode(image)
    assert features[0] is image
    sides = [1, first, 2 * first, 4, 4][:places]
    assert [maps.shape[1:] for maps in features] == [
        (channels, 16 // side, 24 // side) for channels, side in zip((3, 8, 16, 16, 16), sides, strict=False)
    ]
    torch.testing.assert_close(network.decode(features), network(image), rtol=0, atol=0)
    vectors = network.project(1, features[1].flatten(2).transpose(1, 2))
    assert vectors.shape == (2, features[1][0, 0].numel(), 64)
    torch.testing.assert_close(vectors.norm(dim=-1), torch.ones(vectors.shape[:2]))
    assert len(network.heads) == places


def test_features_are_not_overwritten_by_later_layers() -> None:
    """Activations work in place: what was taken before them must stay."""
    network = translator(SIZE, width=4, blocks=3)
    image = torch.rand(1, 3, 16, 24)
    features = network.encode(image)
    kept = [maps.clone() for maps in features]
    network.decode(features)
    for place, stage in enumerate(network.encoder):
        torch.testing.assert_close(stage(features[place]), kept[place + 1], rtol=0, atol=0)
        torch.testing.assert_close(features[place], kept[place], rtol=0, atol=0)


def test_blur_is_the_binomial_filter_behind_reflection() -> None:
    x = torch.rand(2, 3, 6, 8, dtype=torch.float64, requires_grad=True)
    line = torch.tensor([1.0, 2.0, 1.0], dtype=torch.float64) / 4
    kernel = (line[:, None] * line).expand(3, 1, 3, 3)
    expected = F.conv2d(F.pad(x, (1, 1, 1, 1), mode="reflect"), kernel, stride=2, groups=3)
    found = Blur()(x)
    torch.testing.assert_close(found, expected)
    weight = torch.rand_like(found)
    torch.testing.assert_close(*(torch.autograd.grad((y * weight).sum(), x)[0] for y in (found, expected)))


def test_doubling_is_the_code_s_filter() -> None:
    """[1, 3, 3, 1] / 4 along each side behind the repeated edge: bilinear interpolation."""
    x = torch.rand(1, 2, 3, 5, dtype=torch.float64)
    expected = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
    torch.testing.assert_close(Bilinear()(x), expected)


def test_heads_sleep_until_the_game_reads_them() -> None:
    network = translator(SIZE, width=4, blocks=2)
    assert not any(p.requires_grad for p in network.heads.parameters())
    assert all(p.requires_grad for name, p in network.named_parameters() if not name.startswith("heads."))


def test_first_weights() -> None:
    """Glorot's, times 0.02: of 256 to 256 channels by 3 x 3, sqrt(2 / (9 x 512)) x 0.02."""
    torch.manual_seed(0)
    network = translator(Dimensions(3, 256, 256))
    convolution = next(m for m in network.encoder[2].modules() if isinstance(m, torch.nn.Conv2d))
    assert float(convolution.weight.detach().std()) == pytest.approx(0.02 * (2 / (9 * 512)) ** 0.5, rel=0.02)
    head = network.heads[3][0]
    assert float(head.weight.detach().std()) == pytest.approx(0.02 * (2 / 512) ** 0.5, rel=0.02)
    first = discriminator(Dimensions(3, 64, 64)).layers[2]
    assert float(first.weight.detach().std()) == pytest.approx(0.02 * (2 / (16 * 192)) ** 0.5, rel=0.02)


def test_with_skip_it_changes_nothing_at_first() -> None:
    network = catalog.build("models", "cut", SIZE, factory="translator", width=4, blocks=2, skip=True)
    assert isinstance(network, Translator)
    image = torch.rand(1, 3, 16, 24) * 2 - 1
    torch.testing.assert_close(network(image), image)
