"""Every objective, penalty, augmentation, game and pair of networks computes on the device what the CPU computes.

The reference is the CPU in float64; weights, images and all random numbers are the same. Float32 means all 23 bits:
TF32, which torch allows convolutions on CUDA by default, is off.
"""

from __future__ import annotations

from typing import Any

import pytest
import torch
from played import Case, difference, played
from torch import nn

from gansmith import catalog

pytestmark = pytest.mark.cuda

LOSS, GRADIENT, KINKED = 1e-4, 1e-3, 0.1  # relative, in float32
LOSS_SHORT, GRADIENT_SHORT = 5e-2, 1.0  # in bfloat16, with 8 bits: a gradient that still points the same way
PAIRS = sorted({*catalog.names("models", "generator")} & {*catalog.names("models", "discriminator")})
CASES = [
    *(Case(objective=name) for name in catalog.names("objectives")),
    *(Case(penalty=name) for name in catalog.names("penalties")),
    *(Case(model=name, objective="hinge") for name in PAIRS if name != "resnet"),
    Case(model="r3gan", objective="r3gan"),
    Case(model="cyclegan", objective="lsgan", game="cycle"),
    Case(model="pix2pix", objective="nonsaturating", game="paired"),
    Case(model="munit", objective="lsgan", game="multimodal"),
    *(Case(augment=name) for name in catalog.names("augment", "build")),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_float32_agrees_with_the_cpu(case: Case, device: torch.device, record_property: Any) -> None:
    """The gradient is compared on three draws of images. A fault is in every draw; where a kink (ReLU, L1) lies within
    rounding of zero, one sign more or less is percents of a toy network's gradient, in some draws: in float64 on the
    CPU, weights nudged by 1e-7 to 1e-5 of themselves move CycleGAN's by 1e-5 to 6e-2."""
    torch.backends.cudnn.allow_tf32 = False
    losses: dict[str, float] = {}
    slopes: dict[str, list[float]] = {}
    for draw in range(3):
        expected = played(case, torch.device("cpu"), dtype=torch.float64, draw=draw)
        got = played(case, device, draw=draw)
        assert got.keys() == expected.keys()
        for turn, reference in expected.items():
            slopes.setdefault(turn, []).append(difference(got[turn].gradient, reference.gradient))
            assert reference.gradient.norm() > 0
            assert got[turn].losses.keys() == reference.losses.keys()
            far = max(abs(got[turn].losses[n] - v) / max(abs(v), 1e-6) for n, v in reference.losses.items())
            losses[turn] = max(far, losses.get(turn, 0.0))
            assert far < LOSS, (turn, got[turn].losses, reference.losses)
    for turn, far_apart in slopes.items():
        record_property(f"{turn}: loss", losses[turn])
        record_property(f"{turn}: gradient", min(far_apart))
        record_property(f"{turn}: gradient, largest of three", max(far_apart))
        assert min(far_apart) < GRADIENT, (turn, far_apart)
        assert max(far_apart) < KINKED, (turn, far_apart)


@pytest.mark.parametrize("case", [case for case in CASES if case.penalty is None and case.augment is None], ids=str)
def test_bfloat16_is_near_float32(case: Case, device: torch.device, record_property: Any) -> None:
    expected = played(case, device)
    got = played(case, device, precision="bfloat16")
    for turn, reference in expected.items():
        whole = sum(reference.losses.values())
        far = abs(sum(got[turn].losses.values()) - whole) / max(abs(whole), 0.1)
        slope = difference(got[turn].gradient, reference.gradient)
        record_property(f"{turn}: loss", far)
        record_property(f"{turn}: gradient", slope)
        assert far < LOSS_SHORT, (turn, got[turn].losses, reference.losses)
        assert slope < GRADIENT_SHORT, (turn, slope)


def test_a_difference_is_seen(device: torch.device) -> None:
    """One weight of the discriminator a thousandth larger is beyond the tolerance of the gradient or the loss."""

    def nudge(players: dict[str, nn.Module]) -> None:
        with torch.no_grad():
            for parameter in players["discriminator"].parameters():
                parameter.mul_(1.003)

    torch.backends.cudnn.allow_tf32 = False
    expected = played(Case(), torch.device("cpu"), dtype=torch.float64)["discriminator"]
    got = played(Case(), device, change=nudge)["discriminator"]
    far = abs(got.losses["loss"] - expected.losses["loss"]) / abs(expected.losses["loss"])
    assert far > LOSS or difference(got.gradient, expected.gradient) > GRADIENT
