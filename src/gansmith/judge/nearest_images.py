"""The training images nearest to samples, or to images of one's own, with a word each: is it a copy?

By the audit's search on pixels, mirrored and moved images included, which the word rests on; and by the features of a
network where its weights are here, which see what is in an image and not where.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gansmith import catalog
from gansmith.data.subsets import evenly_spaced
from gansmith.errors import OptionError, RunError
from gansmith.evaluation.copy_search import RANK, Search
from gansmith.evaluation.copy_words import Control, CopyWord, control, copy_words
from gansmith.evaluation.types import Extractor, Images
from gansmith.judge.chosen_extractors import choose
from gansmith.judge.nearest_sheet import as_it_matches
from gansmith.judge.training_images import TrainingImages, training_images
from gansmith.latent.image_series import ImageSeries
from gansmith.records.images import save_image, to_uint8
from gansmith.records.rows import Cell, Row, draw_rows
from gansmith.runs.own_networks import own_networks_at
from gansmith.runs.run import Run
from gansmith.system.outputs import require_output

REAL = 10_000  # training images that are compared by a network's features, at most
MOST = 50  # neighbours of each image


@dataclass(frozen=True)
class Neighbours:
    """The nearest training images of N images by one extractor, K each: distances float64 [N, K], ascending; indices
    int64 [N, K] among the training images."""

    by: str
    distances: NDArray[np.float64]
    indices: NDArray[np.int64]


@dataclass(frozen=True)
class NearestImages:
    """Images uint8 [N, H, W, C] with a name each, and their nearest training images.

    by        `Neighbours` by pixels, then by the features of a network where there is one
    words     of each image: is it a copy?;  nearness  float64 [N], what the word rests on
    control   of images that are no copies, and of copies made on purpose
    """

    names: tuple[str, ...]
    images: Images
    train: TrainingImages
    by: tuple[Neighbours, ...]
    words: tuple[CopyWord, ...]
    nearness: NDArray[np.float64]
    control: Control

    def __len__(self) -> int:
        return len(self.images)

    def lines(self) -> list[str]:
        """A line for each image, and what the words rest on."""
        nearest, chances = self.by[0].indices[:, 0], self.control.chances(self.nearness)
        said = [
            f"{name}: {word}. Nearest: {self.train.name(source)}; {100 * chance:.1f} % of real images lie as near to "
            f"one training image"
            for name, word, source, chance in zip(self.names, self.words, nearest, chances, strict=True)
        ]
        real, planted = len(self.control.real), len(self.control.planted)
        said.append(
            f"compared with {len(self.train):,} training images, by pixels. How near real images come is known from "
            f"{real:,} of them; of {planted} copies made on purpose {100 * self.control.noticed:.0f} % would be noticed"
        )
        return said

    def sheet(self, *, scale: int | None = None) -> Image.Image:
        """A row for each image: itself, the nearest training images by pixels, and by features; distances below."""
        rows = []
        for place, (name, word) in enumerate(zip(self.names, self.words, strict=True)):
            image = self.images[place]
            groups = [[Cell(image)]]
            for near in self.by:
                pairs = zip(near.indices[place], near.distances[place], strict=True)
                groups.append(
                    [Cell(as_it_matches(self.train.images[source], image), f"{distance:.3g}") for source, distance in
                     pairs]
                )  # fmt: skip
            rows.append(Row(f"{name}: {word}", groups))
        headings = ["image", *(f"nearest training images by {near.by}" for near in self.by)]
        return draw_rows(rows, headings=headings, scale=scale)

    def save(self, path: str | Path, *, scale: int | None = None, force: bool = False) -> Path:
        """Write the sheet (.png, .jpg, .webp). Raises OutputError for a file that exists, without `force`."""
        require_output(Path(path), force=force)
        return save_image(self.sheet(scale=scale), path, replace=force)


def nearest(
    run: Run,
    images: Images | ImageSeries,
    names: Sequence[str] | None = None,
    *,
    count: int = 4,
    against: str | None = None,
    features: str = "auto",
    real: int = REAL,
    device: str = "auto",
    seed: int = 0,
) -> NearestImages:
    """The `count` training images nearest to each of `images` uint8 [N, H, W, C], of the size that the run makes; or to
    those of a series, such as `run.sample(range(8))`, which bring their names.

    against   the images it was trained on; those of the run's settings when None
    features  of the catalog; auto: the best whose weights are here; none: by pixels alone
    real      at most so many training images are compared by these features;  seed  of the control

    Raises OptionError for a count outside 1 to 50, RunError for a model without its run and no `against`, DataError for
    training images that are gone or too few, or images of another shape.
    """
    if not 1 <= count <= MOST:
        raise OptionError(f"count = {count} is not allowed: from 1 to {MOST}")
    if isinstance(images, ImageSeries):
        names, images = images.labels if names is None else names, to_uint8(images.images)
    by_pixels = comparison(training_images(run, images.shape[1:], against=against), device=device, seed=seed)
    found = by_pixels.of(images, names, count=count)
    extractor = _network(run, features, device)
    if extractor is None:
        return found
    return replace(found, by=(*found.by, _by_features(images, found.train, extractor, count=count, most=real)))


@dataclass(frozen=True)
class Comparison:
    """Training images, ready to be compared with by pixels: for many questions about one run."""

    train: TrainingImages
    search: Search
    control: Control

    def of(self, images: Images, names: Sequence[str] | None = None, *, count: int = 4) -> NearestImages:
        """The `count` training images nearest to each of `images` [N, H, W, C], by pixels alone, and the words."""
        distances, indices = self.search.neighbours(images, what="the images", count=max(count, RANK))
        usual = distances[:, min(RANK, distances.shape[1]) - 1]
        nearness = np.divide(distances[:, 0], usual, out=np.zeros_like(usual), where=usual > 0)
        pairs = zip(indices, images, strict=True)
        same = [_equal(self.train.images[near[0]], image) for near, image in pairs]
        return NearestImages(
            tuple(map(str, range(len(images)))) if names is None else tuple(names),
            images,
            self.train,
            (Neighbours("pixels", distances[:, :count], indices[:, :count]),),
            tuple(copy_words(nearness, same, self.control)),
            nearness,
            self.control,
        )


def comparison(train: TrainingImages, *, device: str = "auto", seed: int = 0) -> Comparison:
    """Training images, ready to be compared with. seed: of the control. Raises DataError for too few of them."""
    search = Search(train.images, catalog.build("features", "pixels", device=device))
    return Comparison(train, search, control(search, train.held_out, seed=seed))


def _network(run: Run, features: str, device: str) -> Extractor | None:
    """The extractor of features; None for pixels alone."""
    if features == "none":
        return None
    extractor = choose(features, None, device=device, own=own_networks_at(run.path))
    return None if extractor.name == "pixels" else extractor


def _by_features(images: Images, train: TrainingImages, extractor: Extractor, *, count: int, most: int) -> Neighbours:
    if most < 2:
        raise OptionError(f"real = {most} is not allowed: at least 2")
    some = evenly_spaced(len(train), most)
    search = Search(train.images[some], extractor)
    distances, indices = search.neighbours(images, what="the images", count=count)
    part = "" if len(some) == len(train) else f", of {len(some):,}"
    return Neighbours(f"{extractor.name}{part}", distances, some[indices])


def _equal(one: NDArray[Any], other: NDArray[Any]) -> bool:
    return np.array_equal(one, other) or np.array_equal(one[:, ::-1], other)


def require_images(run: Run) -> None:
    """Raises RunError for a run that makes points of the plane."""
    if "generator" in run.players and tuple(run.network("generator")[1].dimensions[:3]) == (2, 1, 1):
        raise RunError(f"{run.path} makes points, which have no nearest images")
