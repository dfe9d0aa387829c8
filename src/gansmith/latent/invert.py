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
from typing import Any, Literal, TypeAlias

import torch
from torch import Tensor

from gansmith.errors import OptionError, UnknownNameError, unknown
from gansmith.latent.coordinates import Coordinates, random_seeds
from gansmith.latent.encoder import Encoder
from gansmith.latent.inversion_losses import Metric, pixels
from gansmith.latent.inversion_view import View
from gansmith.latent.latents import Latent, Space
from gansmith.latent.renderer import Renderer
from gansmith.minimize import minimize
from gansmith.system.progress import Picture, bar

Method = Literal["adam", "lbfgs", "cmaes", "encoder", "hybrid"]
METHODS: tuple[Method, ...] = ("adam", "lbfgs", "cmaes", "encoder", "hybrid")
ENCODED: tuple[Method, ...] = ("encoder", "hybrid")  # that read the estimate of an encoder
Watch: TypeAlias = Callable[[int, int, float, Picture], None]  # images so far, in all; loss; view
RANDOM = 1000  # random samples that a result is compared with

_STARTS = 1000  # random samples, others, that the starts are chosen from
_PAIRS = 65  # random samples, each beside its neighbour, that say how far two are apart
_CMAES = 16  # images a step of cmaes, which has no gradient
_SPREAD = 0.3  # its first deviation
_USUAL = 2.0  # deviations of a latent's length, and
_USUAL_PART = 3.0  # of one of its numbers, within which nothing is penalised


@dataclass(frozen=True, eq=False)
class Inversion:
    """A latent, its image [C, H, W] and their loss; and the best of 1,000 random samples at the same loss.

    apart: the mean distance of two random samples.
    """

    latent: Latent
    image: Tensor
    loss: float
    random_image: Tensor
    random_loss: float
    apart: float

    @property
    def better(self) -> bool:
        """Is the result nearer to the target than the best random sample?"""
        return self.loss < self.random_loss

    @property
    def reached(self) -> bool:
        """Is the result better, and no farther from the target than two random samples are from each other?"""
        return self.better and self.loss <= self.apart


def invert(
    renderer: Renderer,
    target: Tensor,
    metric: Metric = pixels,
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
    encoder: Encoder | None = None,
    watch: Watch | None = None,
) -> Inversion:
    """The latent whose image is nearest to the target [1, C, H, W] by the metric: the best of
    `restarts` searches of `steps` steps each. They start from those of 1,000 random samples that are nearest by pixels;
    by `hybrid`, one search of `lbfgs` starts from the estimate of the encoder, which is the result of `encoder`.

    rate: Adam's first rate, which falls to 0 by half a cosine. likely: weight of the prior, which penalises latents
    whose length or numbers are unusual, in units of the loss of the best start. space: W where there is one when None.
    label: the class of the image, for a conditional generator; each start's own when None. seed: of the random samples.
    watch: called at every step; what it raises ends the search.

    Raises OptionError for numbers below 1, a space that is not there, and an encoder that is missing or of another one.

    >>> from gansmith.data.prior import Prior
    >>> renderer = Renderer(torch.nn.Unflatten(1, (1, 2, 2)), Prior(size=4))
    >>> invert(renderer, renderer.images([5]).images, restarts=1).loss < 1e-4
    True
    """
    if method not in METHODS:
        raise UnknownNameError(unknown("method", method, METHODS))
    _require(restarts, steps, rate, likely)
    place, target = Coordinates(renderer, space), target.to(renderer.device)
    loss, view = metric(target), View(target)
    with place.threads(loss, restarts if method == "adam" else 1):
        starts = _estimate(place, encoder, target, label) if method in ENCODED else None
        u, own = starts or _nearest_starts(place, target, restarts, label, seed)
        with torch.no_grad():
            first = loss(place.images(u, own))

        def total(u: Tensor, own: Tensor | None) -> tuple[Tensor, Tensor]:
            """What is minimised, and the loss alone, [B] each."""
            images = place.images(u, own)
            distances = loss(images)
            view.see(images, distances)
            return distances + likely * float(first.min()) * unlikely(u), distances

        how: dict[str, Any] = {"method": method, "steps": steps, "rate": rate, "picture": view.pixels, "watch": watch}
        best, least = (u, first) if method == "encoder" else search(total, u, own, **how)
        which = slice(int(least.argmin()), int(least.argmin()) + 1)
        start, nearest, own = u[which], best[which], None if own is None else own[which]
        with torch.no_grad():
            if method == "hybrid" and float(loss(place.images(nearest, own))) > float(first):
                nearest = start  # the search weighs how likely a latent is too, and ended at one that is farther
        latent = Latent(place.latents(nearest)[0].detach().cpu(), place.space, None if own is None else int(own), name)
        return _compared(place, latent, target, metric, label=label, seed=seed)


