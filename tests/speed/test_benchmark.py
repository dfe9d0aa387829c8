"""The benchmark: equal losses are real, the engine costs little, memory stays, the command says what it measured."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from benchmarks.report import Figure
from torch import Tensor, nn
from typer.testing import CliRunner

from benchmarks import engine, loader, report, startup, step
from gansmith.cli.bench import table
from gansmith.cli.main import app
from gansmith.errors import OptionError
from gansmith.experiment.schema import Experiment
from gansmith.runs.run import describe
from gansmith.speed import benchmark as bench
from gansmith.speed import interleave as side_by_side
from gansmith.speed.reference_loops import ByHand, Inputs, Losses, Textbook
from gansmith.system import hardware

SMALL = {"name": "dcgan", "width": 4}


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def small(**fields: Any) -> Experiment:
    given = {"size": 16, "channels": 3, "batch": 8, "generator": SMALL, "discriminator": SMALL, "threads": 1}
    return describe(**{**given, **fields}, environment={})[0]


# -- the three loops compute the same


def losses_of(experiment: Experiment, change: Callable[[Any], object] | None = None) -> dict[str, list[list[float]]]:
    parts = side_by_side.synthetic(experiment)
    plain = side_by_side.by_plain_torch(parts)
    if change is not None:
        change(plain["by hand"])
    loops: dict[str, Any] = {**plain, "gansmith": side_by_side.Ours(parts)}
    return {name: side_by_side.first_losses(loop, 4) for name, loop in loops.items()}


@pytest.mark.parametrize("prior", ["normal", "uniform"])
def test_three_loops_have_equal_losses(prior: str) -> None:
    losses = losses_of(small(prior={"kind": prior, "size": 10}))
    assert side_by_side.equal(losses, 1e-3)
    first = losses["gansmith"]
    assert len(first) == 4
    assert all(len(pair) == 2 for pair in first)
    assert len({loss for pair in first for loss in pair}) == 8  # they move: no constant agrees with a constant


def test_bfloat16_agrees_with_the_textbook_only_loosely() -> None:
    losses = losses_of(small(precision="bfloat16"))
    assert losses["by hand"] != losses["textbook"]
    assert side_by_side.equal(losses, 5e-2)
    by_hand = {name: losses[name] for name in ("by hand", "gansmith")}
    assert side_by_side.equal(by_hand, 1e-3)  # both in bfloat16


def half(loop: ByHand) -> None:
    """Half of each loss, from the first step on: only the numbers change, Adam does not see it."""
    right = loop.step

    def wrong() -> Losses:
        first, second = right()
        return first * 0.5, second * 0.5

    loop.step = wrong  # type: ignore[method-assign]


def never_updates_the_discriminator(loop: ByHand) -> None:
    loop.adam_d.step = lambda *given: None  # type: ignore[method-assign, assignment]


def other_latents(loop: ByHand) -> None:
    latents = loop.inputs.latents
    loop.inputs = Inputs(
        loop.inputs.real, lambda step, turn: -latents(step, turn), loop.inputs.adam, torch.device("cpu")
    )


def other_images(loop: ByHand) -> None:
    real = loop.inputs.real
    loop.inputs = Inputs(lambda step: real(step + 1), loop.inputs.latents, loop.inputs.adam, torch.device("cpu"))


@pytest.mark.parametrize("wrong", [half, never_updates_the_discriminator, other_latents, other_images])
def test_a_loop_that_computes_something_else_is_found_out(wrong: Callable[[Any], object]) -> None:
    assert not side_by_side.equal(losses_of(small(), wrong), side_by_side.TOLERANCE["float32"])


def test_equal_looks_at_every_loss_of_every_loop() -> None:
    values = [[1.0, 2.0], [3.0, 4.0]]
    assert side_by_side.equal({"a": values, "b": copy.deepcopy(values)}, 1e-3)
    for step_, place in np.ndindex(2, 2):
        other = copy.deepcopy(values)
        other[step_][place] *= 1.002
        assert not side_by_side.equal({"a": values, "b": other}, 1e-3)
        assert not side_by_side.equal({"a": values, "b": values, "c": other}, 1e-3)
    assert not side_by_side.equal({"a": values, "b": values[:1]}, 1e-3)
    assert not side_by_side.equal({"a": [[float("nan")]], "b": [[float("nan")]]}, 1e-3)


class Flat(nn.Module):
    """One weight: a generator of constant images, or a discriminator of the mean pixel."""

    def __init__(self, weight: float, *, image: bool) -> None:
        super().__init__()
        self.weight, self.image = nn.Parameter(torch.tensor(weight)), image

    def forward(self, x: Tensor) -> Tensor:
        if self.image:
            return (self.weight * x[:, :1])[:, :, None, None].expand(-1, 1, 2, 2)
        return self.weight * x.flatten(1).mean(1)


@pytest.mark.parametrize("kind", [Textbook, ByHand])
def test_the_plain_loops_in_closed_form(kind: Any) -> None:
    """G(z) = g z, D(x) = d mean(x); real pixels of 255 are x = 1; z = 1 and 2; Adam's first step is lr sign(gradient).

    First turn: L_D = softplus(-d) + softplus(d g), both slopes known; second: L_G = softplus(-d' 2 g).
    """
    g, d, rate = 0.5, 0.25, 0.125
    inputs = Inputs(
        real=lambda step: np.full((3, 2, 2, 1), 255, dtype=np.uint8),
        latents=lambda step, turn: torch.full((3, 1), float(turn + 1)),
        adam={role: {"lr": rate} for role in ("generator", "discriminator")},
        device=torch.device("cpu"),
    )
    loop = kind(Flat(g, image=True), Flat(d, image=False), inputs)
    loss_d, loss_g = loop.step()

    def softplus(x: float) -> float:
        return float(np.log1p(np.exp(x)))

    def sigmoid(x: float) -> float:
        return 1 / (1 + float(np.exp(-x)))

    slope = -sigmoid(-d) + g * sigmoid(d * g)
    assert slope < 0
    after = d + rate
    assert float(loss_d) == pytest.approx(softplus(-d) + softplus(d * g), rel=1e-6)
    assert float(loss_g) == pytest.approx(softplus(-after * 2 * g), rel=1e-6)
    assert loop.discriminator.weight.item() == pytest.approx(after, rel=1e-6)
    assert loop.generator.weight.item() == pytest.approx(g + rate, rel=1e-6)  # the generator raises the score
    assert loop.steps == 1


def test_by_hand_leaves_no_gradient_of_the_generator_s_turn_on_the_discriminator() -> None:
    parts = side_by_side.synthetic(small())
    loop = side_by_side.by_plain_torch(parts)["by hand"]
    assert isinstance(loop, ByHand)
    kept: list[Tensor] = []
    right = loop.adam_d.step

    def remember() -> None:
        right()
        kept.extend(p.grad.clone() for p in loop.discriminator.parameters() if p.grad is not None)

    loop.adam_d.step = remember  # type: ignore[method-assign, assignment]
    loop.step()
    after = [p.grad for p in loop.discriminator.parameters()]
    assert kept
    torch.testing.assert_close(after, kept, rtol=0, atol=0)


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
def test_what_cannot_be_compared_is_measured_alone(fields: dict[str, Any], said: str) -> None:
    found = bench.measure(small(**fields), seconds=0.2)
    assert found.comparison is None
    assert found.not_compared == said
    assert table(found).endswith(f"plain     not compared: {said}")
    assert found.images_per_second > 0


def test_seconds_must_be_positive() -> None:
    with pytest.raises(OptionError, match=r"^seconds must be more than 0, not 0$"):
        bench.measure(small(), seconds=0)


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
    experiment, _ = describe(recipe="dcgan_digits", environment={})
    parts = side_by_side.synthetic(experiment)
    assert parts.dimensions[:3] == (1, 32, 32)
    parts = side_by_side.synthetic(describe(recipe="dcgan", environment={})[0])
    assert parts.dimensions[:3] == (3, 64, 64)


def test_interleaved_plays_all_loops_equally_often_and_begins_with_another_each_round() -> None:
    order: list[str] = []
    loops: dict[str, Callable[[int], object]] = {
        name: (lambda steps, name=name: order.append(f"{name}{steps}")) for name in "abc"
    }
    times = side_by_side.interleaved(loops, torch.device("cpu"), steps=5, seconds=0)
    assert order == ["a5", "b5", "c5", "b5", "c5", "a5", "c5", "a5", "b5"]
    assert {name: len(values) for name, values in times.items()} == {"a": 3, "b": 3, "c": 3}


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


# -- benchmarks/: generous bounds, so that a busy machine does not fail


def test_a_step_that_does_nothing_costs_little() -> None:
    assert min(engine.overhead(steps=100, rounds=5)) < 3.0  # ms; the benchmark's own target is 0.3


def test_the_game_that_does_nothing_is_really_played() -> None:
    built, stream = engine.nothing()
    engine.play_until(built, 10)
    assert stream.drawn == 10
    assert [name for name, _ in built.state.output] == ["discriminator", "generator"]  # type: ignore[union-attr]
    numbers = [terms["loss"].item() for _, terms in built.state.output]  # type: ignore[union-attr]
    assert numbers == pytest.approx([1 - 9e-4] * 2, abs=1e-6)  # Adam, nine steps of 1e-4


def test_memory_does_not_grow() -> None:
    assert engine.growth(steps=300, warm_up=100) < 16  # MiB; 300 batches kept by mistake would be 230


def test_loader_hands_out_batches_fast() -> None:
    with loader.scratch() as folder:
        raw, floats = loader.cached(folder, count=1_000, seconds=0.1, rounds=3)
        assert max(raw) > 50_000  # the benchmark's own target is 300,000
        assert max(floats) > 10_000
        files = loader.photographs(folder, count=80)
        assert max(loader.decoded(files, workers=0, seconds=0.1, rounds=2)) > 50


def test_help_answers_and_torch_stays_away() -> None:
    assert min(startup.help_seconds(2)) < 3.0  # the benchmark's own target is 0.5
    assert not startup.imports_torch()


def test_step_names_its_targets() -> None:
    figures = step._one("float32", 1, seconds=0.1, more=["--size", "16", "--set", "generator.width=4"])
    assert [figure.target for figure in figures] == ["", "", "", "at most 1.02", "at least 1.2", ""]
    ours, by_hand, textbook, overhead, speedup, share = figures
    assert overhead.values == pytest.approx([a / b for a, b in zip(ours.values, by_hand.values, strict=True)])
    assert speedup.values == pytest.approx([a / b for a, b in zip(textbook.values, ours.values, strict=True)])
    assert 0 < share.median < 100


def test_step_says_what_failed() -> None:
    with pytest.raises(SystemExit, match="no field 'nonsense'"):
        step._one("float32", 1, seconds=0.1, more=["--set", "nonsense=1"])


def test_figures_know_their_targets() -> None:
    fast = Figure("p", "rate", "images/s", [3.0, 1.0, 2.0], at_least=2)
    assert (fast.median, fast.met, fast.target) == (2.0, True, "at least 2")
    assert fast.cells() == ["rate", "2.00 images/s", "1.00", "3.00", "3", "at least 2", "met"]
    slow = Figure("p", "cost", "ms", [0.4], at_most=0.3, digits=1)
    assert slow.cells() == ["cost", "0.4 ms", "0.4", "0.4", "1", "at most 0.3", "MISSED"]
    assert Figure("p", "x", "", [1.0]).cells()[-2:] == ["", ""]


def test_write_between_replaces_only_the_block(tmp_path: Any) -> None:
    path = tmp_path / "speed.md"
    path.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n")
    report.write_between(path, report.markdown([Figure("p", "rate", "ms", [1.0])], {"cores": 2}))
    text = path.read_text()
    assert text.startswith(f"before\n{report.BEGIN}\nMeasured on: cores 2.\n")
    assert text.endswith(f"{report.END}\nafter\n")
    assert "| rate | 1.00 ms | 1.00 | 1.00 | 1 |  |  |" in text
    assert "old" not in text
    path.write_text("no marks")
    with pytest.raises(SystemExit, match="has no lines"):
        report.write_between(path, "x")


def test_figures_are_written_as_json(tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    report.give_out([Figure("p", "rate", "ms", [1.0, 3.0], at_most=4)], tmp_path / "f.json")
    written = json.loads((tmp_path / "f.json").read_text())
    assert written["figures"][0]["median"] == 2.0
    assert written["figures"][0]["values"] == [1.0, 3.0]
    assert written["figures"][0]["met"] is True
    assert set(written["facts"]) == {
        "processor",
        "cores",
        "device",
        "python",
        "torch",
        "gansmith",
        "commit",
        "load before",
    }
    assert "commit" in capsys.readouterr().out


def test_benchmarks_run_as_a_program() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.startup", "--quick"],
        cwd=report.ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "gansmith --help" in done.stdout


def test_formats_that_the_processor_lacks_are_left_out_of_a_benchmark(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    floors: dict[Any, float] = {"float32": 1.0, "bfloat16": 2.0}
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: False)
    assert report.native(floors) == {"float32": 1.0}
    assert "bfloat16 was left out: this processor has no bfloat16 instructions" in capsys.readouterr().out
    assert report.native(floors, quick=True) == floors
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: True)
    assert report.native(floors) == floors
