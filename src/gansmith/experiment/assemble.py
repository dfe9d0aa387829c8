"""Assembly of an experiment: networks, game, stream, optimizers, averaging and engine, built and fitted together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from gansmith import catalog
from gansmith.adversarial import Batch, Dimensions, Game, Objective
from gansmith.augment.parts.augment import Augment, augmented
from gansmith.data.prepared import Prepared
from gansmith.data.prior import Prior
from gansmith.data.stream import PairStream, Stream
from gansmith.experiment.compatibility import (
    refuse_batch_normalisation,
    refuse_with_elastic,
    require_images,
    require_latents,
    require_matching_labels,
    require_scores_of_one,
    require_whole_set,
)
from gansmith.experiment.completion import roles_of
from gansmith.experiment.frozen_layers import freeze_layers
from gansmith.experiment.memory_needs import require_room
from gansmith.experiment.networks import build_networks
from gansmith.experiment.schema import Experiment
from gansmith.experiment.with_data import decoding_workers
from gansmith.schedules import schedule
from gansmith.system.device import choose_device
from gansmith.training import optimizers
from gansmith.training.averaging import Averaging
from gansmith.training.batch_statistics import keep_together, share_layers
from gansmith.training.elastic import Elastic, Worker
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
    elastic: Elastic | None = None

    def first_batch(self) -> Batch:
        """The next batch of the stream, which the stream will give again."""
        position = self.stream.state_dict()
        batch = next(self.stream)
        self.stream.load_state_dict(position)
        return batch

    def few_images(self, count: int) -> Batch:
        """A batch of `count` images, whatever the size of the stream's batches."""
        stream = _stream(
            self.experiment.model_copy(update={"batch": count, "accumulate": 1, "workers": 0}), self.data, self.device
        )
        batch = next(stream)
        stream.close()
        return batch

    # ---- between two steps: of elastic averaging alone, where each process has a state that rank 0 saves

    def workers(self) -> list[Worker]:
        """The state of each worker of elastic averaging, at rank 0, while the others `serve`; else none."""
        return [] if self.elastic is None else self.elastic.workers()

    def serve(self) -> None:
        """At another rank: tell rank 0 this worker's state where it saves it, until it goes on."""
        if self.elastic is not None:
            self.elastic.serve()

    def go_on(self) -> None:
        """At rank 0: nothing more is saved before the next step."""
        if self.elastic is not None:
            self.elastic.go_on()

    @contextmanager
    def interrupted(self) -> Iterator[None]:
        """At rank 0: inside, the others do not `serve`, but do something else with this rank; afterwards they do."""
        self.go_on()
        yield
        self.served()

    def served(self) -> None:
        """At rank 0: from here on the others `serve`."""
        if self.elastic is not None:
            self.elastic.serve_again()


def assemble(experiment: Experiment, data: Prepared) -> Assembly:
    """Build everything that `experiment` names; it and its data are as `with_data` returns them.

    Raises ExperimentError for parts that do not fit together.

    >>> from gansmith.experiment.with_data import with_data
    >>> parts = assemble(*with_data(Experiment.model_validate({"data": {"path": "digits"}, "batch": 4})))
    >>> next(parts.stream)["real"].image.shape
    torch.Size([4, 1, 32, 32])
    """
    device = _prepared_device(experiment)
    prior = _prior(experiment, data)
    dimensions = Dimensions(*data.shape, prior.size, prior.classes)
    name = experiment.game.name
    apart = experiment.engine == "elastic"
    roles = roles_of(name)
    require_images(data, name)
    require_room(experiment, *data.shape, domains=1 if data.other is None else 2)
    players = build_networks(experiment, roles, dimensions)
    require_matching_labels(name, players, roles)
    experiment = _with_formats(experiment, players, device)
    require_whole_set(experiment, data, players)
    refuse_with_elastic(experiment, players)
    for network in players.values():
        network.to(device=device, memory_format=_memory_format(experiment))  # type: ignore[call-overload]
    freeze_layers(experiment, players, roles, dimensions)
    if not apart:
        share_layers(players, experiment.batch_statistics)
    game = _game(experiment, players, roles, prior)
    stream = _stream(experiment, data, device)
    updates = _optimizers(experiment, players, roles)
    averaging = Averaging(
        {player: players[player] for player in game.averaged},
        half_life=schedule(experiment.averaging.half_life),
        rampup=experiment.averaging.rampup,
        buffers=experiment.averaging.buffers,
    )
    engine = build_engine(
        game,
        stream,
        updates,
        seed=experiment.seed,
        device=device,
        precision=experiment.precision,
        accumulate=experiment.accumulate,
        apart=apart,
    )
    elastic = Elastic(game, updates, **experiment.elastic.model_dump()) if apart else None
    if elastic is not None:
        elastic.attach(engine)
    else:
        keep_together(engine, players, experiment.batch_statistics)
    return Assembly(
        experiment, data, dimensions, prior, device, roles, game, stream, updates, averaging, engine, elastic
    )


