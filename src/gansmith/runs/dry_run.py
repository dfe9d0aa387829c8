"""Dry run: the resolved experiment with each value's source, and what training it would cost. Trains nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from gansmith.experiment.assemble import assemble
from gansmith.experiment.schema import Experiment
from gansmith.experiment.with_data import with_data
from gansmith.runs.folder import folder_of
from gansmith.runs.training_state import load_fitting_weights
from gansmith.system.progress import format_duration
from gansmith.training import precision
from gansmith.training.forecast import forecast, timed
from gansmith.training.out_of_memory import explain_out_of_memory
from gansmith.training.wiring import check_wiring


def dry_run_report(experiment: Experiment, sources: dict[str, str]) -> str:
    """The text of `gansmith train --dry-run`. The data are read (and cached), the networks built, checked and timed."""
    experiment, data = with_data(experiment)
    parts = assemble(experiment, data)
    experiment = parts.experiment
    batch = parts.first_batch()
    parts.stream.close()
    borrowed = [] if experiment.start_from is None else load_fitting_weights(parts, Path(experiment.start_from))
    with explain_out_of_memory(batch):
        check_wiring(parts.game, batch, device=parts.device, precision=experiment.precision)
        cost = forecast(parts.game, batch, parts.device, experiment)
    warnings = [*data.warnings, *cost.warnings(parts.device), *precision.warnings(parts.device, experiment.precision)]
    lines = [_with_sources(experiment.plain(), sources), f"# run folder: {folder_of(experiment)}"]
    lines.append("# data: {} images to train on, {} held out".format(*data.amounts()))
    lines += [f"# {name}: {count:,} parameters" for name, count in cost.parameters.items()]
    lines += [f"# {line}" for line in borrowed]
    lines.append(f"# a step: {_figure(cost.operations / 1e9)} GFLOP, about {_figure(cost.memory / 2**30)} GiB")
    if not cost.warnings(parts.device):
        with explain_out_of_memory(batch):
            cost = timed(cost, parts.game, batch, parts.device, experiment)
        lines.append(
            f"# time: {cost.step_seconds or 0:.3f} s a step on {parts.device}, {cost.steps:,} steps, "
            f"about {format_duration(cost.seconds or 0)} in all (h:mm:ss or m:ss)"
        )
    lines += [f"# warning: {warning}" for warning in warnings]
    return "\n".join(lines)


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
