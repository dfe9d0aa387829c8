"""Patch discriminator (PatchGAN): a score for every patch of an image, by a fully convolutional network.

Isola, Zhu, Zhou, Efros 2017, "Image-to-Image Translation with Conditional Adversarial Networks", sections 3.2.2 and
6.1.2; Zhu, Park, Isola, Efros 2017, "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks",
section 7.2.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from torch import Tensor, nn

from gansmith.adversarial import Dimensions
from gansmith.models.layers.instance import InstanceNorm
from gansmith.models.layers.sides import check_sides

_USUAL = 3  # halvings: patches of 70 x 70
_LEFT = 3  # pixels behind them: each of the two last convolutions takes one
_MOST = 8  # the widest layer has this many times `width` channels


class PatchDiscriminator(nn.Module):
    """Patch discriminator: images [B, C, H, W] in [-1, 1] -> raw scores [B, 1, h, w], h = H / 2^layers - 2.

    layers: convolutions of stride 2; a score depends on a patch of `patch_side(layers)` pixels a side.
    normalised: channels -> a normalisation, for every layer but the first and the last. bias: of the convolutions
    before a normalisation, on which it has no effect.
    """

    def __init__(
        self, channels: int, *, width: int, layers: int, normalised: Callable[[int], nn.Module], bias: bool
    ) -> None:
        super().__init__()
        widths = [width * min(2**k, _MOST) for k in range(layers + 1)]
        built: list[nn.Module] = [nn.Conv2d(channels, width, 4, 2, 1), nn.LeakyReLU(0.2, inplace=True)]
        for number, (before, after) in enumerate(pairwise(widths), start=1):
            stride = 2 if number < layers else 1
            built += [nn.Conv2d(before, after, 4, stride, 1, bias=bias), normalised(after)]
            built += [nn.LeakyReLU(0.2, inplace=True)]
        self.layers = nn.Sequential(*built, nn.Conv2d(widths[-1], 1, 4, 1, 1))
        self.apply(initialise)

    def forward(self, image: Tensor, label: Tensor | None = None) -> Tensor:
        scores: Tensor = self.layers(image)
        return scores


def patch_side(layers: int) -> int:
    """Receptive field of one score, in pixels a side: 16, 34, 70, 142, 286 with 1, 2, 3, 4, 5 halvings."""
    return (9 << layers) - 2


def layers_for(model: str, dimensions: Dimensions, layers: int | None) -> int:
    """The number of strided convolutions: `layers`, or up to 3 as the size allows. Raises ExperimentError where none
    fits."""
    if layers is None:
        shorter = min(dimensions.height, dimensions.width)
        layers = max((count for count in range(1, _USUAL + 1) if shorter >> count >= _LEFT), default=1)
    check_sides(
        model,
        dimensions,
        smallest=_LEFT << layers,
        reason=f"its discriminator halves both sides {layers} time{'' if layers == 1 else 's'}, so ",
        instead="" if layers == 1 else ", or let it halve less often: --set discriminator.layers=1",
    )
    return layers


def initialise(module: nn.Module) -> None:
    """Weights N(0, 0.02) (Zhu et al. 2017, section 7.1), normalisation scales N(1, 0.02) (the authors' code),
    biases 0."""
    if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, (nn.BatchNorm2d, InstanceNorm)) and module.affine:
        nn.init.normal_(module.weight, 1.0, 0.02)
    else:
        return
    if module.bias is not None:
        nn.init.zeros_(module.bias)
