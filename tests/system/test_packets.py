"""Packets of processes: a state arrives as it was sent, to the bit; what is none is refused and executes nothing."""

from __future__ import annotations

import json
import math
import pickle
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from gansmith.errors import TrainingError
from gansmith.system import packets
from gansmith.system.sharing import share
from processes import RankFailedError, together

KINDS = (
    *(torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64),
    *(torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.complex64, torch.complex128),
)


def sent(value: Any) -> Any:
    return packets.unpacked(packets.packed(value))


def of_parts(header: Any, content: bytes = b"") -> Tensor:
    """A packet, written plainly; header: its bytes, or what is written as JSON."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return torch.frombuffer(bytearray(len(text).to_bytes(8, "little") + text + content), dtype=torch.uint8)


def test_the_format_is_what_its_text_says() -> None:
    header = {"state": {"dict": [["a", {"tensor": 0}], [1, {"list": [None]}]]}, "tensors": [["int16", [2], [1]]]}
    packet = of_parts(header, (7).to_bytes(2, "little") + (-2).to_bytes(2, "little", signed=True))
    state = packets.unpacked(packet)
    assert state["a"].dtype == torch.int16
    assert (state["a"].tolist(), state[1]) == ([7, -2], [None])
    assert torch.equal(packets.packed(state), packet)


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_tensors_arrive_to_the_bit(kind: torch.dtype) -> None:
    rows = (10 * torch.randn(3, 4, 5, 2)).to(kind)
    tensors = [rows, rows[0, 0, 0, 0], rows[:0], rows[1:, ::2], rows.to(memory_format=torch.channels_last), rows.mT]
    tensors += [rows[:, :1].expand(3, 6, 5, 2), rows.new_empty(0), rows[:1].to(memory_format=torch.channels_last)]
    if kind.is_floating_point:
        tensors.append(torch.tensor([math.nan, -0.0, math.inf]).to(kind))
    for tensor, copy in zip(tensors, sent(tensors), strict=True):
        assert copy.dtype == kind
        assert copy.shape == tensor.shape
        assert copy.contiguous().view(-1).view(torch.uint8).tolist() == (
            tensor.contiguous().view(-1).view(torch.uint8).tolist()
        )
    for place in (0, 4, 5, 8):  # dense in memory: strides arrive too, also of sides of 1
        assert sent(tensors)[place].stride() == tensors[place].stride()


def test_plain_values_arrive_with_their_types() -> None:
    state = {
        "none": None, "yes": True, "one": 1, "large": 1 << 200, "tiny": 5e-324, "third": 1 / 3, "word": "é\udc80\0",
        "list": [(), [], {}, (1, [2])], 3: {None: 0, True: 1.0, 2.5: "x"}, "infinite": [math.inf, -math.inf],
    }  # fmt: skip
    copy = sent(state)
    assert repr(copy) == repr(state)  # types, and the order of keys
    assert math.isnan(sent(math.nan))
    assert math.copysign(1, sent(-0.0)) == -1


def test_a_module_s_and_an_optimizer_s_state() -> None:
    """As `torch.save` keeps them: the type and the versions of a state dict, the betas' tuple, ties of tensors."""
    network = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    optimizer = torch.optim.Adam(network.parameters())
    network(torch.randn(4, 2)).sum().backward()
    optimizer.step()
    weights, moves = network.state_dict(), optimizer.state_dict()
    twice, again, copy = sent([weights, weights, moves])
    assert type(twice) is OrderedDict
    assert twice._metadata == weights._metadata
    assert twice["0.weight"] is again["0.weight"]
    assert not twice["0.weight"].requires_grad
    assert copy["param_groups"] == moves["param_groups"]
    assert all(torch.equal(copy["state"][0][name], value) for name, value in moves["state"][0].items())
    assert twice["0.weight"].untyped_storage().nbytes() == 16  # of its own, not of the packet


class Trap:
    def __reduce__(self) -> Any:
        raise AssertionError("it was pickled")


@pytest.mark.parametrize(
    ("value", "named"),
    [(Trap(), "Trap"), ({1}, "set"), (b"", "bytes"), (torch.float32, "dtype"), (torch.ones(2).to_sparse(), "sparse")],
)
def test_what_is_not_plain_is_not_sent(value: Any, named: str) -> None:
    with pytest.raises(TrainingError, match=named):
        packets.packed({"a": [value]})


ONE = {"state": {"tensor": 0}, "tensors": [["float32", [2], [1]]]}
EIGHT = bytes(8)


def tensor_of(*described: Any) -> Any:
    return {"state": {"tensor": 0}, "tensors": [list(described)]}


