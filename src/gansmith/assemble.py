"""Where all parts meet: an experiment becomes networks, a game, a stream, optimizers and an engine."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from gansmith import catalog
from gansmith.adversarial import Dimensions, Game, Objective, Prior
from gansmith.data.prepare import Prepared, prepare
from gansmith.data.stream import Stream
from gansmith.device import choose_device
from gansmith.experiment import Experiment, complete, roles_of
from gansmith.randomness import seeded
from gansmith.training import optimizers
from gansmith.training.averaging import Averaging
from gansmith.training.engine import Engine, build_engine
from gansmith.training.optimizers import Scheduled
from gansmith.training.precision import choose_memory_format, choose_precision, torch_format
from gansmith.training.schedules import schedule


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
    stream: Stream
    optimizers: dict[str, Scheduled]
    averaging: Averaging
    engine: Engine


def resolved(experiment: Experiment, *, trust: bool = False) -> tuple[Experiment, Prepared]:
    """The experiment with its parts' options and the data's size and channels written out, and the data itself."""
    experiment = complete(experiment, trust=trust)
    data = prepare(experiment.data, workers=experiment.workers, trust=trust)
    path = Path(data.settings.path).expanduser()
    absolute = str(path.resolve()) if path.exists() else data.settings.path  # else it is the name of a built-in set
    return experiment.model_copy(update={"data": data.settings.model_copy(update={"path": absolute})}), data


def cores() -> int:
    """Of this machine, or of the share of it that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def decoders(experiment: Experiment) -> int:
    """How many processes decode images: what was asked for, else one per core when they are decoded while training."""
    if experiment.workers is not None:
        return experiment.workers
    return 0 if experiment.data.cache else cores()


def assemble(experiment: Experiment, data: Prepared, *, trust: bool = False) -> Assembly:
    """Build everything that `experiment` (as `resolved` returns it, with its data) names.

    Raises ExperimentError for parts that do not fit together.
    """
    device = choose_device(experiment.device)
    if device.type == "cuda":
        torch.cuda.set_device(device)
        torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic = False, True  # resume is exact
    if experiment.threads is not None:
        torch.set_num_threads(experiment.threads)
    prior = Prior(experiment.prior.kind, experiment.prior.size)
    dimensions = Dimensions(*data.shape, prior.size, len(data.classes or ()))
    roles = roles_of(experiment.game.name, trust=trust)
    players = {player: network(experiment, role, player, dimensions, trust=trust) for player, role in roles.items()}

    layout = choose_memory_format(players) if experiment.memory_format == "auto" else experiment.memory_format
    precision = choose_precision(device) if experiment.precision == "auto" else experiment.precision
    experiment = experiment.model_copy(update={"memory_format": layout, "precision": precision})
    for built in players.values():
        built.to(device=device, memory_format=torch_format(layout))  # type: ignore[call-overload]

    objective: Objective | None = None
    if experiment.objective is not None:
        part = experiment.objective
        objective = catalog.build("objectives", part.name, trust=trust, **part.options)
    options = experiment.game.options
    game: Game = catalog.build("games", experiment.game.name, players, objective, prior, trust=trust, **options)
    stream = Stream(
        data.train,
        batch=experiment.batch,
        seed=experiment.seed,
        flip=experiment.data.flip,
        device=device,
        memory_format=torch_format(layout),
        workers=decoders(experiment),
    )
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


def network(
    experiment: Experiment, role: str, player: str, dimensions: Dimensions, *, trust: bool = False
) -> nn.Module:
    """An untrained network for `player`, by the experiment's seed."""
    part = getattr(experiment, role)
    with seeded(experiment.seed, "network", player):
        built: nn.Module = catalog.build("models", part.name, dimensions, factory=role, trust=trust, **part.options)
    return built
