"""The only door from arguments to images: seeds -> latents -> images, the same to the bit whatever else is asked for.

Latents are drawn on the CPU, each from its own seed, so that every device sees the same ones. Images are made one at
a time unless a larger `chunk` is asked for: matrix products round differently at different places of a batch
(docs/latent.md has the measurement), so only a chunk of one makes an image depend on its latent alone for every
network. A larger chunk is always filled up to its full size: there an image depends on its latent and its place.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable

import torch
from torch import Tensor, nn

from gansmith.adversarial import Prior
from gansmith.errors import OptionError
from gansmith.latent.sample import Pictures
from gansmith.randomness import generator as randomness


class Renderer:
    """A generator, frozen as it is now: a copy in float32 and evaluation mode, on `device`."""

    def __init__(
        self, generator: nn.Module, prior: Prior, *, device: torch.device | str = "cpu", chunk: int = 1
    ) -> None:
        if chunk < 1:
            raise OptionError(f"chunk = {chunk} is not allowed: at least one image is made at a time")
        self.generator = copy.deepcopy(generator).eval().requires_grad_(False)
        self.generator.to(device=device, dtype=torch.float32)
        for tensor in (*self.generator.parameters(), *self.generator.buffers()):
            # training may leave channels_last, and a file any alignment: both round differently
            tensor.data = tensor.data.clone(memory_format=torch.contiguous_format)
        self.prior, self.device, self.chunk = prior, torch.device(device), chunk

    def latents(self, seeds: Iterable[int], *, grid: tuple[int, int] | None = None) -> Tensor:
        """One latent for each seed, [N, Z], or [N, Z, h, w] for a canvas of h x w, on the CPU.

        Raises OptionError without seeds, or for a grid where the generator takes none.
        """
        seeds = list(seeds)
        if not seeds:
            raise OptionError("no seeds were given: an image needs one each, such as 0-63 or 1,4,9")
        if grid is not None:
            self._check(grid)
        return torch.cat([self.prior.latents(1, randomness("latent", seed), grid) for seed in seeds])

    @torch.no_grad()
    def render(self, latents: Tensor) -> Tensor:
        """Latents [N, Z], or [N, Z, h, w] for canvases -> images [N, C, H, W], float32, on the CPU."""
        if latents.dim() not in (2, 4) or latents.shape[1] != self.prior.size or len(latents) == 0:
            raise OptionError(
                f"latents of shape {list(latents.shape)} do not fit: [N, {self.prior.size}] is needed, "
                f"or [N, {self.prior.size}, h, w] for a canvas"
            )
        if latents.dim() == 4:
            self._check((latents.shape[2], latents.shape[3]))
        latents = latents.to(device="cpu", dtype=torch.float32)
        missing = -len(latents) % self.chunk
        filled = torch.cat([latents, latents[-1:].expand(missing, *latents.shape[1:])])
        # cuDNN may choose transposed convolutions that add up in any order, and TF32 drops 13 bits
        with torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False):
            made = [self._make(part) for part in torch.split(filled, self.chunk)]
        return torch.cat(made)[: len(latents)]

    def images(self, seeds: Iterable[int], *, grid: tuple[int, int] | None = None) -> Pictures:
        """The image of each seed, with the seed as its label."""
        seeds = list(seeds)
        return Pictures(self.render(self.latents(seeds, grid=grid)), tuple(str(seed) for seed in seeds))

    def _make(self, latents: Tensor) -> Tensor:
        # a copy, because the CPU's matrix products round by where in memory a row begins
        latents = latents.clone(memory_format=torch.contiguous_format).to(self.device)
        images: Tensor = self.generator(latents)
        return images.float().cpu()

    def _check(self, grid: tuple[int, int]) -> None:
        if not getattr(self.generator, "spatial_latents", False):
            model = type(self.generator).__module__.rpartition(".")[2]
            raise OptionError(
                f"the generator of the model {model} makes one size only: a canvas needs a fully convolutional one "
                f"(such as dcgan). Leave --canvas out"
            )
        if min(grid) < 1:
            raise OptionError(f"a canvas of {grid[0]}x{grid[1]} is not allowed: both sides must be at least 1")
