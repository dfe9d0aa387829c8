"""Parts of an experiment that do not fit together, refused with the way out."""

from __future__ import annotations

from collections.abc import Mapping

from torch import nn

from gansmith import catalog
from gansmith.adversarial import Game, Objective
from gansmith.data.prepared import Prepared
from gansmith.errors import ExperimentError
from gansmith.experiment.schema import Experiment


def require_images(data: Prepared, game: str) -> None:
    """Raises ExperimentError for two domains of points."""
    if data.points and data.other is not None:
        raise ExperimentError(f"{data.name} are points, and the game {game} translates images")


def require_matching_labels(game: str, players: Mapping[str, nn.Module], roles: Mapping[str, str]) -> None:
    """Raises ExperimentError where one of generator and discriminator reads labels and the other does not, or where a
    network reads labels in a game that has none to give."""
    conditional = {roles[name]: bool(getattr(player, "conditional", False)) for name, player in players.items()}
    reader = next((role for role, reads in conditional.items() if reads), None)
    if reader is None:
        return
    if "generator" not in conditional:
        raise ExperimentError(
            f"the {reader} reads labels, and the game {game} gives it none: --set {reader}.conditional=false"
        )
    other = next((role for role, reads in conditional.items() if not reads), None)
    if other is not None:
        raise ExperimentError(
            f"the {reader} reads labels and the {other} does not: set {other}.conditional=true too, or "
            f"{reader}.conditional=false"
        )


def refuse_batch_normalisation(
    experiment: Experiment, objective: Objective, discriminators: Mapping[str, nn.Module]
) -> None:
    """Raises ExperimentError for a penalty on each image's own gradient beside batch normalisation, which makes one
    image's score depend on the others (Gulrajani et al. 2017, "Improved Training of Wasserstein GANs", section 4)."""
    per_sample = [name for name, term in objective.penalties.items() if term.per_sample]
    if not per_sample:
        return
    for player, network in discriminators.items():
        if not any(isinstance(module, nn.modules.batchnorm._BatchNorm) for module in network.modules()):
            continue
        part = experiment.discriminator
        assert part is not None
        raise ExperimentError(
            f"the {player} ({part.name}) has batch normalisation, which mixes the images of a batch, and the "
            f"penalty {per_sample[0]} asks for each image's own gradient: {_without_batch_normalisation(part.name)}"
        )


def _without_batch_normalisation(model: str) -> str:
    """The setting of the model, or the models, without it; layer normalisation first."""
    kinds = {*catalog.choices("models", model, "normalisation", factory="discriminator")} - {"batch"}
    if not kinds:
        return "choose a model without it: resnet, r3gan, mlp"
    first, *others = sorted(kinds, key=lambda kind: (kind != "layer", kind))
    return f"--set discriminator.normalisation={first}" + (f" (or {', '.join(others)})" if others else "")


def require_latents(game: Game, name: str, objective: Objective) -> None:
    """Raises ExperimentError for a penalty at the generator's latents, in a game `name` without such a generator."""
    if objective.latent_penalties and "generator" not in game.players:
        penalty = min(objective.latent_penalties)
        raise ExperimentError(
            f"the penalty {penalty} differentiates a generator of latents, and the game {name} has none: "
            f"take it away, or choose the game two_player"
        )


def require_scores_of_one(game: Game, name: str, objective: Objective) -> None:
    """Raises ExperimentError for a state that follows the scores of one discriminator, in a game `name` of several."""
    unheard = objective.state.keys() - game.state.keys()
    if unheard:
        follower = min(unheard)
        kind = "penalty" if follower in objective.penalties else "objective"
        raise ExperimentError(
            f"{follower} follows the scores of one discriminator, and the game {name} has several: "
            f"choose another {kind}, or a game of one (two_player, paired)"
        )
