"""Packets that processes send each other: JSON text, and states as JSON text with the bytes of their tensors.

torch.distributed's own `*_object` collectives pickle, and reading a pickle is executing it. Reading a packet executes
nothing: each length, type, shape and stride in it is checked before it is used.

    header length, 8 bytes, little-endian | header, JSON | the bytes of each tensor, in memory order, one after another
    header: {"state": tree, "tensors": [[dtype, shape, strides], ...]}

A tree is null, a bool, a number or a string as it is, and an object of one key for all else: {"tensor": place},
{"list": items}, {"tuple": items}, {"dict": pairs}, {"ordered": pairs, "metadata": tree} for an OrderedDict.
"""

from __future__ import annotations

import json
import math
from collections import OrderedDict
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from gansmith.errors import TrainingError
from gansmith.system.memory import require_memory

_DTYPES: dict[str, torch.dtype] = {
    name: getattr(torch, name)
    for name in (
        *("bool", "uint8", "int8", "int16", "int32", "int64"),
        *("float16", "bfloat16", "float32", "float64", "complex64", "complex128"),
    )
}
_NAMES = {dtype: name for name, dtype in _DTYPES.items()}
_LENGTH = 8  # bytes
_SMALL = 16 << 20  # bytes that are received without a look at the free memory
_LONGEST = 1 << 60  # bytes, elements or strides


def packed(state: Any) -> Tensor:
    """A state as a packet, uint8 [bytes], on the CPU: tensors, None, bools, numbers, strings, and lists, tuples and
    dictionaries of these. A tensor that stands in it twice is written once. Raises TrainingError for anything else.

    >>> unpacked(packed({"step": 3, "betas": (0.0, 0.99), "weight": torch.ones(2)}))
    {'step': 3, 'betas': (0.0, 0.99), 'weight': tensor([1., 1.])}
    """
    tensors: dict[Any, tuple[int, Tensor]] = {}
    tree = _tree(state, tensors)
    dense = [_dense(tensor) for _, tensor in tensors.values()]
    described = [[_NAMES[tensor.dtype], list(tensor.shape), list(tensor.stride())] for tensor in dense]
    header = json.dumps({"state": tree, "tensors": described}).encode()
    parts = [_of_bytes(len(header).to_bytes(_LENGTH, "little")), _of_bytes(header)]
    parts += [tensor.as_strided((tensor.numel(),), (1,)).view(torch.uint8) for tensor in dense]
    return torch.cat(parts)


def unpacked(packet: Tensor) -> Any:
    """The state in a packet, its tensors on the CPU, with the strides that they had. Raises TrainingError for a packet
    that `packed` does not write."""
    try:
        start = _LENGTH + int.from_bytes(_to_bytes(packet[:_LENGTH]), "little")
        if not 2 * _LENGTH <= start <= len(packet):
            raise ValueError(f"a header to byte {start} of {len(packet)}")
        header = json.loads(_to_bytes(packet[_LENGTH:start]))
        tensors = []
        for dtype, shape, strides in header["tensors"]:
            tensor, start = _tensor(packet, start, dtype, shape, strides)
            tensors.append(tensor)
        if start != len(packet):
            raise ValueError(f"{len(packet) - start} bytes more than it tells of")
        return _state(header["state"], tensors)
    except (ValueError, TypeError, LookupError, AttributeError, RuntimeError) as error:  # RecursionError is the last
        raise TrainingError(f"what another process sent is not a state: {type(error).__name__}: {error}") from error


# ---- sent; each rank must do its part of each


def from_rank(source: int, content: bytes = b"") -> bytes:
    """The bytes of rank `source`, on every rank."""
    return _to_bytes(state_from_rank(source, _of_bytes(content)))


def state_from_rank(source: int, packet: Tensor | None = None) -> Tensor:
    """The packet of rank `source`, on every rank."""
    own = dist.get_rank() == source
    content = packet if own and packet is not None else torch.empty(0, dtype=torch.uint8)
    size = torch.tensor([len(content)])
    dist.broadcast(size, source)
    if not own:
        content = _room(int(size), source)
    if len(content):
        dist.broadcast(content, source)
    return content


def send(packet: Tensor, to: int) -> None:
    """Send a packet to rank `to`, which has to `receive` it."""
    dist.send(torch.tensor([len(packet)]), to)
    dist.send(packet, to)


def receive(source: int) -> Tensor:
    """The packet that rank `source` sends to this one."""
    size = torch.tensor([0])
    dist.recv(size, source)
    packet = _room(int(size), source)
    dist.recv(packet, source)
    return packet


