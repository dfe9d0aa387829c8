"""gansmith bench: the figures, the table, and what cannot be compared."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import torch
from small_experiment import half, small
from typer.testing import CliRunner

from gansmith.cli.bench import table
from gansmith.cli.main import app
from gansmith.errors import OptionError
from gansmith.runs.train import experiment_from
from gansmith.speed import benchmark as bench
from gansmith.speed import interleave as side_by_side
from gansmith.speed.interleave import synthetic
from gansmith.system import hardware
from refusals import refused

# -- the report and the command


def test_measure_gives_every_figure() -> None:
    found = bench.measure(small(), seconds=0.5)
    assert found.comparison is not None
    assert found.comparison.equal
    assert found.images_per_second == pytest.approx(8 / found.step_seconds.median)
    assert found.operations_per_second == pytest.approx(found.operations_per_step / found.step_seconds.median)
    assert found.share_of_peak == pytest.approx(
        found.operations_per_second / max(found.peak_operations_per_second.values())
    )
    assert 0 < found.share_of_peak < 1
    assert found.memory_peak > 2**26  # torch alone is more
    assert found.growth_steps >= 2
    rounds = found.comparison.rounds
    assert set(rounds) == {"gansmith", "by hand", "textbook"}
    assert found.comparison.overhead.n == len(rounds["gansmith"]) >= 3
    ratios = [ours / theirs for ours, theirs in zip(rounds["gansmith"], rounds["by hand"], strict=True)]
    assert found.comparison.overhead.median == pytest.approx(float(np.median(ratios)))
    ratios = [theirs / ours for ours, theirs in zip(rounds["gansmith"], rounds["textbook"], strict=True)]
    assert found.comparison.speedup.most == pytest.approx(max(ratios))


def test_operations_of_a_step_in_closed_form() -> None:
    """One hidden stage at 8 x 8, batch 4, width 4, 3 channels, latents of 5; 2 operations for each product.

    Generator: 5 -> 4 on 4 x 4 (one cell in, 16 out), then 4 -> 3, kernel 4, over 4 x 4 cells in. Discriminator:
    3 -> 4, kernel 4, over 4 x 4 cells out, then 4 -> 1 over 16. Passes: see the comments.
    """
    one = {"name": "dcgan", "width": 4}
    experiment = small(size=8, batch=4, generator=one, discriminator=one, prior={"kind": "normal", "size": 5})
    found = bench.measure(experiment, seconds=0.2)
    first_g, last_g = 2 * 5 * 4 * 16, 2 * 4 * 3 * 16 * 16
    first_d, last_d = 2 * 3 * 4 * 16 * 16, 2 * 4 * 16
    forward_g, forward_d = first_g + last_g, first_d + last_d
    of_discriminator = forward_g + 2 * (forward_d + forward_d + last_d)  # weights of both layers, input of the last
    of_generator = (
        forward_g + forward_d + forward_d + forward_g + last_g
    )  # inputs through D; G's weights, input of last
    assert found.operations_per_step == pytest.approx(4 * (of_discriminator + of_generator))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"objective": "minimax"}, "the plain loops have the objective nonsaturating only, not minimax"),
        (
            {"optimizer": {"discriminator": {"name": "sgd", "lr": 0.1}}},
            "the plain loops have Adam at a constant rate only; the discriminator has another optimizer",
        ),
        ({"accumulate": 2}, "the plain loops do not accumulate"),
        (
            {"objective": {"name": "nonsaturating", "smoothing": 0.1}},
            "the plain loops have the objective nonsaturating without options only",
        ),
        (
            {"game": {"name": "two_player", "flips": 0.1}},
            "the plain loops have the game two_player without options only",
        ),
        ({"penalties": {"orthogonal": {}}}, "the plain loops have neither penalties nor augmentation"),
        ({"augment": "noise"}, "the plain loops have neither penalties nor augmentation"),
    ],
)
def test_what_cannot_be_compared_says_why(fields: dict[str, Any], said: str) -> None:
    assert side_by_side.why_not(synthetic(small(**fields)).experiment) == said


def test_what_cannot_be_compared_is_measured_alone() -> None:
    found = bench.measure(small(objective="minimax"), seconds=0.2)
    assert found.comparison is None
    assert found.not_compared is not None
    assert table(found).endswith(f"plain     not compared: {found.not_compared}")
    assert found.images_per_second > 0


def test_seconds_must_be_positive() -> None:
    with pytest.raises(OptionError, match=r"^seconds = 0 is not allowed.*above 0"):
        bench.measure(small(), seconds=0)


@pytest.mark.parametrize("change", [{"batch": 10**6, "size": 1024}, {"batch": 10**6, "size": 256}])
def test_images_that_fit_no_memory_are_refused(change: dict[str, int]) -> None:
    with refused("GiB", "--batch", "--size", error=OptionError):
        synthetic(small(**change))


def _arguments(*more: str) -> list[str]:
    fixed = ["bench", "--size", "16", "--batch", "8", "--threads", "1", "--seconds", "0.3"]
    return [*fixed, "--set", "generator.width=4", "--set", "discriminator.width=4", *more]


def test_command_prints_the_table() -> None:
    done = CliRunner().invoke(app, _arguments())
    assert done.exit_code == 0, done.output
    lines = done.output.splitlines()
    assert "1 used, torch" in lines[0]
    assert lines[1] == "dcgan: 16x16 with 3 channels, batch 8, float32, channels_last"
    assert [line.split()[0] for line in lines[3:9]] == ["rate", "work", "memory", "by", "textbook", "losses"]
    assert "images/s" in lines[3]
    assert "of this machine's peak (" in lines[4]
    assert "MiB at the peak, grew by" in lines[5]
    assert "ours takes" in lines[6]
    assert "times as fast (" in lines[7]
    assert lines[8].endswith("of the first 2 steps (discriminator / generator): equal to 0.2%")
    assert [line.split()[0] for line in lines[9:]] == ["textbook", "by", "gansmith"]


def test_command_prints_json() -> None:
    done = CliRunner().invoke(app, _arguments("--json", "--precision", "bfloat16", "--channels", "1"))
    assert done.exit_code == 0, done.output
    found = json.loads(done.output)
    assert found["experiment"]["precision"] == "bfloat16"
    assert found["experiment"]["data"]["size"] == "16x16"
    assert found["experiment"]["data"]["channels"] == 1
    assert found["machine"]["threads"] == 1
    assert found["machine"]["torch"] == torch.__version__
    assert set(found["peak_operations_per_second"]) == {"matmul", "convolution"}
    assert set(found["comparison"]["seconds"]["by hand"]) == {"median", "least", "most", "n"}
    assert found["comparison"]["equal"] is True
    assert len(found["comparison"]["losses"]["textbook"]) == side_by_side.COMPARED
    assert found["not_compared"] is None


def test_command_fails_when_losses_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    made = side_by_side.by_plain_torch

    def spoiled(parts: Any) -> dict[str, Any]:
        plain = made(parts)
        half(plain["by hand"])  # type: ignore[arg-type]
        return plain

    monkeypatch.setattr(bench, "by_plain_torch", spoiled)
    done = CliRunner().invoke(app, _arguments())
    assert done.exit_code == 1
    assert "DIFFERENT by more than 0.2%: the times do not compare" in done.output


def test_a_recipe_keeps_its_own_size() -> None:
    experiment, _ = experiment_from(recipe="dcgan_digits", environment={})
    parts = side_by_side.synthetic(experiment)
    assert parts.dimensions[:3] == (1, 32, 32)
    parts = side_by_side.synthetic(experiment_from(recipe="dcgan", environment={})[0])
    assert parts.dimensions[:3] == (3, 64, 64)


# -- the machine


def test_peak_rate_is_positive_and_counts_two_operations_for_each_product(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardware, "best_time", lambda function, device, seconds: 1.0)
    found = hardware.peak_rate(torch.device("cpu"), "float32")
    from torch.utils.flop_counter import FlopCounterMode

    image, weight = torch.randn(32, 64, 32, 32), torch.randn(128, 64, 4, 4)
    with FlopCounterMode(display=False) as counter:
        torch.nn.functional.conv2d(image, weight, stride=2, padding=1)
    assert found["convolution"] == counter.get_total_flops()
    with FlopCounterMode(display=False) as counter:
        torch.randn(1024, 1024) @ torch.randn(1024, 1024)
    assert found["matmul"] == counter.get_total_flops()


def test_best_time_is_the_shortest_and_leaves_the_warm_up_out(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter([0.0, 3.0, 3.0, 4.0, 4.0, 6.0])
    monkeypatch.setattr(hardware.time, "perf_counter", lambda: next(ticks))
    calls: list[int] = []
    assert hardware.best_time(lambda: calls.append(0), torch.device("cpu"), 5.5) == 1.0
    assert len(calls) == 4


def test_peak_memory_sees_what_was_let_go() -> None:
    device = torch.device("cpu")
    before = hardware.resident(device)
    held = torch.ones(2**25)  # 128 MiB
    assert hardware.resident(device) - before > 2**26
    del held
    assert hardware.peak_resident(device) >= before + 2**26
