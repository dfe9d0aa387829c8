"""DCGAN: strided convolutions with batch normalisation, at any height and width from 8 pixels on.

Radford, Metz, Chintala 2016, "Unsupervised Representation Learning with Deep Convolutional Generative Adversarial
Networks", section 3. At 64 x 64 the layers are those of the paper and of its Torch code; other sizes get as many
stages of factor 2 as leave a base grid of at least 4 pixels a side. The optional extra layers are those of
Arjovsky, Chintala, Bottou 2017, "Wasserstein GAN" (its published code); the other options are the bag of tricks of
Chintala, Denton, Arjovsky, Mathieu 2016, "How to Train a GAN?", and what it advises against, to see what each does.

Conditional: a one-hot label beside the latent (Mirza, Osindero 2014, "Conditional Generative Adversarial Nets", section
3.2), and a projection in the discriminator (Miyato, Koyama 2018, "cGANs with Projection Discriminator", eq. 3).
"""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn

from gansmith.adversarial import Dimensions
from gansmith.errors import ExperimentError
from gansmith.models.layers import grid
from gansmith.models.layers.conditional import classes_of, labels_of, shares_of
from gansmith.models.layers.resample import bilinear
from gansmith.system.option_types import FractionBelowOne, NonNegativeFloat, NonNegativeSmallInt, PositiveInt

Kernel = Literal[3, 4, 5, 6]
Normalisation = Literal["batch", "instance", "layer", "none"]
Downsample = Literal["strided", "average", "max"]
Upsample = Literal["transposed", "resize", "bilinear"]
Order = Literal["normalisation_first", "activation_first"]

SMALLEST = grid.SMALLEST

_MOST = 8  # the widest layer has this many times `width` channels
_SLOPE = 0.2  # of leaky ReLUs


def generator(
    dimensions: Dimensions,
    *,
    width: PositiveInt = 64,
    upsample: Upsample = "transposed",
    extra_layers: NonNegativeSmallInt = 0,
    kernel: Kernel = 4,
    activation: Literal["relu", "leaky_relu"] = "relu",
    output: Literal["tanh", "sigmoid", "linear"] = "tanh",
    dropout: FractionBelowOne = 0.0,
    order: Order = "normalisation_first",
    conditional: bool = False,
) -> Generator:
    """Latents [B, Z], or [B, Z, h, w] for a larger canvas -> images [B, C, H, W] in [-1, 1] (linear: unbounded).

    width: channels of the last hidden layer (ngf). upsample: transposed convolution with `kernel` and stride 2, or
    resizing (by nearest neighbours, or bilinear) and a 3 x 3 convolution (Odena, Dumoulin, Olah 2016, "Deconvolution
    and Checkerboard Artifacts"). output: sigmoid is brought to [-1, 1]. dropout: behind each hidden layer, in training
    alone. order: of normalisation and activation behind a convolution. conditional: it reads labels. Raises
    ExperimentError below 8 pixels a side, without classes for a conditional one, for a kernel beside resizing.

    >>> network = generator(Dimensions(3, 64, 64, latent=100), width=4)
    >>> network(torch.zeros(2, 100)).shape
    torch.Size([2, 3, 64, 64])
    """
    if upsample != "transposed" and kernel != 4:
        raise ExperimentError(
            f"generator.kernel = {kernel} is that of the transposed convolutions, and upsample={upsample} has 3 x 3 "
            f"convolutions instead: leave generator.kernel out, or set generator.upsample=transposed"
        )
    classes = classes_of("generator", dimensions, model="dcgan") if conditional else 0
    slope = None if activation == "relu" else _SLOPE
    count, first, size = grid.grids("dcgan", dimensions)
    widths = [width * min(2**k, _MOST) for k in reversed(range(count))]

    layers: list[nn.Module] = [nn.ConvTranspose2d(dimensions.latent + classes, widths[0], first)]
    layers += _hidden(widths[0], slope, dropout, order=order)
    for before, after in pairwise(widths):
        layers += [*_doubled(before, after, upsample, kernel), *_hidden(after, slope, dropout, order=order)]
    for _ in range(extra_layers):
        layers += [nn.Conv2d(width, width, 3, padding=1), *_hidden(width, slope, dropout, order=order)]
    layers += _doubled(width, dimensions.channels, upsample, kernel)
    if output != "linear":
        layers.append(nn.Tanh() if output == "tanh" else Sigmoid())
    return Generator(nn.Sequential(*layers), size, classes)


def discriminator(
    dimensions: Dimensions,
    *,
    width: PositiveInt = 64,
    slope: NonNegativeFloat = _SLOPE,
    extra_layers: NonNegativeSmallInt = 0,
    normalisation: Normalisation = "batch",
    downsample: Downsample = "strided",
    kernel: Kernel = 4,
    dropout: FractionBelowOne = 0.0,
    order: Order = "normalisation_first",
    conditional: bool = False,
) -> Discriminator:
    """Images [B, C, H, W] in [-1, 1] -> raw scores [B].

    width: channels of the first layer (ndf). slope: of the leaky ReLU; 0 is the plain one. normalisation: behind every
    convolution but the first and the last; `layer` is over channels and pixels together (Gulrajani et al. 2017,
    "Improved Training of Wasserstein GANs", section 4). downsample: a convolution of stride 2, or one of stride 1 and
    2 x 2 pooling. dropout: behind each hidden layer. order: of normalisation and activation. conditional: it reads
    labels. Raises ExperimentError below 8 pixels a side, without classes for a conditional one.

    >>> network = discriminator(Dimensions(3, 64, 64), width=4)
    >>> network(torch.zeros(2, 3, 64, 64)).shape
    torch.Size([2])
    """
    classes = classes_of("discriminator", dimensions, model="dcgan") if conditional else 0
    channels, height, breadth, _, _ = dimensions
    count = grid.doublings("dcgan", dimensions)
    widths = [width * min(2**k, _MOST) for k in range(count)]
    for _ in range(count):
        height, breadth = (_halved_side(side, kernel, downsample) for side in (height, breadth))

    layers: list[nn.Module] = [*_halved(channels, width, kernel, downsample)]
    layers += _hidden(width, slope, dropout, "none")
    for _ in range(extra_layers):
        layers += [nn.Conv2d(width, width, 3, padding=1), *_hidden(width, slope, dropout, normalisation, order)]
    for before, after in pairwise(widths):
        layers += [*_halved(before, after, kernel, downsample), *_hidden(after, slope, dropout, normalisation, order)]
    layers += [nn.Conv2d(widths[-1], 1, (height, breadth)), nn.Flatten(0)]
    return Discriminator(nn.Sequential(*layers), classes, widths[-1] * height * breadth)


