"""Wiring check before step 0: every trained parameter gets a gradient from its own turn, and no idle player gets one.

A gradient of zero counts (a last convolution that starts at zero is wired); None does not. The check plays each turn
once on a few images and leaves no trace: weights, buffers, game state and random state are what they were.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from gansmith.adversarial import Batch, Game, Moment, Sample
from gansmith.autograd import unused_inputs
from gansmith.errors import WiringError
from gansmith.system.device import Precision
from gansmith.training.engine import trained_parameters, unfreeze_only
from gansmith.training.precision import autocast

_ENOUGH = 8  # images: a gradient flows or does not, whatever their number


def check_wiring(game: Game, batch: Batch, *, device: torch.device, precision: Precision = "float32") -> None:
    """Raises WiringError naming the turn and the parameters that break the rule."""
    trained = trained_parameters(game)
    few = first_images(batch, _ENOUGH)
    with untouched(game):
        for turn in game.turns:
            unfreeze_only(trained, turn.players)
            at = Moment(0, 0, 0, torch.Generator(device).manual_seed(0))
            with autocast(device, precision):
                total = turn.play(few, at).checked().total()
            own: dict[str, nn.Parameter] = {}
            idle: dict[str, nn.Parameter] = {}
            for player, network in game.players.items():
                for name, parameter in network.named_parameters():
                    if parameter.requires_grad:
                        (own if player in turn.players else idle)[f"{player}.{name}"] = parameter
            lost = unused_inputs(total, own)
            if lost:
                raise WiringError(
                    f"turn {turn.name!r} trains {_listed(lost)} but its loss does not depend on "
                    f"{'it' if len(lost) == 1 else 'them'}. Use it in the forward pass, or freeze it "
                    f"(requires_grad_(False)) before training"
                )
            reached = sorted(idle.keys() - set(unused_inputs(total, idle)))
            if reached:
                raise WiringError(f"turn {turn.name!r} would send gradients to an idle player: {_listed(reached)}")


@contextmanager
def untouched(game: Game) -> Iterator[None]:
    """Weights, buffers, game state and torch's random state are restored on leaving."""
    players = {name: copy.deepcopy(player.state_dict()) for name, player in game.players.items()}
    remembered = {name: copy.deepcopy(state.state_dict()) for name, state in game.state.items()}
    wanting: list[tuple[nn.Parameter, bool]] = [
        (p, p.requires_grad) for player in game.players.values() for p in player.parameters()
    ]
    parameter = next((p for p, _ in wanting), None)
    device = torch.device("cpu") if parameter is None else parameter.device
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        try:
            yield
        finally:
            for weight, wants in wanting:
                weight.requires_grad_(wants)
            for name, player in game.players.items():
                player.load_state_dict(players[name])
            for name, state in game.state.items():
                state.load_state_dict(remembered[name])


def first_images(batch: Batch, count: int) -> Batch:
    """The first `count` images of every sample."""
    return {
        name: Sample(image[:count], None if label is None else label[:count]) for name, (image, label) in batch.items()
    }


def _listed(names: list[str]) -> str:
    listed = ", ".join(names[:6])
    return listed if len(names) <= 6 else f"{listed} and {len(names) - 6} more"
