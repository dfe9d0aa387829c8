"""MobileNetV2 on ImageNet (torchvision's weights): small and quick, from one 14 MB file.

The network is that of `pretrained/mobilenet.py`.
"""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from gansmith.evaluation import preprocess
from gansmith.evaluation.types import Extractor, Outputs
from gansmith.pretrained.mobilenet import WEIGHTS, MobileNetV2
from gansmith.pretrained.weights import content_of, identity, read, state_of
from gansmith.system.device import choose_device
from gansmith.system.option_types import LARGEST_INPUT
from gansmith.system.seeding import seeded

NEEDS = {"files": ("mobilenet_v2-b0353104.pth",)}


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