class Generator(nn.Module):
    """See `generator`. Fully convolutional: it reads latents with a spatial extent too."""

    spatial_latents = True

    def __init__(self, layers: nn.Sequential, size: tuple[int, int], classes: int) -> None:
        super().__init__()
        self.layers, self.size, self.classes = layers, size, classes
        self.conditional = classes > 0
        self.apply(initialise)

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        single = z.dim() == 2
        z = z[:, :, None, None] if single else z
        if self.conditional:
            chosen = shares_of(labels_of("generator", label), self.classes).to(z.dtype)
            z = torch.cat([z, chosen[:, :, None, None].expand(-1, -1, *z.shape[2:])], 1)
        images: Tensor = self.layers(z)
        return grid.centre(images, *self.size) if single else images


class Discriminator(nn.Module):
    """See `discriminator`. features: how many numbers its last layer reads."""

    def __init__(self, layers: nn.Sequential, classes: int, features: int) -> None:
        super().__init__()
        self.layers = layers
        self.conditional = classes > 0
        if self.conditional:
            self.projection = nn.Embedding(classes, features)  # V of eq. 3
        self.apply(initialise)

    def forward(self, image: Tensor, label: Tensor | None = None) -> Tensor:
        if not self.conditional:
            plain: Tensor = self.layers(image)
            return plain
        features = self.layers[:-2](image)
        projected = self.projection(labels_of("discriminator", label)) * features.flatten(1)
        scores: Tensor = self.layers[-2:](features) + projected.sum(1)  # eq. 3: psi(phi(x)) + y' V phi(x)
        return scores


def initialise(module: nn.Module) -> None:
    """Weights N(0, 0.02), batch-normalisation scales N(1, 0.02), biases 0 (the paper, section 4, and its code).
    Scales of other normalisations 1."""
    if isinstance(module, nn.Embedding):
        nn.init.normal_(module.weight, 0.0, 0.02)
        return
    if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
    else:
        return
    if module.bias is not None:
        nn.init.zeros_(module.bias)


class Bilinear(nn.Module):
    """Bilinear doubling of both sides."""

    def forward(self, x: Tensor) -> Tensor:
        return bilinear(x)


class Sigmoid(nn.Module):
    """Sigmoid scaled to [-1, 1]: 2 sigmoid(x) - 1 = tanh(x / 2)."""

    def forward(self, x: Tensor) -> Tensor:
        return 2 * torch.sigmoid(x) - 1


def _hidden(
    channels: int,
    slope: float | None,
    dropout: float,
    normalisation: Normalisation = "batch",
    order: Order = "normalisation_first",
) -> tuple[nn.Module, ...]:
    """Normalisation, activation and dropout behind a convolution. slope: of the leaky ReLU; None is the ReLU."""
    normalised: tuple[nn.Module, ...] = ()
    if normalisation == "batch":
        normalised = (nn.BatchNorm2d(channels),)
    elif normalisation == "instance":
        normalised = (nn.InstanceNorm2d(channels, affine=True),)
    elif normalisation == "layer":
        normalised = (nn.GroupNorm(1, channels),)  # of one group: the layer normalisation of a feature map
    activation = nn.ReLU(inplace=True) if slope is None else nn.LeakyReLU(slope, inplace=True)
    # Differs: "How to Train a GAN?" (17) drops in test too; here an image is decided by its latent alone.
    ordered = (*normalised, activation) if order == "normalisation_first" else (activation, *normalised)
    return *ordered, *((nn.Dropout(dropout),) if dropout else ())


def _doubled(before: int, after: int, upsample: str, kernel: int) -> tuple[nn.Module, ...]:
    if upsample == "transposed":  # an odd kernel leaves one line to add at the far ends
        return (nn.ConvTranspose2d(before, after, kernel, 2, (kernel - 1) // 2, output_padding=kernel % 2),)
    enlarged = Bilinear() if upsample == "bilinear" else nn.Upsample(scale_factor=2, mode="nearest")
    return (enlarged, nn.Conv2d(before, after, 3, padding=1))


def _halved(before: int, after: int, kernel: int, downsample: Downsample) -> tuple[nn.Module, ...]:
    if downsample == "strided":
        return (nn.Conv2d(before, after, kernel, 2, (kernel - 1) // 2),)
    pool = nn.AvgPool2d(2) if downsample == "average" else nn.MaxPool2d(2)
    return nn.Conv2d(before, after, kernel, 1, kernel // 2), pool


def _halved_side(side: int, kernel: int, downsample: Downsample) -> int:
    """The length of a side behind `_halved`: half, rounded down or up."""
    if downsample == "strided":
        return (side + 2 * ((kernel - 1) // 2) - kernel) // 2 + 1
    return (side + 2 * (kernel // 2) - kernel + 1) // 2
