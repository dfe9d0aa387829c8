"""The beginning of a run: weights to start from, the wiring of the game, and the forecast of what it takes."""

from __future__ import annotations

from pathlib import Path

from gansmith.experiment.assemble import Assembly
from gansmith.runs.training_state import load_fitting_weights
from gansmith.system.console import say
from gansmith.training.forecast import FEW, forecast
from gansmith.training.out_of_memory import explain_out_of_memory
from gansmith.training.precision import warnings
from gansmith.training.wiring import check_wiring


def begin(parts: Assembly) -> None:
    """Load the weights of `start_from`, check the wiring and forecast what the training takes; warnings are said."""
    experiment = parts.experiment
    if experiment.start_from is not None:
        for line in load_fitting_weights(parts, Path(experiment.start_from)):
            say(line)
    few = parts.few_images(FEW)  # a batch may not fit
    with explain_out_of_memory(few):
        expected = forecast(parts.game, few, parts.device, experiment)
    expected.refuse(parts.device)
    batch = parts.first_batch()
    with explain_out_of_memory(batch):
        check_wiring(parts.game, batch, device=parts.device, precision=experiment.precision)
    for warning in (*expected.warnings(parts.device), *warnings(parts.device, experiment.precision)):
        say(f"warning: {warning}")
