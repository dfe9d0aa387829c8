"""DiffAugment: random colour changes, translation and cutout of every image that a discriminator reads.

Zhao, Liu, Lin, Zhu, Han 2020, "Differentiable Augmentation for Data-Efficient GAN Training", section 3; sizes, ranges
and order as in the authors' PyTorch code. Always on, unless it adapts: then to each image with a probability p that
follows the discriminator's overfitting, as Karras, Aittala, Hellsten, Laine, Lehtinen, Aila 2020, "Training Generative
Adversarial Networks with Limited Data", section 3, have it for their own transforms.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any

import torch
from pydantic import BeforeValidator
from torch import Tensor

from gansmith.augment.parts.augment import Augment
from gansmith.augment.parts.colours import on_colours
from gansmith.augment.parts.options import names_among
from gansmith.augment.parts.pixels import taken
from gansmith.schedules import Count
from gansmith.system.sharing import drawn

TARGET = 0.6  # P(score of a training image > score of a held-out one): .53 to .61 in runs that did well
STEP = 0.1  # of p
_NAMES = ("color", "translation", "cutout")
_WITHOUT_COLOR = "--set augment.policy=translation,cutout"
Policy = Annotated[tuple[str, ...], BeforeValidator(names_among("DiffAugment policy", _NAMES))]


def build(*, policy: Policy = _NAMES, adapt_every: Count = 0) -> DiffAugment:
    """Images [B, C, H, W] in [-1, 1] -> the same shape, with the transforms of `policy` in that order.

    policy: any of `color` (brightness, saturation and contrast), `translation` (by up to an eighth of the image, zeros
    moving in) and `cutout` (a rectangle of half the image becomes zero, which is mid-grey).
    adapt_every: how often p is decided, in images; it begins at 0. With 0 it is always 1.

    >>> changed = build(policy=("cutout",))(torch.ones(1, 3, 8, 8))
    >>> changed.unique().tolist()
    [0.0, 1.0]
    """
    return DiffAugment(policy, adapt_every)


class DiffAugment(Augment):
    """See `build`. `p` is the present probability."""

    def __init__(self, policy: tuple[str, ...], adapt_every: int = 0) -> None:
        self._changes = [_CHANGES[name] for name in policy]
        self.adapt_every = adapt_every
        self.p = 0.0 if adapt_every else 1.0

    def __call__(self, images: Tensor) -> Tensor:
        if self.p <= 0:
            return images
        result = images if images.dtype == torch.float64 else images.float()
        if self.p < 1:
            kept = drawn(lambda n: torch.rand(n, 1, 1, 1, device=images.device), len(images)) >= self.p
            return torch.where(kept, images, self._changed(result).to(images.dtype))
        return self._changed(result).to(images.dtype)

    def _changed(self, images: Tensor) -> Tensor:
        for change in self._changes:
            images = change(images)
        return images

    def decide(self, told_apart: float | None) -> float:
        """The new p, by P(score of a training image > score of a held-out one); None: it cannot be measured.

        Differs: a rank in place of Eq. 1's r_v, a ratio of mean scores, because a rank means the same under every
        objective; its target is TARGET (r_v has .5), and p moves by STEP at each decision.
        """
        if told_apart is None:  # too few images are held out to see it: of so few, every discriminator overfits
            self.p = 1.0
        else:
            self.p = round(min(1.0, max(0.0, self.p + (STEP if told_apart > TARGET else -STEP))), 3)
        return self.p

    def seen(self) -> dict[str, Tensor]:
        return {"augment": torch.tensor(self.p)} if self.adapt_every else {}

    def state_dict(self) -> dict[str, Any]:
        return {"p": self.p} if self.adapt_every else {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        if self.adapt_every:
            self.p = float(state["p"])


def color(images: Tensor) -> Tensor:
    """Brightness, then saturation, then contrast, each by an amount of its own for each image."""
    amounts = drawn(lambda n: torch.rand(3, n, 1, 1, 1, 1, device=images.device), len(images), 1).to(images.dtype)
    return on_colours(images, lambda colours: recoloured(colours, *amounts), otherwise=_WITHOUT_COLOR)


def recoloured(colours: Tensor, brightness: Tensor, saturation: Tensor, contrast: Tensor) -> Tensor:
    """Colours [B, K, 1 or 3, H, W], and amounts in [0, 1), each [B, 1, 1, 1, 1].

    `brightness` - 1/2 is added; the distance from a pixel's own grey is multiplied by 2 `saturation` (nothing to do in
    a grey image), and the distance from the image's mean by `contrast` + 1/2.
    """
    bright = colours + (brightness - 0.5)
    grey = bright.mean(2, keepdim=True)
    vivid = (bright - grey) * (2 * saturation) + grey
    mean = vivid.mean((2, 3, 4), keepdim=True)
    return (vivid - mean) * (contrast + 0.5) + mean


def translation(images: Tensor) -> Tensor:
    """Shifted by up to an eighth of height and width, rounded, each whole number of pixels as likely as the others."""
    most = [_share(size, 8) for size in images.shape[2:]]
    down, right = (_integers(-far, far + 1, images) for far in most)
    return shifted(images, down, right)


def shifted(images: Tensor, down: Tensor, right: Tensor) -> Tensor:
    """Images moved by `down` and `right` pixels, int64 [B], with zeros moving in."""
    height, width = images.shape[2:]
    rows = torch.arange(height, device=images.device)[:, None] - down[:, None, None]
    columns = torch.arange(width, device=images.device) - right[:, None, None]
    inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    return taken(images, rows.clamp(0, height - 1), columns.clamp(0, width - 1)) * inside[:, None]


def cutout(images: Tensor) -> Tensor:
    """A rectangle of half the height and half the width, its middle anywhere in the image, becomes zero."""
    # as in the authors' code: where half the side is an even number, the middle may lie on its far edge too
    ends = [size + 1 - _share(size, 2) % 2 for size in images.shape[2:]]
    row, column = (_integers(0, end, images) for end in ends)
    return images * ~hole(images, row, column)[:, None]


def hole(images: Tensor, row: Tensor, column: Tensor) -> Tensor:
    """bool [B, H, W]: inside the rectangle about (row, column), int64 [B] each."""
    height, width = images.shape[2:]
    high, wide = _share(height, 2), _share(width, 2)
    rows = torch.arange(height, device=images.device)[:, None] - row[:, None, None] + high // 2
    columns = torch.arange(width, device=images.device) - column[:, None, None] + wide // 2
    return (rows >= 0) & (rows < high) & (columns >= 0) & (columns < wide)


def _integers(low: int, end: int, images: Tensor) -> Tensor:
    """int64 [B], for each image one of low ... end - 1."""
    return drawn(lambda n: torch.randint(low, end, (n,), device=images.device), len(images))


def _share(size: int, of: int) -> int:
    """size / of, rounded half up: the pixels of a shift or a hole, as in the authors' code."""
    return (size + of // 2) // of


_CHANGES: Mapping[str, Callable[[Tensor], Tensor]] = {"color": color, "translation": translation, "cutout": cutout}
