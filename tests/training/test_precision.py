"""Devices, number formats and layouts."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from gansmith.errors import ExperimentError
from gansmith.system.device import choose_device
from gansmith.training import precision
from gansmith.training.precision import autocast, choose_memory_format, torch_format

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("cuda", "mps", "chosen"),
    [(True, True, "cuda"), (True, False, "cuda"), (False, True, "mps"), (False, False, "cpu")],
)
def test_auto_takes_the_first_that_is_there(
    cuda: bool, mps: bool, chosen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert choose_device("auto") == torch.device(chosen)


def test_devices_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    assert choose_device("cpu") == CPU
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert choose_device("cuda") == torch.device("cuda")
    assert choose_device("cuda:1") == torch.device("cuda:1")
    with pytest.raises(ExperimentError) as raised:
        choose_device("cuda:2")
    assert str(raised.value) == "device cuda:2: this machine offers 2 CUDA devices. Use --device auto or cpu"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("gpu", "there is no device called 'gpu'. Allowed: auto, cpu, cuda, cuda:N, mps"),
        ("meta", "there is no device called 'meta'. Allowed: auto, cpu, cuda, cuda:N, mps"),
        ("", "there is no device called ''. Allowed: auto, cpu, cuda, cuda:N, mps"),
        ("cuda", "device cuda: this machine offers 0 CUDA devices. Use --device auto or cpu"),
        ("mps", "device mps: this machine has none. Use --device auto or cpu"),
    ],
)
def test_devices_that_are_not_there(name: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(ExperimentError) as raised:
        choose_device(name)
    assert str(raised.value) == text


def test_autocast_is_bfloat16_or_nothing() -> None:
    layer, images = nn.Linear(3, 2), torch.randn(4, 3)
    with autocast(CPU, "float32"):
        assert layer(images).dtype == torch.float32
        assert not torch.is_autocast_enabled("cpu")
    with autocast(CPU, "bfloat16"):
        assert layer(images).dtype == torch.bfloat16
    assert layer.weight.dtype == torch.float32


@pytest.mark.parametrize("layer", [nn.InstanceNorm1d(2), nn.InstanceNorm2d(2), nn.InstanceNorm3d(2)])
def test_instance_normalisation_wants_each_channel_in_one_piece(layer: nn.Module) -> None:
    plain = nn.Sequential(nn.Conv2d(3, 2, 3), nn.BatchNorm2d(2))
    deep = nn.Sequential(nn.Sequential(nn.Conv2d(3, 2, 3), layer))
    assert choose_memory_format({"a": plain}) == "channels_last"
    assert choose_memory_format({"a": plain, "b": deep}) == "contiguous"
    assert torch_format("channels_last") is torch.channels_last
    assert torch_format("contiguous") is torch.contiguous_format


@pytest.mark.parametrize("layer", [nn.BatchNorm1d(2), nn.BatchNorm2d(2), nn.InstanceNorm2d(2)])
def test_on_mps_networks_with_batch_normalisation_are_contiguous(layer: nn.Module) -> None:
    plain, deep = nn.Conv2d(3, 2, 3), nn.Sequential(nn.Sequential(nn.Conv2d(3, 2, 3), layer))
    assert choose_memory_format({"a": plain}, torch.device("mps")) == "channels_last"
    assert choose_memory_format({"a": plain, "b": deep}, torch.device("mps")) == "contiguous"
    wanted = "contiguous" if isinstance(layer, nn.InstanceNorm2d) else "channels_last"
    assert {choose_memory_format({"b": deep}, torch.device(name)) for name in ("cpu", "cuda")} == {wanted}


@pytest.mark.parametrize("has", [True, False])
def test_a_format_that_the_processor_lacks_is_told(has: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: has)
    cpu, cuda = torch.device("cpu"), torch.device("cuda")
    told = ["this processor has no bfloat16 instructions: float32 is many times faster (--precision float32)"]
    assert precision.warnings(cpu, "bfloat16") == ([] if has else told)
    assert precision.warnings(cpu, "float32") == precision.warnings(cuda, "bfloat16") == []
