"""The images that the judge looks at, all at one size: made ones, real ones trained on, real ones held out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gansmith.data.dataset import Dataset
from gansmith.data.open import open_dataset
from gansmith.data.prepare import Prepared, prepare
from gansmith.data.settings import DataSettings
from gansmith.errors import DataError, OptionError
from gansmith.evaluation.number_format import number
from gansmith.evaluation.types import Images
from gansmith.records import pictures
from gansmith.runs import folder as run_folder
from gansmith.runs.run import Run
from gansmith.system.progress import bar, track
from gansmith.system.seeding import mix

LEAST = 20  # images a side; below, nothing can be said
_CHUNK = 64  # images made at once


@dataclass(frozen=True)
class Made:
    """Images that were made: one array for each repeat, at one size, and how they came about."""

    name: str
    parts: tuple[Images, ...]
    seeds: str
    averaging: str
    facts: dict[str, str]


@dataclass(frozen=True)
class Subject:
    """Whose images are judged.

    like    how images are brought to their size;  shape  (height, width, channels)
    make    makes or reads them: the long part;  run  where they come from, if from one
    """

    like: DataSettings
    shape: tuple[int, int, int]
    make: Callable[[], Made]
    run: Run | None


@dataclass(frozen=True)
class Real:
    """Real images at that size: trained on, and held out (None where none are known to be)."""

    name: str
    train: tuple[Images, NDArray[np.int64] | None]
    holdout: tuple[Images, NDArray[np.int64] | None] | None
    description: str
    classes: tuple[str, ...] | None
    notes: tuple[str, ...]


def subject_of(
    place: Path, samples: int, repeats: int, *, checkpoint: str | None, raw: bool, device: str, trust: bool
) -> Subject:
    """What lies at `place`. Raises DataError for points, too few images, or several sizes of them."""
    if run_folder.is_run(place) or (place.suffix == ".safetensors" and place.is_file()) or _holds_models(place):
        run = Run(place, trust=trust)
        settings = run.experiment.data if run_folder.is_run(place) else DataSettings()
        return _from_run(run, settings, samples, repeats, checkpoint=checkpoint, raw=raw, device=device)
    if checkpoint is not None or raw:
        raise OptionError(f"--checkpoint and --raw choose weights of a run, and {place} is none")
    found = prepare(DataSettings(path=str(place), holdout=0, size=_own_size(place, trust=trust)), trust=trust)
    return _from_files(found, samples, repeats)


def _own_size(place: Path, *, trust: bool) -> tuple[int, int]:
    """The one size (height, width) of all images at `place`: made images are never resized."""
    source = open_dataset(place, trust=trust)
    if source.points:
        raise DataError(f"{place} holds points, and only images can be judged")
    shapes = (source.one(index).image.shape for index in track(range(len(source)), "measuring", len(source)))
    sizes = Counter((shape[0], shape[1]) for shape in shapes)
    if not sizes:
        raise DataError(f"there are no images in {place}")
    if len(sizes) > 1:
        said = ", ".join(f"{count:,} of {height}x{width}" for (height, width), count in sizes.most_common(3))
        raise DataError(
            f"the images in {place} are of {len(sizes)} different sizes ({said}), and made images are compared as they "
            f"are. Bring them to one size first: gansmith data pack {place} OUT.npy --size 64"
        )
    return next(iter(sizes))


def _holds_models(place: Path) -> bool:
    return place.is_dir() and any(place.glob("*.safetensors"))


def _from_run(
    run: Run, settings: DataSettings, samples: int, repeats: int, *, checkpoint: str | None, raw: bool, device: str
) -> Subject:
    renderer = run.renderer(raw=raw, checkpoint=checkpoint, device=device)
    renderer.chunk = _CHUNK
    _, card = run.network("generator")
    channels, height, width = card.dimensions[:3]
    if (height, width) == (1, 1):
        raise DataError(f"{run.path} makes points, and only images can be judged")
    trained = card.images if checkpoint is None else int(run.checkpoint(checkpoint)["images"])
    name = run.path.resolve().name + ("" if checkpoint is None else f"@{checkpoint}")

    def make() -> Made:
        parts = []
        with bar("making samples", samples * repeats) as advance:
            for repeat in range(repeats):
                made = []
                for start in range(repeat * samples, (repeat + 1) * samples, _CHUNK):
                    seeds = range(start, min(start + _CHUNK, (repeat + 1) * samples))
                    made.append(pictures.to_uint8(renderer.images(seeds).images))
                    advance(len(seeds))
                parts.append(np.concatenate(made))
        return Made(
            name,
            tuple(parts),
            f"0-{samples * repeats - 1}",
            "raw" if raw or not card.averaged else "averaged",
            {"trained for": f"{number(trained)} images", "weights": checkpoint or "the model at the end"},
        )

    return Subject(settings, (height, width, channels), make, run)


def _from_files(found: Prepared, samples: int, repeats: int) -> Subject:
    """All of them in one part, or in `repeats` parts of `samples` where there are enough."""
    count = len(found.train)
    if count < LEAST:
        raise DataError(f"{found.name} holds {count} image{'s' * (count != 1)}: at least {LEAST} are needed to judge")
    order = np.random.default_rng(mix("files to judge")).permutation(count)
    if count >= samples * repeats:
        parts = [order[part * samples : (part + 1) * samples] for part in range(repeats)]
    else:
        parts = [order[:samples]]

    def make() -> Made:
        arrays = tuple(_images(found.train, np.sort(part))[0] for part in parts)
        return Made(found.name, arrays, "", "files", {"files": f"{number(count)} in {found.name}"})

    channels, height, width = found.shape
    return Subject(found.settings, (height, width, channels), make, None)


def reals_of(
    subject: Subject,
    *,
    against: str | None,
    holdout: str | None,
    most: int,
    seed: int,
    trust: bool,
) -> Real:
    """Real images at the size of the subject's: those that its run was trained on, or those `against`.

    Raises OptionError when neither says which, DataError when there are too few, or they are points.
    """
    (height, width, channels), own, like = subject.shape, subject.run, subject.like
    size: dict[str, Any] = {"size": (height, width), "channels": channels}
    if against is None and (own is None or not run_folder.is_run(own.path)):
        raise OptionError("against which real images? Say so with --against DATA: the images that it was trained on")
    ours = against is None or (own is not None and _same_place(against, like.path))
    if ours:
        settings = like.model_copy(update=size)
    else:
        brought = {"fit": like.fit, "background": like.background} if own is not None else {}
        settings = DataSettings(path=str(against), holdout=0, **brought, **size)
    found = prepare(settings, trust=trust)
    if found.points:
        raise DataError(f"{settings.path} holds points, and only images can be judged")
    kept, side, notes = found.holdout, "held out by the run", []
    classes, digest = found.classes, found.digest
    if holdout is not None:
        other = prepare(
            settings.model_copy(update={"path": holdout, "format": None, "options": {}, "holdout": 0.0}), trust=trust
        )
        kept, side = other.train, f"of {other.name}, {other.digest}"
    if kept is None:
        notes.append(
            "No real images are known to have been held out of training (--holdout gives some), so part of the images "
            "given stands in for them; copies of that part are not looked for."
        )
    if ours and own is not None and trained_on(own) not in (None, found.digest):
        notes.append(f"The images at {settings.path} are not the ones the run was trained on: they changed since.")
    rng = np.random.default_rng(mix(seed, "real images to judge against"))
    if len(found.train) > most:
        notes.append(
            f"{most:,} of the {len(found.train):,} training images were looked at, drawn at random (--real N for "
            f"more): copies of the others are not seen."
        )
    train = _images(found.train, np.sort(rng.permutation(len(found.train))[:most]))
    held = None if kept is None else _images(kept, np.sort(rng.permutation(len(kept))[:most]))
    for what, count in (("real", len(train[0])), ("held-out", LEAST if held is None else len(held[0]))):
        if count < LEAST:
            raise DataError(
                f"there {'is' if count == 1 else 'are'} only {count} {what} image{'s' * (count != 1)}; "
                f"at least {LEAST} are needed to judge anything"
            )
    if own is None:
        notes.append(f"All images were compared at the made ones' size and channels, {height}x{width}x{channels}.")
    said = f"{found.name} {digest}, train; held out: {'a part of it' if held is None else side}; fit {settings.fit}"
    return Real(found.name, train, held, said, classes, tuple(notes))


def trained_on(run: Run) -> str | None:
    """The digest of the images in the newest checkpoint, where there is one."""
    return str(run.checkpoint()["data"]) if run.checkpoints.names() else None


def _same_place(one: str, other: str) -> bool:
    left, right = Path(one).expanduser(), Path(other).expanduser()
    return left.resolve() == right.resolve() if left.exists() else one.replace("-", "_") == other.replace("-", "_")


def _images(dataset: Dataset, chosen: NDArray[np.int64]) -> tuple[Images, NDArray[np.int64] | None]:
    """Images [N, H, W, C] and labels [N], in blocks with progress where they are decoded as they come."""
    blocks, labels = [], []
    for picture in _blocks(dataset, chosen):
        blocks.append(picture.image)
        labels.append(picture.label)
    return np.concatenate(blocks), None if labels[0] is None else np.concatenate(labels).astype(np.int64)


def _blocks(dataset: Dataset, chosen: NDArray[np.int64]) -> Iterator[Any]:
    with bar("reading real images", len(chosen)) as advance:
        for start in range(0, len(chosen), 1024):
            block = chosen[start : start + 1024]
            yield dataset[block]
            advance(len(block))
