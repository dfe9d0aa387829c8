"""Dry run: what would be trained, what it would cost, and every setting with its source. Trains nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch
import yaml

from gansmith import catalog
from gansmith.catalog import ROLES
from gansmith.data.check_images import MODES
from gansmith.experiment.assemble import Assembly, assemble
from gansmith.experiment.schema import Experiment
from gansmith.experiment.with_data import with_data_to_train
from gansmith.runs.existing_run import with_recorded_holdout
from gansmith.runs.folder import checkpoints_of, folder_of
from gansmith.runs.periodic_metrics import PeriodicMetrics
from gansmith.runs.recorded_length import with_recorded_length
from gansmith.runs.start import begin_with
from gansmith.runs.team import require_share
from gansmith.system.durations import duration_words
from gansmith.system.launcher import threads_of_each
from gansmith.system.progress import format_duration
from gansmith.system.text import printable
from gansmith.training import precision
from gansmith.training.forecast import FEW, Crowd, Forecast, forecast, timed
from gansmith.training.out_of_memory import explain_out_of_memory
from gansmith.training.wiring import check_wiring


@dataclass(frozen=True)
class DryRun:
    """What would be trained: everything built, what it costs, and what is to be said of it.

    borrowed: lines on the weights that it would begin with
    """

    parts: Assembly
    cost: Forecast
    warnings: tuple[str, ...]
    borrowed: tuple[str, ...]


def dry_run(experiment: Experiment, processes: tuple[int, int] = (1, 1)) -> DryRun:
    """Read (and cache) the data, build, check and time the networks. Trains nothing.

    processes: how many are to train, and how many of them on this machine. Raises ExperimentError for more than can."""
    crowd = Crowd(*processes)
    require_share(experiment, crowd)
    folder = folder_of(experiment)
    experiment, data = with_data_to_train(with_recorded_length(folder, with_recorded_holdout(folder, experiment)))
    parts = assemble(experiment, data)
    experiment = parts.experiment
    PeriodicMetrics(parts)  # refuses what cannot be measured
    few = parts.few_images(FEW)  # a batch may not fit
    borrowed = [] if experiment.start_from is None or checkpoints_of(folder).names() else begin_with(parts)
    with explain_out_of_memory(few):
        check_wiring(parts.game, few, device=parts.device, precision=experiment.precision)
        cost = forecast(parts.game, few, parts.device, experiment, crowd=crowd)
    warnings = [*data.warnings, *cost.warnings(parts.device), *precision.warnings(parts.device, experiment.precision)]
    if crowd.here > 1 and parts.device.type == "cpu":
        warnings.append("processes on one processor were at most as fast as one with as many threads (docs/scale.md)")
    if not cost.warnings(parts.device):
        batch = parts.first_batch()
        parts.stream.close()
        with explain_out_of_memory(batch), _threads(threads_of(experiment, crowd)):
            cost = timed(cost, parts.game, batch, parts.device, experiment)
    if experiment.time is not None and not checkpoints_of(folder).names():
        cost, parts = _by_time(cost, parts, experiment.time)
    return DryRun(parts, cost, tuple(warnings), tuple(borrowed))


def threads_of(experiment: Experiment, crowd: Crowd) -> int:
    """Threads that each process will have: as they are set, or as `--processes` divides the cores."""
    if experiment.threads is not None or crowd.processes == 1 or "OMP_NUM_THREADS" in os.environ:
        return torch.get_num_threads()
    return threads_of_each(crowd.here)


@contextmanager
def _threads(count: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def dry_run_report(
    experiment: Experiment, sources: dict[str, str], *, full: bool = False, processes: tuple[int, int] = (1, 1)
) -> str:
    """The text of `gansmith train --dry-run`: six lines, then warnings; with `full`, all settings behind them as YAML.

    The data are read (and cached), the networks built, checked and timed.
    """
    done = dry_run(experiment, processes)
    lines = dry_run_lines(done)
    if not full:
        return "\n".join([*lines, *done.borrowed, "all settings, and where each comes from: --full"])
    counts = [f"{name}: {count:,} parameters" for name, count in done.cost.parameters.items()]
    lines = [f"# {line}" for line in [*lines, *counts, *done.borrowed]]
    return "\n".join([*lines, _with_sources(done.parts.experiment.plain(), sources)])


def dry_run_lines(done: DryRun) -> list[str]:
    """The six lines that matter, then the warnings."""
    return _summary(done.parts, done.cost) + [f"warning: {warning}" for warning in done.warnings]


def _by_time(cost: Forecast, parts: Assembly, seconds: float) -> tuple[Forecast, Assembly]:
    """Forecast and parts with the number of images that a time will be about, where a step could be timed."""
    if cost.step_seconds is None:
        return cost, parts
    steps = max(round(seconds / cost.step_seconds), 1)
    images = steps * cost.batches * parts.experiment.batch
    known = parts.experiment.model_copy(update={"images": images})
    return replace(cost, steps=steps), replace(parts, experiment=known)


def _summary(parts: Assembly, cost: Forecast) -> list[str]:
    """The six lines that matter: recipe, data, length, machine, forecast, output."""
    experiment, data = parts.experiment, parts.data
    channels, height, width = data.shape
    count, held_out = data.amounts()
    size = "points" if data.points else f"{height}x{width}, {MODES[channels]}"
    work = f"{_figure(cost.operations / 1e9)} GFLOP and about {_memory(parts, cost)} a step"
    time = "" if cost.seconds is None else f"about {format_duration(cost.seconds)} (h:mm:ss or m:ss), "
    alone = "" if cost.crowd.processes == 1 else " without what processes wait for each other"
    step = "" if cost.step_seconds is None else f"{cost.step_seconds:.3f} s{alone}, "
    several = f" that draw {cost.batches} batches each" if cost.batches > 1 else ""
    steps = f"{cost.steps:,} step{'s' * (cost.steps != 1)}{several}"
    length = f"{experiment.images:,} images"
    if experiment.time is not None:  # the first seconds of the training say
        length = f"{duration_words(experiment.time)}: about {length}"
    return [
        f"recipe    {_recipe(experiment)}",
        f"data      {printable(data.name)}: {count} to train on, {held_out} held out, {size}",
        f"training  {length} in batches of {experiment.batch}: {steps}",
        f"machine   {parts.device}, {experiment.precision}, {experiment.memory_format}{_crowd(parts, cost.crowd)}",
        f"forecast  {time}{step}{work}",
        f"output    {printable(folder_of(experiment))}",
    ]


def _crowd(parts: Assembly, crowd: Crowd) -> str:
    """How many processes share a batch, and how many images each plays at a time."""
    count, here = crowd
    if count == 1:
        return ""
    experiment = parts.experiment
    of = experiment.batch // experiment.accumulate
    images = f"{of // count}{f' or {of // count + 1}' if of % count else ''}"
    parts_of = f", {experiment.accumulate} times a step" if experiment.accumulate > 1 else ""
    threads = threads_of(experiment, crowd)
    own = f"{threads} thread{'s' * (threads != 1)}" if parts.device.type == "cpu" else "a GPU"
    where = f" ({here} on a machine)" if here < count else ""
    return f"; {count} processes{where}, each with {own} and {images} of {of} images{parts_of}"


def _memory(parts: Assembly, cost: Forecast) -> str:
    """`3.1 GiB`, or what each process has, and what the whole machine."""
    each = f"{_figure(cost.memory / 2**30)} GiB"
    if cost.crowd.processes == 1:
        return each
    machine = f"{_figure(cost.memory * cost.crowd.here / 2**30)} GiB on the machine"
    return f"{each} in each process ({machine})"


def _recipe(experiment: Experiment) -> str:
    """The recipe's name with what it is, or the parts of an experiment without one."""
    name = experiment.recipe
    if name is None:
        parts = {field: getattr(experiment, field) for field in ("game", *ROLES, "objective")}
        return f"none: {', '.join(f'{field} {part.name}' for field, part in parts.items() if part is not None)}"
    return f"{name}: {catalog.describe('recipes', name)}" if name in catalog.names("recipes") else name


def _figure(value: float) -> str:
    """Three digits of what is small, all of what is not."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _with_sources(plain: dict[str, Any], sources: dict[str, str]) -> str:
    """YAML, with `# source` behind every line whose value a layer set."""
    lines: list[str] = []
    path: list[str] = []
    for line in yaml.safe_dump(plain, sort_keys=False, width=10_000).splitlines():
        depth = (len(line) - len(line.lstrip())) // 2
        key = line.strip().partition(":")[0]
        path = [*path[:depth], key]
        dotted = ".".join(path)
        source = sources.get(dotted) if not line.lstrip().startswith("- ") else None
        lines.append(f"{line:<40}  # {source}" if source else line)
    return "\n".join(lines)
