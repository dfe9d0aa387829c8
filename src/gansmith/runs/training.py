"""A run's training from its experiment on: the folder's lock, the images, the networks, the steps; by rank 0 and the
others, where several processes train."""

from __future__ import annotations

import signal

from gansmith.experiment.assemble import assemble
from gansmith.experiment.schema import Experiment
from gansmith.experiment.with_data import with_data_to_train
from gansmith.runs.ended import interrupted
from gansmith.runs.existing_run import require_run_or_empty, with_recorded_choices, with_recorded_holdout
from gansmith.runs.folder import folder_of, is_run, remove_stale_files
from gansmith.runs.follower import follow, lead_in
from gansmith.runs.lock import locked
from gansmith.runs.recorded_length import with_recorded_length
from gansmith.runs.start import place_of
from gansmith.runs.team import follows, joined, require_share
from gansmith.runs.trainer import Trainer
from gansmith.system.console import say


def train_run(experiment: Experiment) -> None:
    """Begin or resume the run that `experiment` describes, to its last image.

    Raises RunError when the folder belongs to another process or another experiment, TrainingInterrupted on Ctrl-C,
    SIGTERM or SIGHUP, having said so, and whatever stops the training.
    """
    try:
        if follows():
            follow()
        else:
            _train_run(experiment)
    except KeyboardInterrupt:  # before the first step, or after the last
        raise interrupted("stopped; what was saved is whole", signal.SIGINT) from None


def _train_run(experiment: Experiment) -> None:
    folder = folder_of(experiment)
    require_run_or_empty(folder)  # before a lock is put there
    require_share(experiment)
    with locked(folder):
        require_run_or_empty(folder)
        remove_stale_files(folder)
        if experiment.start_from is not None and not is_run(folder):
            place_of(experiment.start_from)  # before the images are prepared, which can take long
        experiment, data = with_data_to_train(with_recorded_length(folder, with_recorded_holdout(folder, experiment)))
        experiment = with_recorded_choices(folder, experiment)
        say(*(f"warning: {warning}" for warning in data.warnings))
        with joined() as team:
            parts = assemble(experiment, data)
            lead_in(team, parts, folder)
            trainer = Trainer(folder, parts, team=team)
            measured = trainer.train()
            if measured is not None:
                trainer = Trainer(folder, assemble(measured, data), team=team, resumed=True)
                trainer.train()
            team.part()
        trainer.say_how_it_ended()
