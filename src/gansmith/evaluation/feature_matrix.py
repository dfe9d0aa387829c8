"""Matrices as metrics take them: any mixture of NumPy and torch, of any width of float -> float32 or float64.

The one place where numbers from outside are checked and promoted: floats of 8 and 16 bits become float32, whole
numbers become float64, and of two matrices that are compared the narrower takes the type of the wider.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from gansmith.errors import DataError

Given = ArrayLike | Tensor

_WORDS = {"c": "complex numbers", "O": "objects", "U": "text", "S": "text", "M": "dates", "m": "durations"}


def as_floats(values: Given, whose: str = "the values") -> NDArray[Any]:
    """Numbers of any shape -> the same as float32 (from floats of up to 32 bits) or float64 (from all others).

    whose: "the real features", for messages. Raises DataError for complex numbers, text, rows of unequal length, or
    values under a mask.
    """
    try:
        array = _dense(values) if isinstance(values, Tensor) else np.asarray(values)
    except (ValueError, TypeError, RuntimeError) as error:
        raise DataError(f"{whose} are no array of numbers: {error}") from error
    if np.ma.is_masked(values):
        raise DataError(f"{whose} are masked, and a metric counts every value: leave those images out")
    if array.dtype.kind not in "fiub":
        kind = _WORDS.get(array.dtype.kind, str(array.dtype))
        raise DataError(f"{whose} are {kind}, and real numbers are needed")
    return array.astype(np.float32 if array.dtype in (np.float16, np.float32) else np.float64, copy=False)


def _dense(values: Tensor) -> NDArray[Any]:
    """A tensor of any device, layout and width: sparse ones with their zeros, floats below 32 bits as float32."""
    values = values.detach().cpu()
    if values.layout is not torch.strided:
        values = values.to_dense()
    short = values.is_floating_point() and values.element_size() < 4
    array: NDArray[Any] = (values.float() if short else values).resolve_conj().resolve_neg().numpy()
    return array


def matrix(features: Given, name: str = "the", *, least: int = 1) -> NDArray[Any]:
    """Features [N, D] as a contiguous float32 or float64 array.

    name: whose they are, for messages ("the real"). Raises DataError for anything but a finite [N >= least, D >= 1].
    """
    array = as_floats(features, f"{name} features")
    if array.ndim != 2 or array.shape[1] == 0:
        raise DataError(f"{name} features have the shape {list(array.shape)}: one row for each image is needed, [N, D]")
    if len(array) < least:
        count = {0: "no image", 1: "one image"}.get(len(array), f"{len(array):,} images")
        raise DataError(f"{name} features are of {count}: at least {least:,} are needed")
    wrong = int((~np.isfinite(array).all(axis=1)).sum())
    if wrong:
        raise DataError(
            f"{name} features of {wrong:,} of {len(array):,} images hold a NaN or an infinity: "
            f"the images, or the network that read them, are broken"
        )
    return np.require(array, requirements=["C", "W"])


def pair(real: Given, fake: Given, *, least: int = 2) -> tuple[NDArray[Any], NDArray[Any]]:
    """Both matrices, checked, and both of the wider of their types.

    Raises DataError when they do not fit together, or when all real images are one. All fakes may be one: that is a
    collapsed generator, and it is as far from the data as any other.
    """
    real, fake = matrix(real, "the real", least=least), matrix(fake, "the fake", least=least)
    require_same_width(real, fake, "the real", "the fake")
    if len(real) > 1 and bool((real == real[0]).all()):
        raise all_alike(len(real))
    return promoted(real, fake)


def all_alike(count: int) -> DataError:
    """What is to be raised where all real images have the same features."""
    return DataError(
        f"the features of all {count:,} real images are the same: they are copies of one image, "
        f"or the extractor does not see what sets them apart. Nothing can be compared with them"
    )


def promoted(one: NDArray[Any], other: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Both arrays as float64 if one of them is; else as they are."""
    wider = np.result_type(one, other)
    return one.astype(wider, copy=False), other.astype(wider, copy=False)


def require_same_width(one: NDArray[Any], other: NDArray[Any], first: str, second: str) -> None:
    """Raises DataError for matrices [N, D] and [M, E] with D != E."""
    if one.shape[1] != other.shape[1]:
        raise DataError(
            f"{first} features have {one.shape[1]:,} dimensions and {second} {other.shape[1]:,}: "
            f"both must come from the same extractor"
        )
