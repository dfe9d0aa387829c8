"""Files of a run folder, and how each is read.

    experiment.yaml   complete and resolved                    events.jsonl   one record per line
    samples/          sheets, named by the images clock        progress.webp  the film of them
    checkpoints/      the whole state                          model/         the networks, for use
    directions/       in the latent space, and their sheets    stars.json     images that somebody marked
    stop.request      while a training is asked to end

A folder or a file of models alone serves where no more than a network is needed.
"""

from __future__ import annotations

import re
from pathlib import Path

from gansmith.errors import CheckpointError, ExperimentError, RunError
from gansmith.experiment.layers import Layer, resolve
from gansmith.experiment.retired import renamed
from gansmith.experiment.schema import Experiment
from gansmith.experiment.sources import from_file
from gansmith.models import saved
from gansmith.runs.checkpoint_structure import require_state
from gansmith.runs.stop_request import remove_request
from gansmith.system.files import remove_stale, unreadable
from gansmith.system.paths import expanded, resolved, shell_word
from gansmith.training.checkpoint import Checkpoints


def is_run(path: Path) -> bool:
    """Does `path` hold a run, and not models alone? One whose experiment.yaml was lost has it in its checkpoints."""
    try:
        return (path / "experiment.yaml").is_file() or any((path / "checkpoints").glob("*.pt"))
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error.strerror or error}") from error


def remove_stale_files(path: Path) -> None:
    """Remove what killed processes left half written in a run and in its folders, and a request to stop that came
    before. To be called under its lock."""
    remove_request(path)
    for folder in (path, *(child for child in path.iterdir() if child.is_dir())):
        remove_stale(folder)


def folder_of(experiment: Experiment) -> Path:
    """Where an experiment is run: `out`, or runs/DATA-RECIPE."""
    if experiment.out is not None:
        return expanded(experiment.out)
    data = Path(experiment.data.path)
    name = data.stem if data.suffix.lower() in (".zip", ".npy", ".csv", ".gz") else data.name
    classes = experiment.data.classes
    some = f"-{len(classes)}-classes" if len(classes) > 3 else "".join(f"-{word}" for word in classes)
    some = re.sub(r"[^\w.-]+", "_", some)
    return Path("runs") / f"{name or resolved(data).name}{some}-{experiment.recipe or 'dcgan'}"


def models_of(path: Path) -> Path:
    """The folder or file of models of a run, or `path` itself where it is one. Raises RunError for anything else."""
    if is_run(path):
        return path / "model"
    if path.suffix == ".safetensors" or any(path.glob("*.safetensors")):
        return path
    if not path.exists():
        near = sorted(str(other.parent) for other in path.parent.glob("*/experiment.yaml"))
        raise RunError(f"there is no run {path}. Runs beside it: {', '.join(near[:8]) or 'none'}")
    hint = f". Its models are in {path / 'model'}" if (path / "model").is_dir() else ""
    raise RunError(f"{path} is not a run: it holds neither experiment.yaml nor model files{hint}")


def checkpoints_of(path: Path) -> Checkpoints:
    """The checkpoints of a run."""
    return Checkpoints(path / "checkpoints", require_state)


def stored_settings(path: Path) -> Layer:
    """The settings in a run's experiment.yaml, or, where that is gone, in its newest checkpoint.

    Raises ExperimentError when they were damaged, and says how to mend them.
    """
    file = path / "experiment.yaml"
    if not file.exists():
        return _settings_in_checkpoint(path)
    try:
        layer = from_file(file)
        resolve([layer], parts=False)
        if layer.values:
            return layer
        problem = f"{file} is empty"
    except ExperimentError as error:
        if unreadable(file):
            raise  # nothing is wrong with it
        problem = str(error)
    kept = "; or remove it: the checkpoint holds the same" if any((path / "checkpoints").glob("*.pt")) else ""
    raise ExperimentError(f"{problem}. Run the command that began the run again: it writes the file anew{kept}")


def _settings_in_checkpoint(path: Path) -> Layer:
    try:
        layer = Layer(f"the checkpoint in {path}", renamed(checkpoints_of(path).load()[0]["experiment"]))
        resolve([layer], parts=False)
    except (CheckpointError, ExperimentError) as error:
        raise ExperimentError(
            f"{path}/experiment.yaml is gone, and {error}. "
            f"Run the command that began the run again: it writes the file anew"
        ) from error
    return layer


def experiment_of(path: Path) -> Experiment:
    """What a run ran. Raises ExperimentError when the file was changed to something that is none."""
    return resolve([stored_settings(path)], parts=False)[0]


def directions_folder(path: Path) -> Path:
    """The folder of a run's directions in the latent space and of their sheets; beside a single file of a model."""
    return (path if path.is_dir() else path.parent) / "directions"


def directions_file(path: Path) -> Path:
    """The file of a run's directions."""
    return directions_folder(path) / "directions.safetensors"


def image_folders(path: Path) -> list[Path]:
    """The folders of images that a run was trained on; none for other data, a folder of models, or a damaged run."""
    if not is_run(path):
        return []
    try:
        data = experiment_of(path).data
    except ExperimentError:
        return []
    places = [expanded(place) for place in (data.path, data.other) if place is not None]
    return [place for place in places if place.is_dir()]


def players_of(path: Path) -> list[str]:
    """The networks of a run, or of a folder or file of models: generator, discriminator. Raises RunError for none."""
    where = models_of(path)
    if where.is_file():
        return [saved.read_card(where).player]
    reason = unreadable(where)
    if reason is not None:
        raise RunError(f"{where} cannot be read: {reason}")
    players = sorted(file.stem for file in where.glob("*.safetensors"))
    if not players:
        way_out = "it has no checkpoint yet"
        if checkpoints_of(path).names():
            way_out = f"gansmith resume {shell_word(path)} writes them anew from its checkpoint"
        raise RunError(f"{path} holds no model files: {way_out}")
    return players
