"""Where all parts meet: an experiment becomes networks, a game, a stream, optimizers and an engine."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from gansmith import catalog
from gansmith.adversarial import Batch, Dimensions, Game, Objective
from gansmith.augment.parts.augment import Augment, augmented
from gansmith.data.prepare import prepare, prepare_domains
from gansmith.data.prepared import Prepared
from gansmith.data.prior import Prior
from gansmith.data.stream import PairStream, Stream
from gansmith.errors import ExperimentError
from gansmith.experiment.completion import complete, domains_of, paired, roles_of
from gansmith.experiment.schema import Experiment
from gansmith.schedules import schedule
from gansmith.system.device import choose_device
from gansmith.system.seeding import seeded
from gansmith.training import optimizers
from gansmith.training.averaging import Averaging
from gansmith.training.engine import Engine, build_engine
from gansmith.training.optimizers import Scheduled
from gansmith.training.precision import choose_memory_format, choose_precision, torch_format


@dataclass(frozen=True)
class Assembly:
    """The parts of one experiment, ready to play. `experiment` is complete: nothing in it is left open."""

    experiment: Experiment
    data: Prepared
    dimensions: Dimensions
    prior: Prior
    device: torch.device
    roles: Mapping[str, str]
    game: Game
    stream: Stream | PairStream
    optimizers: dict[str, Scheduled]
    averaging: Averaging
    engine: Engine

    def first_batch(self) -> Batch:
        """The next batch of the stream, which the stream will give again."""
        position = self.stream.state_dict()
        batch = next(self.stream)
        self.stream.load_state_dict(position)
        return batch


def resolved(experiment: Experiment) -> tuple[Experiment, Prepared]:
    """The experiment with its parts' options and the data's size and channels written out, and the data itself."""
    experiment = complete(experiment)
    game = experiment.game.name
    if len(domains_of(game)) > 1:
        pairs = paired(game)
        data = prepare_domains(experiment.data, paired=pairs, workers=experiment.workers)
    elif experiment.data.other is not None:
        raise ExperimentError(
            f"data.other names a second set of images, and the game {game} is played on one. Leave it out, or choose a "
            f"game of two domains: --recipe cyclegan, pix2pix or munit"
        )
    else:
        data = prepare(experiment.data, workers=experiment.workers)
    places = {"path": _absolute(data.settings.path)}
    if data.settings.other is not None:
        places["other"] = _absolute(data.settings.other)
    return experiment.model_copy(update={"data": data.settings.model_copy(update=places)}), data


def _absolute(place: str) -> str:
    path = Path(place).expanduser()
    return str(path.resolve()) if path.exists() else place  # else it is the name of a built-in set


def cores() -> int:
    """Of this machine, or of the share of it that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def decoders(experiment: Experiment) -> int:
    """How many processes decode images: what was asked for, else one per core when they are decoded while training."""
    if experiment.workers is not None:
        return experiment.workers
    return 0 if experiment.data.cache else cores()


def assemble(experiment: Experiment, data: Prepared) -> Assembly:
    """Build everything that `experiment` (as `resolved` returns it, with its data) names.

    Raises ExperimentError for parts that do not fit together.
    """
    device = choose_device(experiment.device)
    if device.type == "cuda":
        torch.cuda.set_device(device)
        exact = experiment.reproducible
        torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic = not exact, exact
    if experiment.threads is not None:
        torch.set_num_threads(experiment.threads)
    classes = len(data.classes or ())
    kind, size, labels = experiment.prior.kind, experiment.prior.size, experiment.prior.labels
    total = sum(data.frequencies)
    shares = tuple(count / total for count in data.frequencies) if labels == "paired" else ()
    prior = Prior(kind, size, labels, classes, shares)
    dimensions = Dimensions(*data.shape, prior.size, classes)
    roles = roles_of(experiment.game.name)
    if data.points and data.other is not None:
        raise ExperimentError(f"{data.name} are points, and the game {experiment.game.name} translates images")
    players = {player: network(experiment, role, player, dimensions) for player, role in roles.items()}

    check_labels(experiment.game.name, players, roles)
    layout = choose_memory_format(players, device) if experiment.memory_format == "auto" else experiment.memory_format
    precision = choose_precision(device) if experiment.precision == "auto" else experiment.precision
    experiment = experiment.model_copy(update={"memory_format": layout, "precision": precision})
    for built in players.values():
        built.to(device=device, memory_format=torch_format(layout))  # type: ignore[call-overload]

    objective: Objective | None = None
    if experiment.objective is not None:
        part = experiment.objective
        objective = objective_of(experiment)
        judges = {player: network for player, network in players.items() if roles[player] == "discriminator"}
        refuse_mixing(experiment, objective, judges)
    options = experiment.game.options
    game: Game = catalog.build("games", experiment.game.name, players, objective, prior, **options)
    if objective is not None and (unheard := objective.state.keys() - game.state.keys()):
        raise ExperimentError(
            f"{min(unheard)} follows the scores of one discriminator, and the game {experiment.game.name} has several: "
            f"choose another {'penalty' if min(unheard) in objective.penalties else 'objective'}, or a game of one "
            f"(two_player, paired)"
        )
    if experiment.augment is not None:
        part = experiment.augment
        augment: Augment = catalog.build("augment", part.name, **part.options)
        assert objective is not None  # `complete` refuses an augmentation where there is no discriminator
        augment.check(objective)
        game = augmented(game, augment, judges=tuple(judges))
    stream = _stream(experiment, data, device)
    chosen: dict[str, Scheduled] = {}
    for player, role in roles.items():
        part = experiment.optimizer[role]
        chosen[player] = optimizers.build(part.name, players[player].parameters(), part.options)
    averaging = Averaging(
        {name: players[name] for name in game.averaged},
        half_life=schedule(experiment.averaging.half_life),
        rampup=experiment.averaging.rampup,
        buffers=experiment.averaging.buffers,
    )
    engine = build_engine(
        game,
        stream,
        chosen,
        seed=experiment.seed,
        device=device,
        precision=precision,
        accumulate=experiment.accumulate,
    )
    return Assembly(experiment, data, dimensions, prior, device, roles, game, stream, chosen, averaging, engine)


