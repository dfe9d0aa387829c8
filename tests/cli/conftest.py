"""Folders of models to give to commands as RUN."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from translating import save
from typer.testing import CliRunner, Result

from gansmith.adversarial import Dimensions
from gansmith.data.prior import Prior
from gansmith.models import saved
from gansmith.models.saved import Card
from gansmith.system.seeding import seeded


@pytest.fixture(autouse=True)
def _signals_as_before() -> Iterator[None]:
    """The command line, called in this process, hears signals for itself."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM)
    before = {number: signal.getsignal(number) for number in numbers}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A DCGAN for 16 px RGB with latents of 6, in the folder that commands run in."""
    monkeypatch.chdir(tmp_path)
    dimensions, players = Dimensions(3, 16, 16, 6), {}
    for player in ("generator", "discriminator"):
        card = Card(player, player, "dcgan", {"width": 4}, dimensions, Prior(size=6))
        with seeded("test", player):
            state = card.build().state_dict()
        for value in state.values():
            if value.dim() == 4:
                value.mul_(20)  # contrasts that survive rounding to 256 levels
        players[player] = (card, state)
    saved.save(tmp_path / "model", players)
    return tmp_path / "model"


@pytest.fixture
def cycle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return save(tmp_path / "cycle", "translator", "cyclegan", "to_a to_b", {"blocks": 1})


@pytest.fixture
def several(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    options = {"blocks": 1, "style_downsamplings": 2, "mlp_width": 4}
    return save(tmp_path / "several", "autoencoder", "munit", "a b", options)


def invoke(command: Callable[..., None], *arguments: Any) -> Result:
    """A command run as on the command line; what it raised is in the result."""
    app = typer.Typer()
    app.command()(command)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def run_command() -> Callable[..., Result]:
    return invoke
