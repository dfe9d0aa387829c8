"""Smooth interpolation through many points: cubic splines of latents, monotone ones of what must stay in its bounds.

A cubic spline with continuous second derivatives (de Boor 1978, "A Practical Guide to Splines", chapter IV): natural at
its ends (second derivative 0), or periodic where the last point is the first, so that a loop has no seam. The monotone
one (Fritsch, Butland 1984, "A Method for Constructing Local Monotone Piecewise Cubic Interpolants") has continuous
first derivatives and goes beyond no value that it passes through.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

_AROUND = 3  # values that a closed monotone spline sees beyond each end; its slopes depend on one


def spline_legs(points: Tensor, *, steps: int, around: bool = True) -> Tensor:
    """Cubic spline through points [K, Z, ...], K > 2 -> legs [K - 1, steps + 1, Z, ...], each with both ends, exact.

    It is closed where the last point equals the first. around: of directions and lengths, each by itself and in each
    cell of a canvas, so that latents of one length keep about that length between; else of the numbers.

    >>> spline_legs(torch.tensor([[0.0], [1.0], [0.0]]), steps=2, around=False).squeeze(2)
    tensor([[0.0000, 0.5000, 1.0000],
            [1.0000, 0.5000, 0.0000]])
    """
    values = points.double()
    if around:
        lengths = values.norm(dim=1, keepdim=True)
        turned = _cubic(values / lengths.clamp_min(1e-300), steps)
        turned /= turned.norm(dim=2, keepdim=True).clamp_min(1e-300)
        legs: Tensor = turned * _cubic(lengths, steps).clamp_min(0)
    else:
        legs = _cubic(values, steps)
    legs = legs.to(points.dtype).clone()
    legs[:, 0], legs[:, -1] = points[:-1], points[1:]
    return legs


def values_along(values: Tensor, *, count: int, smooth: bool = False) -> Tensor:
    """Values [K] or [K, ...], evenly spread over a path, at `count` even places of it: [count, ...], float64.

    Linear from each to the next; smooth: by the monotone spline, closed where the last value is the first.

    >>> values_along(torch.tensor([0.5, 1.0, 0.5]), count=5)
    tensor([0.5000, 0.7500, 1.0000, 0.7500, 0.5000], dtype=torch.float64)
    """
    known = values.double().numpy()
    if len(known) == 1:
        return values.double().expand(count, *values.shape[1:])
    places = np.arange(count) * (len(known) - 1) / max(1, count - 1)
    before = np.minimum(places.astype(int), len(known) - 2)
    if smooth and len(known) > 2:
        between = _monotone(known, places)
    else:
        share = (places - before).reshape(-1, *[1] * (known.ndim - 1))
        between = (1 - share) * known[before] + share * known[before + 1]
    at = np.rint(places).astype(int)
    exact = (np.abs(places - at) < 1e-9).reshape(-1, *[1] * (known.ndim - 1))
    return torch.from_numpy(np.where(exact, known[at], between))


def _cubic(values: Tensor, steps: int) -> Tensor:
    from scipy.interpolate import CubicSpline

    closed = bool(values[0].equal(values[-1]))
    curve = CubicSpline(np.arange(len(values)), values.numpy(), bc_type="periodic" if closed else "natural")
    places = np.arange(len(values) - 1)[:, None] + np.arange(steps + 1) / steps
    return torch.from_numpy(curve(places))


def _monotone(known: np.ndarray, places: np.ndarray) -> np.ndarray:
    from scipy.interpolate import PchipInterpolator

    where: Sequence[int] | np.ndarray = np.arange(len(known))
    if np.array_equal(known[0], known[-1]):
        where = np.arange(-_AROUND, len(known) + _AROUND)
        known = known[np.asarray(where) % (len(known) - 1)]
    between: np.ndarray = PchipInterpolator(where, known)(places)
    return between