def _nearest_starts(
    place: Coordinates, target: Tensor, count: int, label: int | str | None, seed: int
) -> tuple[Tensor, Tensor | None]:
    """u [B, n] of those random samples that are nearest to the target by pixels, and their classes [B]."""
    seeds = random_seeds("start", seed, _STARTS)
    losses, labels = place.losses(pixels(target), seeds, label, "random starts")
    chosen = losses.argsort()[:count]
    u = place.of_seeds([seeds[int(index)] for index in chosen], label)
    return u, None if labels is None else labels[chosen].to(target.device)


def _estimate(
    place: Coordinates, encoder: Encoder | None, target: Tensor, label: int | str | None
) -> tuple[Tensor, Tensor | None]:
    """u [1, n] of the target by an encoder, and its class [1]. Raises OptionError without one that fits."""
    if encoder is None:
        raise OptionError("the methods encoder and hybrid need an encoder: encoder=train_encoder(renderer)")
    if (encoder.header.space, encoder.header.model) != (place.space, place.renderer.digest):
        raise OptionError(
            f"the encoder is of the space {encoder.header.space} of {encoder.header}, and this is the space "
            f"{place.space} of {place.renderer.origin}: encoder=train_encoder(renderer)"
        )
    u, labels = encoder(target)
    if label is not None:
        labels = place.renderer.labels([0], label)
    return u, None if labels is None else labels.to(target.device)


def _compared(
    place: Coordinates, latent: Latent, target: Tensor, metric: Metric, *, label: int | str | None, seed: int
) -> Inversion:
    """The latent's image beside the best of random samples."""
    renderer, others, loss = place.renderer, random_seeds("compare", seed, RANDOM), metric(target)
    image = renderer.images([latent]).images
    losses, _ = place.losses(loss, others, label, "random samples")
    nearest = renderer.images([others[int(losses.argmin())]], label=label).images[0]
    distance, apart = float(loss(image.to(renderer.device))), place.apart(metric, others[:_PAIRS], label)
    return Inversion(latent, image[0], distance, nearest, float(losses.min()), apart)


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
    total: Total,
    u: Tensor,
    labels: Tensor | None,
    *,
    method: Method,
    steps: int,
    rate: float,
    picture: Picture | None = None,
    watch: Watch | None = None,
) -> tuple[Tensor, Tensor]:
    """The best u [B, n] of searches from u [B, n], one for each row, and its total [B]. picture: of the display."""
    done = 0
    best, least = u.clone(), torch.full((len(u),), math.inf, device=u.device)
    count = steps if method != "cmaes" else steps * _CMAES
    rows = [slice(None)] if method == "adam" else [slice(row, row + 1) for row in range(len(u))]
    with bar("inverting", count * len(u), unit="images", picture=picture) as advance:
        for place in rows:
            own = None if labels is None else labels[place]

            def value(part: Tensor, own: Tensor | None = own, place: slice = place) -> tuple[Tensor, Tensor]:
                """The total of all rows and its gradient (none for cmaes); what is better than before is kept."""
                nonlocal done
                with torch.set_grad_enabled(method != "cmaes"):
                    part = part.detach().requires_grad_(method != "cmaes")
                    values, distances = total(part, own)
                gradient = part if method == "cmaes" else torch.autograd.grad(values.sum(), part)[0]
                values = values.detach()
                nearer = values < least[place]
                best[place] = torch.where(nearer[:, None], part.detach(), best[place])
                least[place] = torch.where(nearer, values, least[place])
                distance = float(distances.detach().min())
                advance(len(part), f"loss {distance:.4f}")
                done += len(part)
                if watch is not None and picture is not None:
                    watch(done, count * len(u), distance, picture)
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
    elif method in ("lbfgs", "hybrid"):
        minimize(value, u, method="lbfgs", gradient=True, evaluations=count, tolerance=0.0)
    else:
        minimize(lambda x: value(x)[0], u, method="cmaes", sigma=_SPREAD, evaluations=count)