def _stream(experiment: Experiment, data: Prepared, device: torch.device) -> Stream | PairStream:
    options: dict[str, Any] = {
        "batch": experiment.batch,
        "seed": experiment.seed,
        "flip": experiment.data.flip,
        "device": device,
        "memory_format": torch_format("contiguous" if experiment.memory_format == "contiguous" else "channels_last"),
        "workers": decoders(experiment),
    }
    if data.other is None:
        return Stream(data.train, **options)
    return PairStream(data, **options)


def network(experiment: Experiment, role: str, player: str, dimensions: Dimensions) -> nn.Module:
    """An untrained network for `player`, by the experiment's seed."""
    part = getattr(experiment, role)
    size = dimensions_of(experiment, role, dimensions)
    with seeded(experiment.seed, "network", player):
        built: nn.Module = catalog.build("models", part.name, size, factory=role, **part.options)
    return built


def dimensions_of(experiment: Experiment, role: str, dimensions: Dimensions) -> Dimensions:
    """What the networks of `role` are built for: the data's dimensions, unless the game says otherwise."""
    changed: Any = catalog.stated("games", experiment.game.name, "dimensions_of", None)
    return dimensions if changed is None else changed(role, dimensions)


def objective_of(experiment: Experiment) -> Objective:
    """The objective with the penalties of the experiment on top of its own."""
    part = experiment.objective
    assert part is not None
    objective: Objective = catalog.build("objectives", part.name, **part.options)
    given = experiment.penalties.items()
    return objective.penalised({name: catalog.build("penalties", name, **options) for name, options in given})


def check_labels(game: str, players: Mapping[str, nn.Module], roles: Mapping[str, str]) -> None:
    """Raises ExperimentError where one of generator and discriminator reads labels and the other does not, or where a
    network reads labels in a game that has none to give."""
    reading = {roles[name]: bool(getattr(player, "conditional", False)) for name, player in players.items()}
    asking = next((role for role, reads in reading.items() if reads), None)
    if asking is None:
        return
    if "generator" not in reading:
        raise ExperimentError(
            f"the {asking} reads labels, and the game {game} gives it none: --set {asking}.conditional=false"
        )
    other = next((role for role, reads in reading.items() if not reads), None)
    if other is not None:
        raise ExperimentError(
            f"the {asking} reads labels and the {other} does not: set {other}.conditional=true too, or "
            f"{asking}.conditional=false"
        )


def refuse_mixing(experiment: Experiment, objective: Objective, judges: Mapping[str, nn.Module]) -> None:
    """Raises ExperimentError for a penalty on each image's own gradient beside batch normalisation, which makes one
    image's score depend on the others (Gulrajani et al. 2017, "Improved Training of Wasserstein GANs", section 4)."""
    asking = [name for name, term in objective.penalties.items() if term.per_sample]
    for player, network in judges.items():
        mixing = any(isinstance(module, nn.modules.batchnorm._BatchNorm) for module in network.modules())
        if asking and mixing:
            part = experiment.discriminator
            assert part is not None
            known = catalog.choices("models", part.name, "normalisation", factory="discriminator")
            first, *others = sorted({*known} - {"batch"}, key=lambda kind: (kind != "layer", kind)) or [""]
            way = "choose a model without it: resnet, r3gan, mlp"
            if first:
                way = f"set discriminator.normalisation={first}" + (f" (or {', '.join(others)})" if others else "")
            raise ExperimentError(
                f"the {player} ({part.name}) has batch normalisation, which mixes the images of a batch, and the "
                f"penalty {asking[0]} asks for each image's own gradient: {way}"
            )
