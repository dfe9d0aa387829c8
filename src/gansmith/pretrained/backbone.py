"""Backbones: frozen networks that give four feature maps of an image, each half as wide as the one before.

A backbone is in evaluation mode for good: its batch statistics stay those that it was published with. Its weights are
read from the folder of weights of the cache, or by a hub client; they are stored in no checkpoint and no model file.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from gansmith.errors import ExperimentError, unknown
from gansmith.pretrained import mobilenet, pickled_arrays, timm_hub, vgg
from gansmith.pretrained.imagenet import DEVIATION, MEAN
from gansmith.pretrained.weights import folder, read, state_of
from gansmith.system.seeding import seeded

STRIDES = (4, 8, 16, 32)  # of the four maps
PUBLISHED = {"mobilenet": mobilenet.WEIGHTS, "vgg": vgg.WEIGHTS}
NAMES = ("mobilenet", "vgg", "untrained")
HUB = "timm:"  # and the name of a model there
_UNTRAINED = (8, 12, 16, 24)  # channels


class Backbone(nn.Module):
    """RGB images [B, 3, H, W] in [-1, 1] -> four maps [B, C_l, H / s_l, W / s_l], of the strides STRIDES.

    network: standardised images -> the maps;  channels: C_l;  mean, deviation: of what it was trained on, in [0, 1].
    """

    shift: Tensor
    scale: Tensor

    def __init__(
        self,
        network: nn.Module,
        channels: Sequence[int],
        *,
        mean: Sequence[float] = MEAN,
        deviation: Sequence[float] = DEVIATION,
    ) -> None:
        super().__init__()
        self.network, self.channels = network, tuple(channels)
        for name, values in (("shift", [2 * m - 1 for m in mean]), ("scale", [2 * d for d in deviation])):
            self.register_buffer(name, torch.tensor(values).view(-1, 1, 1))

    def forward(self, images: Tensor) -> list[Tensor]:
        maps: list[Tensor] = self.network((images - self.shift) / self.scale)
        return maps


class Stages(nn.ModuleList):
    """Networks in a row: the outputs of all of them."""

    def forward(self, x: Tensor) -> list[Tensor]:
        maps = []
        for stage in self:
            x = stage(x)
            maps.append(x)
        return maps


def backbone(name: str) -> Backbone:
    """The frozen backbone `name`: of NAMES, or `timm:MODEL`. On torch's meta device no weights are read.

    Raises ExperimentError for another name and for weights that are not here.

    >>> [tuple(one.shape) for one in backbone("untrained")(torch.zeros(1, 3, 64, 64))]
    [(1, 8, 16, 16), (1, 12, 8, 8), (1, 16, 4, 4), (1, 24, 2, 2)]
    """
    shapes_only = torch.get_default_device().type == "meta"
    if not shapes_only:
        require(name)
    with seeded("backbone", name):  # what the constructors draw is replaced, but for `untrained`
        if name.startswith(HUB):
            built = Backbone(**timm_hub.parts(name.removeprefix(HUB), STRIDES, pretrained=not shapes_only))
        else:
            build = {"mobilenet": _mobilenet, "vgg": _vgg, "untrained": _untrained}[name]
            built = build(with_weights=not shapes_only)
    return built.eval().requires_grad_(False)


def require(name: str) -> None:
    """Raises ExperimentError where the backbone `name` cannot be had on this machine, with the way out."""
    if name.startswith(HUB):
        timm_hub.require(name.removeprefix(HUB))
    elif name not in NAMES:
        raise ExperimentError(f"{unknown('frozen network', name, NAMES)}. Models of timm are called {HUB}NAME")
    elif name in PUBLISHED and not (folder() / PUBLISHED[name].file).is_file():
        others = [other for other in PUBLISHED if (folder() / PUBLISHED[other].file).is_file()]
        instead = f", or take the one that is here: --set discriminator.network={others[0]}" if others else ""
        raise ExperimentError(
            f"the discriminator reads the features of {name}, and its weights {PUBLISHED[name].file} are not in "
            f"{folder()}: gansmith features install {name}{instead}"
        )


def extractors_like(name: str) -> tuple[str, ...]:
    """The feature extractors that are the backbone `name` or of its kind: what was trained on it is not judged by them.

    >>> extractors_like("timm:mobilenetv2_100"), extractors_like("untrained")
    (('mobilenet',), ())
    """
    plain = name.lower().replace("_", "").replace("-", "")
    return tuple(kind for kind in ("inception", "dinov2", "mobilenet", "vgg") if kind in plain)


def fused(network: nn.Module) -> nn.Module:
    """The network with each batch normalisation behind a convolution folded into its weights: the same map, sooner."""
    for child in network.modules():
        if not isinstance(child, nn.Sequential):
            continue
        for place in range(len(child) - 1):
            first, second = child[place], child[place + 1]
            if isinstance(first, nn.Conv2d) and type(second) is nn.BatchNorm2d:  # a subclass of timm's does more
                child[place], child[place + 1] = fuse_conv_bn_eval(first, second), nn.Identity()
    return network.requires_grad_(False)


def _mobilenet(*, with_weights: bool) -> Backbone:
    network = mobilenet.MobileNetV2()
    if with_weights:
        network.load_state_dict(state_of(read(mobilenet.WEIGHTS)))
    ends = (0, 4, 7, 14, 18)  # behind the blocks of 24, 32, 96 and 320 channels
    stages = [network.features[begin:end] for begin, end in pairwise(ends)]
    return Backbone(Stages(stages), (24, 32, 96, 320))


def _vgg(*, with_weights: bool) -> Backbone:
    convolutions = vgg.stages()
    if with_weights:
        state = vgg.torch_names(pickled_arrays.read(read(vgg.WEIGHTS)))
        start = "stages."
        own = {name.removeprefix(start): value for name, value in state.items() if name.startswith(start)}
        convolutions.load_state_dict(own)
    plain = [_with_relus(stage) for stage in convolutions]
    halved = [nn.Sequential(nn.MaxPool2d(2), stage) for stage in plain[1:]]
    stages = [nn.Sequential(plain[0], *halved[:2]), *halved[2:], nn.MaxPool2d(2)]
    return Backbone(Stages(stages), (256, 512, 512, 512))


def _with_relus(stage: nn.Module) -> nn.Sequential:
    return nn.Sequential(*(layer for one in stage.children() for layer in (one, nn.ReLU(inplace=True))))


def _untrained(*, with_weights: bool) -> Backbone:
    """Random convolutions, the same on every machine: for tests, and as a control of what training on images adds."""
    before = 3
    stages = []
    for number, width in enumerate(_UNTRAINED):
        layers: list[nn.Module] = []
        for _ in range(2 if number == 0 else 1):
            layers += [nn.Conv2d(before, width, 3, 2, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
            before = width
        stages.append(nn.Sequential(*layers))
    return Backbone(Stages(stages), _UNTRAINED)
