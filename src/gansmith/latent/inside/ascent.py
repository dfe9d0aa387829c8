"""An image made to excite a unit, by gradient ascent.

Erhan, Bengio, Courville, Vincent 2009, "Visualizing Higher-Layer Features of a Deep Network", section 3. As waves, of
decorrelated colours, moved by a pixel or two before each step: Olah, Mordvintsev, Schubert 2017, "Feature
Visualization".
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from gansmith.errors import OptionError
from gansmith.latent.inside.excitation import Call, receptive_field
from gansmith.latent.inside.layers import up_to
from gansmith.system.progress import Advance, bar

STEPS = 128
_RATE = 0.05  # root mean square of a step, at the beginning; it falls evenly
_JITTER, _FIELD = 2, 8  # pixels, at most, that images are moved by before each step; one for so many that a unit sees
_BEGIN = 0.1  # standard deviation of the waves
_PLAIN = 0.3  # standard deviation of the levels of an image where no images are known
_TINY = 1e-6


@dataclass(frozen=True)
class Statistics:
    """What images [N, C, H, W] in [-1, 1] have in common: the mean level of each channel, mean [C]; a square root of
    the covariance of channels over pixels, mix [C, C]; the mean amplitude of each wave once the channels are
    decorrelated, amplitude [H, W // 2 + 1]."""

    mean: Tensor
    mix: Tensor
    amplitude: Tensor


def statistics_of(images: Tensor) -> Statistics:
    """Of real images.

    >>> statistics_of(torch.rand(9, 3, 8, 8)).amplitude.shape
    torch.Size([8, 5])
    """
    channels = images.shape[1]
    pixels = images.movedim(1, 0).flatten(1).double()
    mean = pixels.mean(1)
    covariance = torch.cov(pixels).reshape(channels, channels) + _TINY * torch.eye(channels, dtype=torch.float64)
    mix = torch.linalg.cholesky(covariance)
    plain = torch.linalg.solve_triangular(mix, pixels - mean[:, None], upper=False)
    waves = torch.fft.rfft2(plain.reshape(channels, *images.movedim(1, 0).shape[1:]), norm="ortho")
    amplitude = waves.abs().square().mean((0, 1)).sqrt()
    return Statistics(mean.float(), mix.float(), amplitude.float())


def plain_statistics(shape: tuple[int, int, int]) -> Statistics:
    """Where no images are known: grey, channels alike, the amplitude of a wave as its length (Olah and others)."""
    channels, height, width = shape
    slow = torch.hypot(torch.fft.fftfreq(height)[:, None], torch.fft.rfftfreq(width)[None])
    return Statistics(torch.zeros(channels), _PLAIN * torch.eye(channels), 1 / slow.clamp_min(1 / max(height, width)))


def ascent(
    network: nn.Module,
    layer: str,
    units: Sequence[int],
    shape: tuple[int, int, int],
    call: Call,
    *,
    like: Statistics | None = None,
    steps: int = STEPS,
    seed: int = 0,
    advance: Advance | None = None,
) -> tuple[Tensor, Tensor]:
    """Images [U, C, H, W] of `shape` in [-1, 1], each for one of U units, that excite them in the middle of their
    feature map, and how much [U].

    like: the images keep these mean levels and the contrast; without, any image would do, and what excites most is
    noise. Deterministic by `seed`. advance: of the caller's bar, called after each step; a bar of its own when None.

    Raises OptionError for less than one step, or a unit that is not there.

    >>> network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.Flatten())
    >>> ascent(network, "0", [2, 3], (1, 8, 8), network, steps=2)[0].shape
    torch.Size([2, 1, 8, 8])
    """
    if steps < 1:
        raise OptionError(f"steps = {steps} is not allowed: at least 1")
    device = next(network.parameters()).device
    known = _on(plain_statistics(shape) if like is None else like, device)
    rng = torch.Generator().manual_seed(seed)
    start = _BEGIN * torch.randn((1, shape[0], *known.amplitude.shape, 2), generator=rng)
    waves = start.expand(len(units), -1, -1, -1, -1).clone().to(device).requires_grad_()

    def values(images: Tensor) -> Tensor:
        maps = up_to(network, layer, lambda: call(images))
        wrong = next((unit for unit in units if not 0 <= unit < maps.shape[1]), None)
        if wrong is not None:
            raise OptionError(f"unit {wrong} is not one of {layer}, which has 0 to {maps.shape[1] - 1}")
        return maps[torch.arange(len(units)), list(units), maps.shape[2] // 2, maps.shape[3] // 2]

    furthest = min(_JITTER, _seen(network, layer, shape, call) // _FIELD)  # an edge of two pixels would be smeared
    best = torch.full((len(units),), -torch.inf, device=device)
    kept = torch.zeros((len(units), *shape), device=device)
    progress = bar(f"ascent for units of {layer}", steps, "steps") if advance is None else nullcontext(advance)
    with progress as further:
        for step in range(steps):
            y, x = torch.randint(-furthest, furthest + 1, (2,), generator=rng).tolist()
            images = _drawn(waves, known, shape)
            found = values(images.roll((y, x), (2, 3)))
            higher = found.detach() > best
            best = torch.where(higher, found.detach(), best)
            kept = torch.where(higher[:, None, None, None], images, kept).detach()
            # Differs: Olah and others take Adam's steps, whose equal lengths in every wave draw an edge at many places
            (slope,) = torch.autograd.grad(found.sum(), waves)
            length = slope.square().mean((1, 2, 3, 4), keepdim=True).sqrt().clamp_min(_TINY)
            with torch.no_grad():
                waves += _RATE * (1 - step / steps) * slope / length
            further()
        with torch.no_grad():
            return kept.cpu(), values(kept).cpu()


def _on(known: Statistics, device: torch.device) -> Statistics:
    return Statistics(known.mean.to(device), known.mix.to(device), known.amplitude.to(device))


def _drawn(waves: Tensor, like: Statistics, shape: tuple[int, int, int]) -> Tensor:
    """Waves [U, C, H, W // 2 + 1, 2] (real and imaginary parts) -> images [U, C, H, W] with these statistics."""
    # Differs: Olah and others let the contrast grow, through a sigmoid; here it stays that of real images
    plain = torch.fft.irfft2(torch.view_as_complex(waves) * like.amplitude, s=shape[1:], norm="ortho")
    plain = plain - plain.mean((1, 2, 3), keepdim=True)
    plain = plain / plain.square().mean((1, 2, 3), keepdim=True).sqrt().clamp_min(_TINY)
    coloured = torch.einsum("cd,udhw->uchw", like.mix, plain) + like.mean[:, None, None]
    return coloured.clamp(-1, 1)


def _seen(network: nn.Module, layer: str, shape: tuple[int, int, int], call: Call) -> int:
    """Pixels of the shorter side of what a layer's units see in the middle of an image."""
    with torch.no_grad():
        maps = up_to(network, layer, lambda: call(torch.zeros(1, *shape, device=next(network.parameters()).device)))
    middle = (maps.shape[2] // 2, maps.shape[3] // 2)
    top, left, bottom, right = receptive_field(network, layer, middle, shape, call)
    return min(bottom - top, right - left)
