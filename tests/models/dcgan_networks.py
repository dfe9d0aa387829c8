"""Small networks of DCGAN."""

from __future__ import annotations

from networks import builder
from torch import nn

from gansmith.adversarial import Dimensions

SLIDES = Dimensions(3, 64, 64, 100)


built = builder("dcgan", SLIDES, "generator")


def convolutions(network: nn.Module) -> list[tuple[str, int, int, tuple[int, ...], tuple[int, ...], tuple[int, ...]]]:
    return [
        (type(m).__name__, m.in_channels, m.out_channels, m.kernel_size, m.stride, m.padding)
        for m in network.modules()
        if isinstance(m, (nn.Conv2d, nn.ConvTranspose2d))
    ]


def kinds(network: nn.Module) -> list[str]:
    return [type(module).__name__ for module in network.layers]  # type: ignore[union-attr]


def plain_generator() -> nn.Sequential:
    return nn.Sequential(
        *(nn.ConvTranspose2d(100, 512, 4), nn.BatchNorm2d(512), nn.ReLU()),
        *(nn.ConvTranspose2d(512, 256, 4, 2, 1), nn.BatchNorm2d(256), nn.ReLU()),
        *(nn.ConvTranspose2d(256, 128, 4, 2, 1), nn.BatchNorm2d(128), nn.ReLU()),
        *(nn.ConvTranspose2d(128, 64, 4, 2, 1), nn.BatchNorm2d(64), nn.ReLU()),
        *(nn.ConvTranspose2d(64, 3, 4, 2, 1), nn.Tanh()),
    )


def plain_discriminator() -> nn.Sequential:
    return nn.Sequential(
        *(nn.Conv2d(3, 64, 4, 2, 1), nn.LeakyReLU(0.2)),
        *(nn.Conv2d(64, 128, 4, 2, 1), nn.BatchNorm2d(128), nn.LeakyReLU(0.2)),
        *(nn.Conv2d(128, 256, 4, 2, 1), nn.BatchNorm2d(256), nn.LeakyReLU(0.2)),
        *(nn.Conv2d(256, 512, 4, 2, 1), nn.BatchNorm2d(512), nn.LeakyReLU(0.2)),
        nn.Conv2d(512, 1, 4),
    )
