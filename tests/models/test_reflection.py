"""Reflection padding by slices, as on CUDA, beside torch's own: values, gradients, double backward and layout."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import pad

from gansmith.models.layers.reflection import ReflectionPad, mirrored


@pytest.mark.parametrize(
    ("shape", "pixels"), [((2, 3, 5, 7), 1), ((1, 4, 8, 4), 3), ((2, 1, 6, 6), 5), ((1, 2, 3, 3), 0)]
)
def test_slices_agree_with_torch(shape: tuple[int, ...], pixels: int) -> None:
    images = torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0), requires_grad=True)
    ours, theirs = mirrored(images, pixels), pad(images, (pixels,) * 4, mode="reflect")
    torch.testing.assert_close(ours, theirs, rtol=0, atol=0)
    weights = torch.randn(ours.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    slopes = [
        torch.autograd.grad((weights * padded**2).sum(), images, create_graph=True)[0] for padded in (ours, theirs)
    ]
    torch.testing.assert_close(*slopes)
    second = [torch.autograd.grad(slope.pow(2).sum(), images)[0] for slope in slopes]
    torch.testing.assert_close(*second)


def test_the_layout_stays() -> None:
    images = torch.randn(2, 4, 6, 6).to(memory_format=torch.channels_last)
    assert mirrored(images, 2).is_contiguous(memory_format=torch.channels_last)


def test_on_the_cpu_it_is_torchs_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs that were begun on a CPU keep their bits: torch sums the gradients of mirrored pixels in another order."""
    monkeypatch.setattr("gansmith.models.layers.reflection.mirrored", None)
    assert ReflectionPad(1)(torch.ones(1, 1, 4, 4)).shape == (1, 1, 6, 6)
