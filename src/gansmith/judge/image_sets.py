"""The generated images that are judged: those of a run or of a folder of models, or files, all of one size."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from gansmith.data.dataset import Dataset
from gansmith.data.open import open_dataset
from gansmith.data.prepare import prepare
from gansmith.data.prepared import Prepared
from gansmith.data.settings import DataSettings
from gansmith.data.unreadable import reason, unreadable
from gansmith.errors import DataError, OptionError, UnreadableImageError
from gansmith.evaluation.generated_images import PART, generated_images
from gansmith.evaluation.number_format import number
from gansmith.evaluation.types import Images, Labels
from gansmith.judge.opened import Opened, open_for_judging
from gansmith.runs.folder import is_run
from gansmith.runs.run import Run
from gansmith.system.paths import resolved, shell_word
from gansmith.system.progress import bar, track
from gansmith.system.seeding import mix

LEAST = 20  # images a side; below, nothing can be said
_BLOCK = 1024  # images read at once


@dataclass(frozen=True)
class Generated:
    """Generated images: one array uint8 [N, H, W, C] for each repeat, and how they came about.

    trained  real images drawn until the generator's weights were saved; None for files
    """

    name: str
    parts: tuple[Images, ...]
    seeds: str
    averaging: str
    facts: dict[str, str]
    trained: int | None = None


@dataclass(frozen=True)
class Subject:
    """The run, models or files whose images are judged.

    settings  how real images are brought to their size;  shape  (height, width, channels)
    skip_unreadable  whether images that cannot be decoded are left out, real ones too
    generate  generates or reads the images, the long part; with first=N at most so many of the first repeat alone
    run       where they come from, None for files
    """

    settings: DataSettings
    shape: tuple[int, int, int]
    generate: Callable[..., Generated]
    run: Run | None
    skip_unreadable: bool = False


def subject_of(
    place: Path,
    samples: int,
    repeats: int,
    *,
    checkpoint: str | None,
    raw: bool,
    device: str,
    trust: bool,
    size: str | int | None = None,
    skip_unreadable: bool = False,
) -> Subject:
    """The run, models or image files at `place`; files are brought to `size` where one is given.

    Raises DataError for points, too few images, or several sizes; OptionError for options of the other kind.
    """
    if is_run(place) or (place.suffix == ".safetensors" and place.is_file()) or _holds_models(place):
        if size is not None:
            raise OptionError(f"--size is of image files: {place} makes images of its own size. Leave it out")
        run = Run(place, trust=trust)
        opened = open_for_judging(run, "generator", checkpoint=checkpoint, raw=raw, device=device)
        return replace(_from_run(opened, samples, repeats), skip_unreadable=skip_unreadable)
    if checkpoint is not None or raw:
        raise OptionError(f"--checkpoint and --raw choose weights of a run, and {place} is none")
    own = _own_size(place, skip_unreadable) if size is None else size
    try:
        settings = DataSettings.model_validate(
            {"path": str(place), "holdout": 0, "size": own, "skip_unreadable": skip_unreadable}
        )
    except ValidationError as error:
        raise OptionError(f"--size {size!r}: {error.errors()[0]['msg'].removeprefix('Value error, ')}") from None
    subject = _from_files(prepare(settings), samples, repeats, resized=size is not None)
    return replace(subject, skip_unreadable=skip_unreadable)


def read_images(dataset: Dataset, indices: NDArray[np.int64]) -> tuple[Images, Labels | None]:
    """Images [N, H, W, C] and labels [N] at `indices`, in blocks with progress: they may be decoded as they come."""
    images, labels = [], []
    for block in _blocks(dataset, indices):
        images.append(block.image)
        labels.append(block.label)
    return np.concatenate(images), None if labels[0] is None else np.concatenate(labels).astype(np.int64)


def _own_size(place: Path, skip_unreadable: bool) -> tuple[int, int]:
    """The one size (height, width) of all images at `place`: generated images are not resized unasked."""
    source = open_dataset(place)
    if source.points:
        raise DataError(f"{place} holds points, and only images can be judged")
    sizes: Counter[tuple[int, int]] = Counter()
    failures: dict[str, str] = {}
    for index, key in enumerate(track(source.keys, "measuring", len(source))):
        try:
            shape = source.one(index).image.shape
        except UnreadableImageError as error:
            failures[key] = reason(error)
        else:
            sizes[shape[0], shape[1]] += 1
    if failures and (not skip_unreadable or not sizes):
        raise unreadable(failures, len(source))
    if not sizes:
        raise DataError(f"there are no images in {place}")
    if len(sizes) > 1:
        frequent = ", ".join(f"{count:,} of {height}x{width}" for (height, width), count in sizes.most_common(3))
        raise DataError(
            f"the images in {place} are of {len(sizes)} different sizes ({frequent}), and generated images are "
            f"compared as they are. Bring them to one size: --size 64 (the report says so), or once and for all with "
            f"gansmith data pack {shell_word(place)} OUT.npy --size 64"
        )
    return next(iter(sizes))


def _holds_models(place: Path) -> bool:
    return place.is_dir() and any(place.glob("*.safetensors"))


def _from_run(opened: Opened, samples: int, repeats: int) -> Subject:
    run, checkpoint = opened.run, opened.checkpoint
    if opened.points:
        raise DataError(f"{run.path} makes points, and only images can be judged")
    renderer = opened.renderer(chunk=PART)
    name = resolved(run.path).name + ("" if checkpoint is None else f"@{checkpoint}")

    def generate(first: int | None = None) -> Generated:
        each, times = (samples, repeats) if first is None else (min(first, samples), 1)
        with bar("generating samples", each * times) as advance:
            spans = [range(repeat * each, (repeat + 1) * each) for repeat in range(times)]
            parts = tuple(generated_images(renderer, seeds, advance=advance) for seeds in spans)
        trained = opened.trained_for.images
        return Generated(name, parts, f"0-{each * times - 1}", opened.averaging, _age(opened), trained)

    return Subject(opened.settings or DataSettings(), opened.shape, generate, run)


def _age(opened: Opened) -> dict[str, str]:
    """How long the generator was trained, and which of the run's weights it has."""
    images, whole = opened.trained_for
    of_all = "" if opened.trained_for.at_the_end or whole is None else f" of {number(whole)}"
    return {"trained for": f"{number(images)}{of_all} images", "weights": opened.weights}


