"""A rank that is not the first: it plays the same steps on its rows of each batch, and does what rank 0 tells it.

It reads no settings and touches no run folder: the experiment, the state to begin with and every decision come from
rank 0. It says nothing; what goes wrong here, rank 0 says.
"""

from __future__ import annotations

import io
import os
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import yaml

from gansmith.errors import DataError, RunError, TrainingInterrupted
from gansmith.experiment import outside_code
from gansmith.experiment.assemble import Assembly, assemble
from gansmith.experiment.schema import Experiment
from gansmith.experiment.with_data import with_data
from gansmith.runs.agreements import Agreements
from gansmith.runs.periodic_metrics import PeriodicMetrics
from gansmith.runs.signals import stop_on_signals
from gansmith.runs.team import Team, joined, local_rank, place
from gansmith.runs.training_state import load_state, players_in_use, versions
from gansmith.runs.wishes import Wishes
from gansmith.schedules import MOST_IMAGES
from gansmith.system.console import quiet
from gansmith.system.paths import resolved
from gansmith.training.engine import Engine, Events, images_drawn, play_until


def follow() -> Path:
    """Train with rank 0 to the end. Returns the run's folder, as rank 0 sees it; raises TrainingInterrupted where a
    signal ended the training, on all ranks."""
    quiet()
    warnings.simplefilter("ignore")  # rank 0 says them
    with joined() as team:
        beginning = meet(team, None)
        signal = _follow(team, beginning)
        team.part()
    if signal is not None:
        raise TrainingInterrupted("stopped with rank 0", signal=signal)
    return Path(beginning["folder"])


def _follow(team: Team, beginning: dict[str, Any]) -> int | None:
    """Returns the signal that ended it."""
    experiment = received_experiment(beginning)
    torch.set_num_threads(beginning["threads"])
    if local_rank() > 0:
        team.wait()  # the first of each machine prepares the images, the others find them in the cache
    _, data = with_data(experiment)
    if local_rank() == 0:
        team.wait()
    require_same_data(team, data.digest)
    while True:
        follower = Follower(assemble(experiment, data), team)
        experiment_text = follower.train()
        if experiment_text is None:
            return follower.signal
        experiment = received_experiment({"experiment": experiment_text})


def meet(team: Team, beginning: dict[str, Any] | None) -> dict[str, Any]:
    """What rank 0 begins with, on every rank, once their versions were compared. Raises RunError for others."""
    everywhere = team.everyone({**versions(), "place": place()})
    for rank, other in enumerate(everywhere):
        for name in versions():
            if other[name] != everywhere[0][name]:
                raise RunError(
                    f"rank {rank} ({other['place']}) has {name} {other[name]}, and rank 0 ({everywhere[0]['place']}) "
                    f"{everywhere[0][name]}: install the same version on all machines"
                )
    agreed: dict[str, Any] = team.agreed(beginning)
    return agreed


def lead_in(team: Team, parts: Assembly, folder: Path) -> None:
    """Rank 0's side of the beginning: the experiment with all that was chosen, and the threads of each process."""
    if team.world == 1:
        return
    threads = torch.get_num_threads()
    meet(team, {"experiment": parts.experiment.to_yaml(), "threads": threads, "folder": str(resolved(folder))})
    team.wait()
    require_same_data(team, parts.data.digest)


def received_experiment(beginning: dict[str, Any]) -> Experiment:
    """The experiment as rank 0 has resolved it, which has vouched for the code from outside that it names."""
    experiment = Experiment.model_validate(yaml.safe_load(io.StringIO(beginning["experiment"])))
    outside_code.vouch(experiment, trust=True)
    return experiment


def require_same_data(team: Team, digest: str) -> None:
    """Raises DataError where ranks read different images."""
    everywhere = team.everyone([digest, place(), os.getpid()])
    for rank, (other, where, _) in enumerate(everywhere):
        if other != everywhere[0][0]:
            raise DataError(
                f"rank {rank} ({where}) reads other images than rank 0 ({everywhere[0][1]}): digest {other}, not "
                f"{everywhere[0][0]}. Bring the same files to both"
            )


@dataclass
class Follower:
    """The steps of the assembled experiment, with rank 0."""

    parts: Assembly
    team: Team
    signal: int | None = None

    def train(self) -> str | None:
        """To the end; or, where the experiment's length was measured, the experiment with that, to go on with."""
        step = load_state(self.team.agreed_state(), self.parts, processes=self.team.world)
        if not self.team.agreed():  # rank 0 has nothing left to train
            return None
        self.agreements = Agreements(self.parts, self.team)
        self.metrics = PeriodicMetrics(self.parts, team=self.team)
        self.wishes = Wishes(self.team)
        engine = self.parts.engine
        state: Any = engine.state
        state.images = self.parts.stream.drawn
        self.wishes.attach(engine)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._after_step)
        with stop_on_signals(self.wishes.wish):
            measuring = self.agreements.measuring
            play_until(engine, MOST_IMAGES if measuring else self.parts.experiment.images, step=step)
            self.parts.serve()
            end = self.team.agreed()
            self.parts.serve()
            if end["closing"]:
                self.metrics.take_part(players_in_use(self.parts))
                self.parts.serve()
        self.parts.stream.close()
        experiment: str | None = end["experiment"]
        return experiment

    def _after_step(self, engine: Engine) -> None:
        state: Any = engine.state
        before, images = state.images - state.drawn, state.images
        self.parts.averaging.update(state.drawn, images)
        self.signal = self.wishes.heard()
        if self.signal is not None:
            engine.terminate()
        if self.metrics.due(before, images_drawn(engine)):
            self.parts.serve()
            self.metrics.take_part(players_in_use(self.parts))
        self.parts.serve()
        if self.agreements.due(before, images) and self.agreements.follow():
            engine.terminate()
