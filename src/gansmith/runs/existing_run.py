"""What a folder already holds when a run is to be worked on there: nothing, the same experiment, or something else."""

from __future__ import annotations

import sys
from pathlib import Path

from gansmith.errors import ExperimentError, RunError
from gansmith.experiment import completion
from gansmith.experiment.layers import difference
from gansmith.experiment.schema import Experiment
from gansmith.records import jsonl
from gansmith.runs.folder import experiment_of, is_run
from gansmith.runs.lock import LOCK
from gansmith.system.files import target_of


def require_run_or_empty(folder: Path) -> None:
    """Raises RunError for a folder of other files. Absent, locked by a killed process, or with the first file of a run
    half written, it is empty."""
    if is_run(folder) or not folder.is_dir():
        return
    ours = (LOCK, "experiment.yaml")
    others = [path.name for path in folder.iterdir() if (target_of(path.name) or path.name) not in ours]
    if others:
        raise RunError(
            f"{folder} exists and is not a run (it holds {', '.join(sorted(others)[:3])}); choose another --out"
        )


def with_recorded_choices(folder: Path, experiment: Experiment) -> Experiment:
    """`experiment`, with the memory format and precision that the run in `folder` recorded: they are not chosen again.

    Raises RunError when the folder holds another experiment, unless that one had nothing to show yet.
    """
    if not is_run(folder):
        return experiment
    try:
        recorded = experiment_of(folder)
    except ExperimentError as error:
        print(f"warning: {error}", file=sys.stderr, flush=True)
        return experiment
    for field in ("memory_format", "precision"):
        if getattr(experiment, field) == "auto":
            experiment = experiment.model_copy(update={field: getattr(recorded, field)})
    changed = difference(completion.renewed(recorded), experiment)
    if not changed:
        return experiment
    if not _was_trained(folder):
        print(f"note: nothing was trained in {folder} yet; its experiment is replaced", file=sys.stderr, flush=True)
        return experiment
    listed = "\n  ".join(changed)
    raise RunError(
        f"{folder} holds another experiment; it is left alone. What differs:\n  {listed}\n"
        f"Choose another --out, or continue the old one with: gansmith resume {folder}"
    )


def _was_trained(folder: Path) -> bool:
    kept = any((folder / name).exists() for name in ("checkpoints", "model"))
    return kept or bool(jsonl.read(folder / "events.jsonl"))
