"""gansmith show, and files in the place of seeds on the command line."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import Result

from gansmith.cli.arithmetic import arithmetic
from gansmith.cli.interpolate import interpolate
from gansmith.cli.sample import sample
from gansmith.cli.show import show
from gansmith.errors import OptionError, OutputError
from gansmith.latent.latent_file import save_latents
from gansmith.latent.latents import Latent
from gansmith.models import saved
from gansmith.runs.run import Run

Command = Callable[..., Result]


def pixels(path: Path | str) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)


def lines(result: Result) -> dict[str, str]:
    """The lines of `show`, by their first word."""
    assert result.exit_code == 0, result.exception
    return {line.partition(" ")[0]: line.partition(" ")[2].strip() for line in result.stdout.splitlines()}


COMMANDS = {
    "sample": (sample, ["--seeds", "0-3,9", "--truncation", "0.5"], "sample"),
    "canvas": (sample, ["--seeds", "1", "--canvas", "2x3"], "sample"),
    "interpolate": (interpolate, ["3", "8", "--steps", "4", "--path", "linear", "--as", "grid"], "interpolate"),
    "spline": (
        interpolate,
        ["3", "8", "5", "--steps", "2", "--path", "spline", "--loop", "--truncation", "0.3:1.0"],
        "interpolate",
    ),
    "a way of canvases": (interpolate, ["3", "8", "--steps", "2", "--canvas", "2x3"], "interpolate"),
    "a result": (arithmetic, ["--plus", "1-3", "--minus", "4,7", "--only", "result"], "arithmetic"),
    "arithmetic": (arithmetic, ["--plus", "1-3", "--plus", "9", "--minus", "4,7"], "arithmetic"),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_the_command_that_is_shown_makes_the_file_again(run_command: Command, models: Path, name: str) -> None:
    command, arguments, word = COMMANDS[name]
    assert run_command(command, models, *arguments, "--out", "a.png").exit_code == 0
    said = lines(run_command(show, "a.png", models))
    assert said["model"] == Run(models).renderer(device="cpu").digest
    assert "the same weights" in said["run"]
    words = shlex.split(said["command"])
    assert words[:3] == ["gansmith", word, str(models)]
    again = run_command(command, *words[2:], "--out", "b.png")
    assert again.exit_code == 0, again.exception
    assert Path("a.png").read_bytes() == Path("b.png").read_bytes()


def test_files_in_the_place_of_seeds(run_command: Command, models: Path) -> None:
    renderer = Run(models).renderer(device="cpu")
    save_latents("mine.safetensors", [Latent(renderer.latents([7])[0])], renderer.origin)
    run_command(sample, models, "--seeds", "3,4", "--out", "two.png")
    result = run_command(sample, models, "--seeds", "two.png,mine.safetensors", "--out", "a.png", "--columns", "3")
    assert result.exit_code == 0, result.exception
    assert result.stderr == ""
    run_command(sample, models, "--seeds", "3,4,7", "--out", "b.png", "--columns", "3")
    np.testing.assert_array_equal(pixels("a.png"), pixels("b.png"))
    run_command(interpolate, models, "3", "mine.safetensors", "--steps", "3", "--out", "c.png")
    run_command(interpolate, models, "3", "7", "--steps", "3", "--out", "d.png")
    np.testing.assert_array_equal(pixels("c.png"), pixels("d.png"))
    run_command(arithmetic, models, "--plus", "1,two.png", "--minus", "mine.safetensors", "--out", "e.png")
    run_command(sample, models, "--seeds", "e.png", "--out", "f.png")
    run_command(arithmetic, models, "--plus", "1,3,4", "--minus", "7", "--out", "g.png")
    run_command(sample, models, "--seeds", "g.png", "--out", "h.png")
    np.testing.assert_array_equal(pixels("f.png"), pixels("h.png"))


def test_a_latent_is_shown_by_the_file_itself(run_command: Command, models: Path, tmp_path: Path) -> None:
    save_latents("mine.safetensors", [Latent(torch.ones(6))], Run(models).renderer(device="cpu").origin)
    assert lines(run_command(show, "mine.safetensors"))["command"] == "gansmith sample RUN --seeds mine.safetensors"
    name = "it's a;b $(x).png"
    run_command(interpolate, models, "3", "mine.safetensors", "--steps", "2", "--out", name)
    said = lines(run_command(show, name))["command"]
    assert shlex.split(said) == ["gansmith", "sample", "RUN", "--seeds", name]
    strange = "a\x1b[31m.png"
    Path(name).rename(strange)
    assert "\x1b" not in run_command(show, strange).stdout


def test_other_weights_are_a_warning_that_names_both(run_command: Command, models: Path) -> None:
    run_command(sample, models, "--seeds", "3", "--out", "a.png")
    before = Run(models).renderer(device="cpu").digest
    network, card = saved.load(models)
    with torch.no_grad():
        next(network.parameters()).mul_(2)
    saved.save(models, {"generator": (card, network.state_dict())})
    after = Run(models).renderer(device="cpu").digest
    result = run_command(sample, models, "--seeds", "a.png", "--out", "b.png")
    assert result.exit_code == 0
    assert before[:16] in result.stderr
    assert after[:16] in result.stderr
    said = lines(run_command(show, "a.png", models))
    assert said["model"] == before
    assert after[:16] in said["run"]


def test_without_metadata(run_command: Command, models: Path) -> None:
    for command, arguments in ((sample, []), (interpolate, ["3", "4"]), (arithmetic, ["--plus", "3"])):
        run_command(command, models, *arguments, "--no-metadata", "--out", "a.png", "--force")
        result = run_command(show, "a.png")
        assert isinstance(result.exception, OptionError)
        assert "--no-metadata" in str(result.exception)


def test_a_file_that_is_read_is_not_written_over(run_command: Command, models: Path) -> None:
    run_command(sample, models, "--seeds", "3", "--out", "a.png")
    before = Path("a.png").read_bytes()
    for command, arguments in (
        (sample, ["--seeds", "a.png"]),
        (interpolate, ["3", "a.png"]),
        (arithmetic, ["--plus", "a.png"]),
    ):
        result = run_command(command, models, *arguments, "--out", "a.png", "--force")
        assert isinstance(result.exception, OutputError)
    assert Path("a.png").read_bytes() == before
