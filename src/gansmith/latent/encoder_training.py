"""Training of an encoder on a generator's own samples, whose latents are known.

The loss is the squared error of the latent (Zhu, Shen, Zhao, Zhou 2020, "In-Domain GAN Inversion for Real Image
Editing", section 3.1) and the distance of the image that the generator makes of the estimate. Half of each batch are
disturbed samples, which no latent makes exactly: of them the image alone counts, so that photographs too, which the
encoder never saw, are brought to where the generator is nearest.
"""

# Differs: the paper trains a second stage on real images against a discriminator; here on disturbed samples, because a
# model file holds no training images.

from __future__ import annotations

import copy
import math
import time
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor

from gansmith.adversarial import Dimensions
from gansmith.errors import NotFiniteError, OptionError
from gansmith.latent.coordinates import Coordinates
from gansmith.latent.encoder import Encoder, EncoderHeader
from gansmith.latent.encoder_network import EncoderNetwork
from gansmith.latent.inversion_losses import Metric
from gansmith.latent.invert import unlikely
from gansmith.latent.latents import Space
from gansmith.latent.renderer import Renderer
from gansmith.system.device import Precision
from gansmith.system.progress import bar
from gansmith.system.seeding import generator as randomness
from gansmith.system.seeding import seeded
from gansmith.system.threads import CallThreads

EXAMPLES = 20_000  # own samples that an encoder is trained on
BATCH = 32  # images of a step; half of them disturbed

_RATE = 1e-3  # of Adam; constant for half of the examples, then falling to 0 by half a cosine
_IMAGE = 2.0  # weight of the images' distances, in units of that of two random samples
_UNLIKELY = 0.1  # weight of unusual latents
_MEASURED = 10.0  # seconds, and at most a quarter of a time budget, that say how many examples it is
_FRESH = 64  # samples that the encoder is tested on


