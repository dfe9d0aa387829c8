"""What a folder already holds when a run is to be worked on there: nothing, the same experiment, or something else."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from gansmith.errors import ExperimentError, RunError
from gansmith.experiment import completion
from gansmith.experiment.layers import difference
from gansmith.experiment.schema import Experiment
from gansmith.records import jsonl
from gansmith.runs import stop_request
from gansmith.runs.folder import experiment_of, is_run
from gansmith.runs.lock import LOCK
from gansmith.system.console import say
from gansmith.system.files import target_of
from gansmith.system.paths import shell_word

_FEW = 2  # differing fields of one part that are listed; more are folded


def require_run_or_empty(folder: Path) -> None:
    """Raises RunError for a folder of other files, and for one in the home of a user that there is not. Absent, locked
    by a killed process, or with the first file of a run half written, it is empty."""
    if folder.parts[:1] and folder.parts[0].startswith("~") and not folder.exists():
        raise RunError(
            f"{folder}: there is no user {folder.parts[0][1:]}, so no such home folder; choose another --out"
        )
    if is_run(folder) or not folder.is_dir():
        return
    ours = (LOCK, "experiment.yaml", stop_request.NAME)
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
    if not (folder / "experiment.yaml").exists():
        say(f"note: {folder}/experiment.yaml is gone; the checkpoint holds it")
    try:
        recorded = experiment_of(folder)
    except ExperimentError as error:
        say(f"warning: {error}")
        return experiment
    for field in ("memory_format", "precision"):
        if getattr(experiment, field) == "auto":
            experiment = experiment.model_copy(update={field: getattr(recorded, field)})
    changed = difference(completion.renewed(recorded), experiment)
    if not changed:
        return experiment
    if not was_trained(folder):
        say(f"note: nothing was trained in {folder} yet; its experiment is replaced")
        return experiment
    listed = "\n  ".join(folded(changed))
    raise RunError(
        f"this folder holds {_words(folder, recorded)}, another experiment than this one: {folder}\n"
        f"It is left alone. Choose another --out, or continue it with: gansmith resume {shell_word(folder)}\n"
        f"What differs:\n  {listed}"
    )


def with_recorded_holdout(folder: Path, experiment: Experiment) -> Experiment:
    """`experiment`, with the share held out that the run in `folder` was trained with, where it is left open."""
    if experiment.data.holdout != "auto" or not is_run(folder) or not was_trained(folder):
        return experiment
    with suppress(ExperimentError):  # said by `with_recorded_choices`
        share = {"holdout": experiment_of(folder).data.holdout}
        return experiment.model_copy(update={"data": experiment.data.model_copy(update=share)})
    return experiment


def _words(folder: Path, recorded: Experiment) -> str:
    """`a sngan_small run of 40,000 images`."""
    records = jsonl.read(folder / "events.jsonl")
    images = f"{records[-1]['images']:,} images" if records else "a number of images that is not recorded"
    article = "an" if (recorded.recipe or "").startswith(tuple("aeiou")) else "a"
    return f"{article} {recorded.recipe} run of {images}" if recorded.recipe else f"a run without recipe of {images}"


def folded(changed: Sequence[str]) -> list[str]:
    """A line for each part whose fields differ: all of them where these are few, else the first and how many more.

    >>> folded(["seed: 0 -> 1", "generator.name: dcgan -> resnet", "generator.a: 1 -> 2", "generator.b: 1 -> 2"])
    ['seed: 0 -> 1', 'generator.name: dcgan -> resnet, and 2 more fields of generator']
    """
    groups: dict[str, list[str]] = {}
    for line in changed:
        groups.setdefault(line.partition(":")[0].partition(".")[0], []).append(line)
    lines: list[str] = []
    for part, group in groups.items():
        if len(group) <= _FEW:
            lines += group
        else:
            lines.append(f"{group[0]}, and {len(group) - 1} more fields of {part}")
    return lines


def way_out(folder: Path) -> str:
    """Advice for a run that cannot be continued because no checkpoint of it can be read."""
    if not any((folder / "model").glob("*.safetensors")):
        return f"It cannot be continued: begin anew with another --out, or remove {folder}"
    return (
        f"It cannot be continued. Its model still samples; to train on from its weights: "
        f"--from {shell_word(folder)} --out ANOTHER"
    )


def was_trained(folder: Path) -> bool:
    """Has the run in `folder` anything to show: a checkpoint, a model, a record?"""
    kept = any((folder / name).exists() for name in ("checkpoints", "model"))
    return kept or bool(jsonl.read(folder / "events.jsonl"))
