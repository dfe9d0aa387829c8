"""Latents in the place of seeds: the image is that of the latent, in z and in w, in every command's function."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from gansmith.adversarial import Dimensions
from gansmith.data.prior import Prior
from gansmith.errors import OptionError
from gansmith.latent.arithmetic import Term, latent_arithmetic, sum_of_means
from gansmith.latent.latents import Latent
from gansmith.latent.path_images import interpolate
from gansmith.latent.renderer import Renderer
from gansmith.models import dcgan, stylegan2
from gansmith.system.seeding import seeded
from refusals import refused


def convolutional() -> Renderer:
    with seeded("test"):
        return Renderer(dcgan.generator(Dimensions(3, 16, 16, 6), width=4), Prior(size=6))


def styled(conditional: bool = False) -> Renderer:
    classes = 3 if conditional else 0
    with seeded("test"):
        network = stylegan2.generator(
            Dimensions(3, 8, 8, 6, classes), width=8, styles=5, depth=2, conditional=conditional
        )
        network.w_mean.normal_()
    return Renderer(network, Prior(size=6, classes=classes))


def test_the_latent_of_a_seed_makes_the_seeds_image() -> None:
    renderer = convolutional()
    mine = Latent(renderer.latents([7])[0], name="mine")
    both = renderer.images([7, mine, 8])
    assert both.labels == ("7", "mine", "8")
    assert both.images[0].equal(both.images[1])
    assert not both.images[0].equal(both.images[2])
    strip, of_seeds = interpolate(renderer, [3, mine], steps=4), interpolate(renderer, [3, 7], steps=4)
    assert strip.labels == ("3", "", "", "", "mine")
    assert strip.images.equal(of_seeds.images)
    summed = latent_arithmetic(renderer, [Term(1, (3, mine)), Term(-1, (8,))])
    assert summed.images.equal(latent_arithmetic(renderer, [Term(1, (3, 7)), Term(-1, (8,))]).images)
    assert summed.labels[:3] == ("+3", "+mine", "+mean")


def test_a_latent_of_a_canvas() -> None:
    renderer = convolutional()
    canvas = Latent(renderer.latents([7], grid=(1, 2))[0])
    assert renderer.images([canvas]).images.equal(renderer.images([7], grid=(1, 2)).images)
    with refused("[6]", "[6, 1, 2]", error=OptionError):
        renderer.images([7, canvas])


def test_the_digest_is_of_the_weights() -> None:
    one, same, other = convolutional(), convolutional(), convolutional()
    with torch.no_grad():
        next(other.generator.parameters()).flatten()[0] += 1
    assert one.digest == same.digest
    assert one.digest != other.digest
    assert len(one.digest) == 64


def test_w_of_a_seed_makes_the_seeds_image_and_is_truncated_alike() -> None:
    renderer = styled()
    w = renderer.latents([7], space="w")
    assert w.shape == (1, 5)
    mine = Latent(w[0], "w")
    assert renderer.images([mine]).images.equal(renderer.images([7]).images)
    assert renderer.images([mine], truncation=0.5).images.equal(renderer.images([7], truncation=0.5).images)
    assert not renderer.images([mine], truncation=0.5).images.equal(renderer.images([7]).images)


def test_in_w_all_seeds_are_mapped() -> None:
    """The middle between seed 3 and a w is that of their two w, on the straight line; sums likewise."""
    renderer = styled()
    network = renderer.generator
    assert isinstance(network, nn.Module)
    w = renderer.latents([3, 7], space="w")
    mine = Latent(w[1], "w")
    middle = network.synthesize(w.mean(0, keepdim=True))  # type: ignore[operator]  # nn.Module's attributes are tensors to mypy
    strip = interpolate(renderer, [3, mine], steps=2).images
    torch.testing.assert_close(strip[1:2], middle)
    summed = sum_of_means(renderer, [Term(1, (3, mine)), Term(-1, (8,))])
    torch.testing.assert_close(summed, w.mean(0) - renderer.latents([8], space="w")[0])


def test_classes_in_w_and_in_z() -> None:
    renderer = styled(conditional=True)
    seven = renderer.labels([7])
    assert seven is not None
    of_class = Latent(renderer.latents([7])[0], label=int(seven))
    assert renderer.images([of_class]).images.equal(renderer.images([7]).images)
    assert renderer.images([of_class], label=2).images.equal(renderer.images([7], label=2).images)
    mapped = Latent(renderer.latents([7], space="w")[0], "w")
    assert renderer.images([mapped]).images.equal(renderer.images([7]).images)
    with refused("--label", error=OptionError):
        renderer.images([Latent(torch.zeros(6))])
    with refused(3, error=OptionError):
        renderer.images([Latent(torch.zeros(6), label=3)])


def test_what_does_not_fit_is_refused() -> None:
    flat, mine = convolutional(), Latent(torch.zeros(6), name="mine")
    with refused("mine", 4, 6, error=OptionError):
        flat.images([Latent(torch.zeros(4), name="mine")])
    with refused("stylegan2", error=OptionError):
        flat.images([Latent(torch.zeros(6), "w")])
    with refused("[6]", "[5]", error=OptionError):
        styled().images([Latent(torch.zeros(6), "w")])
    with refused("mine", "truncation", error=OptionError):
        flat.images([mine], truncation=0.5)
    with refused("mine", "canvas", error=OptionError):
        flat.images([mine], grid=(2, 2))


@pytest.mark.parametrize(
    ("values", "space", "label"),
    [
        (torch.zeros(2, 3), "z", None),
        (torch.zeros(2, 3, 3), "w", None),
        (torch.zeros(0), "z", None),
        (torch.zeros(3, dtype=torch.float64), "z", None),
        (torch.full((3,), torch.inf), "z", None),
        (torch.zeros(3), "v", None),
        (torch.zeros(3), "z", -1),
    ],
)
def test_what_is_no_latent(values: torch.Tensor, space: str, label: int | None) -> None:
    with refused(error=OptionError):
        Latent(values, space, label)  # type: ignore[arg-type]  # a wrong space, on purpose
