"""Projected discriminator: four small discriminators on fixed projections of a frozen network's feature maps.

Sauer, Chitta, Mueller, Geiger 2021, "Projected GANs Converge Faster", sections 3 and 4.1, and its code. Trained with
the hinge, whose mean over all scores is that over the four scales: each has as many. Augmentation stands in front
(`augment: diffaugment`), as there. A generator that trained on a network is not judged by that network.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from gansmith.adversarial import Dimensions, exact
from gansmith.errors import ExperimentError
from gansmith.models.layers.feature_mixing import FeatureMixing
from gansmith.models.layers.sides import check_sides
from gansmith.models.layers.spectral import SpectralConv2d
from gansmith.pretrained.backbone import backbone, extractors_like, fused, require
from gansmith.pretrained.weights import content_of
from gansmith.system.option_types import NonNegativeInt, PositiveInt

SMALLEST = 8
_COARSEST = 32  # pixels of the image for one of the smallest feature map
_LEAST = 2 * _COARSEST  # pixels a side that the network reads: its smallest map is then 2 x 2
_OWN = 224  # pixels a side that smaller images are enlarged to, where nothing else is said

Normalisation = Literal["batch", "layer", "none"]
Resolution = Annotated[int, Field(ge=_LEAST, le=1024, multiple_of=_COARSEST)]


def discriminator(
    dimensions: Dimensions,
    *,
    network: str = "mobilenet",
    resolution: Resolution | None = None,
    width: PositiveInt = 64,
    normalisation: Normalisation = "batch",
    projection: NonNegativeInt = 0,
) -> ProjectedDiscriminator:
    """Images [B, C, H, W] in [-1, 1], C = 1, 3 or 4 -> raw scores [B, S], equally many of each of four scales.

    network: mobilenet, vgg, untrained, or timm:MODEL. resolution: the longer side that the network reads, a multiple of
    32; the shorter one in proportion, at least 64; None is 224, or the image's own where it is larger. width: channels
    of the finest mixed map. normalisation: in the four discriminators. projection: seed of the fixed random mixing.
    Raises ExperimentError below 8 pixels a side, for other channels, and where the network's weights are not here.

    >>> network = discriminator(Dimensions(3, 32, 32), network="untrained", resolution=64, width=4)
    >>> network(torch.zeros(2, 3, 32, 32)).shape
    torch.Size([2, 4])
    """
    check_sides("projected", dimensions, smallest=SMALLEST)
    if dimensions.channels not in (1, 3, 4):
        raise ExperimentError(
            f"the discriminator projected reads images of 1, 3 or 4 channels, not {dimensions.channels}: "
            f"set --channels 3, or another discriminator"
        )
    frozen = FrozenProjection(dimensions, network, resolution, width, projection)
    return ProjectedDiscriminator(frozen, width, normalisation)


def require_parts(options: Mapping[str, Any]) -> None:
    """Raises ExperimentError where the frozen network that the options name cannot be had on this machine."""
    require(str(options.get("network", "mobilenet")))


def extractors_read(options: Mapping[str, Any]) -> tuple[str, ...]:
    """The feature extractors that are the frozen network of the options, or of its kind.

    >>> extractors_read({"network": "mobilenet"})
    ('mobilenet',)
    """
    return extractors_like(str(options.get("network", "mobilenet")))


class FrozenProjection(nn.Module):
    """What is never trained: images [B, C, H, W] -> four mixed maps [V B, M_l, h_l, w_l], V = 2 for RGBA, else 1."""

    rows: Tensor
    columns: Tensor

    def __init__(self, dimensions: Dimensions, network: str, resolution: int | None, width: int, seed: int) -> None:
        super().__init__()
        before = (dimensions.height, dimensions.width)
        self.size = sides_read(*before, resolution)
        for name, own, after in zip(("rows", "columns"), before, self.size, strict=True):
            self.register_buffer(name, _resizing(own, after), persistent=False)
        whole = backbone(network)
        self.mixing = FeatureMixing(whole.channels, width=width, seed=seed)
        self.network: nn.Module = whole
        self.digest = b"" if self.rows.is_meta else bytes.fromhex(content_of(self))
        self.network = fused(whole)
        self.eval()

    def forward(self, image: Tensor) -> list[Tensor]:
        """On a CPU in float32 where the images need a gradient: that of a depthwise convolution in bfloat16 takes three
        times as long."""
        kind = image.device.type
        with torch.autocast(kind, enabled=False):
            seen = self.resized(as_rgb(exact(image)))
        whole = kind == "cpu" and seen.requires_grad
        with torch.autocast(kind, enabled=torch.is_autocast_enabled(kind) and not whole):
            maps: list[Tensor] = self.mixing(self.network(seen))
        return maps

    def resized(self, images: Tensor) -> Tensor:
        """Bilinear interpolation as two products of matrices, whose gradient adds in the same order every time."""
        if tuple(images.shape[2:]) == self.size:
            return images
        return self.rows @ images @ self.columns.t()


class ProjectedDiscriminator(nn.Module):
    """See `discriminator`. Its state is that of the four discriminators, and a digest of what is frozen.

    The frozen part is no submodule: it is in no state dict, has no parameter that is trained and stays in evaluation
    mode. Whoever loads a state beside another frozen part is told.
    """

    frozen_digest: Tensor

    def __init__(self, frozen: FrozenProjection, width: int, normalisation: Normalisation) -> None:
        super().__init__()
        self._hidden = (frozen,)  # in a tuple, which torch does not register
        self.register_buffer("frozen_digest", torch.tensor(list(frozen.digest), dtype=torch.uint8))
        grid = [side // _COARSEST for side in frozen.size]
        levels = range(len(frozen.mixing.widths))
        self.discriminators = nn.ModuleList(
            small_discriminator(frozen.mixing.widths[level], width, level, (grid[0], grid[1]), normalisation)
            for level in levels
        )

    @property
    def frozen(self) -> FrozenProjection:
        """The frozen part."""
        return self._hidden[0]

    def forward(self, image: Tensor, label: Tensor | None = None) -> Tensor:
        maps = self.frozen(image)
        scores = [one(x).flatten(1) for one, x in zip(self.discriminators, maps, strict=True)]
        joined = torch.cat(scores, 1)
        return torch.cat(joined.split(len(image)), 1)  # both views of an RGBA image are scores of that image

    def _apply(self, fn: Callable[[Any], Any], recurse: bool = True) -> ProjectedDiscriminator:
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]  # torch's own hook has no types
        self.frozen._apply(fn, recurse)  # type: ignore[no-untyped-call]  # to another device, type or memory layout
        return self

    def _load_from_state_dict(self, state: Mapping[str, Any], prefix: str, *others: Any) -> None:
        theirs = state.get(f"{prefix}frozen_digest")
        if theirs is not None and not torch.equal(theirs.cpu(), self.frozen_digest.cpu()):
            raise ExperimentError(
                f"this discriminator was trained on another frozen network than the one here (digest "
                f"{_words(theirs)}, here {_words(self.frozen_digest)}): it needs the same weights, network and "
                f"projection"
            )
        super()._load_from_state_dict(state, prefix, *others)


def small_discriminator(
    channels: int, width: int, level: int, grid: tuple[int, int], normalisation: Normalisation
) -> nn.Sequential:
    """Mixed map [B, C, 2^(4 - level) h, 2^(4 - level) w] of `level` 0 to 3 -> scores [B, 1, h', w'], grid = (h, w).

    Convolutions of stride 2 down to the grid, then one of at most 4 x 4, each spectrally normalised.
    """
    layers: list[nn.Module] = []
    before = channels
    for after in _halvings(width, level):
        layers.append(SpectralConv2d(before, after, 4, stride=2, padding=1, bias=normalisation == "none"))
        if normalisation != "none":
            layers.append(nn.BatchNorm2d(after) if normalisation == "batch" else nn.GroupNorm(1, after))
        layers.append(nn.LeakyReLU(0.2, inplace=True))
        before = after
    # Differs: 4 x 4 only where the grid has as many places; from 64 pixels on it is 2 x 2 and gives one score.
    last = (min(4, grid[0]), min(4, grid[1]))
    return nn.Sequential(*layers, SpectralConv2d(before, 1, last, bias=False))


def _halvings(width: int, level: int) -> Iterator[int]:
    """The channels behind each halving: 64, 128, 256, 512 for maps of 1/2 of the image down to its 1/32."""
    yield from [width * 2**step for step in range(level, 4)]


def sides_read(height: int, width: int, resolution: int | None) -> tuple[int, int]:
    """Height and width that the frozen network reads: multiples of 32 from 64 on.

    >>> sides_read(32, 48, 96), sides_read(32, 32, None), sides_read(300, 300, None)
    ((64, 96), (224, 224), (288, 288))
    """
    longer = max(height, width)
    longest = resolution or max(_OWN, longer // _COARSEST * _COARSEST)
    ratio = longest / longer
    sides = [max(_LEAST, round(side * ratio / _COARSEST) * _COARSEST) for side in (height, width)]
    return sides[0], sides[1]


def as_rgb(images: Tensor) -> Tensor:
    """[B, C, H, W] in [-1, 1] -> RGB [V B, 3, H, W]: grey repeated; RGBA laid on white, then on black (V = 2)."""
    if images.shape[1] == 1:
        return images.expand(-1, 3, -1, -1)
    if images.shape[1] == 3:
        return images
    colour, alpha = images[:, :3], (images[:, 3:] + 1) / 2
    return torch.cat([1 + (colour - 1) * alpha, -1 + (colour + 1) * alpha])


def _resizing(before: int, after: int) -> Tensor:
    """The matrix [after, before] of a bilinear interpolation, antialiased where it reduces."""
    size = (after, before)
    identity = torch.eye(before)[None, None]
    return functional.interpolate(identity, size, mode="bilinear", antialias=after < before)[0, 0]


def _words(digest: Tensor) -> str:
    return bytes(digest.tolist()).hex()[:16]
