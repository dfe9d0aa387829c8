"""gansmith invert --train-encoder, and the methods that read the encoder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from typer.testing import Result

from gansmith.cli.invert import invert
from gansmith.cli.sample import sample
from gansmith.errors import OptionError
from gansmith.latent import encoder_training
from gansmith.latent.latent_file import load_latents
from gansmith.models import saved
from gansmith.runs.run import Run

Command = Callable[..., Result]
ENCODER = Path("encoders/z.safetensors")
TRAIN = ["--train-encoder", "--images", "64"]


def test_an_encoder_is_trained_once_and_read(run_command: Command, models: Path) -> None:
    run_command(sample, models, "--seeds", "7", "--no-metadata", "--out", "each/")
    result = run_command(invert, models, *TRAIN)
    assert result.exit_code == 0, result.exception
    assert "64 own samples" in result.stdout
    assert (models / ENCODER).is_file()
    assert Run(models).players == ["discriminator", "generator"]  # it is no player
    written = (models / ENCODER).read_bytes()
    losses = {}
    for method in ("encoder", "hybrid"):
        result = run_command(invert, models, "each/7.png", "--method", method, "--out", f"{method}.safetensors")
        assert result.exit_code == 0, result.exception
        losses[method] = float(result.stdout.split("image: ")[1].split(",")[0])
        assert Path(f"{method}.png").is_file()
    assert losses["hybrid"] <= losses["encoder"]
    assert (models / ENCODER).read_bytes() == written
    assert run_command(invert, models, "each/7.png", *TRAIN, "--method", "encoder").exit_code == 0
    assert (models / ENCODER).read_bytes() == written  # to the bit
    one, other = (load_latents(name).latents[0].values for name in ("encoder.safetensors", "inverted.safetensors"))
    assert one.equal(other)


def test_the_features_of_the_discriminator_are_a_loss_of_it(run_command: Command, models: Path) -> None:
    assert run_command(invert, models, *TRAIN, "--loss", "features").exit_code == 0
    assert b"features" in (models / ENCODER).read_bytes()


def test_none_and_a_stale_one_say_the_command(run_command: Command, models: Path) -> None:
    run_command(sample, models, "--seeds", "7", "--no-metadata", "--out", "each/")

    def refusal(*arguments: str) -> str:
        result = run_command(invert, models, "each/7.png", *arguments)
        assert isinstance(result.exception, OptionError), result.exception
        return str(result.exception)

    command = f"gansmith invert {models} --train-encoder"
    assert command in refusal("--method", "encoder")
    assert f"{command} --space z" in refusal("--method", "hybrid", "--space", "z")
    run_command(invert, models, *TRAIN)
    before = Run(models).renderer(device="cpu").digest
    network, card = saved.load(models, "generator")
    with torch.no_grad():
        next(network.parameters()).add_(0.01)
    saved.save(models, {"generator": (card, network.state_dict())})
    after = Run(models).renderer(device="cpu").digest
    message = refusal("--method", "hybrid")
    assert all(fact in message for fact in (before[:16], after[:16], command, "stale"))
    assert not Path("inverted.safetensors").exists()


def test_a_training_that_ends_early_leaves_what_was_there(
    run_command: Command, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Ended(BaseException):
        """As a signal's."""

    def ended(*arguments: object) -> float:
        raise Ended

    for before in (None, b"an older one"):
        if before is not None:
            (models / ENCODER).parent.mkdir()
            (models / ENCODER).write_bytes(before)
        with monkeypatch.context() as patch:
            patch.setattr(encoder_training, "fall", ended)
            with pytest.raises(Ended):
                run_command(invert, models, *TRAIN)
        files = sorted(path.name for path in models.rglob("*") if path.is_file())
        expected = ["discriminator.safetensors", "generator.safetensors", "model.json"]
        assert files == sorted([*expected, *([] if before is None else [ENCODER.name])])
        assert before is None or (models / ENCODER).read_bytes() == before


def test_options_that_would_do_nothing_are_refused(run_command: Command, models: Path) -> None:
    Path("a.png").write_bytes(b"")
    cases: list[tuple[list[str], list[str]]] = [
        ([], ["IMAGE", "--train-encoder"]),
        (["a.png", "--images", "64"], ["--images", "--train-encoder"]),
        (["a.png", "--time", "1m"], ["--time"]),
        ([*TRAIN, "--time", "1m"], ["--images", "--time"]),
        (["--train-encoder", "--images", "many"], ["--images", "'many'"]),
        (["--train-encoder", "--images", "0"], ["--images", "'0'"]),
        (["--train-encoder", "--images", "31"], ["31", "32"]),
        (["--train-encoder", "--time", "5"], ["--time", "'5'"]),
        (["a.png", "--method", "encoder", "--steps", "5"], ["--steps", "encoder"]),
        (["a.png", "--method", "hybrid", "--restarts", "5"], ["--restarts", "hybrid"]),
    ]
    for arguments, facts in cases:
        result = run_command(invert, models, *arguments)
        assert isinstance(result.exception, OptionError), (arguments, result.exception)
        assert all(fact in str(result.exception) for fact in facts), (arguments, str(result.exception))
    assert not (models / "encoders").exists()
