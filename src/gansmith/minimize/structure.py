"""Nested parameters as one flat vector and back: what the lesson's `getParameters` does for a network."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from numbers import Real
from typing import Any

import torch
from torch import Tensor

from gansmith.errors import GansmithError
from gansmith.system.trees import leaves, map_leaves

_TAKES = "minimize takes a number, a floating tensor, or dicts, lists and tuples of them"


@dataclass(frozen=True)
class Structure:
    """What `x` is made of: its nesting, and the shape and dtype of each leaf. Flat vectors are [N], of `dtype` (that
    of the most precise tensor, float64 for numbers alone) on `device`."""

    example: Any
    dtype: torch.dtype
    device: torch.device

    @property
    def epsilon(self) -> float:
        """The relative resolution of the least precise leaf."""
        dtypes = [leaf.dtype for leaf, _ in leaves(self.example) if isinstance(leaf, Tensor)]
        return max(torch.finfo(dtype).eps for dtype in dtypes or [self.dtype])

    def flat(self, tree: Any, what: str = "x") -> Tensor:
        """The leaves of `tree`, which is like the example, joined in their order. Raises GansmithError."""
        parts, ours = leaves(tree, what), leaves(self.example, what)
        if [path for _, path in parts] != [path for _, path in ours]:
            raise GansmithError(f"{what} has the parts {_names(parts)} and not, as x has, {_names(ours)}")
        for (part, path), (own, _) in zip(parts, ours, strict=True):
            if isinstance(own, Tensor) and (not isinstance(part, Tensor) or part.shape != own.shape):
                shape = list(part.shape) if isinstance(part, Tensor) else type(part).__name__
                raise GansmithError(f"{path} is {shape} where a tensor of {list(own.shape)} is expected")
        return torch.cat([self._vector(part) for part, _ in parts])

    def tree(self, flat: Tensor) -> Any:
        """A flat vector in the structure of the example: tensors of its shapes and dtypes, floats for its numbers."""
        pieces = iter(flat.detach().split([_size(leaf) for leaf, _ in leaves(self.example)]))

        def take(leaf: Any, _: str) -> Any:
            piece = next(pieces)
            return piece.clone().view(leaf.shape).to(leaf.dtype) if isinstance(leaf, Tensor) else float(piece)

        return map_leaves(take, self.example, "x")

    def _vector(self, leaf: Any) -> Tensor:
        if isinstance(leaf, Tensor):
            return leaf.detach().reshape(-1).to(device=self.device, dtype=self.dtype)
        return torch.tensor([float(leaf)], dtype=self.dtype, device=self.device)


def structure_of(tree: Any) -> Structure:
    """The structure of `tree`. Raises GansmithError for a leaf that is no floating tensor or number, or none at all.

    >>> parts = structure_of({"w": torch.tensor([1.0, 2.0]), "b": 3.0})
    >>> parts.flat({"w": torch.tensor([4.0, 5.0]), "b": 6.0}).tolist(), parts.tree(torch.zeros(3))["b"]
    ([4.0, 5.0, 6.0], 0.0)
    """
    parts = leaves(tree, "x")
    for leaf, path in parts:
        number = isinstance(leaf, Real) and not isinstance(leaf, bool)
        if not number and not (isinstance(leaf, Tensor) and leaf.is_floating_point()):
            kind = f"a tensor of {leaf.dtype}" if isinstance(leaf, Tensor) else f"a value of type {type(leaf).__name__}"
            raise GansmithError(f"{path} is {kind}: {_TAKES}")
    tensors = [leaf for leaf, _ in parts if isinstance(leaf, Tensor)]
    if not sum(_size(leaf) for leaf, _ in parts):
        raise GansmithError(f"x is empty: {_TAKES}")
    devices = {tensor.device for tensor in tensors}
    if len(devices) > 1:
        raise GansmithError(f"x lies on {', '.join(sorted(map(str, devices)))}: move its tensors to one device")
    dtype = functools.reduce(torch.promote_types, (tensor.dtype for tensor in tensors)) if tensors else torch.float64
    example = map_leaves(lambda leaf, _: leaf.detach() if isinstance(leaf, Tensor) else leaf, tree, "x")
    return Structure(example, dtype, devices.pop() if devices else torch.device("cpu"))


def _size(leaf: Any) -> int:
    return leaf.numel() if isinstance(leaf, Tensor) else 1


def _names(parts: list[tuple[Any, str]]) -> str:
    return ", ".join(path for _, path in parts[:8]) + (" ..." if len(parts) > 8 else "")
