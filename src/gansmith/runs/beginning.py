"""The beginning of a process's work on a run: the newest checkpoint, or the weights to start from, the wiring of the
game, and the forecast of what it takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from gansmith.errors import CheckpointError, DamagedCheckpointError
from gansmith.experiment.assemble import Assembly
from gansmith.runs.existing_run import way_out
from gansmith.runs.folder import checkpoints_of, is_run
from gansmith.runs.start import begin_with
from gansmith.runs.team import crowd
from gansmith.runs.training_state import restore
from gansmith.schedules import Decay, Value
from gansmith.system.console import say
from gansmith.system.text import printable
from gansmith.training.checkpoint import Checkpoints, State
from gansmith.training.forecast import FEW, Crowd, forecast
from gansmith.training.out_of_memory import explain_out_of_memory
from gansmith.training.precision import warnings
from gansmith.training.wiring import check_wiring


def resume_or_begin(folder: Path, parts: Assembly, *, quietly: bool = False, processes: int = 1) -> tuple[int, float]:
    """Restore the newest checkpoint of the run in `folder`, or begin it. Returns the steps and the seconds behind.

    quietly: this process itself wrote the checkpoint. processes: how many train from here on.
    """
    checkpoints = checkpoints_of(folder)
    if not checkpoints.names():
        if (folder / "model").exists():
            raise CheckpointError(f"{folder} was trained but its checkpoints are gone. {way_out(folder)}")
        if is_run(folder):
            say(f"{folder} stopped before its first checkpoint: it begins again")
        begin(parts, crowd())
        return 0, 0.0
    notes: list[str] = []

    def take(state: State) -> None:
        notes.extend(restore(state, parts, folder, processes=processes))

    take_up = Checkpoints(checkpoints.folder, take)
    try:
        state, damage = take_up.load()
    except DamagedCheckpointError as error:
        raise CheckpointError(f"{error}. {way_out(folder)}") from error
    for line in (*(f"warning: {warning}" for warning in damage), *notes):
        say(line)
    if damage:
        checkpoints.set_aside()
    if parts.stream.drawn < parts.experiment.images and not quietly:
        say(f"continuing {printable(folder)} at {parts.stream.drawn:,} images (step {state['step']:,})")
        for warning in ended_rates(parts):
            say(f"warning: {warning}")
    return state["step"], float(state["seconds"])


def ended_rates(parts: Assembly) -> list[str]:
    """A warning where every learning rate has come to zero, so that training on changes nothing."""
    ends = [_end(part.options.get("lr")) for part in parts.experiment.optimizer.values()]
    known = [end for end in ends if end is not None]
    if len(known) < len(ends) or not known or max(known) >= parts.experiment.images:
        return []
    return [
        f"the learning rates have ended: they are 0 from {max(known):,} images on, as the run was begun, and what is "
        f"trained after that changes nothing. For a longer training begin another run, with --images or --time"
    ]


def _end(rate: Any) -> int | None:
    """The number of images from which a learning rate is zero; None where it is never."""
    value: Any = TypeAdapter(Value).validate_python(rate)
    if isinstance(value, Decay) and value.end == 0:
        return value.hold + value.decay
    return None


def begin(parts: Assembly, processes: Crowd) -> None:
    """Load the weights of `start_from`, check the wiring and forecast what the training takes of so many processes;
    warnings are said."""
    experiment = parts.experiment
    if experiment.start_from is not None:
        for line in begin_with(parts):
            say(line)
    elif experiment.freeze:
        say("warning: layers are frozen as drawn at random: begin with weights that are worth keeping, --from RUN")
    few = parts.few_images(FEW)  # a batch may not fit
    with explain_out_of_memory(few):
        expected = forecast(parts.game, few, parts.device, experiment, crowd=processes)
    expected.refuse(parts.device)
    batch = parts.first_batch()
    with explain_out_of_memory(batch):
        check_wiring(parts.game, batch, device=parts.device, precision=experiment.precision)
    for warning in (*expected.warnings(parts.device), *warnings(parts.device, experiment.precision)):
        say(f"warning: {warning}")
