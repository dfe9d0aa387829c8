"""The renderer: an image depends on its latent alone, to the bit, whatever else is in the call."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn

from gansmith import catalog
from gansmith.adversarial import Dimensions
from gansmith.data.prior import Prior
from gansmith.errors import OptionError
from gansmith.latent import canvas
from gansmith.latent.renderer import Renderer
from gansmith.models import dcgan, mlp
from gansmith.system import memory
from gansmith.system.seeding import generator as randomness
from gansmith.system.seeding import seeded
from refusals import refused


@pytest.fixture
def threads(request: pytest.FixtureRequest) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield
    torch.set_num_threads(before)


def convolutional(size: tuple[int, int] = (32, 32), width: int = 8, latent: int = 20, channels: int = 3) -> nn.Module:
    with seeded("test", width, *size):
        network = dcgan.generator(Dimensions(channels, *size, latent), width=width)
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):  # as after training, so that evaluation mode shows
                module.running_mean.normal_()
                module.running_var.uniform_(0.5, 2)
    return network


def connected(latent: int = 131, width: int = 157, shape: tuple[int, int, int] = (3, 5, 7)) -> nn.Module:
    with seeded("test", latent):
        return mlp.generator(Dimensions(*shape, latent), width=width, depth=3)


NETWORKS = {
    "28 px, width 20": (lambda: convolutional((28, 28), 20), 20),
    "32 px, width 8": (lambda: convolutional((32, 32), 8), 20),
    "32 px, width 64": (lambda: convolutional((32, 32), 64), 20),
    "64 px, width 16": (lambda: convolutional((64, 64), 16), 20),
    "48x20 px, width 9": (lambda: convolutional((48, 20), 9), 20),
    "connected, odd": (connected, 131),
    "connected, points": (lambda: connected(37, 557, (2, 1, 1)), 37),
}


@pytest.mark.parametrize("threads", [1, 2], indirect=True)
@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.usefixtures("threads")
def test_any_subset_in_any_order_is_the_same_to_the_bit(name: str) -> None:
    make, size = NETWORKS[name]
    renderer = Renderer(make(), Prior(size=size))
    everything = renderer.images(range(24)).images
    chance = random.Random(name)
    for count in (1, 7, 24):
        seeds = chance.sample(range(24), count)
        assert torch.equal(renderer.images(seeds).images, everything[seeds])
    assert torch.equal(renderer.images([5] * 3).images, everything[[5, 5, 5]])


@pytest.mark.parametrize("name", ["32 px, width 8", "connected, odd"])
def test_sixty_four_at_once_are_sixty_four_single_ones(name: str) -> None:
    make, size = NETWORKS[name]
    renderer = Renderer(make(), Prior(size=size))
    single = torch.cat([renderer.images([seed]).images for seed in range(64)])
    assert torch.equal(renderer.images(range(64)).images, single)


def test_an_image_is_what_the_generator_makes_of_its_latent() -> None:
    network = convolutional()
    renderer = Renderer(network, Prior(size=20))
    latents = renderer.latents([3, 9])
    with torch.no_grad():
        expected = torch.cat([network.eval()(latent[None].clone()) for latent in latents])
    assert torch.equal(renderer.render(latents), expected)


def test_a_latent_is_drawn_from_its_seed_alone() -> None:
    renderer = Renderer(connected(), Prior("uniform", 131))
    latents = renderer.latents([7, 2**40, 7])
    expected = Prior("uniform", 131).latents(1, randomness("latent", 7))[0]
    assert torch.equal(latents[0], expected)
    assert torch.equal(latents[2], expected)
    assert not torch.equal(latents[1], expected)
    assert latents.abs().max() <= 1


@pytest.mark.parametrize("name", ["32 px, width 8", "connected, odd", "connected, points"])
def test_a_larger_chunk_is_filled_up_so_that_the_number_of_images_does_not_matter(name: str) -> None:
    make, size = NETWORKS[name]
    renderer = Renderer(make(), Prior(size=size), chunk=4)
    everything = renderer.images(range(9)).images
    assert len(everything) == 9
    for count in range(1, 9):
        assert torch.equal(renderer.images(range(count)).images, everything[:count])
    single = Renderer(make(), Prior(size=size)).images(range(9)).images
    torch.testing.assert_close(everything, single, rtol=1e-4, atol=1e-5)


def test_the_renderer_keeps_the_generator_as_it_was_and_leaves_it_alone() -> None:
    network = convolutional().train().to(memory_format=torch.channels_last)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    renderer = Renderer(network, Prior(size=20))
    first = renderer.images([1]).images
    assert network.training
    assert all(parameter.requires_grad for parameter in network.parameters())
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name])
    with torch.no_grad():
        network.layers[0].weight.zero_()
    assert torch.equal(renderer.images([1]).images, first)
    assert torch.equal(Renderer(convolutional(), Prior(size=20)).images([1]).images, first)


def test_a_half_precision_generator_renders_float32() -> None:
    network = convolutional().bfloat16()
    images = Renderer(network, Prior(size=20)).images([0, 1]).images
    assert images.dtype == torch.float32
    assert images.shape == (2, 3, 32, 32)


def test_labels_are_the_seeds() -> None:
    assert Renderer(connected(), Prior(size=131)).images([4, 11]).labels == ("4", "11")


def test_a_canvas_is_a_larger_picture() -> None:
    renderer = Renderer(convolutional((64, 64)), Prior("sphere", 20))
    latents = renderer.latents([0, 1], grid=(3, 5))
    assert latents.shape == (2, 20, 3, 5)
    torch.testing.assert_close(latents.norm(dim=1), torch.full((2, 3, 5), 20.0).sqrt())
    wide = renderer.images([0, 1], grid=(3, 5)).images
    # a base grid of 4 x 4 for one cell grows by one row or column with each further cell, then doubles 4 times
    assert wide.shape == (2, 3, (4 + 2) * 16, (4 + 4) * 16)
    assert torch.equal(renderer.images([1], grid=(3, 5)).images[0], wide[1])
    torch.testing.assert_close(
        renderer.images([1], grid=(1, 1)).images, renderer.render(renderer.latents([1])[:, :, None, None])
    )


def test_a_generator_of_one_size_has_no_canvas() -> None:
    renderer = Renderer(connected(), Prior(size=131))
    for attempt in (lambda: renderer.images([0], grid=(3, 5)), lambda: renderer.render(torch.zeros(1, 131, 3, 5))):
        with refused("mlp", "one size", "--canvas", error=OptionError):
            attempt()


@pytest.mark.parametrize(
    ("latents", "message"),
    [
        (torch.zeros(2, 19), r"latents of shape \[2, 19\] do not fit: \[N, 20\] is needed"),
        (torch.zeros(20), r"latents of shape \[20\] do not fit"),
        (torch.zeros(0, 20), r"latents of shape \[0, 20\] do not fit"),
    ],
)
def test_latents_that_do_not_fit(latents: Tensor, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        Renderer(convolutional(), Prior(size=20)).render(latents)


def test_bad_arguments() -> None:
    renderer = Renderer(convolutional(), Prior(size=20))
    with refused("no seeds", "0-63", error=OptionError):
        renderer.images([])
    with refused("0x5", "at least 1", error=OptionError):
        renderer.images([1], grid=(0, 5))
    with refused("chunk = 0", "at least 1", error=OptionError):
        Renderer(convolutional(), Prior(size=20), chunk=0)


@pytest.mark.parametrize("grid", [(99_999, 99_999), (1, 10**9), (4000, 4000)])
def test_a_canvas_that_fits_no_memory_is_refused_before_it_is_drawn(
    grid: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "available", lambda: 8 << 30)
    network = catalog.build("models", "dcgan", Dimensions(3, 32, 32, 16), factory="generator", width=8)
    renderer = Renderer(network, Prior(size=16))
    with pytest.raises(OptionError, match=rf"{grid[0]:,}x{grid[1]:,} cells.*GiB"):
        renderer.images([1], grid=grid)
    assert renderer.images([1], grid=(3, 5)).images.shape == (1, 3, 48, 64)


def test_the_largest_layer_of_a_canvas_is_extrapolated_exactly() -> None:
    network = catalog.build("models", "dcgan", Dimensions(3, 32, 32, 16), factory="generator", width=8)
    renderer = Renderer(network, Prior(size=16))

    def generate(cells: int) -> None:
        renderer.generator(torch.zeros(1, 16, cells, cells))

    for side in (3, 6):
        whole = canvas._canvas_bytes(renderer.generator, (side, side), generate)
        assert whole == pytest.approx(canvas._layer_bytes(renderer.generator, generate, side))


def test_more_images_than_memory_holds_are_refused_after_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    renderer = Renderer(torch.nn.Unflatten(1, (1, 2, 2)), Prior(size=4))
    monkeypatch.setattr(memory, "available", lambda: 4000)
    assert renderer.images(range(100)).images.shape == (100, 1, 2, 2)
    with pytest.raises(OptionError, match="101 images 1x2x2"):
        renderer.images(range(101))
    with pytest.raises(OptionError, match="126 latents of 4 numbers"):
        renderer.latents(range(126))
