"""Multimodal unsupervised image-to-image translation: the domains share contents, and each has styles of its own.

Huang, Liu, Belongie, Kautz 2018, "Multimodal Unsupervised Image-to-Image Translation", section 3.2. With E the encoders
(content c, style s) and G the decoder of a domain, an image of a is translated to b as G_b(c_a, s), s drawn from the
prior. No image cycle loss by default; content and style codes are reconstructed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple, Protocol, cast

import torch
from torch import Tensor, nn

from gansmith.adversarial import Batch, Fixed, Game, Moment, Objective, Sample, Terms, Turn, exact
from gansmith.data.prior import Prior
from gansmith.games.parts.discriminator import discriminator_turn
from gansmith.games.parts.domains import OTHER, images_of, l1_distance
from gansmith.schedules import Schedule, Weight, schedule
from gansmith.system.option_types import SmallInt

ROLES = {"a": "autoencoder", "b": "autoencoder", "discriminator_a": "discriminator", "discriminator_b": "discriminator"}
DOMAINS = ("a", "b")

_DISCRIMINATORS = {domain: f"discriminator_{domain}" for domain in DOMAINS}


class Autoencoder(Protocol):
    """The network of one domain: images [B, C, H, W] <-> contents [B, D, h, w] and styles [B, Z]."""

    def encode(self, image: Tensor) -> tuple[Tensor, Tensor]: ...
    def decode(self, content: Tensor, style: Tensor) -> Tensor: ...


def build(
    players: Mapping[str, nn.Module],
    objective: Objective,
    prior: Prior,
    *,
    image: Weight = 10.0,
    style: Weight = 1.0,
    content: Weight = 1.0,
    adversarial: Weight = 1.0,
    cycle: Weight = 0.0,
    styles: SmallInt = 7,
    averaged: bool = False,
) -> Game:
    """The game of two autoencoders (image <-> content and style) and the discriminators of their domains. Batches are
    {"a": Sample, "b": Sample}, unpaired. Labels are not read.

    The weights are those of the autoencoders' losses (Eq. 5): reconstruction of the image, of the style and of the
    content, the adversarial loss, and the style-augmented cycle consistency in explicit form. styles: translations of
    each image on a sheet. averaged: keep moving averages of the autoencoders.

    >>> from gansmith import catalog
    >>> networks = {player: nn.Identity() for player in ROLES}
    >>> game = build(networks, catalog.build("objectives", "lsgan"), Prior(size=8), styles=4)
    >>> [turn.name for turn in game.turns], game.columns
    (['discriminator_a', 'discriminator_b', 'autoencoders'], 5)
    """
    weights = {"image": image, "content": content, "style": style, "adversarial": adversarial, "cycle": cycle}
    parts = _Parts(players, objective, prior, {name: schedule(weight) for name, weight in weights.items()})
    return Game(
        players=players,
        turns=(
            *(
                discriminator_turn(name, players[name], partial(_discriminate, parts, domain), objective, draws=False)
                for domain, name in _DISCRIMINATORS.items()
            ),
            Turn("autoencoders", DOMAINS, partial(_translate, parts), draws=False),
        ),
        averaged=DOMAINS if averaged else (),
        show=partial(_show, styles),
        columns=styles + 1,
    )


class _Parts(NamedTuple):
    """The parts of one game; weights: of the autoencoders' losses, by their names."""

    players: Mapping[str, nn.Module]
    objective: Objective
    prior: Prior
    weights: Mapping[str, Schedule]

    def autoencoder(self, domain: str) -> Autoencoder:
        return cast(Autoencoder, self.players[domain])

    def discriminator(self, domain: str) -> nn.Module:
        return self.players[_DISCRIMINATORS[domain]]

    def styles(self, images: Tensor, at: Moment) -> Tensor:
        """As many styles [B, Z] from the prior as there are images."""
        return self.prior.latents(len(images), at.rng).to(images.dtype)


