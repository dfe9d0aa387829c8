"""Memory that an experiment certainly takes for its images, known from its settings and refused before it is taken.

What the networks' passes take besides is forecast by `training.forecast`; weights are counted where they are built.
"""

from __future__ import annotations

from gansmith.errors import ExperimentError
from gansmith.experiment.schema import Experiment
from gansmith.system.memory import require_memory

_BATCH = 1 + 4  # bytes for each number of an image: as it lies in the cache, and in [-1, 1]
_FAKES = 4 + 4  # of as many generated ones that are played at once, and of their gradient
_SHEET = 4 + 4 + 1 + 1  # latents' images, on the device and off it; levels, and the sheet of them


def require_room(experiment: Experiment, channels: int, height: int, width: int, *, domains: int = 1) -> None:
    """Raises ExperimentError where a batch, a sample sheet or the samples of a metric do not fit in memory."""
    numbers = channels * height * width
    shape = f"{height}x{width} with {channels} channels"
    share = -(-experiment.batch // experiment.accumulate)
    require_memory(
        numbers * domains * (experiment.batch * _BATCH + share * _FAKES),
        f"a batch of {experiment.batch:,} images, {shape},",
        "choose a smaller batch (--batch) or smaller images (--size)",
        error=ExperimentError,
    )
    require_memory(
        experiment.sheet * (numbers * _SHEET * domains + 4 * experiment.prior.size),
        f"a sample sheet of {experiment.sheet:,} images, {shape}, from latents of {experiment.prior.size:,} numbers,",
        "choose a smaller sheet (--set sheet=64), latents (--set prior.size=100) or images (--size)",
        error=ExperimentError,
    )
    require_memory(
        experiment.batch * 4 * experiment.prior.size,
        f"a batch of {experiment.batch:,} latents of {experiment.prior.size:,} numbers",
        "choose a smaller batch (--batch) or smaller latents (--set prior.size=100)",
        error=ExperimentError,
    )
    if experiment.metrics.names:
        require_memory(
            2 * experiment.metrics.samples * numbers,
            f"a metric of {experiment.metrics.samples:,} images a side, {shape},",
            "measure fewer (--set metrics.samples=1000)",
            error=ExperimentError,
        )
