"""Portable network: what of a run makes images, as one function of named tensors, with inputs to compare it on.

a generator                  latent [B, Z]; label [B] where it has classes; psi [B] where it has a space W
a translator                 image [B, C, H, W] of the trained size
a translator with styles     image [B, C, H, W], style [B, Z]
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn

from gansmith.errors import OptionError, RunError
from gansmith.latent.renderer import Renderer
from gansmith.latent.translate import OTHER, directions, roles_in
from gansmith.models.saved import Card
from gansmith.runs.run import Run
from gansmith.system.paths import shell_word
from gansmith.system.seeding import generator as randomness

Inputs = Mapping[str, Tensor]

COMPARED = 64  # latents, or images, that an export is compared on
_BATCHES = (1, 7, *[8] * 7)  # their batches: of one, of an odd number, and others


@dataclass(frozen=True)
class Portable:
    """name: generator, to_a, to_b. network: keyword inputs -> images [B, C, H, W], on the CPU, in evaluation mode.

    cards: of the players in it, by their names. prior: of its latents or styles.
    """

    name: str
    network: nn.Module
    renderer: Renderer
    cards: Mapping[str, Card]
    inputs_are: tuple[str, ...]  # names, in order

    @property
    def card(self) -> Card:
        """The card of the player that makes the images."""
        return [*self.cards.values()][-1]

    @property
    def makes_from_latents(self) -> bool:
        return self.name == "generator"

    def inputs(self, count: int = COMPARED) -> dict[str, Tensor]:
        """Inputs to compare it on: latents of seeds 0 to `count` - 1, each class in turn, psi from 1 to 0, noise for
        images."""
        card, seeds = self.card, range(count)
        drawn = {}
        for name in self.inputs_are:
            if name == "label":
                drawn[name] = torch.arange(count) % self.renderer.prior.classes
            elif name == "psi":
                drawn[name] = torch.linspace(1, 0, count)  # the first whole
            elif name == "image":
                shape = (count, card.dimensions.channels, card.dimensions.height, card.dimensions.width)
                drawn[name] = torch.rand(shape, generator=randomness("export")) * 2 - 1
            else:
                drawn[name] = self.renderer.latents(seeds)
        return drawn

    def batches(self) -> Iterator[dict[str, Tensor]]:
        """The inputs to compare it on, in batches of several sizes."""
        whole, begin = self.inputs(), 0
        for size in _BATCHES:
            yield {name: values[begin : begin + size] for name, values in whole.items()}
            begin += size

    @torch.no_grad()
    def images(self, inputs: Inputs) -> Tensor:
        """What PyTorch makes of `inputs`."""
        images: Tensor = self.network(**inputs)
        return images


def portable(run: Run, *, raw: bool = False, checkpoint: str | None = None, direction: str | None = None) -> Portable:
    """What of `run` makes images. direction: of a translation, a or b. Raises RunError where nothing does, OptionError
    for a direction that is not there or left open."""
    chosen: dict[str, Any] = {"raw": raw, "checkpoint": checkpoint}
    roles = roles_in(run.model)
    if "generator" in roles.values():
        if direction is not None:
            raise OptionError(f"{run.path} generates images and translates none: leave --direction out")
        return _generator(run, chosen)
    known = directions(roles)
    if not known:
        raise RunError(
            f"{run.path} makes no images, so there is nothing to export: it holds {', '.join(sorted(roles))}"
        )
    if direction is None and len(known) > 1:
        raise OptionError(f"{run.path} translates to a and to b: say which with --direction a or --direction b")
    return _translator(run, direction or next(iter(known)), known, chosen)


def _generator(run: Run, chosen: Mapping[str, Any]) -> Portable:
    renderer = run.renderer(**chosen, device="cpu")
    _, card = run.network("generator", **chosen)
    names = ["latent", *(["label"] if renderer.conditional else []), *(["psi"] if renderer.has_w else [])]
    return Portable("generator", _Generate(renderer.generator).eval(), renderer, {"generator": card}, tuple(names))


def _translator(run: Run, to: str, known: Mapping[str, tuple[str, ...]], chosen: Mapping[str, Any]) -> Portable:
    if to not in known:
        raise OptionError(
            f"{run.path} translates to {', '.join(known)}, not to {to!r}: see {shell_word(run.path)}/model"
        )
    networks, cards = {}, {}
    styled = len(known[to]) > 1
    for player in (OTHER[to], to) if styled else known[to]:
        network, cards[player] = run.network(player, **chosen)
        networks[player] = Renderer(network, cards[player].prior).generator
    renderer = Renderer(nn.Identity(), cards[player].prior)
    if styled:
        whole: nn.Module = _Restyle(networks[OTHER[to]], networks[to])
        return Portable(f"to_{to}", whole.eval(), renderer, cards, ("image", "style"))
    return Portable(f"to_{to}", _Translate(networks[f"to_{to}"]).eval(), renderer, cards, ("image",))


class _Generate(nn.Module):
    """A generator as a function of named inputs."""

    def __init__(self, generator: nn.Module) -> None:
        super().__init__()
        self.generator = generator

    def forward(self, *, latent: Tensor, label: Tensor | None = None, psi: Tensor | None = None) -> Tensor:
        read = (latent,) if label is None else (latent, label)
        if psi is None:
            return cast(Tensor, self.generator(*read))
        network: Any = self.generator
        return cast(Tensor, network.synthesize(network.truncate(network.map(*read), psi[:, None])))


class _Translate(nn.Module):
    def __init__(self, translator: nn.Module) -> None:
        super().__init__()
        self.translator = translator

    def forward(self, *, image: Tensor) -> Tensor:
        return cast(Tensor, self.translator(image))


class _Restyle(nn.Module):
    """The content of an image, read by one domain's autoencoder, written by the other's in a style."""

    def __init__(self, reader: nn.Module, writer: nn.Module) -> None:
        super().__init__()
        self.reader, self.writer = reader, writer

    def forward(self, *, image: Tensor, style: Tensor) -> Tensor:
        reader: Any = self.reader
        writer: Any = self.writer
        content, _ = reader.encode(image)
        return cast(Tensor, writer.decode(content, style))
