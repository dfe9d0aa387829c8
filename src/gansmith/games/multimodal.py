"""Several translations of one image: two domains share their contents, each has styles of its own.

Huang, Liu, Belongie, Kautz 2018, "Multimodal Unsupervised Image-to-Image Translation", section 3.2. With E the encoders
(content c, style s) and G the decoder of a domain, an image of a is translated to b as G_b(c_a, s), s drawn from the
prior. Nothing asks for the image back; asked back are its content and the style that was drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Protocol, cast

import torch
from pydantic import Field
from torch import Tensor, nn

from gansmith.adversarial import Batch, Fixed, Game, Moment, Objective, Play, Prior, Sample, Terms, Turn, exact
from gansmith.games.parts.domains import OTHER, distance, images_of, turn_of
from gansmith.schedules import Weight, schedule

ROLES = {"a": "autoencoder", "b": "autoencoder", "discriminator_a": "discriminator", "discriminator_b": "discriminator"}
DOMAINS = ("a", "b")


class Autoencoder(Protocol):
    """What this game asks of the network of a domain."""

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
    styles: Annotated[int, Field(gt=0)] = 7,
    averaged: bool = False,
) -> Game:
    """The game of two autoencoders (image <-> content and style) and the discriminators of their domains. Batches are
    {"a": Sample, "b": Sample}; no image of one belongs to one of the other. Labels are not read.

    The weights are those of the autoencoders' losses (Eq. 5): of the image, the style and the content had back, of the
    adversarial loss, and of the style-augmented cycle consistency in explicit form. styles: translations of each image
    on a sheet. averaged: keep moving averages of the autoencoders.
    """
    weights = {
        "image": schedule(image),
        "style": schedule(style),
        "content": schedule(content),
        "adversarial": schedule(adversarial),
        "cycle": schedule(cycle),
    }
    judge = {name: players[f"discriminator_{name}"] for name in DOMAINS}

    def discriminates(name: str) -> Play:
        def discriminate(batch: Batch, at: Moment) -> Terms:
            real = images_of(batch, DOMAINS, "multimodal")
            with torch.no_grad():
                foreign, _ = _network(players, OTHER[name]).encode(real[OTHER[name]])
                fake = exact(_network(players, name).decode(foreign, _drawn(prior, real[name], at)))
            terms = objective.discriminator_terms(judge[name], Sample(real[name]), Sample(fake), at)
            return Terms({**terms.loss, "loss": _scales(judge[name]) * terms.loss["loss"]}, terms.seen)

        return discriminate

    def translate(batch: Batch, at: Moment) -> Terms:
        real = images_of(batch, DOMAINS, "multimodal")
        network = {name: _network(players, name) for name in DOMAINS}
        encoded = {name: network[name].encode(real[name]) for name in DOMAINS}
        drawn = {name: _drawn(prior, real[name], at) for name in DOMAINS}
        fake = {name: exact(network[name].decode(encoded[OTHER[name]][0], drawn[name])) for name in DOMAINS}
        again = {name: network[name].encode(fake[name]) for name in DOMAINS}

        def losses(name: str) -> dict[str, Callable[[], Tensor]]:
            """What is asked of one domain, each computed when it is called."""
            (own_content, own_style), (there, _) = encoded[name], again[OTHER[name]]

            def adversarial() -> Tensor:
                terms = objective.generator_terms(judge[name], Sample(real[name]), Sample(fake[name]), at)
                return _scales(judge[name]) * terms.loss["loss"]

            return {
                "image": lambda: distance(network[name].decode(own_content, own_style), real[name]),  # Eq. 1
                "content": lambda: distance(there, own_content),  # Eq. 2
                "style": lambda: distance(again[name][1], drawn[name]),  # Eq. 3
                "adversarial": adversarial,  # Eq. 4
                "cycle": lambda: distance(network[name].decode(there, own_style), real[name]),  # section 4
            }

        loss: dict[str, Tensor] = {}
        for name in DOMAINS:
            for term, measure in losses(name).items():
                weight = weights[term](at.images)
                if weight:
                    loss[f"{term}_{name}"] = weight * measure()
            for term, value in objective.weight_terms("generator", players[name], at).items():
                loss[f"{term}_{name}"] = value
        return Terms(loss)

    def show(players: Mapping[str, nn.Module], fixed: Fixed) -> Tensor:
        """Rows of a real image and its translations, a column for each style: first a to b, then b to a."""
        real = images_of(fixed.real, DOMAINS, "multimodal")
        count = len(fixed.latents)
        chosen = fixed.latents[torch.arange(styles, device=fixed.latents.device) % count]
        rows = max(2, count // (2 * (styles + 1)))
        found: list[Tensor] = []
        for name in DOMAINS:
            shown = real[name][:rows]
            encoded, _ = _network(players, name).encode(shown)
            for one, code in zip(shown, encoded, strict=True):  # row by row: all at once takes memory
                made = _network(players, OTHER[name]).decode(code.expand(styles, *code.shape), chosen.to(one.dtype))
                found += [one[None], exact(made)]
        return torch.cat(found)

    return Game(
        players=players,
        turns=(
            *(turn_of(name, judge[name], discriminates(name), objective) for name in DOMAINS),
            Turn("autoencoders", DOMAINS, translate, draws=False),
        ),
        averaged=DOMAINS if averaged else (),
        show=show,
        columns=styles + 1,
    )


def _network(players: Mapping[str, nn.Module], name: str) -> Autoencoder:
    return cast(Autoencoder, players[name])


def _drawn(prior: Prior, image: Tensor, at: Moment) -> Tensor:
    """As many styles [B, Z] as there are images, from the prior."""
    return prior.latents(len(image), at.rng).to(image.dtype)


def _scales(discriminator: nn.Module) -> int:
    """Of how many discriminators the mean of the scores is one: the paper's loss is their sum."""
    return int(getattr(discriminator, "scales", 1))