def train_encoder(
    renderer: Renderer,
    *,
    examples: int = EXAMPLES,
    seconds: float | None = None,
    space: Space | None = None,
    features: Metric | None = None,
    losses: tuple[str, ...] = (),
    filters: int = 32,
    precision: Precision = "float32",
    seed: int = 0,
) -> Encoder:
    """An encoder of the generator's images, trained on `examples` own samples, or on as many as fit in `seconds`.

    The same number of examples and seed give the same weights to the bit, on one machine with one number of threads.
    space: W where there is one when None. features: a distance added to that of pixels; losses: its name, for the file.
    filters: channels of the first layer. Raises OptionError for less than one batch, and NotFiniteError.

    >>> from gansmith.data.prior import Prior
    >>> renderer = Renderer(torch.nn.Unflatten(1, (1, 2, 2)), Prior(size=4))
    >>> train_encoder(renderer, examples=64, filters=2)(torch.zeros(1, 1, 2, 2))[0].shape
    torch.Size([1, 4])
    """
    if examples < BATCH or (seconds is not None and not seconds > 0):
        raise OptionError(f"examples = {examples}, seconds = {seconds}: at least {BATCH} (a step), and above 0")
    lesson = _Lesson(renderer, space, features=features, precision=precision, seed=seed, filters=filters)
    length = _Length(examples // BATCH, seconds)
    total = examples if seconds is None else math.ceil(seconds)
    adam = torch.optim.Adam(lesson.network.parameters(), lr=_RATE)
    step, told = 0, 0
    waiting = bar("encoder", total, unit="images" if seconds is None else "seconds")
    with lesson.threads(), waiting as advance:
        while step < length.steps(step):
            adam.param_groups[0]["lr"] = _RATE * fall(step / length.steps(step))
            loss, terms = lesson.loss(step)
            adam.zero_grad(set_to_none=True)
            loss.backward()
            adam.step()
            step += 1
            now = step * BATCH if seconds is None else min(int(length.gone), total)
            advance(now - told, [f"{name} {float(value.detach()):.3f}" for name, value in terms.items()])
            told = now
    return lesson.encoder(step * BATCH, ("latent", "pixels", *losses))


def fall(part: float) -> float:
    """The factor of the rate after a part of the examples: 1 to the half, then half a cosine to 0.

    >>> fall(0.5), round(fall(0.75), 6), round(fall(1.0), 6)
    (1.0, 0.5, 0.0)
    """
    return (1 + math.cos(math.pi * max(0.0, 2 * part - 1))) / 2


class _Length:
    """The steps of a training: known, or those that fit in a time by the rate of its first seconds."""

    def __init__(self, steps: int, seconds: float | None) -> None:
        self._steps, self._seconds, self._begun = steps, seconds, time.monotonic()
        self._window = None if seconds is None else min(_MEASURED, seconds / 4)

    @property
    def gone(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self._begun

    def steps(self, done: int) -> int:
        """All steps, with `done` of them behind; while the rate is measured, more than ever come in that time."""
        if self._seconds is None or self._window is None:
            return self._steps
        if done == 0 or self.gone < self._window:
            return 2 * done + 1
        self._steps, self._window = max(done, int(done * self._seconds / self.gone)), None
        return self._steps


class _Lesson:
    """Batches of own samples and disturbed ones, and the loss of a network on them."""

    def __init__(
        self,
        renderer: Renderer,
        space: Space | None,
        *,
        features: Metric | None = None,
        precision: Precision = "float32",
        seed: int = 0,
        filters: int = 32,
    ) -> None:
        self.renderer, self.seed, self.features, self.precision = renderer, seed, features, precision
        device = renderer.device
        # MPS: the backward pass of batch normalisation is wrong in channels_last (pytorch issue 175189)
        layout = torch.contiguous_format if device.type == "mps" else torch.channels_last
        self.place = Coordinates(_copy(renderer, layout), space)
        shape = renderer.images([0]).images.shape[1:]
        classes = renderer.prior.classes if renderer.conditional else 0
        with seeded("encoder", seed):
            network = EncoderNetwork(Dimensions(*shape), self.place.size, classes, filters)
        self.network = network.to(device=device, memory_format=layout)  # type: ignore[call-overload]
        self.classes, self.filters, self.shape = classes, filters, shape
        images = self.samples(randomness("encoder", seed, "apart"), _FRESH)[0]
        self.apart = float((images - images.roll(1, 0)).square().mean().clamp_min(1e-8))

    @torch.no_grad()
    def samples(self, rng: torch.Generator, count: int) -> tuple[Tensor, Tensor, Tensor | None]:
        """Images, their u, and their classes, drawn as in training."""
        prior, device, network = self.renderer.prior, self.renderer.device, self.place.renderer.generator
        z, labels = prior.latents(count, rng).to(device), None
        if self.classes:
            shares = torch.tensor(prior.shares or [1 / self.classes] * self.classes)
            labels = shares.multinomial(count, replacement=True, generator=rng).to(device)
        styled: Any = network
        latents = z if self.place.space == "z" else styled.map(*([z] if labels is None else [z, labels]))
        u = self.place.inverse(latents.float())
        with self._autocast():
            return self.place.images(u, labels).contiguous(), u, labels

    def loss(self, step: int) -> tuple[Tensor, dict[str, Tensor]]:
        """What a step minimises, and its parts: squared error of the latent, distances of pixels and of features."""
        rng = randomness("encoder", self.seed, step)
        images, u, labels = self.samples(rng, BATCH // 2)
        targets = torch.cat([images, disturbed(images, rng)])
        self.network.train()
        with self._autocast():
            estimates, scores = self.network(targets)
            again = self.place.images(estimates, None if labels is None else torch.cat([labels, labels]))
        terms = {
            "latent": (estimates[: len(u)] - u).square().mean(),
            "pixels": (again - targets).square().mean() / self.apart,
        }
        if self.features is not None:
            terms["features"] = self.features(targets)(again).mean()
        loss = terms["latent"] + _IMAGE * sum(value for name, value in terms.items() if name != "latent")
        loss = loss + _UNLIKELY * unlikely(estimates).mean()
        if labels is not None:
            terms["class"] = torch.nn.functional.cross_entropy(scores[: len(u)], labels)
            loss = loss + terms["class"]
        return loss, terms

    def threads(self) -> AbstractContextManager[None]:
        """Inside, one thread where a step is too little work for several."""
        image = torch.zeros(1, *self.shape, device=self.renderer.device)
        network = copy.deepcopy(self.network).eval()  # in training mode it would keep statistics of this image
        labels = torch.zeros(1, dtype=torch.int64, device=self.renderer.device) if self.classes else None

        def one() -> object:
            again = self.place.images(network(image)[0], labels)
            return again if self.features is None else self.features(image)(again)

        return CallThreads(self.renderer.device).of("an image", one, 3 * BATCH)

    def encoder(self, examples: int, losses: tuple[str, ...]) -> Encoder:
        """The trained encoder, tested on fresh samples. Raises NotFiniteError."""
        network = self.network.to(memory_format=torch.contiguous_format).eval().requires_grad_(False)
        images, _, labels = self.samples(randomness("encoder", self.seed, "fresh"), _FRESH)
        with torch.no_grad():
            error = float((self.place.images(network(images)[0], labels) - images).square().mean())
        if not math.isfinite(error):
            raise NotFiniteError(
                "the encoder's weights hold a NaN or an infinity: it was not written. Try another seed"
            )
        header = EncoderHeader(
            space=self.place.space, channels=self.shape[0], height=self.shape[1], width=self.shape[2],
            size=self.place.size, classes=self.classes, filters=self.filters, examples=examples, seed=self.seed,
            losses=losses, error=error, apart=self.apart, **self.renderer.origin.model_dump(),
        )  # fmt: skip
        return Encoder(network, header)

    def _autocast(self) -> AbstractContextManager[Any]:
        if self.precision != "bfloat16":
            return nullcontext()
        return torch.autocast(self.renderer.device.type, dtype=torch.bfloat16)


def disturbed(images: Tensor, rng: torch.Generator) -> Tensor:
    """Images [B, C, H, W] that no latent makes exactly: each mixed with its neighbour, at another contrast and
    brightness, with noise, within [-1, 1]."""

    def uniform(low: float, high: float) -> Tensor:
        return (low + (high - low) * torch.rand(len(images), 1, 1, 1, generator=rng)).to(images)

    share = uniform(0.5, 1.0)
    mixed = share * images + (1 - share) * images.roll(1, 0)
    noise = torch.randn(images.shape, generator=rng).to(images)
    return (uniform(0.7, 1.3) * mixed + uniform(-0.2, 0.2) + uniform(0.0, 0.15) * noise).clamp(-1, 1)


def _copy(renderer: Renderer, layout: torch.memory_format) -> Renderer:
    """The renderer with its generator in another memory layout."""
    other = copy.copy(renderer)
    other.generator = copy.deepcopy(renderer.generator).to(memory_format=layout)  # type: ignore[call-overload]
    return other
