"""Spectral normalisation: a layer's weight divided by its largest singular value.

Miyato, Kataoka, Koyama, Yoshida 2018, "Spectral Normalization for Generative Adversarial Networks", section 2 and
Algorithm 1: one power iteration in every pass in training mode, from the vector of the last one.

The buffer `u` is the only state, as in the authors' code. Evaluation makes the same iteration without storing it, so
that sigma does not depend on the length of `u`, which averaging shortens.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


def normalised(weight: Tensor, u: Tensor, *, keep: bool) -> Tensor:
    """Weight [N, ...] and u [N] -> weight / sigma, sigma being u' W v after one power iteration on W [N, D].

    keep: write the new u into the old one. u and v are constants to the gradient (section 2.3). In the weight's
    own format, under autocast too.
    """
    with torch.autocast(weight.device.type, enabled=False):
        rows = _matrix(weight)
        with torch.no_grad():
            v = functional.normalize(rows.t().mv(u), dim=0)
        stretched = rows.mv(v)
        with torch.no_grad():
            new = functional.normalize(stretched, dim=0)
            if keep:
                u.copy_(new)
        return weight / new.dot(stretched)


class SpectralConv2d(nn.Conv2d):
    """Convolution whose weight, as a matrix [out, in x height x width], has the largest singular value 1."""

    u: Tensor

    def __init__(
        self,
        before: int,
        after: int,
        kernel: int | tuple[int, int],
        *,
        stride: int = 1,
        padding: int = 0,
        bias: bool = True,
    ) -> None:
        super().__init__(before, after, kernel, stride=stride, padding=padding, bias=bias)
        self.register_buffer("u", _start(after))

    def forward(self, x: Tensor) -> Tensor:
        return functional.conv2d(x, weight_of(self), self.bias, stride=self.stride, padding=self.padding)


class SpectralLinear(nn.Linear):
    """Linear layer whose weight has the largest singular value 1."""

    u: Tensor

    def __init__(self, before: int, after: int, *, bias: bool = True) -> None:
        super().__init__(before, after, bias=bias)
        self.register_buffer("u", _start(after))

    def forward(self, x: Tensor) -> Tensor:
        return functional.linear(x, weight_of(self), self.bias)


class SpectralEmbedding(nn.Embedding):
    """Embedding [classes, D] whose largest singular value is 1."""

    u: Tensor

    def __init__(self, classes: int, size: int) -> None:
        super().__init__(classes, size)
        self.register_buffer("u", _start(classes))

    def forward(self, label: Tensor) -> Tensor:
        return functional.embedding(label, weight_of(self))


def weight_of(layer: nn.Conv2d | nn.Linear | nn.Embedding) -> Tensor:
    """The weight of a layer, spectrally normalised where it is a spectral layer. Each call in training mode is a power
    iteration: once in a pass."""
    if isinstance(layer, (SpectralConv2d, SpectralLinear, SpectralEmbedding)):
        return normalised(layer.weight, layer.u, keep=layer.training)
    return layer.weight


def convolution(
    before: int, after: int, kernel: int, *, spectral: bool, bias: bool = True, stride: int = 1, padded: bool = True
) -> nn.Conv2d:
    """Convolution, spectrally normalised or not. Padded, one of an odd kernel and stride 1 keeps height and width, and
    one of kernel 4 and stride 2 halves them, rounded down."""
    build = SpectralConv2d if spectral else nn.Conv2d
    return build(before, after, kernel, stride=stride, padding=(kernel - 1) // 2 if padded else 0, bias=bias)


def linear(before: int, after: int, *, spectral: bool, bias: bool = True) -> nn.Linear:
    return (SpectralLinear if spectral else nn.Linear)(before, after, bias=bias)


def embedding(classes: int, size: int, *, spectral: bool) -> nn.Embedding:
    return (SpectralEmbedding if spectral else nn.Embedding)(classes, size)


def _start(rows: int) -> Tensor:
    return functional.normalize(torch.randn(rows), dim=0)


def _matrix(weight: Tensor) -> Tensor:
    """[N, D] without a copy: the order of the columns does not change a singular value."""
    if weight.dim() == 4 and not weight.is_contiguous():
        weight = weight.permute(0, 2, 3, 1)
    return weight.flatten(1)
