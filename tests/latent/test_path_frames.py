"""Every image of a path is its latent rendered alone, to the bit: canvases, truncation, classes, through W."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from gansmith.adversarial import Dimensions
from gansmith.data.prior import Prior
from gansmith.errors import OptionError
from gansmith.latent.image_series import ImageSeries
from gansmith.latent.latents import Latent
from gansmith.latent.panning import pan
from gansmith.latent.path import Path, frames_of, points_of_path
from gansmith.latent.path_images import interpolate
from gansmith.latent.renderer import Renderer
from gansmith.models import dcgan, mlp, resnet, stylegan2
from gansmith.system.seeding import seeded
from refusals import refused


def convolutional(classes: int = 0) -> Renderer:
    with seeded("test"):
        network = dcgan.generator(Dimensions(3, 16, 16, 6, classes), width=4, conditional=classes > 0)
    for parameter in network.parameters():
        parameter.data.mul_(8)
    return Renderer(network, Prior(size=6, classes=classes))


def styled(classes: int = 0) -> Renderer:
    with seeded("test"):
        network = stylegan2.generator(
            Dimensions(3, 8, 8, 6, classes), width=8, styles=5, depth=2, conditional=classes > 0
        )
        network.w_mean.normal_()
    return Renderer(network, Prior(size=6, classes=classes))


def by_class() -> Renderer:
    with seeded("test"):
        network = resnet.generator(Dimensions(3, 8, 8, 6, 3), width=4, conditional=True)
        for parameter in network.parameters():
            parameter.data.add_(torch.randn_like(parameter) * 0.1)
    return Renderer(network, Prior(size=6, classes=3))


PATHS: dict[str, tuple[Renderer, dict[str, Any]]] = {
    "spline": (convolutional(), {"kind": "spline"}),
    "rows": (convolutional(), {"kind": "spline", "rows": True, "truncation": (0.3, 1.0)}),
    "canvas": (convolutional(), {"grid": (2, 3), "truncation": (0.5,)}),
    "truncation": (convolutional(), {"truncation": (0.3, 1.0, 0.5)}),
    "psi": (styled(), {"truncation": (0.3, 1.0)}),
    "psi in rows": (styled(), {"truncation": (0.3, 1.0), "rows": True}),
    "w": (styled(), {"space": "w", "kind": "spline", "truncation": (0.5,)}),
    "labels": (convolutional(3), {"labels": (0, 2, 1)}),
    "labels of a canvas": (convolutional(3), {"labels": (0, 2, 1), "grid": (1, 2), "kind": "spline"}),
    "labels by norms": (by_class(), {"labels": (0, 2, 1)}),
    "labels and psi": (styled(3), {"labels": (0, 2, 1), "truncation": (1.0, 0.5)}),
    "labels in w": (styled(3), {"labels": (0, 2, 1), "space": "w"}),
}


@pytest.mark.parametrize("name", PATHS)
def test_each_image_is_its_latent_alone(name: str) -> None:
    renderer, options = PATHS[name]
    series = interpolate(renderer, [3, 8, 5], steps=3, **options)
    frames = frames_of(renderer, Path((3, 8, 5), 3, **options))
    assert len(series) == len(frames.latents) == (8 if options.get("rows") else 7)
    for number, latent in enumerate(frames.latents):
        label = None if frames.labels is None else frames.labels[number : number + 1]
        alone = renderer.render(latent[None].clone(), label, space=frames.space)
        assert torch.equal(alone[0], series.images[number])
    assert len({image.numpy().tobytes() for image in series.images}) == 7


def test_the_seeds_are_as_sample_has_them() -> None:
    """With canvas, truncation, class; a truncation that changes has its values evenly over the seeds."""
    renderer = convolutional()
    path = interpolate(renderer, [3, 8, 5], steps=3, grid=(2, 3), truncation=[0.3, 1.0]).images
    for number, cut in enumerate((0.3, 0.65, 1.0)):
        alone = renderer.images([[3, 8, 5][number]], grid=(2, 3), truncation=cut).images[0]
        assert torch.equal(path[3 * number], alone)
    for made in (convolutional(3), by_class(), styled(3)):
        path = interpolate(made, [3, 8], labels=[2, "1"], steps=4).images
        assert torch.equal(path[0], made.images([3], label=2).images[0])
        assert torch.equal(path[-1], made.images([8], label=1).images[0])
        path = interpolate(made, [3], labels=[2, 1], steps=4).images
        assert torch.equal(path[-1], made.images([3], label=1).images[0])
        assert not torch.equal(path[2], path[0])


def test_psi_goes_evenly_and_each_image_has_its_own() -> None:
    renderer = styled()
    path = interpolate(renderer, [3, 8], steps=4, truncation=[0.2, 1.0])
    plain = frames_of(renderer, Path((3, 8), 4))
    for number, psi in enumerate((0.2, 0.4, 0.6, 0.8, 1.0)):
        alone = renderer.render(plain.latents[number : number + 1], psi=psi)
        torch.testing.assert_close(path.images[number], alone[0], rtol=1e-6, atol=1e-6)
    for number, psi in ((0, 0.2), (4, 1.0)):
        assert torch.equal(path.images[number], renderer.images([(3, 8)[number // 4]], truncation=psi).images[0])
    still = interpolate(renderer, [3], steps=4, truncation=[0.2, 1.0, 0.2])
    assert torch.equal(still.images[4], renderer.images([3], truncation=1.0).images[0])
    assert torch.equal(still.images[0], still.images[8])


def test_a_straight_path_stays_within_its_truncation() -> None:
    frames = frames_of(convolutional(), Path((3, 8, 5), 10, "linear", truncation=(0.3, 1.0)))
    bounds = torch.linspace(0.3, 1.0, 21)
    assert bool((frames.latents.abs().amax(1) <= bounds + 1e-6).all())


def test_through_w_is_another_way_with_the_same_ends() -> None:
    renderer = styled()
    through_w = interpolate(renderer, [3, 8], steps=4, space="w").images
    through_z = interpolate(renderer, [3, 8], steps=4).images
    assert torch.equal(through_w[[0, 4]], through_z[[0, 4]])
    assert not torch.allclose(through_w[2], through_z[2])
    w = renderer.latents([3, 8], space="w")
    middle = renderer.render(((w[0].double() + w[1].double()) / 2).float()[None], space="w")
    assert torch.equal(through_w[2], middle[0])


def test_a_blend_of_classes_is_the_mean_of_their_rows() -> None:
    renderer = by_class()
    series = interpolate(renderer, [3], labels=[0, 2], steps=4)
    network: Any = renderer.generator
    for module in network.modules():
        if isinstance(module, torch.nn.Embedding):
            module.weight.data[1] = 0.25 * module.weight[0] + 0.75 * module.weight[2]
    torch.testing.assert_close(series.images[3], renderer.images([3], label=1).images[0], rtol=1e-5, atol=1e-6)


def test_a_loop_ends_where_it_began() -> None:
    renderer = convolutional(3)
    loop = interpolate(renderer, [3, 8], labels=[0, 1], truncation=[0.3, 1.0], steps=3, loop=True, kind="spline")
    assert torch.equal(loop.images[0], loop.images[6])
    assert loop.labels[::3] == ("3", "8", "3")
    assert points_of_path([3, 8], truncation=[0.3, 1.0], loop=True) == ((3, 8, 3), None, (0.3, 1.0, 0.3))
    assert points_of_path([3, 8], truncation=[0.5], loop=True)[2] == (0.5,)


def test_a_spline_does_not_leave_the_cube() -> None:
    renderer = Renderer(torch.nn.Identity(), Prior("uniform", 6))
    latents = frames_of(renderer, Path((3, 8, 5, 9, 3), 20, "spline")).latents
    assert latents.abs().max() <= 1


def test_what_does_not_fit_is_refused() -> None:
    renderer = convolutional(3)
    with refused("space w", error=OptionError):
        interpolate(renderer, [3, 8], space="w")
    with refused("2", "3", "one seed alone", error=OptionError):
        interpolate(renderer, [3, 8, 5], labels=[1, 2])
    with refused("exclude", error=OptionError):
        interpolate(renderer, [3, 8], labels=[1, 2], label=1)
    with refused("'9'", error=OptionError):
        interpolate(renderer, [3, 8], labels=[1, 9])
    with refused("not trained with classes", error=OptionError):
        interpolate(convolutional(), [3, 8], labels=[1, 2])
    with refused("1.5", "from 0", error=OptionError):
        interpolate(styled(), [3, 8], truncation=[0.5, 1.5])
    with refused("0.01", error=OptionError):
        interpolate(convolutional(), [3, 8], truncation=[0.5, 0.0])
    with refused("space w", "--space w", error=OptionError):
        interpolate(styled(), [3, Latent(torch.ones(5), "w")], space="z")
    with refused("mlp", "canvas", error=OptionError):
        network = mlp.generator(Dimensions(1, 8, 8, 6), width=4)
        interpolate(Renderer(network, Prior(size=6)), [3, 8], grid=(2, 2))


def test_a_pan_shows_the_pixels_of_the_canvas() -> None:
    canvas = convolutional().images([3], grid=(2, 6)).repeated(5)
    high, wide = canvas.images.shape[-2:]
    seen = pan(canvas, high, 16)
    assert torch.equal(seen.images[0], canvas.images[0][:, :, :16])
    assert torch.equal(seen.images[4], canvas.images[0][:, :, wide - 16 :])
    middle = round((wide - 16) / 2)
    assert torch.equal(seen.images[2], canvas.images[0][:, :, middle : middle + 16])
    loop = pan(canvas.first(4), high, 16, loop=True)
    assert torch.equal(loop.images[2], seen.images[4])
    assert torch.equal(loop.images[1], loop.images[3])
    with refused(f"{high}x{wide}", error=OptionError):
        pan(canvas, high, wide)
    with refused("0x3", error=OptionError):
        pan(ImageSeries(canvas.images, canvas.labels), 0, 3)
