"""Small experiments that between them play every kind of turn, assembled on random images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from gansmith.experiment.assemble import Assembly, assemble
from gansmith.experiment.with_data import with_data
from gansmith.runs.train import experiment_from
from gansmith.training.engine import Events, play_until

STEP = 8  # images
_ADAM = {"name": "adam", "lr": 1e-3, "betas": [0.0, 0.9]}
_BOTH = {"optimizer": {"generator": _ADAM, "discriminator": _ADAM}}


def _pair(name: str, **options: Any) -> dict[str, Any]:
    return {role: {"name": name, "width": 8, **options} for role in ("generator", "discriminator")}


def _translation(game: str, role: str, name: str, **discriminator: Any) -> dict[str, Any]:
    judge = {"name": name, "width": 8, **discriminator}
    return {"game": game, role: {"name": name, "width": 8}, "discriminator": judge, "objective": "lsgan"}


EXPERIMENTS: dict[str, dict[str, Any]] = {
    "dcgan": _pair("dcgan"),
    "wgan_gp": {**_pair("resnet"), **_BOTH, "objective": {"name": "wgan_gp", "discriminator_steps": 2}},
    "r3gan": {**_pair("r3gan"), **_BOTH, "objective": "r3gan", "augment": {"name": "ada", "probability": 0.5}},
    "biggan": {**_pair("biggan", conditional=True), **_BOTH, "objective": "hinge"},
    "lecam": {
        **_pair("resnet"),
        **_BOTH,
        "objective": "hinge",
        "penalties": {"lecam": {"weight": 0.3}},
        "augment": "ada",
    },
    "cyclegan": _translation("cycle", "translator", "cyclegan"),
    "pix2pix": _translation("paired", "translator", "pix2pix"),
    "munit": _translation("multimodal", "autoencoder", "munit", depth=2, scales=1),
}


def data(folder: Path) -> dict[str, str]:
    """Two files of random images with labels, 16 x 16."""
    rng = np.random.default_rng(0)
    for name in ("a", "b"):
        np.save(folder / f"{name}.npy", rng.integers(0, 256, (64, 16, 16, 3), dtype=np.uint8))
        np.save(folder / f"{name}.labels.npy", np.arange(64) % 4)
    return {"path": str(folder / "a.npy"), "other": str(folder / "b.npy")}


def assembled(name: str, folder: Path, device: torch.device, **fields: Any) -> Assembly:
    """The experiment `name` on the device, with what else is given; `folder` holds its images."""
    places = data(folder)
    if EXPERIMENTS[name].get("game") is None:
        del places["other"]
    given: dict[str, Any] = {"size": 16, "batch": STEP, "prior": {"size": 8}, "device": str(device), "workers": 0}
    experiment, _ = experiment_from(**{**given, **places, **EXPERIMENTS[name], **fields}, environment={})
    parts = assemble(*with_data(experiment))

    def average(engine: Any) -> None:
        parts.averaging.update(engine.state.drawn, engine.state.images)

    parts.engine.add_event_handler(Events.ITERATION_COMPLETED, average)
    return parts


def play(parts: Assembly, steps: int) -> None:
    """`steps` steps more."""
    state: Any = parts.engine.state
    begun = state.iteration
    draws = sum(turn.repeats(1001) for turn in parts.game.turns if turn.draws)
    play_until(parts.engine, parts.stream.drawn + steps * max(draws, 1) * STEP, step=begun)


def weights(parts: Assembly) -> torch.Tensor:
    """All of the players' and their averages' numbers, flat, on the CPU."""
    networks = [*parts.game.players.values(), *parts.averaging.players.values()]
    return torch.cat([value.detach().flatten().double().cpu() for n in networks for value in n.state_dict().values()])
