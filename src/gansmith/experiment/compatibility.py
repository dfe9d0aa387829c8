"""Parts of an experiment that do not fit together, refused with the way out."""

from __future__ import annotations

from collections.abc import Mapping

from torch import nn

from gansmith import catalog
from gansmith.adversarial import Game, Objective
from gansmith.data.prepared import Prepared
from gansmith.errors import ExperimentError
from gansmith.experiment.schema import Experiment
from gansmith.training import whole_set


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


def refuse_with_elastic(experiment: Experiment, players: Mapping[str, nn.Module]) -> None:
    """Raises ExperimentError for what workers with weights of their own cannot do: statistics of the global batch, and
    an optimizer that compares losses of all images."""
    if experiment.engine != "elastic":
        return
    normalised = any(
        isinstance(module, nn.modules.batchnorm._BatchNorm)
        for player in players.values()
        for module in player.modules()
    )
    if normalised and experiment.batch_statistics == "global":
        raise ExperimentError(
            "engine=elastic trains workers apart, and batch_statistics=global normalises all of their images "
            "together: --set batch_statistics=local, or --set engine=all_reduce"
        )
    names = [part.name for part in experiment.optimizer.values() if part.name in whole_set.CLASSES]
    if names:
        raise ExperimentError(
            f"the optimizer {names[0]} compares losses of all images, and with engine=elastic each worker sees its own "
            f"rows: take adam or sgd, or --set engine=all_reduce"
        )


def require_game_of_one_loss(experiment: Experiment) -> None:
    """Raises ExperimentError for an optimizer that evaluates a loss several times a step where that is none: in a game
    in which the other player's moves, and fresh latents, change it."""
    for role, part in experiment.optimizer.items():
        if part.name not in whole_set.CLASSES:
            continue
        game = experiment.game.name
        random = catalog.stated("games", game, "WHOLE_SET", None)
        if random is None:
            raise ExperimentError(
                f"optimizer.{role}.name={part.name} evaluates one loss several times a step, and in the game {game} "
                f"the loss changes with the other player and with each draw: take adam, or the game classify"
            )
        drawn = [option for option in random if experiment.game.options.get(option)]
        off = {f"game.{option}": experiment.game.options[option] for option in drawn}
        off |= {"data.flip": True} if experiment.data.flip else {}
        if off:
            field, value = next(iter(off.items()))
            zero = "false" if isinstance(value, bool) else "0"
            raise ExperimentError(
                f"optimizer.{role}.name={part.name} compares losses of the same images, and {field}={_word(value)} "
                f"shows others in each step: --set {field}={zero}"
            )


def require_whole_set(experiment: Experiment, data: Prepared, players: Mapping[str, nn.Module]) -> None:
    """Raises ExperimentError where an optimizer that evaluates a loss several times a step would not see the same
    function each time: a batch that is not the whole set, random crops, dropout, or losses of eight bits."""
    names = [part.name for part in experiment.optimizer.values() if part.name in whole_set.CLASSES]
    if not names:
        return
    count = len(data.train)
    why = f"the optimizer {names[0]} compares losses of all images, without chance"
    dropped = [
        name
        for player in players.values()
        for name, module in player.named_modules()
        if isinstance(module, nn.modules.dropout._DropoutNd) and module.p
    ]
    if data.larger is not None:
        raise ExperimentError(f"{why}, and data.load_size draws another part of each: --set data.load_size=null")
    if dropped:
        raise ExperimentError(f"{why}, and the network has dropout ({dropped[0]}): choose one without, or adam")
    if experiment.precision != "float32":
        raise ExperimentError(f"{why}, to more digits than {experiment.precision} has: --precision float32")
    if experiment.batch != count:
        raise ExperimentError(
            f"{why}: {count:,} are trained on, and the batch is {experiment.batch:,}: --set batch={count} "
            f"(with --set accumulate=A, a divisor of it, where they do not fit into memory at once)"
        )


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
