"""Inversion of a generator: the latent whose image is nearest to one of the user's.

Gradient descent on the latent from several starts, the likeliest of random samples (Creswell, Bharath 2018, "Inverting
the Generator of a Generative Adversarial Network"; Lipton, Tripathi 2017, "Precise Recovery of Latent
Vectors from Generative Adversarial Networks"). What is moved is u, N(0, I) under every prior: z = u under the normal
one, u on the sphere, 2 Phi(u) - 1 under the uniform one; in the space W of styles w = mean + deviation u.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from gansmith.errors import OptionError, UnknownNameError, unknown
from gansmith.latent.inversion_losses import Loss, pixels
from gansmith.latent.latents import Latent, Space
from gansmith.latent.renderer import Renderer
from gansmith.minimize import minimize
from gansmith.system.progress import bar
from gansmith.system.seeding import mix

Method = Literal["adam", "lbfgs", "cmaes"]
METHODS: tuple[Method, ...] = ("adam", "lbfgs", "cmaes")
RANDOM = 1000  # random samples that a result is compared with

_STARTS = 1000  # random samples, others, that the starts are chosen from
_CMAES = 16  # images a step of cmaes, which has no gradient
_SPREAD = 0.3  # its first deviation
_TOGETHER = 32  # images that are made at a time
_USUAL = 2.0  # deviations of a latent's length, and
_USUAL_PART = 3.0  # of one of its numbers, within which nothing is penalised


@dataclass(frozen=True, eq=False)
class Inversion:
    """A latent, its image [C, H, W] and their loss; and the best of 1,000 random samples at the same loss."""

    latent: Latent
    image: Tensor
    loss: float
    random_image: Tensor
    random_loss: float

    @property
    def better(self) -> bool:
        """Is the result nearer to the target than the best random sample?"""
        return self.loss < self.random_loss


def invert(
    renderer: Renderer,
    target: Tensor,
    loss: Loss | None = None,
    *,
    method: Method = "adam",
    restarts: int = 8,
    steps: int = 200,
    rate: float = 0.1,
    likely: float = 0.1,
    space: Space | None = None,
    label: int | str | None = None,
    seed: int = 0,
    name: str = "inverted",
) -> Inversion:
    """The latent whose image is nearest to the target [1, C, H, W] by the loss (pixels when None): the best of
    `restarts` searches of `steps` steps each. They start from those of 1,000 random samples that are nearest by pixels.

    rate: Adam's first rate, which falls to 0 by half a cosine. likely: weight of the prior, which penalises latents
    whose length or numbers are unusual, in units of the loss of the best start. space: W where there is one when None.
    label: the class of the image, for a conditional generator; each start's own when None. seed: of the random samples.

    Raises OptionError for numbers below 1, and for a space that is not there.

    >>> from gansmith.data.prior import Prior
    >>> renderer = Renderer(torch.nn.Unflatten(1, (1, 2, 2)), Prior(size=4))
    >>> invert(renderer, renderer.images([5]).images, restarts=1).loss < 1e-4
    True
    """
    if method not in METHODS:
        raise UnknownNameError(unknown("method", method, METHODS))
    _require(restarts, steps, rate, likely)
    place = _Place(renderer, space or ("w" if renderer.has_w else "z"))
    starts = _seeds("start", seed, _STARTS)
    target = target.to(renderer.device)
    loss = loss or pixels(target)
    losses, labels = place.losses(pixels(target), starts, label, "random starts")
    chosen = losses.argsort()[:restarts]
    u = place.inverse(starts, chosen, label)
    own = None if labels is None else labels[chosen].to(renderer.device)
    with torch.no_grad():
        weight = likely * float(loss(place.images(u, own)).min())

    def total(u: Tensor, own: Tensor | None) -> tuple[Tensor, Tensor]:
        """What is minimised, and the loss alone, [B] each."""
        distances = loss(place.images(u, own))
        return distances + weight * unlikely(u), distances

    best, least = search(total, u, own, method=method, steps=steps, rate=rate)
    which = int(least.argmin())
    latent = Latent(
        place.latents(best[which : which + 1])[0].detach().cpu(),
        place.space,
        None if own is None else int(own[which]),
        name,
    )
    return _compared(place, latent, loss, label, seed)


def _compared(place: _Place, latent: Latent, loss: Loss, label: int | str | None, seed: int) -> Inversion:
    """The latent's image beside the best of random samples."""
    renderer, others = place.renderer, _seeds("compare", seed, RANDOM)
    image = renderer.images([latent]).images
    losses, _ = place.losses(loss, others, label, "random samples")
    nearest = renderer.images([others[int(losses.argmin())]], label=label).images[0]
    return Inversion(latent, image[0], float(loss(image.to(renderer.device))), nearest, float(losses.min()))


def _require(restarts: int, steps: int, rate: float, likely: float) -> None:
    if min(restarts, steps) < 1 or restarts > _STARTS or not rate > 0 or not likely >= 0:
        raise OptionError(
            f"restarts = {restarts} (1 to {_STARTS:,}), steps = {steps} (at least 1), rate = {rate:g} (above 0), "
            f"likely = {likely:g} (at least 0): one is not allowed"
        )


