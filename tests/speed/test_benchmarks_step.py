"""benchmarks/: step, loader, engine and start-up, with bounds so generous that a busy machine does not fail."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest
import torch
from benchmarks.report import Figure

from benchmarks import engine, loader, report, startup, step

TOY = ["--size", "16", "--batch", "8", "--set", "generator.width=4", "--set", "discriminator.width=4"]

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
        raw, floats = loader.cached(folder, count=1_000, seconds=0.1, rounds=5)
        assert max(raw) > 10_000  # the benchmark's own target is 300,000
        assert max(floats) > 2_000
        files = loader.photographs(folder, count=80)
        assert max(loader.decoded(files, workers=0, seconds=0.1, rounds=2)) > 50


def test_help_answers_and_torch_stays_away() -> None:
    before = os.times()
    assert len(startup.help_seconds(1)) == 1
    after = os.times()  # of the processor, two starts: a busy machine makes one wait, which is nobody's fault
    assert after.children_user + after.children_system - before.children_user - before.children_system < 4.0
    assert not startup.imports_torch()


def test_step_names_its_targets() -> None:
    figures = step._one("float32", 1, seconds=0.1, more=TOY)
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


@pytest.mark.prove
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
