"""Perceptual path length with a distance and a generator for which it is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from gansmith.errors import DataError, OptionError
from gansmith.evaluation.perceptual_path import path_length, trimmed_mean
from gansmith.evaluation.types import Extractor, Outputs


def squares(one: Tensor, other: Tensor) -> Tensor:
    return (one.double() - other.double()).square().sum((1, 2, 3))


TOY = Extractor("toy", "0", "", Outputs, batch=7, distance=squares)
RNG = torch.Generator().manual_seed(0)
A, B = torch.randn(2, 60, 12, generator=RNG)


def image(latents: Tensor) -> Tensor:
    """The latent itself as an image [B, 3, 2, 2]."""
    return latents.unflatten(1, (3, 2, 2))


@pytest.mark.parametrize("epsilon", [1e-4, 1e-2])
def test_along_a_straight_line(epsilon: float) -> None:
    """|G(a + t (b - a)) - G(a + (t + e) (b - a))|^2 / e^2 = |b - a|^2, wherever t is."""
    number = path_length(image, A.double(), B.double(), TOY, space="linear", epsilon=epsilon)
    assert number.value == pytest.approx(trimmed_mean((A - B).double().square().sum(1).numpy())[0], rel=1e-6)
    assert number.low is not None
    assert number.high is not None
    assert number.low < number.value < number.high


def test_along_a_great_arc() -> None:
    """At unit length a step of e turns by e times the angle between the ends: the square of the angle remains."""
    a, b = (torch.nn.functional.normalize(ends.double()) for ends in (A, B))
    number = path_length(image, a, b, TOY)
    assert number.value == pytest.approx(trimmed_mean((a * b).sum(1).acos().square().numpy())[0], rel=1e-4)


def test_a_step_survives_float32() -> None:
    exact = path_length(image, A.double(), B.double(), TOY).value
    assert path_length(image, A, B, TOY).value == pytest.approx(exact, rel=2e-2)


def test_a_generator_that_is_steeper_is_longer() -> None:
    plain = path_length(image, A.double(), B.double(), TOY).value
    assert path_length(lambda z: 3 * image(z), A.double(), B.double(), TOY).value == pytest.approx(9 * plain, rel=1e-9)
    assert path_length(lambda z: 0 * image(z), A.double(), B.double(), TOY).value == 0


def test_places_are_drawn_by_the_seed_from_the_whole_path() -> None:
    """The image tells where it is: G(t) = t^2 / 2 has the squared speed t^2, which is a third on average."""
    a, b = torch.zeros(2000, 1).double(), torch.ones(2000, 1).double()
    square = lambda z: (z**2 / 2)[:, :, None, None]  # noqa: E731
    found = [path_length(square, a, b, TOY, space="linear", seed=seed).value for seed in (0, 0, 1)]
    assert found[0] == found[1] != found[2]
    assert found[0] == pytest.approx(1 / 3, abs=0.03)


def test_the_interval_covers_at_its_rate() -> None:
    """Straight lines between uniform points of a line: |b - a|^2 is a sixth on average (a little less, trimmed)."""
    rng = torch.Generator().manual_seed(0)
    many = (torch.rand(10**6, generator=rng) - torch.rand(10**6, generator=rng)).square().numpy()
    expected, inside = trimmed_mean(many.astype(np.float64))[0], 0
    for repeat in range(100):
        a, b = torch.rand(2, 100, 1, generator=rng).double()
        extractor = replace(TOY, batch=100)
        number = path_length(lambda z: z[:, :, None, None], a, b, extractor, space="linear", seed=repeat)
        assert number.low is not None
        assert number.high is not None
        inside += number.low <= expected <= number.high
    assert 86 <= inside <= 99


def test_the_extremes_are_left_out() -> None:
    values = np.arange(1001.0)
    values[-3:] = 1e9
    assert trimmed_mean(np.random.default_rng(0).permutation(values))[0] == np.arange(10, 991).mean()
    assert trimmed_mean(np.arange(12.0))[0] == 5.5


def test_what_cannot_be_measured() -> None:
    with pytest.raises(OptionError, match="extractor toy has no perceptual distance"):
        path_length(image, A, B, replace(TOY, distance=None))
    with pytest.raises(OptionError, match=r"'cube'.*sphere or linear"):
        path_length(image, A, B, TOY, space="cube")  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="epsilon = 0 is not allowed"):
        path_length(image, A, B, TOY, epsilon=0)
    with pytest.raises(DataError, match=r"latents come in pairs \[N, Z\]"):
        path_length(image, A, B[:50], TOY)
    with pytest.raises(DataError, match="of 9 pairs of latents: at least 10"):
        path_length(image, A[:9], B[:9], TOY)
    with pytest.raises(DataError, match="eight bits round the step away"):
        path_length(lambda z: image(z).to(torch.uint8), A, B, TOY)
    with pytest.raises(DataError, match="the generator's images are not finite"):
        path_length(lambda z: image(z) / 0, A, B, TOY)
