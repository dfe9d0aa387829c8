"""Rendering of images: seeds -> latents -> images, each the same to the bit whatever else is rendered with it.

Latents are drawn on the CPU, each from its own seed, so that every device sees the same ones. Images are generated one
at a time unless `chunk` is larger: matrix products round differently at different places of a batch
(docs/latent.md has the measurement), so only a chunk of one makes an image depend on its latent alone for every
network. A larger chunk is always padded to its full size: there an image depends on its latent and its place.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any, cast

import torch
from torch import Tensor, nn

from gansmith.data.prior import Prior
from gansmith.errors import OptionError, unknown
from gansmith.latent.canvas import require_canvas
from gansmith.latent.image_series import ImageSeries, require_images
from gansmith.latent.latents import Latent, Seed, Space, name_of, space_of
from gansmith.latent.origin import Origin, origin
from gansmith.latent.provenance import Provenance, Samples, points
from gansmith.models.saved import digest_of
from gansmith.system.memory import require_memory
from gansmith.system.seeding import generator as randomness
from gansmith.system.text import whole_number
from gansmith.system.threads import CallThreads, threads_for

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
        images: int = 0,
        recipe: str | None = None,
    ) -> None:
        """images, recipe: how many real images the weights have seen, and the recipe's name, for files of latents."""
        if chunk < 1:
            raise OptionError(f"chunk = {chunk} is not allowed: at least 1")
        self.generator = copy.deepcopy(generator).eval().requires_grad_(False)
        self.generator.to(device=device, dtype=torch.float32)
        for tensor in (*self.generator.parameters(), *self.generator.buffers()):
            # training may leave channels_last, and a file any alignment: both round differently
            tensor.data = tensor.data.clone(memory_format=torch.contiguous_format)
        self.prior, self.device, self.chunk = prior, torch.device(device), chunk
        self.classes = classes  # their names
        self.trained_images, self.recipe = images, recipe
        self.threads = CallThreads(self.device)
        self.conditional = bool(getattr(self.generator, "conditional", False))
        self.has_w = all(hasattr(self.generator, name) for name in ("map", "truncate", "synthesize"))  # a space W

    @cached_property
    def digest(self) -> str:
        """The sha256 of the generator's weights, in hexadecimal: which model a latent belongs to."""
        return digest_of(self.generator.state_dict())

    @cached_property
    def origin(self) -> Origin:
        """Which model its latents belong to."""
        return origin(self.digest, self.trained_images, self.recipe)

    def latents(
        self,
        seeds: Iterable[Seed],
        *,
        grid: tuple[int, int] | None = None,
        truncation: float | None = None,
        space: Space | None = None,
        label: int | str | None = None,
    ) -> Tensor:
        """One latent for each seed, [N, Z], or [N, Z, h, w] for a canvas of h x w, on the CPU; [N, W] in the space w.

        truncation: the truncation trick; components of a normal latent further than this from zero are drawn again
        until they are not (Brock, Donahue, Simonyan 2019, "Large Scale GAN Training for High Fidelity Natural Image
        Synthesis", section 3.1): less variety, more typical images. space: `space_of` the seeds when None; label: of
        the class, for latents that are mapped to w. Raises OptionError without seeds, for a grid where the generator
        takes none, for a truncation of another prior or below 0.01, for latents of another size.
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
        in_w = (space or space_of(seeds)) == "w"
        rows = [self._mapped(seed, label) if in_w else self._row(seed, grid, truncation) for seed in seeds]
        if len({row.shape for row in rows}) > 1:
            shapes = " and ".join(sorted({str(list(row.shape[1:])) for row in rows}))
            raise OptionError(f"latents of the shapes {shapes} do not make one sheet: give those of one shape")
        return torch.cat(rows)

    def labels(self, seeds: Iterable[Seed], label: int | str | None = None) -> Tensor | None:
        """The class of each seed's image [N]: `label` (its number or name), or one drawn by the seed, each as often as
        in training; None for an unconditional generator. Raises OptionError for an unknown class."""
        classes = self.prior.classes
        if not self.conditional:
            if label is not None:
                raise OptionError("this generator was not trained with classes: leave the label out")
            return None
        if label is None:
            return torch.cat([self._label(seed) for seed in seeds])
        names = self.classes or tuple(map(str, range(classes)))
        number = names.index(str(label)) if str(label) in names else whole_number(str(label))
        if number is None or number >= classes:
            raise OptionError(unknown("class", str(label), names))
        return torch.full((len(list(seeds)),), number)

    def one_label(self, seeds: Sequence[Seed], count: int, label: int | str | None) -> Tensor | None:
        """`count` times the class `label`, or else that of the first of `seeds`, [count]; None as for `labels`."""
        first = self.labels(seeds[:1], label)
        return None if first is None else first.expand(count)

    def class_of(self, seeds: Sequence[Seed], label: int | str | None) -> int | None:
        """The number of the class of `one_label`."""
        return None if (first := self.one_label(seeds, 1, label)) is None else int(first)

    @torch.no_grad()
    def render(
        self, latents: Tensor, labels: Tensor | None = None, *, psi: float | None = None, space: Space = "z"
    ) -> Tensor:
        """Latents [N, Z], or [N, Z, h, w] for canvases, and labels [N] of a conditional generator (or shares of its
        classes [N, classes]); or, in the space w, [N, W] -> images [N, C, H, W], float32, on the CPU.

        psi: the truncation trick in W, of a generator that has one: w is drawn towards its mean, to psi times the
        distance (Karras, Laine, Aila 2019, "A Style-Based Generator Architecture for Generative Adversarial Networks",
        section B of the appendix). Raises OptionError outside 0 to 1, and for another generator.
        """
        if psi is not None:
            self._require_psi(psi)
        if space == "w":
            self._require_w(latents.shape[1:])
        elif latents.dim() not in (2, 4) or latents.shape[1] != self.prior.size or len(latents) == 0:
            raise OptionError(
                f"latents of shape {list(latents.shape)} do not fit: [N, {self.prior.size}] is needed, "
                f"or [N, {self.prior.size}, h, w] for a canvas"
            )
        if latents.dim() == 4:
            self._check_canvas((latents.shape[2], latents.shape[3]))
        if self.conditional and space == "z" and (labels is None or len(labels) != len(latents)):
            raise OptionError("this generator is conditional: it needs a label for each latent")
        latents = latents.to(device="cpu", dtype=torch.float32)
        missing = -len(latents) % self.chunk
        filled = torch.cat([latents, latents[-1:].expand(missing, *latents.shape[1:])])
        wanted = None if labels is None else torch.cat([labels, labels[-1:].expand(missing, *labels.shape[1:])])

        def some(start: int = 0) -> Tensor:
            place = slice(start, start + self.chunk)
            return self._generate(filled[place], None if wanted is None else wanted[place], psi, space)

        # cuDNN may choose transposed convolutions that add up in any order, and TF32 drops 13 bits
        exact = torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False)
        with exact, self.threads.of((space, latents.shape[1:]), some):
            chunks = [some()]
            require_images(len(filled), chunks[0])
            chunks += [some(start) for start in range(self.chunk, len(filled), self.chunk)]
        return torch.cat(chunks)[: len(latents)]

    @torch.no_grad()
    def truncated(self, w: Tensor, psi: float) -> Tensor:
        """w [N, W] -> w [N, W] on the CPU, drawn towards its mean as `render` does. Raises OptionError like it."""
        self._require_psi(psi)
        truncate: Any = self.generator.truncate
        nearer: Tensor = truncate(w.to(self.device), psi).float().cpu()
        return nearer

    def images(
        self,
        seeds: Iterable[Seed],
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
        space = space_of(seeds)
        latents = self.latents(seeds, grid=grid, truncation=cut, space=space, label=label)
        images = self.render(latents, self.labels(seeds, label), psi=psi, space=space)
        number = None if label is None else self.class_of(seeds, label)

        def provenance() -> Provenance:
            request = Samples(seeds=points(seeds), truncation=truncation, canvas=grid)
            return Provenance(origin=self.origin, request=request, label=number)

        return ImageSeries(images, tuple(name_of(seed) for seed in seeds), provenance=provenance)

    def _row(self, seed: Seed, grid: tuple[int, int] | None, truncation: float | None) -> Tensor:
        """The latent [1, Z, ...] of a seed, as the generator takes it."""
        if isinstance(seed, int):
            return self._latent(seed, grid, truncation)
        if grid is not None or truncation is not None:
            what = "truncation" if grid is None else "canvas"
            raise OptionError(f"the latent {seed.name} is not drawn by a seed: it takes no {what}. Leave it out")
        if seed.values.shape[0] != self.prior.size:
            raise OptionError(
                f"the latent {seed.name} has {seed.values.shape[0]:,} numbers and this generator reads "
                f"{self.prior.size:,}: it belongs to another model"
            )
        return seed.values[None].cpu()

    @torch.no_grad()
    def _mapped(self, seed: Seed, label: int | str | None) -> Tensor:
        """The w [1, W] of a seed."""
        if isinstance(seed, Latent) and seed.space == "w":
            self._require_w(seed.values.shape)
            return seed.values[None].cpu()
        self._require_w()
        network, labels = cast(Any, self.generator), self.labels([seed], label)
        z = self._row(seed, None, None).clone(memory_format=torch.contiguous_format).to(self.device)
        with threads_for(0):
            w: Tensor = network.map(*([z] if labels is None else [z, labels.to(self.device)])).float().cpu()
        return w

    def _require_psi(self, psi: float) -> None:
        """Raises OptionError for a truncation in W outside 0 to 1, and for a generator without W."""
        if not self.has_w:
            raise OptionError(f"psi = {psi:g} needs a generator with a space W (stylegan2), and this one has none")
        if not 0 <= psi <= 1:
            raise OptionError(f"truncation = {psi:g} is not allowed: from 0 (the mean image) to 1 (no truncation)")

    def _require_w(self, shape: Sequence[int] | None = None) -> None:
        """Raises OptionError where there is no space w, or latents of it have another shape than [W]."""
        if not self.has_w:
            raise OptionError(
                "a latent of the space w needs a generator that has one (stylegan2), and this one has none"
            )
        width = len(getattr(self.generator, "w_mean"))  # noqa: B009  (its type is not known here)
        if shape is not None and tuple(shape) != (width,):
            raise OptionError(f"a latent of the space w of shape {list(shape)} does not fit: [{width}] is needed")

    def _label(self, seed: Seed) -> Tensor:
        """The class [1] of a seed's image, by itself."""
        classes = self.prior.classes
        if isinstance(seed, Latent):
            if seed.label is None and seed.space == "z":
                raise OptionError(f"the latent {seed.name} says no class, and this generator needs one: give --label")
            if (seed.label or 0) >= classes:
                raise OptionError(f"the latent {seed.name} is of class {seed.label}, and this generator has {classes}")
            return torch.tensor([seed.label or 0])
        shares = torch.tensor(self.prior.shares or [1 / classes] * classes, dtype=torch.float64)
        return shares.multinomial(1, generator=randomness("label", seed))

    def _latent(self, seed: int, grid: tuple[int, int] | None, truncation: float | None) -> Tensor:
        rng = randomness("latent", seed)
        latent = self.prior.latents(1, rng, grid)
        while truncation is not None and bool((far := latent.abs() > truncation).any()):
            latent = torch.where(far, self.prior.latents(1, rng, grid), latent)
        return latent

    def _generate(self, latents: Tensor, labels: Tensor | None, psi: float | None = None, space: Space = "z") -> Tensor:
        # a copy, because the CPU's matrix products round by where in memory a row begins
        latents = latents.clone(memory_format=torch.contiguous_format).to(self.device)
        given = [latents] if labels is None else [latents, labels.to(self.device)]
        network: Any = self.generator
        if psi is None and space == "z":
            images: Tensor = network(*given)
        else:
            w = latents if space == "w" else network.map(*given)
            images = network.synthesize(w if psi is None else network.truncate(w, psi))
        return images.float().cpu()

    def _check_canvas(self, grid: tuple[int, int]) -> None:
        def generate(cells: int) -> None:
            latent = torch.zeros(1, self.prior.size, cells, cells)
            self._generate(latent, torch.zeros(1, dtype=torch.int64) if self.conditional else None)

        require_canvas(self.generator, grid, generate)
