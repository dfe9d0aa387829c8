"""Canvases: one larger image from a grid of latents, of a generator that is fully convolutional."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from gansmith.errors import OptionError
from gansmith.system.memory import require_memory

_LAYERS_AT_ONCE = 6  # times the largest layer that a canvas takes: its patches, unfolded for the products, are the most


def require_canvas(generator: nn.Module, grid: tuple[int, int], generate: Callable[[int], None]) -> None:
    """Raises OptionError for a generator of one size only, a grid (h, w) with an empty side, or more than fits in
    memory; generate: one image on a square canvas of so many cells a side."""
    if not getattr(generator, "spatial_latents", False):
        model = type(generator).__module__.rpartition(".")[2]
        raise OptionError(
            f"the generator of the model {model} makes one size only: a canvas needs a fully convolutional one "
            f"(such as dcgan). Leave --canvas out"
        )
    if min(grid) < 1:
        raise OptionError(f"a canvas of {grid[0]}x{grid[1]} is not allowed: both sides must be at least 1")
    if max(grid) > 2:
        require_memory(
            _LAYERS_AT_ONCE * _canvas_bytes(generator, grid, generate),
            f"a canvas of {grid[0]:,}x{grid[1]:,} cells",
            "ask for a smaller one (--canvas 4x6)",
        )


@torch.no_grad()
def _canvas_bytes(generator: nn.Module, grid: tuple[int, int], generate: Callable[[int], None]) -> float:
    """Bytes of the largest layer on a canvas, its input and output: those of two small canvases extrapolated, whose
    sides grow by as much for each cell."""
    sides = [math.sqrt(_layer_bytes(generator, generate, cells)) for cells in (1, 2)]
    return math.prod(sides[0] + (cells - 1) * (sides[1] - sides[0]) for cells in grid)


def _layer_bytes(generator: nn.Module, generate: Callable[[int], None], cells: int) -> float:
    most = 0

    def watch(module: nn.Module, read: tuple[Tensor, ...], made: Tensor) -> None:
        nonlocal most
        most = max(most, sum(one.numel() * one.element_size() for one in (*read, made) if torch.is_tensor(one)))

    hooks = [module.register_forward_hook(watch) for module in generator.modules()]
    try:
        generate(cells)
    finally:
        for hook in hooks:
            hook.remove()
    return float(most)
