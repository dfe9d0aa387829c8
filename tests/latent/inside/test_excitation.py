"""What excites units: images, parts of them, and images made by ascent."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from gansmith.errors import OptionError
from gansmith.latent.inside.ascent import ascent, plain_statistics, statistics_of
from gansmith.latent.inside.excitation import excitement, excitements, receptive_field


def edges() -> nn.Sequential:
    """Unit 0 answers to bright right beside dark, unit 1 to the reverse, unit 2 to nothing."""
    net = nn.Sequential(nn.Conv2d(1, 3, (1, 2), bias=False), nn.Flatten())
    net[0].weight.data = torch.tensor([[-1.0, 1.0], [1.0, -1.0], [0.0, 0.0]]).reshape(3, 1, 1, 2)
    return net


def test_the_strongest_images_and_where() -> None:
    images = torch.zeros(40, 1, 6, 6)
    images[33, 0, 4, 3:] = 1  # dark left of column 3, bright from there
    images[5, 0, 2, 1:] = 0.5
    net = edges()
    found = excitement(net, "0", images, net)
    assert found.values.shape == (40, 3)
    assert found.strongest(0, 2) == [33, 5]
    assert found.values[33, 0] == 1
    assert found.places[33, 0].tolist() == [4, 2]
    assert found.places[5, 0].tolist() == [2, 0]
    assert found.selective(2)[0] == 0  # nothing falls from bright to dark
    assert found.selective(2)[-1] in (1, 2)


def test_several_layers_are_read_in_one_pass() -> None:
    """Each layer's values are those of the layer alone, and no image passes twice."""
    passed = []
    net = nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.Conv2d(3, 2, 3), nn.Flatten())
    images = torch.randn(70, 1, 8, 8, generator=torch.Generator().manual_seed(0))

    def call(part: Tensor) -> Tensor:
        passed.append(len(part))
        made: Tensor = net(part)
        return made

    both = excitements(net, ["1", "2"], images, call)
    assert sum(passed) == len(images)
    for name, depth in (("1", 2), ("2", 3)):
        maps = net[:depth](images).flatten(2)
        torch.testing.assert_close(both[name].values, maps.max(2).values)
        width = 6 if name == "1" else 4
        torch.testing.assert_close(both[name].places[..., 0] * width + both[name].places[..., 1], maps.max(2).indices)


@pytest.mark.parametrize(
    ("place", "box"), [((2, 2), (2, 2, 7, 7)), ((0, 0), (0, 0, 3, 3)), ((4, 4), (6, 6, 10, 10)), ((0, 3), (0, 4, 3, 9))]
)
def test_the_receptive_field(place: tuple[int, int], box: tuple[int, int, int, int]) -> None:
    """By hand: value y of the second layer reads 2 y - 1 to 2 y + 1 of the first, that one more on each side."""
    net = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.LeakyReLU(0.2), nn.Conv2d(8, 8, 3, stride=2, padding=1))
    assert receptive_field(net, "2", place, (3, 10, 10), net) == box


def test_statistics_keep_colours_and_waves() -> None:
    """The mixing matrix is a root of the covariance; white images have equal amplitudes, smooth ones not."""
    rng = torch.Generator().manual_seed(0)
    white = torch.randn(400, 2, 8, 8, generator=rng, dtype=torch.float64)
    mixed = torch.stack([white[:, 0], 0.5 * white[:, 0] + 0.1 * white[:, 1]], 1) + 0.25
    known = statistics_of(mixed)
    torch.testing.assert_close(known.mean, torch.full((2,), 0.25), atol=0.01, rtol=0)
    torch.testing.assert_close(known.mix @ known.mix.T, torch.tensor([[1, 0.5], [0.5, 0.26]]), atol=0.02, rtol=0)
    assert float(known.amplitude.std() / known.amplitude.mean()) < 0.05
    smooth = nn.functional.avg_pool2d(white, 3, 1, 1)
    waves = statistics_of(smooth).amplitude
    assert waves[0, 0] > 5 * waves[4, 4]


@pytest.mark.parametrize("like", [None, "real"])
def test_ascent_finds_what_excites_a_unit(like: str | None) -> None:
    """Bright right of dark in the middle for one unit, the reverse for the other; of the contrast of real images."""
    net, rng = edges(), torch.Generator().manual_seed(1)
    real = 0.2 * torch.randn(50, 1, 9, 9, generator=rng) + 0.1
    known = statistics_of(real) if like else None
    images, values = ascent(net, "0", [0, 1], (1, 9, 9), net, like=known, steps=150)
    across = images[:, 0, 4, 5] - images[:, 0, 4, 4]
    torch.testing.assert_close(values, torch.stack([across[0], -across[1]]))
    usual = (real[..., 1:] - real[..., :-1]).std()
    assert (values > 2 * usual).all() if like else (values > 0.5).all()
    if like:
        torch.testing.assert_close(images.mean((1, 2, 3)), torch.full((2,), 0.1), atol=0.05, rtol=0)
    again = ascent(net, "0", [1], (1, 9, 9), net, like=known, steps=150)[0]
    torch.testing.assert_close(again[0], images[1])  # whatever else is asked for with it


def test_one_step_climbs() -> None:
    net = edges()

    def value(steps: int) -> Tensor:
        return ascent(net, "0", [0], (1, 8, 8), net, steps=steps)[1]

    assert value(40) > value(5) > value(1)


def test_what_is_refused() -> None:
    net = edges()
    with pytest.raises(OptionError, match="steps = 0"):
        ascent(net, "0", [0], (1, 8, 8), net, steps=0)
    with pytest.raises(OptionError, match=r"unit 3 .* 0 to 2"):
        ascent(net, "0", [3], (1, 8, 8), net, steps=1)
    assert plain_statistics((3, 8, 6)).amplitude.shape == (8, 4)
