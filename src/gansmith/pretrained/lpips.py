"""LPIPS as a loss: a perceptual distance of images on VGG16, with gradients.

Zhang, Isola, Efros, Shechtman, Wang 2018, "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric",
equation 1, with the linear heads of version 0.1. The extractor `vgg` measures by the same numbers.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from gansmith.errors import ExperimentError
from gansmith.pretrained import pickled_arrays, vgg
from gansmith.pretrained.weights import folder, read
from gansmith.values import exact

LEAST = 16  # pixels a side, for four halvings
_SHIFT, _SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)  # LPIPS' own standardisation of [-1, 1]
_TINY = 1e-10  # LPIPS' own guard of a length of zero


class Lpips(nn.Module):
    """Images [B, 3, H, W] in [-1, 1], twice, H and W at least 16 -> distances [B], in float32 or better.

    >>> network, image = Lpips(((2,), (3,))), torch.rand(1, 3, 16, 16)
    >>> network(image, image).tolist()
    [0.0]
    """

    def __init__(self, widths: tuple[tuple[int, ...], ...] = vgg.WIDTHS) -> None:
        super().__init__()
        self.stages = vgg.stages(widths)
        self.heads = nn.ParameterList(nn.Parameter(torch.ones(stage[-1])) for stage in widths)

    def forward(self, one: Tensor, other: Tensor) -> Tensor:
        return apart(self.heads, *(units(self.stages, images) for images in (one, other)))


def published(place: str | None = None) -> Lpips:
    """The network with its published weights, frozen; place: their file, or its folder, where they are elsewhere.

    Raises ExperimentError where they are not here, OptionError where `place` does not hold them.
    """
    if place is None:
        require()
    network = Lpips()
    network.load_state_dict(vgg.torch_names(pickled_arrays.read(read(vgg.WEIGHTS, place))))
    return network.eval().requires_grad_(False)


def require() -> None:
    """Raises ExperimentError where the weights are not on this machine, with the way out."""
    if not (folder() / vgg.WEIGHTS.file).is_file():
        raise ExperimentError(
            f"the distance lpips reads the features of vgg, and its weights {vgg.WEIGHTS.file} are not in {folder()}: "
            f"gansmith features install vgg, or take the one without: --set discriminator.distance=pixels"
        )


def units(stages: nn.ModuleList, images: Tensor) -> list[Tensor]:
    """Images [B, 3, H, W] in [-1, 1] -> the last activations [B, C, h, w] of each stage, of unit length along C."""
    shift, scale = (images.new_tensor(values)[:, None, None] for values in (_SHIFT, _SCALE))
    standardised = ((images - shift) / scale).contiguous(memory_format=torch.channels_last)
    maps = (exact(x) for x in vgg.activations(stages, standardised))
    return [x / (x.norm(dim=1, keepdim=True) + _TINY) for x in maps]


def apart(heads: Sequence[Tensor] | nn.ParameterList, one: Sequence[Tensor], other: Sequence[Tensor]) -> Tensor:
    """Unit activations of each stage, twice -> Eq. 1 [B]: squared differences times a head, averaged over places."""
    total = one[0].new_zeros(len(one[0]))
    for head, a, b in zip(heads, one, other, strict=True):
        total = total + ((a - b).square() * head[:, None, None]).sum(1).mean((1, 2))
    return total
