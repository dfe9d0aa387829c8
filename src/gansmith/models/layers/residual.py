"""Residual blocks of generators and discriminators: two 3 x 3 convolutions and a 1 x 1 shortcut.

Gulrajani et al. 2017, "Improved Training of Wasserstein GANs", appendix on the CIFAR-10 ResNet; Miyato et al. 2018,
"Spectral Normalization for Generative Adversarial Networks", appendix B.4; Brock, Donahue, Simonyan 2019, "Large Scale
GAN Training for High Fidelity Natural Image Synthesis", appendix B.

A 1 x 1 convolution commutes with doubling and with 2 x 2 means, so the shortcut is always convolved on the smaller
grid; the 3 x 3 convolutions are merged with them (`strided`). Neither changes the function.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn
from torch.nn import functional

from gansmith.models.layers.spectral import convolution, weight_of
from gansmith.models.layers.strided import convolve_and_halve, double_and_convolve


class UpBlock(nn.Module):
    """Residual block: features [B, C, H, W] and the condition of the normalisations -> [B, C', 2 H, 2 W].

    normalisation: channels -> a module (features, condition) -> features.
    """

    def __init__(self, before: int, after: int, normalisation: Callable[[int], nn.Module], *, spectral: bool) -> None:
        super().__init__()
        self.first_norm = normalisation(before)
        self.first = convolution(before, after, 3, spectral=spectral)
        self.second_norm = normalisation(after)
        self.second = convolution(after, after, 3, spectral=spectral)
        self.shortcut = convolution(before, after, 1, spectral=spectral)

    def forward(self, x: Tensor, condition: Tensor | None) -> Tensor:
        h = functional.relu(self.first_norm(x, condition), inplace=True)
        h = double_and_convolve(h, weight_of(self.first), self.first.bias)
        h = functional.relu(self.second_norm(h, condition), inplace=True)
        h = self.second(h)
        added: Tensor = h.add_(functional.interpolate(self.shortcut(x), scale_factor=2.0))
        return added


def image_of(x: Tensor, norm: nn.Module, convolution: nn.Module, bound: nn.Module) -> Tensor:
    """The end of a generator behind its blocks: normalisation, ReLU, convolution to the image's channels, tanh."""
    images: Tensor = bound(convolution(functional.relu(norm(x), inplace=True)))
    return images


class DownBlock(nn.Module):
    """Residual block: features [B, C, H, W] -> [B, C', H // 2, W // 2], or [B, C', H, W] when not halved.

    hidden: channels between the convolutions. first: it reads images, which are neither normalised nor rectified.
    normalisation: channels -> a module, or None.
    """

    def __init__(
        self,
        before: int,
        hidden: int,
        after: int,
        *,
        spectral: bool,
        first: bool = False,
        halved: bool = True,
        normalisation: Callable[[int], nn.Module] | None = None,
    ) -> None:
        super().__init__()
        self.rectified, self.halved = not first, halved
        normalisation = None if first else normalisation
        self.first_norm = normalisation(before) if normalisation else nn.Identity()
        self.first = convolution(before, hidden, 3, spectral=spectral)
        self.second_norm = normalisation(hidden) if normalisation else nn.Identity()
        self.second = convolution(hidden, after, 3, spectral=spectral)
        self.shortcut = convolution(before, after, 1, spectral=spectral) if halved or before != after else None

    def forward(self, x: Tensor) -> Tensor:
        h = functional.relu(self.first_norm(x)) if self.rectified else x  # not in place: the shortcut reads x
        h = functional.relu(self.second_norm(self.first(h)), inplace=True)
        if self.halved:
            h = convolve_and_halve(h, weight_of(self.second), self.second.bias)
            x = functional.avg_pool2d(x, 2)
        else:
            h = self.second(h)
        return h.add_(x if self.shortcut is None else self.shortcut(x))