def _from_files(prepared: Prepared, samples: int, repeats: int, *, resized: bool) -> Subject:
    """The images of files in `repeats` parts of `samples`, or in one part where there are not enough."""
    count = len(prepared.train)
    if count < LEAST:
        raise DataError(f"{prepared.name} holds {count} image{'s' * (count != 1)}: at least {LEAST} are needed")
    order = np.random.default_rng(mix("files to judge")).permutation(count)
    if count >= samples * repeats:
        parts = [order[part * samples : (part + 1) * samples] for part in range(repeats)]
    else:
        parts = [order[:samples]]

    left_out = [warning for warning in prepared.warnings if warning.startswith("left out ")]
    channels, height, width = prepared.shape
    averaging = f"files, resized to {height}x{width}" if resized else "files"

    def generate(first: int | None = None) -> Generated:
        some = parts if first is None else [parts[0][:first]]
        arrays = tuple(read_images(prepared.train, np.sort(part))[0] for part in some)
        facts = {"files": f"{number(count)} in {prepared.name}"}
        if left_out:
            facts["left out"] = "; ".join(left_out)
        return Generated(prepared.name, arrays, "", averaging, facts)

    return Subject(prepared.settings, (height, width, channels), generate, None)


def _blocks(dataset: Dataset, indices: NDArray[np.int64]) -> Iterator[Any]:
    with bar("reading images", len(indices)) as advance:
        for start in range(0, len(indices), _BLOCK):
            block = indices[start : start + _BLOCK]
            yield dataset[block]
            advance(len(block))
