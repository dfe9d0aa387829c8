"""Samples: the same on the CPU and on the device to a stated tolerance, and on the device to the bit."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from played import SIZE, Case, network, size_of

from gansmith import catalog
from gansmith.data.prior import Prior
from gansmith.latent.renderer import Renderer

pytestmark = pytest.mark.cuda

TOLERANCE = 1e-4  # of images in [-1, 1]: a fiftieth of a level of 8 bits
PAIRS = sorted({*catalog.names("models", "generator")} & {*catalog.names("models", "discriminator")})


def renderer(model: str, device: torch.device | str) -> Renderer:
    case = Case(model=model)
    generator = network(case, "generator", "generator", size_of(case))
    return Renderer(generator, Prior("normal", SIZE.latent, classes=SIZE.classes), device=device)


@pytest.mark.parametrize("model", PAIRS)
def test_samples_agree_with_the_cpu(model: str, device: torch.device, record_property: Any) -> None:
    here, there = (renderer(model, where).images(range(12)).images for where in ("cpu", device))
    assert here.std() > 0.01
    far = float((here - there).abs().max() / here.abs().max().clamp_min(1))
    record_property("largest difference", far)
    assert far < TOLERANCE


@pytest.mark.parametrize("model", PAIRS)
def test_samples_repeat_to_the_bit_and_hang_on_their_seed_alone(model: str, device: torch.device) -> None:
    one = renderer(model, device)
    images = one.images(range(12)).images
    torch.testing.assert_close(one.images(range(12)).images, images, rtol=0, atol=0)
    torch.testing.assert_close(renderer(model, device).images([7, 3]).images, images[[7, 3]], rtol=0, atol=0)