@pytest.mark.parametrize(
    ("packet", "fact"),
    [
        (torch.empty(0, dtype=torch.uint8), "of 0"),
        (torch.full((40,), 255, dtype=torch.uint8), "of 40"),
        (of_parts(pickle.dumps({"a": 1}, 4)), ""),
        (of_parts(ONE, EIGHT[:-1]), "float32"),
        (of_parts(ONE, EIGHT + b"x"), "1 bytes more"),
        (of_parts({**ONE, "tensors": []}), "tensor 0 of 0"),
        (of_parts({**ONE, "state": {"tensor": -1}}, EIGHT), "tensor -1 of 1"),
        (of_parts({**ONE, "state": {"tensor": True}}, EIGHT), "tensor True"),
        (of_parts(tensor_of("qint8", [8], [1]), EIGHT), "qint8"),
        (of_parts(tensor_of("load", [8], [1]), EIGHT), "load"),
        (of_parts(tensor_of("uint8", [-8], [1]), EIGHT), "-8"),
        (of_parts(tensor_of("uint8", [8.0], [1]), EIGHT), "8.0"),
        (of_parts(tensor_of("uint8", [1 << 62], [1]), EIGHT), str(1 << 62)),
        (of_parts(tensor_of("uint8", [1 << 40, 1 << 40], [1 << 40, 1]), EIGHT), "of"),
        (of_parts(tensor_of("uint8", [8], [2]), EIGHT), "strides"),
        (of_parts(tensor_of("uint8", [8], [0]), EIGHT), "strides"),
        (of_parts(tensor_of("uint8", [2, 4], [1]), EIGHT), "strides"),
        (of_parts(tensor_of("uint8", [2, 4], [2, 1]), EIGHT), "strides"),
        (of_parts(tensor_of("bool", [8], [1]), b"\2" * 8), "bool"),
        (of_parts({"state": {"code": "x"}, "tensors": []}), "code"),
        (of_parts({"state": {"list": [], "dict": []}, "tensors": []}), ""),
        (of_parts({"state": [1], "tensors": []}), ""),
        (of_parts({"state": {"dict": [[{"list": []}, 1]]}, "tensors": []}), "list"),
        (of_parts({"state": {"dict": [[1]]}, "tensors": []}), ""),
        (of_parts({"state": 1}), "tensors"),
        (of_parts([1, 2]), ""),
        (of_parts(b"[" * 100_000 + b"]" * 100_000), "RecursionError"),
    ],
)
def test_what_is_no_state_is_refused(packet: Tensor, fact: str) -> None:
    with pytest.raises(TrainingError, match="another process") as raised:
        packets.unpacked(packet)
    assert fact in str(raised.value)


def test_damage_anywhere_is_refused_or_stays_plain() -> None:
    whole = packets.packed({"a": torch.arange(3.0), "b": [1, (2.5, "x")]})
    for place in range(len(whole)):
        for value in (0, 34, 91, 255):
            damaged = whole.clone()
            damaged[place] = value
            try:
                packets.packed(packets.unpacked(damaged))
            except TrainingError:
                continue


def exchanged() -> list[Any]:
    """Of one rank: texts and a state from each rank in turn, and at rank 0 the packets of all others."""
    own, world = share()
    told: list[Any] = [packets.from_rank(rank, b"x" * own) for rank in range(world)]
    for rank in range(world):
        packet = packets.packed({"of": torch.arange(own + 1)}) if own == rank else None
        told.append(packets.unpacked(packets.state_from_rank(rank, packet))["of"].tolist())
    if own:
        packets.send(packets.packed([own]), 0)
        return told
    return [*told, *[packets.unpacked(packets.receive(rank)) for rank in range(1, world)]]


def test_ranks_hear_each_other() -> None:
    first, *others = together(exchanged, world=3)
    heard = [b"", b"x", b"xx", [0], [0, 1], [0, 1, 2]]
    assert first == [*heard, [1], [2]]
    assert others == [heard, heard]


def announces(size: int) -> None:
    if share().rank:
        torch.distributed.send(torch.tensor([size]), 0)
    else:
        packets.receive(1)


def announces_to_all(size: int) -> None:
    if share().rank:
        torch.distributed.broadcast(torch.tensor([size]), 1)
    else:
        packets.from_rank(1)


@pytest.mark.parametrize("function", [announces, announces_to_all])
@pytest.mark.parametrize(("size", "fact"), [(-1, "-1 bytes"), (1 << 62, f"{1 << 62} bytes"), (1 << 55, "GiB")])
def test_a_length_that_cannot_be_is_refused(function: Callable[[int], None], size: int, fact: str) -> None:
    with pytest.raises(RankFailedError) as raised:
        together(function, size, world=2)
    assert all(word in str(raised.value) for word in ("TrainingError", "rank 1", fact))
