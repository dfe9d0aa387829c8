"""Rendering of images: seeds -> latents -> images, each the same to the bit whatever else is rendered with it.

Latents are drawn on the CPU, each from its own seed, so that every device sees the same ones. Images are generated one
at a time unless `chunk` is larger: matrix products round differently at different places of a batch
(docs/latent.md has the measurement), so only a chunk of one makes an image depend on its latent alone for every
network. A larger chunk is always padded to its full size: there an image depends on its latent and its place.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from gansmith.data.prior import Prior
from gansmith.errors import OptionError, unknown
from gansmith.latent.image_series import ImageSeries
from gansmith.system.memory import require_memory
from gansmith.system.seeding import generator as randomness
from gansmith.system.text import whole_number

_LAYERS_AT_ONCE = 6  # times the largest layer that a canvas takes: its patches, unfolded for the products, are the most
_LEAST_TRUNCATION = 0.01  # drawing again until all components are nearer than this to zero takes too long


class Renderer:
    """Renderer of a generator: a frozen copy in float32 and evaluation mode, on `device`.

    >>> import torch
    >>> from gansmith.data.prior import Prior
    >>> renderer = Renderer(torch.nn.Unflatten(1, (1, 2, 2)), Prior(size=4))
    >>> renderer.images([7, 8]).images.shape
    torch.Size([2, 1, 2, 2])
    """

    def __init__(
        self,
        generator: nn.Module,
        prior: Prior,
        *,
        classes: tuple[str, ...] = (),
        device: torch.device | str = "cpu",
        chunk: int = 1,
    ) -> None:
        if chunk < 1:
            raise OptionError(f"chunk = {chunk} is not allowed: at least 1")
        self.generator = copy.deepcopy(generator).eval().requires_grad_(False)
        self.generator.to(device=device, dtype=torch.float32)
        for tensor in (*self.generator.parameters(), *self.generator.buffers()):
            # training may leave channels_last, and a file any alignment: both round differently
            tensor.data = tensor.data.clone(memory_format=torch.contiguous_format)
        self.prior, self.device, self.chunk = prior, torch.device(device), chunk
        self.classes = classes  # their names
        self.conditional = bool(getattr(self.generator, "conditional", False))
        self.has_w = all(hasattr(self.generator, name) for name in ("map", "truncate", "synthesize"))  # a space W

    def latents(
        self, seeds: Iterable[int], *, grid: tuple[int, int] | None = None, truncation: float | None = None
    ) -> Tensor:
        """One latent for each seed, [N, Z], or [N, Z, h, w] for a canvas of h x w, on the CPU.

        truncation: the truncation trick; components of a normal latent further than this from zero are drawn again
        until they are not (Brock, Donahue, Simonyan 2019, "Large Scale GAN Training for High Fidelity Natural Image
        Synthesis", section 3.1): less variety, more typical images. Raises OptionError without seeds, for a grid where
        the generator takes none, for a truncation of another prior or below 0.01.
        """
        seeds = list(seeds)
        if not seeds:
            raise OptionError("no seeds were given: an image needs one each, such as 0-63 or 1,4,9")
        if grid is not None:
            self._check_canvas(grid)
        cells = 1 if grid is None else grid[0] * grid[1]
        require_memory(
            8 * len(seeds) * self.prior.size * cells,
            f"{len(seeds):,} latents of {self.prior.size * cells:,} numbers",
            "ask for fewer at a time, or a smaller canvas",
        )
        if truncation is not None:
            if self.prior.kind != "normal":
                raise OptionError(f"latents of the prior {self.prior.kind} have no tails to cut: leave truncation out")
            if not truncation >= _LEAST_TRUNCATION:
                raise OptionError(f"truncation = {truncation:g} is not allowed: at least {_LEAST_TRUNCATION}")
        return torch.cat([self._latent(seed, grid, truncation) for seed in seeds])

    def labels(self, seeds: Iterable[int], label: int | str | None = None) -> Tensor | None:
        """The class of each seed's image [N]: `label` (its number or name), or one drawn by the seed, each as often as
        in training; None for an unconditional generator. Raises OptionError for an unknown class."""
        classes = self.prior.classes
        if not self.conditional:
            if label is not None:
                raise OptionError("this generator was not trained with classes: leave the label out")
            return None
        if label is None:
            shares = torch.tensor(self.prior.shares or [1 / classes] * classes, dtype=torch.float64)
            return torch.cat([shares.multinomial(1, generator=randomness("label", seed)) for seed in seeds])
        names = self.classes or tuple(map(str, range(classes)))
        number = names.index(str(label)) if str(label) in names else whole_number(str(label))
        if number is None or number >= classes:
            raise OptionError(unknown("class", str(label), names))
        return torch.full((len(list(seeds)),), number)

    def one_label(self, seeds: Sequence[int], count: int, label: int | str | None) -> Tensor | None:
        """`count` times the class `label`, or else that of the first of `seeds`, [count]; None as for `labels`."""
        first = self.labels(seeds[:1], label)
        return None if first is None else first.expand(count)

    @torch.no_grad()
    def render(self, latents: Tensor, labels: Tensor | None = None, *, psi: float | None = None) -> Tensor:
        """Latents [N, Z], or [N, Z, h, w] for canvases, and labels [N] of a conditional generator -> images
        [N, C, H, W], float32, on the CPU.

        psi: the truncation trick in W, of a generator that has one: w is drawn towards its mean, to psi times the
        distance (Karras, Laine, Aila 2019, "A Style-Based Generator Architecture for Generative Adversarial Networks",
        section B of the appendix). Raises OptionError outside 0 to 1, and for another generator.
        """
        if psi is not None and not self.has_w:
            raise OptionError(f"psi = {psi:g} needs a generator with a space W (stylegan2), and this one has none")
        if psi is not None and not 0 <= psi <= 1:
            raise OptionError(f"truncation = {psi:g} is not allowed: from 0 (the mean image) to 1 (no truncation)")
        if latents.dim() not in (2, 4) or latents.shape[1] != self.prior.size or len(latents) == 0:
            raise OptionError(
                f"latents of shape {list(latents.shape)} do not fit: [N, {self.prior.size}] is needed, "
                f"or [N, {self.prior.size}, h, w] for a canvas"
            )
        if latents.dim() == 4:
            self._check_canvas((latents.shape[2], latents.shape[3]))
        if self.conditional and (labels is None or len(labels) != len(latents)):
            raise OptionError("this generator is conditional: it needs a label for each latent")
        latents = latents.to(device="cpu", dtype=torch.float32)
        missing = -len(latents) % self.chunk
        filled = torch.cat([latents, latents[-1:].expand(missing, *latents.shape[1:])])
        wanted = None if labels is None else torch.cat([labels, labels[-1:].expand(missing)])
        # cuDNN may choose transposed convolutions that add up in any order, and TF32 drops 13 bits
        with torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False):
            chunks: list[Tensor] = []
            for start in range(0, len(filled), self.chunk):
                place = slice(start, start + self.chunk)
                chunks.append(self._generate(filled[place], None if wanted is None else wanted[place], psi))
                if start == 0:
                    _require_images(len(filled), chunks[0])
        return torch.cat(chunks)[: len(latents)]

    def images(
        self,
        seeds: Iterable[int],
        *,
        grid: tuple[int, int] | None = None,
        label: int | str | None = None,
        truncation: float | None = None,
    ) -> ImageSeries:
        """The image of each seed, with the seed as its label.

        truncation: psi of `render` for a generator with a space W, else that of `latents`.
        """
        seeds = list(seeds)
        psi, cut = (truncation, None) if self.has_w else (None, truncation)
        latents = self.latents(seeds, grid=grid, truncation=cut)
        images = self.render(latents, self.labels(seeds, label), psi=psi)
        return ImageSeries(images, tuple(str(seed) for seed in seeds))

    def _latent(self, seed: int, grid: tuple[int, int] | None, truncation: float | None) -> Tensor:
        rng = randomness("latent", seed)
        latent = self.prior.latents(1, rng, grid)
        while truncation is not None and bool((far := latent.abs() > truncation).any()):
            latent = torch.where(far, self.prior.latents(1, rng, grid), latent)
        return latent

    def _generate(self, latents: Tensor, labels: Tensor | None, psi: float | None = None) -> Tensor:
        # a copy, because the CPU's matrix products round by where in memory a row begins
        latents = latents.clone(memory_format=torch.contiguous_format).to(self.device)
        given = [latents] if labels is None else [latents, labels.to(self.device)]
        if psi is None:
            images: Tensor = self.generator(*given)
        else:
            network: Any = self.generator
            images = network.synthesize(network.truncate(network.map(*given), psi))
        return images.float().cpu()

    def _check_canvas(self, grid: tuple[int, int]) -> None:
        if not getattr(self.generator, "spatial_latents", False):
            model = type(self.generator).__module__.rpartition(".")[2]
            raise OptionError(
                f"the generator of the model {model} makes one size only: a canvas needs a fully convolutional one "
                f"(such as dcgan). Leave --canvas out"
            )
        if min(grid) < 1:
            raise OptionError(f"a canvas of {grid[0]}x{grid[1]} is not allowed: both sides must be at least 1")
        if max(grid) > 2:
            require_memory(
                _LAYERS_AT_ONCE * self._canvas_bytes(grid),
                f"a canvas of {grid[0]:,}x{grid[1]:,} cells",
                "ask for a smaller one (--canvas 4x6)",
            )

    @torch.no_grad()
    def _canvas_bytes(self, grid: tuple[int, int]) -> float:
        """Bytes of the largest layer on a canvas, its input and output: those of two small canvases extrapolated, whose
        sides grow by as much for each cell."""
        sides = [math.sqrt(self._layer_bytes(cells)) for cells in (1, 2)]
        return math.prod(sides[0] + (cells - 1) * (sides[1] - sides[0]) for cells in grid)

    def _layer_bytes(self, cells: int) -> float:
        most = 0

        def watch(module: nn.Module, read: tuple[Tensor, ...], made: Tensor) -> None:
            nonlocal most
            most = max(most, sum(one.numel() * one.element_size() for one in (*read, made) if torch.is_tensor(one)))

        hooks = [module.register_forward_hook(watch) for module in self.generator.modules()]
        try:
            latent = torch.zeros(1, self.prior.size, cells, cells)
            self._generate(latent, torch.zeros(1, dtype=torch.int64) if self.conditional else None)
        finally:
            for hook in hooks:
                hook.remove()
        return float(most)


def _require_images(count: int, first: Tensor) -> None:
    """Raises OptionError where `count` images like the first chunk do not fit in memory, twice and as levels."""
    each = first.numel() // len(first) * (4 + 4 + 1 + 1)
    shape = "x".join(map(str, first.shape[1:]))
    require_memory(count * each, f"{count:,} images {shape}", "ask for fewer at a time, or smaller ones")
