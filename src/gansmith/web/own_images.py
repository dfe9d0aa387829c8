"""Where the images lie that a run was trained on: at the path of its settings, or in the folder that the page was
opened with, where these are the same ones.

They are the same where their digest is that of the run's checkpoint. A model without a checkpoint, such as those of the
zoo, knows its classes and how many of its images were of each, to the last bit; without classes, the name of the folder
or archive must be the same.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gansmith.errors import DataError, GansmithError, RunError
from gansmith.models.saved import read_card
from gansmith.runs.folder import is_run
from gansmith.runs.run import Run
from gansmith.system.text import printable
from gansmith.web.kept import Kept
from gansmith.web.pictures import command_line
from gansmith.web.settings import Settings

if TYPE_CHECKING:
    from gansmith.data.prepared import Prepared

Shape = tuple[int, int, int]  # height, width, channels


def own_images(kept: Kept, run: Run, settings: Settings) -> tuple[Prepared, str | None]:
    """The run's images, prepared as for its training and not read yet; and where they lie, if not at their own path.

    Raises DataError, which says how to open the page with them, where they are neither there nor offered.
    """
    key = ("prepared", str(run.path), _stamp(run), str(settings.images))
    return kept.of(key, lambda: _prepared(run, settings))


def shape_of(run: Run) -> Shape:
    """Of the images of its generator. Raises RunError where it has none."""
    file = run.model if run.model.is_file() else run.model / "generator.safetensors"
    if not file.is_file():
        raise RunError(f"{printable(run.path)} has no generator, so that no image of it has a nearest one")
    channels, height, width = read_card(file).dimensions[:3]
    return height, width, channels


def _prepared(run: Run, settings: Settings) -> tuple[Prepared, str | None]:
    from gansmith.judge.opened import trained_on
    from gansmith.judge.training_images import prepared_images

    shape = shape_of(run)
    own = _own(run, shape)
    if settings.images is not None and (own is None or trained_on(run) not in (None, own.digest)):
        place = str(settings.images)
        try:
            moved = prepared_images(run, shape, against=place)
            if _same(run, moved, settings.images):
                return moved, place
        except DataError:
            if own is None:
                raise
    if own is None:
        raise DataError(_gone(run, settings))
    return own, None


def _own(run: Run, shape: Shape) -> Prepared | None:
    """Those at the path of the run's settings; None where nothing can be read there."""
    from gansmith.judge.training_images import prepared_images

    if not is_run(run.path):
        return None
    try:
        return prepared_images(run, shape)
    except DataError as error:
        if isinstance(error.__cause__, GansmithError):
            return None
        raise  # they are points


def _same(run: Run, images: Prepared, offered: Path) -> bool:
    """Are these the images that the run was trained on?"""
    from gansmith.judge.opened import trained_on

    known = trained_on(run) if is_run(run.path) else None
    if known is not None:
        return known == images.digest
    card = read_card(run.model if run.model.is_file() else run.model / "generator.safetensors")
    if card.classes:
        total = sum(images.frequencies)
        shares = tuple(count / total for count in images.frequencies) if total else ()
        return (card.classes, card.prior.shares) == (images.classes, shares)
    return is_run(run.path) and Path(run.experiment.data.path).name == offered.name


def _gone(run: Run, settings: Settings) -> str:
    which = f" ({printable(Path(run.experiment.data.path).name)})" if is_run(run.path) else ""
    others = "" if settings.images is None else f" {printable(settings.images.name)} holds other images."
    command = command_line("explore", settings.zoo or settings.opened, "--images", "FOLDER")
    name = printable(settings.zoo or run.path.name)
    return (
        f"the images that {name} was trained on{which} are not here.{others} With the folder or archive that holds "
        f"them: {command}"
    )


def _stamp(run: Run) -> int:
    """What changes when the run's settings are written anew."""
    try:
        return (run.path / "experiment.yaml").stat().st_mtime_ns
    except OSError:
        return 0