def unlikely(u: Tensor) -> Tensor:
    """How unusual latents [B, n] of N(0, I) are, [B]: squared deviations of the length beyond 2, and of the numbers,
    on average, beyond 3; 0 for nearly all that the prior draws.

    >>> unlikely(torch.stack([torch.ones(8), torch.zeros(8)]))
    tensor([0., 0.])
    """
    count = u.shape[1]
    length = (u.square().sum(1) - count) / math.sqrt(2 * count)  # of chi square: mean n, variance 2 n
    parts = (u.abs() - _USUAL_PART).clamp_min(0).square().mean(1)
    return (length.abs() - _USUAL).clamp_min(0).square() + parts


Total = Callable[[Tensor, Tensor | None], tuple[Tensor, Tensor]]


def search(
    total: Total, u: Tensor, labels: Tensor | None, *, method: Method, steps: int, rate: float
) -> tuple[Tensor, Tensor]:
    """The best u [B, n] of searches from u [B, n], one for each row, and its total [B]."""
    best, least = u.clone(), torch.full((len(u),), math.inf, device=u.device)
    count = steps if method != "cmaes" else steps * _CMAES
    rows = [slice(None)] if method == "adam" else [slice(row, row + 1) for row in range(len(u))]
    with bar("inverting", count * len(u), unit="images") as advance:
        for place in rows:
            own = None if labels is None else labels[place]

            def value(part: Tensor, own: Tensor | None = own, place: slice = place) -> tuple[Tensor, Tensor]:
                """The total of all rows and its gradient (none for cmaes); what is better than before is kept."""
                with torch.set_grad_enabled(method != "cmaes"):
                    part = part.detach().requires_grad_(method != "cmaes")
                    values, distances = total(part, own)
                gradient = part if method == "cmaes" else torch.autograd.grad(values.sum(), part)[0]
                values = values.detach()
                nearer = values < least[place]
                best[place] = torch.where(nearer[:, None], part.detach(), best[place])
                least[place] = torch.where(nearer, values, least[place])
                advance(len(part), f"loss {float(distances.detach().min()):.4f}")
                return values.sum(), gradient

            _minimise(value, u[place], method=method, count=count, rate=rate)
    return best, least


def _minimise(
    value: Callable[[Tensor], tuple[Tensor, Tensor]], u: Tensor, *, method: Method, count: int, rate: float
) -> None:
    """Call `value`, which keeps the best, at `count` places at most, from u on."""
    if method == "adam":
        x = u.clone().requires_grad_()
        adam = torch.optim.Adam([x], lr=rate)
        for step in range(count):
            adam.param_groups[0]["lr"] = rate * (1 + math.cos(math.pi * step / count)) / 2
            x.grad = value(x)[1]
            adam.step()
    elif method == "lbfgs":
        minimize(value, u, method="lbfgs", gradient=True, evaluations=count, tolerance=0.0)
    else:
        minimize(lambda x: value(x)[0], u, method="cmaes", sigma=_SPREAD, evaluations=count)


class _Place:
    """Where latents are looked for: u [B, n] of N(0, I) -> latents of a space -> images."""

    def __init__(self, renderer: Renderer, space: Space) -> None:
        if space == "w" and not renderer.has_w:
            raise OptionError("this generator has no space w (stylegan2 has): --space z")
        self.renderer, self.space = renderer, space
        if space == "w":
            w = renderer.latents(_seeds("w", 0, _STARTS), space="w")
            self.mean, self.deviation = (x.to(renderer.device) for x in (w.mean(0), w.std(0).clamp_min(1e-6)))

    def latents(self, u: Tensor) -> Tensor:
        prior = self.renderer.prior
        if self.space == "w":
            return self.mean + self.deviation * u
        if prior.kind == "sphere":
            return prior.on_sphere(u)
        return u if prior.kind == "normal" else torch.erf(u / math.sqrt(2))

    def inverse(self, seeds: list[int], chosen: Tensor, label: int | str | None) -> Tensor:
        """u [B, n] of some seeds' latents."""
        picked = [seeds[int(index)] for index in chosen]
        latents = self.renderer.latents(picked, space=self.space, label=label).to(self.renderer.device)
        if self.space == "w":
            return (latents - self.mean) / self.deviation
        uniform = self.renderer.prior.kind == "uniform"
        return torch.erfinv(latents.clamp(-0.999999, 0.999999)) * math.sqrt(2) if uniform else latents

    def images(self, u: Tensor, labels: Tensor | None) -> Tensor:
        network: Any = self.renderer.generator
        latents = self.latents(u)
        if self.space == "w":
            images: Tensor = network.synthesize(latents)
        else:
            images = network(latents) if labels is None else network(latents, labels)
        return images.float()

    @torch.no_grad()
    def losses(self, loss: Loss, seeds: list[int], label: int | str | None, what: str) -> tuple[Tensor, Tensor | None]:
        """The loss of each seed's image [N], and their classes."""
        labels = self.renderer.labels(seeds, label)
        latents, device, found = self.renderer.latents(seeds), self.renderer.device, []
        network: Any = self.renderer.generator
        with bar(what, len(seeds)) as advance:
            for first in range(0, len(seeds), _TOGETHER):
                part = slice(first, first + _TOGETHER)
                z = latents[part].to(device)
                images = network(z) if labels is None else network(z, labels[part].to(device))
                found.append(loss(images.float()).cpu())
                advance(len(z))
        return torch.cat(found), labels


def _seeds(word: str, seed: int, count: int) -> list[int]:
    """Seeds of random samples, those of one word apart from those of another."""
    return [mix("invert", word, seed, number) for number in range(count)]
