"""Adaptive discriminator augmentation (ADA): the probability of a change follows the discriminator's overfitting.

Karras, Aittala, Hellsten, Laine, Lehtinen, Aila 2020, "Training Generative Adversarial Networks with Limited Data":
Eq. 1 and section 3 for the probability, appendix B for the transforms, whose sizes are those of the authors' code.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any

import torch
from pydantic import AfterValidator, BeforeValidator, Field
from torch import Tensor

from gansmith.adversarial import Moment, Objective, Terms
from gansmith.augment.parts.affine import Affine, unmoved, warped
from gansmith.augment.parts.augment import Augment
from gansmith.augment.parts.colours import on_colours
from gansmith.augment.parts.options import names_among
from gansmith.augment.parts.recolour import Recolour, recoloured
from gansmith.errors import ExperimentError
from gansmith.schedules import Count, Schedule, Value, Weight, extremes, schedule
from gansmith.system.option_types import Fraction, PositiveInt
from gansmith.system.sharing import drawn

_BGC = ("blit", "geometry", "colour")  # the authors' `bgc`
_GROUPS = (*_BGC, "cutout")
_WITHOUT_COLOUR = "--set augment.groups=blit,geometry"


def _at_most_one(value: Value) -> Value:
    if extremes(value)[1] > 1:
        raise ValueError("a probability must not be above 1")
    return value


Probability = Annotated[Weight, AfterValidator(_at_most_one)]
Groups = Annotated[dict[str, Fraction] | tuple[str, ...], BeforeValidator(names_among("group of ada", _GROUPS))]
Chance = Tensor | float


def build(
    *,
    target: Fraction = 0.6,
    speed: Annotated[Count, Field(gt=0)] = 500_000,
    every: PositiveInt = 4,
    probability: Probability | None = None,
    groups: Groups = _BGC,
) -> Ada:
    """Images [B, C, H, W] in [-1, 1] -> the same shape, each transform done to each image with probability p.

    p begins at 0. After each `every` updates of a discriminator it rises if r = E[sign(score of a real - threshold)]
    was above `target` since the last time, and falls if it was below; it takes `speed` images from 0 to 1.

    probability: a number or a schedule over the images clock, which p then follows instead.
    groups: any of `blit`, `geometry`, `colour` and `cutout`; or, for each, by what p is multiplied for it (R3GAN has
    {blit: 1, geometry: 1, colour: 0.5, cutout: 1}).

    >>> images = torch.rand(2, 3, 8, 8)
    >>> torch.equal(build()(images), images)  # p begins at 0
    True
    """
    shares = dict(groups) if isinstance(groups, Mapping) else dict.fromkeys(groups, 1.0)
    return Ada(target, speed, every, None if probability is None else schedule(probability), shares)


class Ada(Augment):
    """See `build`. `p` is the present probability: where it adapts a tensor, whose value nothing waits for."""

    def __init__(
        self, target: float, speed: int, every: int, fixed: Schedule | None, shares: Mapping[str, float]
    ) -> None:
        self._target, self._speed, self._every, self._fixed = target, speed, every, fixed
        self._shares = {group: share for group, share in shares.items() if share > 0}
        self.p: Chance = torch.zeros(()) if fixed is None else fixed(0)
        self._signs = torch.zeros(())  # the sum of r over the updates since p last moved
        self._updates = 0
        self._since: int | None = None  # the clock when p last moved, or at the first update

    def __call__(self, images: Tensor) -> Tensor:
        p = {group: share * self.p for group, share in self._shares.items()}
        result = images if images.dtype == torch.float64 else images.float()
        if "blit" in p or "geometry" in p:
            source = unmoved(len(images), images.device)
            height, width = images.shape[2:]
            if "blit" in p:
                source = blitted(source, height, width, p["blit"])
            if "geometry" in p:
                source = stretched(source, height, width, p["geometry"])
            result = warped(result, source)
        if "colour" in p:
            change = recolouring(len(images), images.device, p["colour"])
            result = on_colours(result, lambda colours: recoloured(colours, change), otherwise=_WITHOUT_COLOUR)
        if "cutout" in p:
            result = result * ~holes(result, p["cutout"])[:, None]
        return result.to(images.dtype)

    def begin(self, at: Moment) -> None:
        if self._fixed is not None:
            self.p = self._fixed(at.images)

    def check(self, objective: Objective) -> None:
        """Raises ExperimentError where p adapts and the objective has no threshold between real and fake."""
        if self._fixed is None and objective.threshold is None:
            raise ExperimentError(
                "ada sets its probability by the share of real images that score above the objective's threshold "
                "between real and fake, and this objective has none: fix the probability, for example --set "
                "augment.probability=0.3, or take an objective with a threshold, for example --objective nonsaturating"
            )

    def seen(self) -> dict[str, Tensor]:
        return {"augment": torch.as_tensor(self.p)}

    def settle(self, terms: Terms, at: Moment) -> None:
        if self._fixed is not None:
            return
        shares = [share for name, share in terms.seen.items() if "held_real" in name]
        signs = 2 * torch.stack(shares).mean() - 1  # Eq. 1: r_t = E[sign(D_train)]
        # a copy to the device waits for it: only before the first update and after a resume
        self._signs = self._signs.to(signs.device) + signs
        self.p = torch.as_tensor(self.p, device=signs.device)
        self._updates += 1
        self._since = at.images if self._since is None else self._since
        if self._updates == self._every:
            # Section 3. Differs: p is kept from rising above 1 too, where the authors let it run on: a probability
            # above 1 only takes longer to come back.
            step = torch.sign(self._signs / self._updates - self._target) * ((at.images - self._since) / self._speed)
            self.p = (self.p + step).clamp(0, 1)
            self._signs, self._updates, self._since = torch.zeros_like(self._signs), 0, at.images

    def state_dict(self) -> dict[str, Any]:
        if self._fixed is not None:
            return {}
        return {"p": self.p, "signs": self._signs, "updates": self._updates, "since": self._since}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        if self._fixed is None:
            self.p, self._signs, self._updates, self._since = (
                state[name] for name in ("p", "signs", "updates", "since")
            )


def blitted(source: Affine, height: int, width: int, p: Chance) -> Affine:
    """With probability p each: mirroring or not, rotation by 0 to 3 right angles (0 or 2 where the sides differ),
    translation by whole pixels, up to an eighth of each side. No pixel is interpolated."""
    count, device = len(source.x), source.x.device
    (mirror,) = _some(p, _integers(2, count, device))
    source = source.scaled(1.0 - 2 * mirror, torch.ones_like(source.x))
    step = 1 if height == width else 2
    (turns,) = _some(p, step * _integers(4 // step, count, device))
    odd = turns % 2
    source = source.turned((1.0 - odd) * (1 - turns), 1.0 * odd * (2 - turns))  # exact, as cos and sin are not
    right, down = _some(p, *(drawn(lambda n: torch.rand(2, n, device=device), count, 1) * 2 - 1) / 8)
    return source.shifted((right * width).round(), (down * height).round())


def stretched(source: Affine, height: int, width: int, p: Chance) -> Affine:
    """With probability p each: scaling by 2^N(0, 0.2^2), rotation by any angle, stretching by 2^N(0, 0.2^2),
    translation by N(0, 1/8) of each side. The rotation comes in two parts, before and after stretching."""
    count, device = len(source.x), source.x.device
    (size,) = _some(p, 0.2 * _normal(count, device))
    source = source.scaled(size.exp2(), size.exp2())
    # Appendix B: 1 - sqrt(1 - p), so that one of the two or both happen with probability p
    once = 1 - (1 - p) ** 0.5
    source = _turned(source, once)
    (aspect,) = _some(p, 0.2 * _normal(count, device))
    source = _turned(source.scaled(aspect.exp2(), (-aspect).exp2()), once)
    right, down = _some(p, *drawn(lambda n: torch.randn(2, n, device=device), count, 1) / 8)
    return source.shifted(right * width, down * height)


def recolouring(count: int, device: torch.device, p: Chance) -> Recolour:
    """With probability p each: brightness N(0, 0.2^2), contrast 2^N(0, 0.5^2), a luma flip or not, any hue, and
    saturation 2^N(0, 1)."""
    (brightness,) = _some(p, 0.2 * _normal(count, device))
    (contrast,) = _some(p, 0.5 * _normal(count, device))
    (flip,) = _some(p, _integers(2, count, device))
    (hue,) = _some(p, _angles(count, device))
    (saturation,) = _some(p, _normal(count, device))
    return Recolour(brightness, contrast.exp2(), 1.0 - 2 * flip, hue, saturation.exp2())


def holes(images: Tensor, p: Chance) -> Tensor:
    """bool [B, H, W]: with probability p a rectangle of half the height and width, its middle anywhere in the image."""
    height, width = images.shape[2:]
    row, column = drawn(lambda n: torch.rand(2, n, 1, 1, device=images.device), len(images), 1)
    rows = (torch.arange(height, device=images.device)[:, None] + 0.5) / height - row
    columns = (torch.arange(width, device=images.device) + 0.5) / width - column
    (there,) = _some(p, torch.ones(len(images), dtype=torch.bool, device=images.device))
    inside: Tensor = (rows.abs() < 0.25) & (columns.abs() < 0.25) & there[:, None, None]
    return inside


def _turned(source: Affine, p: Chance) -> Affine:
    (angle,) = _some(p, _angles(len(source.x), source.x.device))
    return source.turned(angle.cos(), angle.sin())


def _angles(count: int, device: torch.device) -> Tensor:
    return (drawn(lambda n: torch.rand(n, device=device), count) * 2 - 1) * math.pi


def _normal(count: int, device: torch.device) -> Tensor:
    return drawn(lambda n: torch.randn(n, device=device), count)


def _integers(end: int, count: int, device: torch.device) -> Tensor:
    return drawn(lambda n: torch.randint(end, (n,), device=device), count)


def _some(p: Chance, *values: Tensor) -> tuple[Tensor, ...]:
    """Values [B], each kept with probability p and else replaced by zero."""
    kept = drawn(lambda n: torch.rand(n, device=values[0].device), len(values[0])) < p
    return tuple(torch.where(kept, value, torch.zeros_like(value)) for value in values)
