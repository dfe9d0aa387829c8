"""The engine on the device: it waits for nothing, repeats itself to the bit, agrees with the CPU, frees its memory."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from engines import EXPERIMENTS, assembled, play, weights
from exactly import DCGAN, assert_equal_runs, kill, settings, the_rest
from played import SameDraws, difference

import gansmith
from gansmith.records.recorder import Recorder
from gansmith.training.engine import Events

pytestmark = pytest.mark.cuda


@contextmanager
def no_waiting(device: torch.device) -> Iterator[None]:
    """Inside, whatever makes the host wait for the device raises RuntimeError."""
    if device.type != "cuda":
        yield
        return
    before = torch.cuda.get_sync_debug_mode()
    torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode(before)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("name", EXPERIMENTS)
def test_steps_between_records_wait_for_nothing(
    name: str, precision: str, device: torch.device, tmp_path: Path
) -> None:
    parts = assembled(name, tmp_path, device, precision=precision)
    recorder = Recorder([], every=10**9)

    def record(engine: Any) -> None:
        state = engine.state
        recorder.add(state.output, step=state.iteration, images=state.images, drawn=state.drawn, waited=state.waited)

    parts.engine.add_event_handler(Events.ITERATION_COMPLETED, record)
    recorder.start(0)
    play(parts, 3)
    with no_waiting(device):
        play(parts, 3)
    recorder.flush(step=6, images=parts.stream.drawn)  # raises where a term is not finite


def test_waiting_is_noticed(device: torch.device) -> None:
    if device.type != "cuda":
        pytest.skip("the CPU has nothing to wait for")
    number = torch.ones((), device=device)
    with no_waiting(device), pytest.raises(RuntimeError, match="synchroniz"):
        number.item()


@pytest.mark.parametrize("precision", ["auto", "float32"])
def test_a_killed_run_resumes_exactly(
    precision: str, device: torch.device, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fields = {"device": str(device), "precision": precision, "generator": {"name": "dcgan", "width": 8}}
    gansmith.train(**settings(DCGAN, tmp_path / "whole", **fields))
    kill(settings(DCGAN, tmp_path / "killed", **fields), "inside a step", 41)
    assert the_rest(settings(DCGAN, tmp_path / "killed", **fields), capsys) >= 16
    assert_equal_runs(tmp_path / "killed", tmp_path / "whole")


@pytest.mark.parametrize("precision", ["bfloat16", "float32"])
@pytest.mark.parametrize("name", EXPERIMENTS)
def test_two_runs_are_equal_to_the_bit(name: str, precision: str, device: torch.device, tmp_path: Path) -> None:
    both = []
    for _ in range(2):
        parts = assembled(name, tmp_path, device, precision=precision)
        play(parts, 4)
        both.append(weights(parts))
    assert torch.equal(*both), difference(*both)


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_three_steps_agree_with_the_cpu(name: str, device: torch.device, tmp_path: Path, record_property: Any) -> None:
    """In float32, from the same random numbers: every loss, after zero, one and two updates of all weights."""
    losses = []
    for where in (torch.device("cpu"), device):
        parts = assembled(name, tmp_path, where, precision="float32", memory_format="contiguous")
        torch.backends.cudnn.allow_tf32 = False
        found: list[float] = []
        with SameDraws(0):
            for _ in range(3):
                play(parts, 1)
                output: Any = parts.engine.state.output
                found += [float(value) for turn, terms in output for key, value in terms.items() if "accur" not in key]
        losses.append(torch.tensor(found, dtype=torch.float64))
    far = difference(losses[1], losses[0])
    record_property("losses", far)
    assert far < 5e-3


@pytest.mark.parametrize("reproducible", [True, False])
def test_kernels_are_chosen_by_trying_only_where_a_run_need_not_repeat(
    reproducible: bool, device: torch.device, tmp_path: Path
) -> None:
    before = torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark
    play(assembled("dcgan", tmp_path, device, reproducible=reproducible), 2)
    chosen = torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark
    assert chosen == ((reproducible, not reproducible) if device.type == "cuda" else before)


def allocated(device: torch.device) -> int:
    """Bytes of live tensors on the device."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.synchronize()
        return torch.cuda.memory_allocated(device)
    return sum(t.untyped_storage().nbytes() for t in gc.get_objects() if type(t) in (torch.Tensor, torch.nn.Parameter))


@pytest.mark.parametrize("name", ["dcgan", "r3gan", "cyclegan"])
def test_memory_stays_and_is_freed(name: str, device: torch.device, tmp_path: Path, record_property: Any) -> None:
    before = allocated(device)
    parts = assembled(name, tmp_path, device, **({"game": {"name": "cycle", "pool": 4}} if name == "cyclegan" else {}))
    play(parts, 5)
    warm = allocated(device)
    play(parts, 20)
    grown = allocated(device) - warm
    del parts
    left = allocated(device) - before
    record_property("grown, bytes", grown)
    record_property("left, bytes", left)
    assert grown <= 4096
    assert left <= 16 << 20  # cuBLAS and cuDNN keep their workspaces
