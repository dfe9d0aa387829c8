"""What `gansmith train --dry-run` prints: the resolved experiment with each value's source, and what it would take."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from gansmith.experiment.assemble import assemble, resolved
from gansmith.experiment.schema import Experiment
from gansmith.runs.folder import folder_of
from gansmith.runs.training_state import borrow
from gansmith.system.progress import clock
from gansmith.training.forecast import forecast, timed
from gansmith.training.memory import explained
from gansmith.training.precision import warnings
from gansmith.training.wiring import check_wiring


def report(experiment: Experiment, sources: dict[str, str]) -> str:
    """Everything short of training: the data are read (and cached), the networks built, wired and timed."""
    experiment, data = resolved(experiment)
    parts = assemble(experiment, data)
    experiment = parts.experiment
    batch = next(parts.stream)
    parts.stream.close()
    begun_from = [] if experiment.start_from is None else borrow(parts, Path(experiment.start_from))
    with explained(batch):
        check_wiring(parts.game, batch, device=parts.device, precision=experiment.precision)
        made = forecast(parts.game, batch, parts.device, experiment)
    told = [*data.warnings, *made.warnings(parts.device), *warnings(parts.device, experiment.precision)]
    lines = [_with_sources(experiment.plain(), sources), f"# run folder: {folder_of(experiment)}"]
    lines.append("# data: {} images to train on, {} held out".format(*data.amounts()))
    lines += [f"# {name}: {count:,} parameters" for name, count in made.parameters.items()]
    lines += [f"# {line}" for line in begun_from]
    lines.append(f"# a step: {_figure(made.operations / 1e9)} GFLOP, about {_figure(made.memory / 2**30)} GiB")
    if not made.warnings(parts.device):
        with explained(batch):
            made = timed(made, parts.game, batch, parts.device, experiment)
        lines.append(
            f"# time: {made.step_seconds or 0:.3f} s a step on {parts.device}, {made.steps:,} steps, "
            f"about {clock(made.seconds or 0)} in all (h:mm:ss or m:ss)"
        )
    lines += [f"# warning: {warning}" for warning in told]
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
