"""Networks whose weights do not fit in memory, refused before anything of them is allocated."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from gansmith.errors import ExperimentError, GansmithError
from gansmith.system.memory import available, gibibytes

_FILLING = frozenset(  # methods of a tensor, and functions of torch.nn.init, that change its numbers only
    [
        *("normal_", "uniform_", "trunc_normal_", "bernoulli_", "random_", "exponential_", "fill_", "zero_", "copy_"),
        *("mul_", "div_", "add_", "sub_", "clamp_", "erfinv_", "constant_", "zeros_", "ones_", "orthogonal_"),
        "normalize",
        *("kaiming_uniform_", "kaiming_normal_", "xavier_uniform_", "xavier_normal_"),
    ]
)
_SCALING = ("mul", "div", "__mul__", "__rmul__", "__truediv__")  # by a number
_SIGNS = ("overflow", "can't allocate memory", "not enough memory", "out of memory", "failed to unpack", "too large")


def build_in_memory(
    build: Callable[[], nn.Module],
    what: str,
    instead: str,
    *,
    copies: int = 1,
    error: type[GansmithError] = ExperimentError,
) -> nn.Module:
    """`build()`, unless `copies` of its weights need more than the available memory.

    It is built on torch's meta device first, where tensors have shapes and no content; code that cannot be built there
    is not counted. Raises `error`: `WHAT needs 31.2 GiB of memory ...: INSTEAD`.

    >>> build_in_memory(lambda: nn.Linear(2, 3), "the generator", "choose a smaller width")
    Linear(in_features=2, out_features=3, bias=True)
    """
    room = available()
    needed = copies * _weights(build, room)
    if needed > room:
        raise error(
            f"{what} needs {gibibytes(needed)} of memory for its weights, and {gibibytes(room)} are free: {instead}"
        )
    return build()


def _weights(build: Callable[[], nn.Module], room: int) -> float:
    """Bytes of parameters and buffers; more than `room` where torch cannot even count them; 0 where it is not known."""
    try:
        with torch.device("meta"), _Unfilled():
            network = build()
    except GansmithError:
        raise
    except Exception as problem:  # whatever code from outside raises where it reads a number of a tensor
        beyond = isinstance(problem, OverflowError) or any(sign in str(problem) for sign in _SIGNS)
        return 2.0 * room if beyond else 0.0
    tensors = [*network.parameters(), *network.buffers()]
    return float(sum(tensor.numel() * tensor.element_size() for tensor in tensors))


class _Unfilled(TorchFunctionMode):
    """Tensors keep their shapes and are filled with nothing: on the meta device torch would load its compiler first."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Mapping[str, Any] | None = None) -> Any:
        options = dict(kwargs or {})
        name = getattr(func, "__name__", "")
        if name in _FILLING or (name in _SCALING and not isinstance(args[1], Tensor)):
            return options["tensor"] if not args else args[0]
        if func in (torch.randn, torch.rand):
            options.pop("generator", None)
            return torch.empty(*args, **options)
        if func is torch.linalg.qr:  # of which orthogonal initialisation is made
            matrix: Tensor = args[0]
            least = min(matrix.shape)
            return matrix.new_empty(matrix.shape[0], least), matrix.new_empty(least, matrix.shape[1])
        return func(*args, **options)