def _room(size: int, source: int) -> Tensor:
    """Raises TrainingError for a length that is none, or more than there is memory for."""
    if not 0 <= size < _LONGEST:
        raise TrainingError(f"rank {source} announces a packet of {size} bytes, which is no length")
    if size > _SMALL:
        require_memory(size, f"the state of rank {source}", "use a machine with more", error=TrainingError)
    return torch.empty(size, dtype=torch.uint8)


# ---- written


def _tree(value: Any, tensors: dict[Any, tuple[int, Tensor]]) -> Any:
    if isinstance(value, Tensor):
        if value.dtype not in _NAMES or value.layout != torch.strided:
            raise TrainingError(f"a state holds a tensor of {value.dtype}, {value.layout}, which is not sent to others")
        key = (value.device, value.data_ptr(), value.dtype, value.shape, value.stride())
        return {"tensor": tensors.setdefault(key, (len(tensors), value))[0]}
    kind = type(value)
    if value is None or kind in (bool, int, float, str):
        return value
    if kind in (list, tuple):
        return {kind.__name__: [_tree(item, tensors) for item in value]}
    if kind in (dict, OrderedDict):
        pairs = [[_tree(key, tensors), _tree(item, tensors)] for key, item in value.items()]
        if kind is dict:
            return {"dict": pairs}
        return {"ordered": pairs, "metadata": _tree(getattr(value, "_metadata", None), tensors)}  # of nn.Module
    raise TrainingError(f"a state holds a {kind.__name__}, and only tensors and plain values are sent to others")


def _dense(tensor: Tensor) -> Tensor:
    """The tensor on the CPU, its elements one after another in memory."""
    here = tensor.detach().cpu().resolve_conj().resolve_neg()
    return here if _is_dense(list(here.shape), list(here.stride())) else here.contiguous()


def _is_dense(shape: list[int], strides: list[int]) -> bool:
    """Whether elements at these strides fill a block of memory, each place once."""
    filled = 1
    for stride, size in sorted(zip(strides, shape, strict=True)):
        if size > 1:
            if stride != filled:
                return False
            filled *= size
    return True


def _of_bytes(content: bytes) -> Tensor:
    return torch.frombuffer(bytearray(content), dtype=torch.uint8) if content else torch.empty(0, dtype=torch.uint8)


# ---- read


def _tensor(packet: Tensor, start: int, dtype: str, shape: list[int], strides: list[int]) -> tuple[Tensor, int]:
    """The tensor whose bytes begin at `start`, in memory of its own, and where they end. Raises ValueError."""
    kind = _DTYPES.get(dtype)
    if kind is None:
        raise ValueError(f"a tensor of {str(dtype)[:40]!r}; there are {', '.join(_DTYPES)}")
    for numbers in (shape, strides):
        if type(numbers) is not list or not all(type(n) is int and 0 <= n < _LONGEST for n in numbers):
            raise ValueError(f"a tensor of shape {str(shape)[:80]}, strides {str(strides)[:80]}")
    count = math.prod(shape)
    end = start + count * kind.itemsize
    if end > len(packet):
        raise ValueError(f"a tensor {shape} of {dtype} to byte {end} of {len(packet)}")
    if len(shape) != len(strides) or (count and not _is_dense(shape, strides)):
        raise ValueError(f"a tensor {shape} with strides {strides}")
    content = packet[start:end]
    if kind is torch.bool and count and int(content.max()) > 1:
        raise ValueError("a bool that is neither 0 nor 1")
    flat = torch.empty(count, dtype=kind)
    flat.view(torch.uint8).copy_(content)
    return flat.as_strided(shape, strides), end


def _state(tree: Any, tensors: list[Tensor]) -> Any:
    """Raises ValueError and the like for what is no tree."""
    if tree is None or type(tree) in (bool, int, float, str):
        return tree
    metadata = tree.pop("metadata", None)
    ((kind, content),) = tree.items()
    if kind == "tensor":
        if type(content) is not int or not 0 <= content < len(tensors):
            raise ValueError(f"tensor {str(content)[:40]} of {len(tensors)}")
        return tensors[content]
    if kind in ("list", "tuple"):
        items = [_state(item, tensors) for item in content]
        return items if kind == "list" else tuple(items)
    if kind not in ("dict", "ordered"):
        raise ValueError(f"a {kind[:40]}; there are tensor, list, tuple, dict and ordered")
    pairs = [(_state(key, tensors), _state(item, tensors)) for key, item in content]
    if kind == "dict":
        return dict(pairs)
    ordered: Any = OrderedDict(pairs)
    if metadata is not None:
        ordered._metadata = _state(metadata, tensors)
    return ordered


def _to_bytes(content: Tensor) -> bytes:
    return content.numpy().tobytes()
