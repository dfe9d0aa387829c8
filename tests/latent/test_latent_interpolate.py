"""Ways between latents, held against closed forms."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from gansmith.adversarial import Dimensions
from gansmith.data.prior import Prior
from gansmith.errors import OptionError, UnknownNameError
from gansmith.latent.interpolation import interpolation_path, lerp, slerp
from gansmith.latent.path_images import interpolate
from gansmith.latent.renderer import Renderer
from gansmith.models import dcgan
from gansmith.system.seeding import seeded
from refusals import refused


@pytest.fixture
def renderer() -> Renderer:
    with seeded("test"):
        return Renderer(dcgan.generator(Dimensions(3, 8, 8, 10), width=4), Prior(size=10))


def at(*values: float) -> Tensor:
    return torch.tensor([float(value) for value in values])


def test_linear_by_hand() -> None:
    torch.testing.assert_close(lerp(at(0, 4), at(8, 0), 0.25), at(2, 3))


@pytest.mark.parametrize("share", [0.1, 0.5, 0.75])
def test_spherical_on_a_quarter_circle(share: float) -> None:
    angle = share * math.pi / 2
    torch.testing.assert_close(slerp(at(2, 0), at(0, 2), share), 2 * at(math.cos(angle), math.sin(angle)))


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_spherical_is_shoemakes_formula_for_equal_lengths(share: float) -> None:
    a, b = torch.randn(2, 50, generator=torch.Generator().manual_seed(0))
    b = b * a.norm() / b.norm()
    omega = math.acos(float(torch.dot(a, b) / (a.norm() * b.norm())))
    expected = (math.sin((1 - share) * omega) * a + math.sin(share * omega) * b) / math.sin(omega)
    torch.testing.assert_close(slerp(a, b, share), expected, rtol=1e-5, atol=1e-6)


def test_lengths_go_evenly_and_angles_too() -> None:
    a, b = torch.randn(2, 30, generator=torch.Generator().manual_seed(1)) * at(1.0, 5.0)[:, None]
    points = interpolation_path(torch.stack([a, b]), steps=8)[0].double()
    torch.testing.assert_close(points.norm(dim=1), torch.linspace(a.norm(), b.norm(), 9).double(), rtol=1e-5, atol=0)
    turns = torch.nn.functional.cosine_similarity(points[1:], points[:-1], dim=1).acos()
    torch.testing.assert_close(turns, turns[:1].expand(8), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("aside", [0.0, 1e-9, 1e-7, 1e-4])
def test_nearly_opposite_latents_stay_at_their_length(aside: float) -> None:
    a, b = at(2, 0, 0), at(-1, aside, 0)
    middle = slerp(a, b, 0.5)
    torch.testing.assert_close(middle.norm(), at(1.5)[0])
    torch.testing.assert_close(middle[0], at(0.0)[0], atol=1e-3, rtol=0)


def test_opposite_latents_take_one_arc_all_the_way() -> None:
    points = interpolation_path(torch.stack([at(3, 4, 0), at(-3, -4, 0)]), steps=6)[0]
    torch.testing.assert_close(points.norm(dim=1), torch.full((7,), 5.0))
    assert torch.equal(points[-1], at(-3, -4, 0))  # not sin(pi) = 1.2e-16 in its last place
    torch.testing.assert_close(points[3], at(0, 0, 5))  # towards the axis they do not lean on


@pytest.mark.parametrize("difference", [0.0, 1e-12, 1e-6])
def test_nearly_parallel_latents_go_straight(difference: float) -> None:
    torch.testing.assert_close(slerp(at(1, 0), at(3, difference), 0.25), at(1.5, difference / 4), rtol=0, atol=1e-6)


def test_a_latent_of_zeros_has_no_direction() -> None:
    torch.testing.assert_close(slerp(at(0, 0), at(2, 4), 0.25), at(0.5, 1))


def test_the_cells_of_a_canvas_turn_separately() -> None:
    a, b = torch.randn(2, 6, 2, 3, generator=torch.Generator().manual_seed(2))
    whole = slerp(a, b, 0.3)
    torch.testing.assert_close(whole[:, 1, 2], slerp(a[:, 1, 2], b[:, 1, 2], 0.3))


@pytest.mark.parametrize("kind", ["linear", "spherical"])
def test_a_path_passes_exactly_through_its_points(kind: str) -> None:
    points = torch.randn(3, 10, generator=torch.Generator().manual_seed(3))
    legs = interpolation_path(points, steps=5, kind=kind)  # type: ignore[arg-type]
    assert legs.shape == (2, 6, 10)
    assert torch.equal(legs[:, 0], points[:2])
    assert torch.equal(legs[:, -1], points[1:])
    between = {"linear": lerp, "spherical": slerp}[kind]
    assert torch.equal(legs[1, 2], between(points[1], points[2], 2 / 5))


@pytest.mark.parametrize("kind", ["linear", "spherical"])
def test_the_ends_are_the_samples_to_the_bit(renderer: Renderer, kind: str) -> None:
    samples = renderer.images([3, 8, 12]).images
    strip = interpolate(renderer, [3, 8, 12], steps=4, kind=kind)  # type: ignore[arg-type]
    assert len(strip) == 9
    assert strip.columns == 9
    assert torch.equal(strip.images[[0, 4, 8]], samples)
    assert strip.labels == ("3", "", "", "", "8", "", "", "", "12")
    rows = interpolate(renderer, [3, 8, 12], steps=4, kind=kind, rows=True)  # type: ignore[arg-type]
    assert (len(rows), rows.columns) == (10, 5)
    assert torch.equal(rows.images[[0, 4, 5, 9]], samples[[0, 1, 1, 2]])
    assert torch.equal(rows.images[:5], strip.images[:5])
    assert torch.equal(rows.images[5:], strip.images[4:])
    assert rows.labels[4:6] == ("8", "8")


def test_the_two_kinds_differ_in_between(renderer: Renderer) -> None:
    straight = interpolate(renderer, [1, 2], steps=2, kind="linear").images
    round_about = interpolate(renderer, [1, 2], steps=2).images
    assert not torch.allclose(straight[1], round_about[1])


def test_bad_arguments(renderer: Renderer) -> None:
    with refused("at least two seeds", "not 1", error=OptionError):
        interpolate(renderer, [3])
    with refused("steps = 0", "from 1 to 10,000", error=OptionError):
        interpolate(renderer, [3, 4], steps=0)
    with refused("'sperical'", "'spherical'", "linear, spherical", error=UnknownNameError):
        interpolate(renderer, [3, 4], kind="sperical")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "expected"), [("uniform", "linear"), ("normal", "spherical"), ("sphere", "spherical")]
)
def test_the_path_that_suits_the_prior(kind: Any, expected: Any) -> None:
    """An arc between two points of a cube leaves the cube, where the generator never was."""
    renderer = Renderer(nn.Identity(), Prior(kind, 6))
    latents = renderer.latents([3, 8])
    shown = interpolate(renderer, [3, 8], steps=4)
    torch.testing.assert_close(shown.images, interpolation_path(latents, steps=4, kind=expected).flatten(0, 1))
