"""gansmith probe."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from typer.testing import Result

from gansmith.cli.probe import probe, sentence
from gansmith.errors import DataError, OptionError, RunError
from gansmith.evaluation.types import Number

Command = Callable[..., Result]


def test_a_probe(run_command: Command, models: Path, tmp_path: Path) -> None:
    out = tmp_path / "found" / "probe.json"
    result = run_command(probe, models, "--data", "digits", "--images", 200, "--device", "cpu", "--out", out)
    assert result.exit_code == 0, result.exception
    record = json.loads(out.read_text())
    text = result.stdout
    for found in (record["features"], *record["random"]["seeds"], *record["controls"].values()):
        low, high = found["interval"]
        row = next(line for line in text.splitlines() if f"{low:.3f} to {high:.3f}" in line)
        assert f"{found['value']:.3f}" in row
    assert f"accuracy on {record['images']['test']} test images" in text
    mean, spread = record["random"]["mean"], record["random"]["deviation"]
    assert f"random networks: {mean:.3f} on average, standard deviation {spread:.3f} over 3 seeds" in text
    assert f"{record['majority']:.3f}" in text
    assert f"protocol: {record['protocol']['text']}" in text
    assert text.endswith(f"-> {out}\n")


def test_other_options(run_command: Command, models: Path, tmp_path: Path) -> None:
    given = ("--data", "digits", "--images", 100, "--device", "cpu", "--random-networks", 2, "--seed", 7)
    before = sorted(tmp_path.iterdir())
    result = run_command(probe, models, *given, "--player", "discriminator")
    assert result.exit_code == 0, result.exception
    assert "over 2 seeds" in result.stdout
    assert "split by seed 7" in result.stdout
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("gain", "words"),
    [
        (Number(0.1, 0.05, 0.15), "are better than random networks: +0.100 (+0.050 to +0.150)"),
        (Number(-0.1, -0.15, -0.05), "are worse than random networks: -0.100 (-0.150 to -0.050)"),
        (Number(0.01, -0.02, 0.04), "cannot be told from random networks by their accuracy: +0.010 (-0.020 to +0.040)"),
    ],
)
def test_in_words(gain: Number, words: str) -> None:
    assert sentence("discriminator", "random network", gain) == f"the discriminator's features {words}"
    assert " raw pixels" in sentence("discriminator", "raw pixels", gain)


def test_errors(run_command: Command, models: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "plain.npy", np.random.default_rng(0).integers(0, 256, (30, 16, 16, 3), dtype=np.uint8))
    cases: list[tuple[list[str], type[Exception], str]] = [
        (["--data", "plain.npy"], DataError, "plain.npy has no labels"),
        (["--data", "digits", "--player", "generator"], RunError, "is a generator, which reads no images"),
        (["--data", "digits", "--images", "0"], OptionError, "images = 0 is not allowed"),
        (["--data", "digits", "--checkpoint", "latest"], RunError, "holds models only"),
    ]
    for arguments, kind, message in cases:
        result = run_command(probe, models, *arguments)
        assert isinstance(result.exception, kind), result.exception
        assert message in str(result.exception)


def test_it_is_a_command() -> None:
    code = "import sys; sys.argv = ['gansmith', 'probe', '--help']\nfrom gansmith.cli.main import main\nmain()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "A linear classifier on a network's features" in done.stdout