def _prepared_device(experiment: Experiment) -> torch.device:
    """The device, with the threads and the choice of kernels that the experiment asks for."""
    device = choose_device(experiment.device)
    if device.type == "cuda":
        torch.cuda.set_device(device)
        exact = experiment.reproducible
        torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic = not exact, exact
    if experiment.threads is not None:
        torch.set_num_threads(experiment.threads)
    return device


def _prior(experiment: Experiment, data: Prepared) -> Prior:
    """The prior of latents, with the data's classes and, for labels paired with the reals, their frequencies."""
    settings, total = experiment.prior, sum(data.frequencies)
    shares = tuple(count / total for count in data.frequencies) if settings.labels == "paired" else ()
    return Prior(settings.kind, settings.size, settings.labels, len(data.classes or ()), shares)


def _with_formats(experiment: Experiment, players: Mapping[str, nn.Module], device: torch.device) -> Experiment:
    """The experiment with memory format and precision chosen where they are `auto`."""
    chosen: dict[str, str] = {}
    if experiment.memory_format == "auto":
        chosen["memory_format"] = choose_memory_format(players, device)
    if experiment.precision == "auto":
        chosen["precision"] = choose_precision(device)
    return experiment.model_copy(update=chosen)


def _memory_format(experiment: Experiment) -> torch.memory_format:
    return torch_format("contiguous" if experiment.memory_format == "contiguous" else "channels_last")


def _game(experiment: Experiment, players: Mapping[str, nn.Module], roles: Mapping[str, str], prior: Prior) -> Game:
    """The game under the experiment's objective, its discriminators behind the augmentation."""
    part = experiment.game
    discriminators = {player: network for player, network in players.items() if roles[player] == "discriminator"}
    objective = None if experiment.objective is None else build_objective(experiment)
    if objective is not None:
        refuse_batch_normalisation(experiment, objective, discriminators)
    game: Game = catalog.build("games", part.name, players, objective, prior, **part.options)
    if objective is None:
        return game
    require_latents(game, part.name, objective)
    require_scores_of_one(game, part.name, objective)
    if experiment.augment is None:
        return game
    augment: Augment = catalog.build("augment", experiment.augment.name, **experiment.augment.options)
    augment.check(objective)
    return augmented(game, augment, judges=tuple(discriminators))


def build_objective(experiment: Experiment) -> Objective:
    """The objective with the penalties of the experiment on top of its own."""
    part = experiment.objective
    assert part is not None
    objective: Objective = catalog.build("objectives", part.name, **part.options)
    penalties = {name: catalog.build("penalties", name, **options) for name, options in experiment.penalties.items()}
    return objective.penalised(penalties)


def _optimizers(
    experiment: Experiment, players: Mapping[str, nn.Module], roles: Mapping[str, str]
) -> dict[str, Scheduled]:
    parts = {player: experiment.optimizer[role] for player, role in roles.items()}
    return {
        player: optimizers.build(part.name, players[player].parameters(), part.options)
        for player, part in parts.items()
    }


def _stream(experiment: Experiment, data: Prepared, device: torch.device) -> Stream | PairStream:
    options: dict[str, Any] = {
        "batch": experiment.batch,
        "seed": experiment.seed,
        "flip": experiment.data.flip,
        "crop": None if data.larger is None else data.shape[1:],
        "device": device,
        "memory_format": _memory_format(experiment),
        "workers": decoding_workers(experiment),
        "accumulate": experiment.accumulate,
    }
    if data.other is None:
        return Stream(data.larger or data.train, **options)
    return PairStream(data, **options)
