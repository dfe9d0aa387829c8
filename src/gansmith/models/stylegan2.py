"""StyleGAN2: a mapping network, modulated convolutions with noise, skip outputs; a residual discriminator.

Karras, Laine, Aittala, Hellsten, Lehtinen, Aila 2020, "Analyzing and Improving the Image Quality of StyleGAN",
configuration F, and its published code. At powers of 2 the layers are theirs; other sizes get as many stages of factor
2 as leave a base grid of at least 4 pixels a side, each stage of exactly its share of the image's size, rounded up.
"""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor, nn

from gansmith.adversarial import Dimensions
from gansmith.errors import GansmithError
from gansmith.models.layers.blurred_residual import BlurredResidual
from gansmith.models.layers.conditional import classes_of
from gansmith.models.layers.equalised import EqualisedConv2d, EqualisedLinear
from gansmith.models.layers.mapping import Mapping
from gansmith.models.layers.minibatch_std import MinibatchDeviation
from gansmith.models.layers.sides import check_sides
from gansmith.models.layers.synthesis import Output, Stage, Synthesis, stages_of
from gansmith.system import collectives
from gansmith.system.collectives import gathered, own_rows
from gansmith.system.option_types import Fraction, PositiveInt, SmallInt
from gansmith.system.sharing import drawn

SMALLEST = 4  # the smallest base grid, in pixels

_DECAY = 0.998  # of the mean of w, per pass: that of the authors' later code (StyleGAN3); 0.995 before


def generator(
    dimensions: Dimensions,
    *,
    width: PositiveInt = 512,
    channel_base: PositiveInt = 32768,
    styles: PositiveInt = 512,
    depth: SmallInt = 8,
    mixing: Fraction = 0.9,
    output: Output = "linear",
    conditional: bool = False,
) -> Generator:
    """Latents [B, Z] -> images [B, C, H, W] that aim at [-1, 1]; unbounded, unless `output` is tanh.

    width: the most channels of a stage; channel_base: channels times the shorter side of its images, where that is
    less. styles: size of W. depth: layers of the mapping network. mixing: the share of images that take their style
    from two latents, in training. output: tanh (not the authors') makes plain white and black easy. Raises
    ExperimentError below 4 pixels a side, or without labels.

    >>> network = generator(Dimensions(3, 32, 32, latent=64), width=16, styles=8, depth=2)
    >>> w = network.map(torch.zeros(2, 64))
    >>> w.shape, network.synthesize(w).shape
    (torch.Size([2, 8]), torch.Size([2, 3, 32, 32]))
    """
    classes = classes_of("generator", dimensions, model="stylegan2") if conditional else 0
    parts = Synthesis(_stages(dimensions, width, channel_base), dimensions.channels, styles, output=output)
    return Generator(Mapping(dimensions.latent, classes, styles, depth), parts, mixing)


def discriminator(
    dimensions: Dimensions,
    *,
    width: PositiveInt = 512,
    channel_base: PositiveInt = 32768,
    group: PositiveInt = 4,
    depth: SmallInt = 8,
    conditional: bool = False,
) -> Discriminator:
    """Images [B, C, H, W] -> raw scores [B].

    width, channel_base: as the generator's. group: images in a group of the minibatch standard deviation. depth: layers
    of the mapping network of labels, where it is conditional.

    >>> network = discriminator(Dimensions(3, 32, 32), width=16)
    >>> network(torch.zeros(2, 3, 32, 32)).shape
    torch.Size([2])
    """
    classes = classes_of("discriminator", dimensions, model="stylegan2") if conditional else 0
    return Discriminator(dimensions.channels, _stages(dimensions, width, channel_base), classes, group, depth)


def _stages(dimensions: Dimensions, width: int, channel_base: int) -> list[Stage]:
    check_sides("stylegan2", dimensions, smallest=SMALLEST, instead=", or for points (ring, grid) --recipe r3gan_ring")
    return stages_of(dimensions, width=width, channel_base=channel_base, smallest=SMALLEST)


