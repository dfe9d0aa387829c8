"""Frozen layers of an experiment's networks (FreezeD).

Mo, Cho, Shin 2020, "Freeze the Discriminator: a Simple Baseline for Fine-Tuning GANs": a network that begins with
another's weights keeps the lowest layers of its discriminator. As in the authors' code a frozen layer keeps its
parameters, and what is no parameter goes on following the images: statistics of batch normalisations, and the vectors
of spectral normalisation.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import nn

from gansmith.adversarial import Dimensions
from gansmith.errors import ExperimentError, unknown
from gansmith.experiment.networks import dimensions_of
from gansmith.experiment.schema import Experiment
from gansmith.training.layer_order import example_input, layers_of

_IN_PARTS = "autoencoder"  # it has no one way from an input to an output


def freeze_layers(
    experiment: Experiment, players: Mapping[str, nn.Module], roles: Mapping[str, str], dimensions: Dimensions
) -> None:
    """Freeze the layers that the experiment names, before optimizers and engine are built for the others.

    Raises ExperimentError for a role that the game does not play, and where no layer would be left to train.
    """
    played = [role for role in dict.fromkeys(roles.values()) if role != _IN_PARTS]
    for role, asked in experiment.freeze.items():
        if role not in played:
            known = f"none of the game {experiment.game.name} can be frozen"
            raise ExperimentError(f"freeze.{role}: {unknown('role', role, played) if played else known}")
        if not asked.first + asked.last:
            continue
        example = example_input(role, dimensions_of(experiment, role, dimensions))
        for player in (name for name in players if roles[name] == role):
            layers = layers_of(players[player], example)
            if asked.first + asked.last >= len(layers):
                asking = " and ".join(f"{end}={count}" for end, count in asked if count)
                raise ExperimentError(
                    f"freeze.{role} = {asking}: the {player} has {len(layers)} layers at "
                    f"{dimensions.height}x{dimensions.width}, and one at least must be left to train. "
                    f"Freeze at most {len(layers) - 1} of them: --freeze {role}.first={min(3, len(layers) - 1)}"
                )
            frozen = layers[: asked.first] + layers[len(layers) - asked.last :]
            for name in (name for layer in frozen for name in layer):
                players[player].get_parameter(name).requires_grad_(False)
