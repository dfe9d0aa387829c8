"""Dropout whose mask is drawn for the global batch, of which each process keeps its rows.

Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov 2014, "Dropout: A Simple Way to Prevent Neural Networks from
Overfitting", section 4.
"""

from __future__ import annotations

from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gansmith.errors import ExperimentError
from gansmith.models.layers.exchanged import class_with
from gansmith.system import sharing

_Base = nn.modules.dropout._DropoutNd
_ELEMENTS = (nn.Dropout,)  # each element by itself
_CHANNELS = (nn.Dropout1d, nn.Dropout2d, nn.Dropout3d)  # whole channels


def shared(network: nn.Module) -> None:
    """From now on every dropout in `network` drops what it would drop in one process. Raises ExperimentError for a kind
    whose mask cannot be shared out.

    >>> layer = nn.Dropout(0.25)
    >>> shared(layer)
    >>> layer, isinstance(layer, nn.Dropout)
    (Dropout(p=0.25, inplace=False), True)
    """
    for name, module in network.named_modules():
        if isinstance(module, _SharedDropout) or not isinstance(module, (_Base, nn.RReLU)):
            continue
        if type(module) not in _ELEMENTS + _CHANNELS:
            kind = type(module).__name__
            raise ExperimentError(
                f"the layer {name or kind} is a {kind}, whose random numbers cannot be shared out over processes: "
                f"train in one process, or build the model with one of "
                f"{', '.join(layer.__name__ for layer in _ELEMENTS + _CHANNELS)}"
            )
        own = type(module)
        module.__class__ = class_with(own, _SharedDropout, own)  # type: ignore[assignment]  # its own subclass


class _SharedDropout(_Base):
    """Dropout of the global batch, in front of the layer's own class."""

    def forward(self, x: Tensor) -> Tensor:
        if not (self.training and self.p and sharing.shared()):
            return cast(Tensor, super().forward(x))  # of the class behind this one
        channels = isinstance(self, _CHANNELS)
        mask = sharing.drawn(lambda count: self._mask(x, count, channels), len(x))
        return x.mul_(mask) if self.inplace else x * mask

    def _mask(self, x: Tensor, count: int, channels: bool) -> Tensor:
        """0 or 1 / (1 - p) for `count` rows, by torch's own dropout of ones in the layout of x: the bits of one
        process."""
        shape = (count, *x.shape[1:2], *[1] * (x.dim() - 2)) if channels else (count, *x.shape[1:])
        last = x.dim() == 4 and not channels and x.is_contiguous(memory_format=torch.channels_last)
        layout = torch.channels_last if last and not x.is_contiguous() else torch.contiguous_format
        ones = torch.empty(shape, dtype=x.dtype, device=x.device, memory_format=layout).fill_(1.0)
        return F.dropout(ones, self.p, training=True)
