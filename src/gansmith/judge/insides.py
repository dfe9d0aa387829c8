"""Looking inside a run's networks: feature maps, what the generator's channels do, what excites the discriminator.

Sheets, from object parts to scenes: Radford, Metz, Chintala 2016, "Unsupervised Representation Learning with Deep
Convolutional Generative Adversarial Networks", sections 6.2 and 6.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from gansmith.errors import OptionError, RunError
from gansmith.latent.inside.excitation import BATCH
from gansmith.latent.inside.layers import Layer, layer_named, layers_of, stages_of
from gansmith.latent.latents import Seed, space_of
from gansmith.latent.renderer import Renderer
from gansmith.runs.run import Run
from gansmith.system.device import choose_device
from gansmith.system.threads import operations

GENERATOR, DISCRIMINATOR = "generator", "discriminator"


@dataclass(frozen=True)
class Insides:
    """The networks of a run, opened to be looked into.

    seeds: of the samples; the first is the one whose feature maps are shown. discriminator: None where the run has
    none. label: the class of all samples.
    """

    renderer: Renderer
    discriminator: nn.Module | None
    shape: tuple[int, int, int]
    seeds: tuple[Seed, ...]
    label: int | str | None = None

    @cached_property
    def latents(self) -> Tensor:
        """[N, Z], or [N, W] where a seed is a latent of W."""
        return self.renderer.latents(self.seeds, space=space_of(self.seeds), label=self.label)

    @cached_property
    def labels(self) -> Tensor | None:
        """The class of each sample [N], of a conditional generator."""
        return self.renderer.labels(self.seeds, self.label)

    def render(self, count: int | None = None) -> Tensor:
        """The samples [N, C, H, W], or the first of them, together."""
        some = slice(0, count)
        network: Any = self.renderer.generator
        latents = self.latents[some].to(self.renderer.device)
        if space_of(self.seeds) == "w":
            return _images(network.synthesize(latents))
        given = [latents] if self.labels is None else [latents, self.labels[some].to(self.renderer.device)]
        return _images(network(*given))

    def score(self, images: Tensor) -> object:
        """Run the discriminator on images [B, C, H, W]; a conditional one on the first class, which layers of feature
        maps do not read."""
        assert self.discriminator is not None
        images = images.to(self.renderer.device)
        if not getattr(self.discriminator, "conditional", False):
            return self.discriminator(images)
        return self.discriminator(images, torch.zeros(len(images), dtype=torch.int64, device=images.device))

    def operations(self) -> int:
        """Floating-point operations of the largest call: all samples made, or a batch of images scored."""
        scored = 0 if self.discriminator is None else operations(lambda: self.score(torch.zeros(BATCH, *self.shape)))
        return max(operations(self.render), scored)

    @cached_property
    def generator_layers(self) -> list[Layer]:
        """Layers of the generator, in the order in which they run."""
        return layers_of(self.renderer.generator, lambda: self.render(1))

    @cached_property
    def discriminator_layers(self) -> list[Layer]:
        """Layers of the discriminator, in the order in which they run; none where there is none."""
        if self.discriminator is None:
            return []
        return layers_of(self.discriminator, lambda: self.score(torch.zeros(1, *self.shape)))

    def lines(self) -> list[str]:
        """All layers in words, those that are shown where none is named with a star."""
        both = {GENERATOR: self.generator_layers, DISCRIMINATOR: self.discriminator_layers}
        return [
            f"{'*' if layer in stages_of(layers) else ' '} {player}.{layer}"
            for player, layers in both.items()
            for layer in layers
        ]

    def chosen(self, asked: Sequence[str]) -> dict[str, list[Layer]]:
        """The layers asked for (`generator.layers.5`), by network; one for each resolution of both where none is.

        Raises OptionError for a name without its network, RunError for a network that is not there, UnknownNameError.
        """
        known = {GENERATOR: self.generator_layers, DISCRIMINATOR: self.discriminator_layers}
        if not asked:
            return {player: stages_of(layers) for player, layers in known.items()}
        found: dict[str, list[Layer]] = {GENERATOR: [], DISCRIMINATOR: []}
        for word in asked:
            player, _, name = word.partition(".")
            if player not in known or not name:
                raise OptionError(
                    f"a layer is named with its network, as generator.{_first(self.generator_layers)}, not {word!r}: "
                    f"--layers lists all"
                )
            if player == DISCRIMINATOR and self.discriminator is None:
                raise RunError("there is no discriminator beside this generator: name a layer of the generator")
            found[player].append(layer_named(known[player], name))
        return found


def insides(
    run: Run,
    seeds: Sequence[Seed],
    *,
    label: int | str | None = None,
    raw: bool = False,
    checkpoint: str | None = None,
    device: str = "auto",
) -> Insides:
    """Open the generator of a run and, where there is one, its discriminator. Raises RunError for a run that makes
    points, or whose generator makes no feature maps."""
    renderer = run.renderer(raw=raw, checkpoint=checkpoint, device=device)
    shape = run.network(GENERATOR, raw=raw, checkpoint=checkpoint)[1].dimensions[:3]
    discriminator = None
    if DISCRIMINATOR in run.players:
        network, _ = run.network(DISCRIMINATOR, raw=raw, checkpoint=checkpoint)
        discriminator = network.to(choose_device(device)).float().eval().requires_grad_(False)
    inside = Insides(renderer, discriminator, (shape[0], shape[1], shape[2]), tuple(seeds), label)
    if not stages_of(inside.generator_layers):
        raise RunError(f"{run.path} has no layer that makes feature maps, so there is nothing to look into")
    return inside


def _images(made: object) -> Tensor:
    assert isinstance(made, Tensor)
    return made.detach().float().cpu()


def _first(layers: Sequence[Layer]) -> str:
    return layers[0].name if layers else "layers.0"