def _discriminate(parts: _Parts, domain: str, batch: Batch, at: Moment) -> Terms:
    """The turn of one domain's discriminator: real images, and translations made without a graph."""
    real = images_of(batch, "multimodal")
    with torch.no_grad():
        foreign, _ = parts.autoencoder(OTHER[domain]).encode(real[OTHER[domain]])
        fake = exact(parts.autoencoder(domain).decode(foreign, parts.styles(real[domain], at)))
    network = parts.discriminator(domain)
    terms = parts.objective.discriminator_terms(network, Sample(real[domain]), Sample(fake), at)
    return Terms({**terms.loss, "loss": _scales(network) * terms.loss["loss"]}, terms.seen)


def _translate(parts: _Parts, batch: Batch, at: Moment) -> Terms:
    """The turn of both autoencoders: every loss of Eq. 5 whose weight is not 0, and penalties on their weights."""
    real = images_of(batch, "multimodal")
    networks = {domain: parts.autoencoder(domain) for domain in DOMAINS}
    encoded = {domain: networks[domain].encode(real[domain]) for domain in DOMAINS}
    styles = {domain: parts.styles(real[domain], at) for domain in DOMAINS}
    fake = {domain: exact(networks[domain].decode(encoded[OTHER[domain]][0], styles[domain])) for domain in DOMAINS}
    again = {domain: networks[domain].encode(fake[domain]) for domain in DOMAINS}
    codes = _Codes(real, encoded, styles, fake, again)
    loss: dict[str, Tensor] = {}
    for domain in DOMAINS:
        for name, compute in _losses(parts, codes, domain, at).items():
            weight = parts.weights[name](at.images)
            if weight:
                loss[f"{name}_{domain}"] = weight * compute()
        for name, value in parts.objective.weight_terms("generator", parts.players[domain], at).items():
            loss[f"{name}_{domain}"] = value
    return Terms(loss)


class _Codes(NamedTuple):
    """By domain: real images, their (contents, styles), styles from the prior, the fakes decoded with these, and the
    fakes' (contents, styles)."""

    real: Mapping[str, Tensor]
    encoded: Mapping[str, tuple[Tensor, Tensor]]
    styles: Mapping[str, Tensor]
    fake: Mapping[str, Tensor]
    again: Mapping[str, tuple[Tensor, Tensor]]


def _losses(parts: _Parts, codes: _Codes, domain: str, at: Moment) -> dict[str, Callable[[], Tensor]]:
    """The losses of one domain, each computed when it is called."""
    network, real = parts.autoencoder(domain), codes.real[domain]
    (content, style), (content_again, _) = codes.encoded[domain], codes.again[OTHER[domain]]

    def adversarial() -> Tensor:
        discriminator = parts.discriminator(domain)
        terms = parts.objective.generator_terms(discriminator, Sample(real), Sample(codes.fake[domain]), at)
        return _scales(discriminator) * terms.loss["loss"]

    return {
        "image": lambda: l1_distance(network.decode(content, style), real),  # Eq. 1
        "content": lambda: l1_distance(content_again, content),  # Eq. 2
        "style": lambda: l1_distance(codes.again[domain][1], codes.styles[domain]),  # Eq. 3
        "adversarial": adversarial,  # Eq. 4
        "cycle": lambda: l1_distance(network.decode(content_again, style), real),  # section 4
    }


def _show(styles: int, players: Mapping[str, nn.Module], fixed: Fixed) -> Tensor:
    """Rows of a real image and its translations, a column for each style: first a to b, then b to a."""
    real = images_of(fixed.real, "multimodal")
    count = len(fixed.latents)
    latents = fixed.latents[torch.arange(styles, device=fixed.latents.device) % count]
    rows = max(2, count // (2 * (styles + 1)))
    images: list[Tensor] = []
    for domain in DOMAINS:
        encoder, decoder = (cast(Autoencoder, players[name]) for name in (domain, OTHER[domain]))
        sources = real[domain][:rows]
        contents, _ = encoder.encode(sources)
        for source, content in zip(sources, contents, strict=True):  # row by row: all at once takes memory
            fakes = decoder.decode(content.expand(styles, *content.shape), latents.to(source.dtype))
            images += [source[None], exact(fakes)]
    return torch.cat(images)


def _scales(discriminator: nn.Module) -> int:
    """How many discriminators the mean of the scores is taken over: the paper's loss is their sum."""
    return int(getattr(discriminator, "scales", 1))