class Generator(nn.Module):
    """See `generator`. Its space W is reached by three methods: w = `map`(z), `truncate`(w, psi), `synthesize`(w).

    In training mode noise and the mixing of styles are drawn from torch's global generator, which the engine seeds
    before each play; in evaluation the noise is fixed and nothing is mixed: an image depends on its latent alone.
    """

    w_mean: Tensor

    def __init__(self, mapping: Mapping, synthesis: Synthesis, mixing: float) -> None:
        super().__init__()
        self.conditional, self.mixing = mapping.embedding is not None, mixing
        self.mapping, self.synthesis = mapping, synthesis
        self.register_buffer("w_mean", torch.zeros(mapping.width))

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        w = self.map(z, label)
        if not self.training:
            return self.synthesize(w)
        with torch.no_grad():
            self.w_mean.lerp_(collectives.mean(w).to(self.w_mean.dtype), 1 - _DECAY)
        return self.synthesize(self._mixed(w, z, label))

    def map(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        """Latents [B, Z] (and labels [B] of a conditional generator) -> w [B, W]."""
        w: Tensor = self.mapping(z, label)
        return w

    def styles(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        """Latents [B, Z] -> w for each layer [B, L, W], coarsest first; mixed in training mode."""
        w = self.map(z, label)
        return self._mixed(w, z, label) if self.training else self._of_layers(w)

    def truncate(self, w: Tensor, psi: float) -> Tensor:
        """The truncation trick: w [..., W] -> mean + psi (w - mean), the mean being that of w in training.

        psi 1 changes nothing, 0 leaves the mean (Karras, Laine, Aila 2019, section B of the appendix).
        """
        return torch.lerp(self.w_mean.to(w), w, psi)

    def synthesize(self, w: Tensor) -> Tensor:
        """w [B, W], or one for each layer [B, L, W] -> images [B, C, H, W]. Raises GansmithError for other shapes."""
        if w.dim() == 2:
            w = self._of_layers(w)
        layers, size = self.synthesis.layers, self.mapping.width
        if w.dim() != 3 or w.shape[1:] != (layers, size):
            raise GansmithError(
                f"w of shape {list(w.shape)} does not fit this generator: [B, {size}] is needed, or one for each of "
                f"its layers, [B, {layers}, {size}]"
            )
        images: Tensor = self.synthesis(w)
        return images

    def _of_layers(self, w: Tensor) -> Tensor:
        return w[:, None].expand(-1, self.synthesis.layers, -1)

    def _mixed(self, w: Tensor, z: Tensor, label: Tensor | None) -> Tensor:
        """Style mixing: the layers from a random one on take the w of the previous latent of the batch, [B, L, W].

        Karras, Laine, Aila 2019, section 3.1.
        """
        if not self.mixing:
            return self._of_layers(w)
        # Differs: the second latent is the neighbour's, where the paper draws one: of the prior, whichever it is
        other = self.map(_neighbours(z), label) if self.conditional else _neighbours(w)
        crossover = drawn(lambda n: torch.randint(1, self.synthesis.layers, (n, 1), device=w.device), len(w))
        mixed = drawn(lambda n: torch.rand(n, 1, device=w.device), len(w)) < self.mixing
        behind = (torch.arange(self.synthesis.layers, device=w.device) >= crossover) & mixed
        return torch.where(behind[:, :, None], other[:, None], w[:, None])


def _neighbours(values: Tensor) -> Tensor:
    """Values [B, ...] of the global batch, each the one before it, the first the last."""
    return own_rows(gathered(values).roll(1, 0))


class Discriminator(nn.Module):
    """See `discriminator`. A conditional score is the inner product of the features with a mapped embedding of the
    class, divided by the root of their number."""

    def __init__(self, channels: int, stages: list[Stage], classes: int, group: int, depth: int) -> None:
        super().__init__()
        self.conditional = classes > 0
        widths = [stage.width for stage in stages]
        self.begin = EqualisedConv2d(channels, widths[-1], 1)
        self.blocks = nn.Sequential(*(BlurredResidual(before, after) for before, after in pairwise(reversed(widths))))
        self.deviation = MinibatchDeviation(group)
        self.last = EqualisedConv2d(widths[0] + 1, widths[0], 3)
        self.features = EqualisedLinear(widths[0] * math.prod(stages[0].size), widths[0], active=True)
        self.scores = EqualisedLinear(widths[0], widths[0] if classes else 1)
        self.mapping = Mapping(0, classes, widths[0], depth, role="discriminator") if classes else None

    def forward(self, image: Tensor, label: Tensor | None = None) -> Tensor:
        x = self.last(self.deviation(self.blocks(self.begin(image))))
        scores: Tensor = self.scores(self.features(x.flatten(1)))
        if self.mapping is None:
            return scores.squeeze(1)
        scores = scores * self.mapping(None, label)
        return scores.sum(1) / math.sqrt(scores.shape[1])
