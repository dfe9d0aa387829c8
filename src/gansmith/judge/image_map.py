"""The map of a run: training, held-out and generated images in the plane, by a network's features or by pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gansmith.data.subsets import evenly_spaced
from gansmith.errors import DataError, OptionError
from gansmith.evaluation.extract import extract
from gansmith.evaluation.generated_images import PART, generated_images
from gansmith.evaluation.plane import MOST, Method, Plane, plane
from gansmith.evaluation.types import Extractor, Features, Images
from gansmith.judge.chosen_extractors import choose, why_chosen
from gansmith.judge.image_sets import LEAST, read_images
from gansmith.judge.opened import open_for_judging
from gansmith.judge.training_images import prepared_images
from gansmith.runs.own_networks import own_networks_at
from gansmith.runs.run import Run
from gansmith.system.progress import bar

COUNT = 1000  # images of a map, when nobody says how many


@dataclass(frozen=True)
class ImageMap:
    """The plane of a run's images, and which image each of its points is.

    real, held_out  int64, ascending: places among the training images and among those held out;  seeds: of the samples
    notes           sentences: what was thinned, by which features, what these leave out
    """

    plane: Plane
    real: NDArray[np.int64]
    held_out: NDArray[np.int64]
    seeds: range
    features: str
    notes: tuple[str, ...]

    def points(self) -> list[dict[str, Any]]:
        """{x, y, kind, id, neighbour} of each, the real ones first."""
        sides = (
            ("real", self.plane.real, self.real, self.plane.real_reached),
            ("held_out", self.plane.held_out, self.held_out, self.plane.held_out_reached),
            ("sample", self.plane.generated, self.seeds, self.plane.real_like),
        )
        return [
            {"x": float(x), "y": float(y), "kind": kind, "id": int(number), "neighbour": bool(near)}
            for kind, places, numbers, neighbours in sides
            for (x, y), number, near in zip(places, numbers, neighbours, strict=True)
        ]


def image_map(
    run: Run,
    *,
    method: Method = "pca",
    count: int = COUNT,
    features: str = "auto",
    device: str = "auto",
    against: str | None = None,
) -> ImageMap:
    """The map of `count` images: two fifths each of training images and of samples, and one of held-out images.

    features: of the catalog; auto: the best whose weights are here, else pixels. The same map for the same weights.
    against: where the training images are, if they moved.

    Raises OptionError for a count outside 50 to 5,000, DataError for points or images that are gone, RunError for a
    model without its run.
    """
    if not 50 <= count <= MOST:
        raise OptionError(f"count = {count} is not allowed: from 50 to {MOST:,} images")
    opened = open_for_judging(run, "generator", device=device)
    if opened.points:
        raise DataError(f"{run.path} makes points, which are in a plane already")
    own = own_networks_at(run.path)
    extractor = choose(features, None, device=device, own=own)
    data = prepared_images(run, opened.shape, against=against)
    held = 0 if data.holdout is None else len(data.holdout)
    kept = evenly_spaced(held, count // 5)
    trained = evenly_spaced(len(data.train), (count - len(kept)) // 2)
    if len(trained) < LEAST:
        raise DataError(f"{data.name} holds {len(trained)} training images, and a map needs {LEAST}")
    seeds = range((count - len(kept)) // 2)
    with bar("generating samples", len(seeds)) as advance:
        samples = generated_images(opened.renderer(chunk=PART), seeds, advance=advance)
    real, generated = (
        _features(images, extractor, what=what)
        for images, what in ((read_images(data.train, trained)[0], "the real images"), (samples, "the samples"))
    )
    held_out = None
    if data.holdout is not None and len(kept):
        held_out = _features(read_images(data.holdout, kept)[0], extractor, what="the held-out images")
    thinned = "" if (len(trained), len(kept)) == (len(data.train), held) else ", thinned evenly"
    notes = [
        f"{len(trained):,} of {len(data.train):,} training images and {len(kept):,} of {held:,} held out{thinned}, "
        f"and {len(seeds):,} samples, by {extractor.name}"
    ]
    if extractor.name == "pixels":
        notes.append("pixels see layout and colour, and little of the content: gansmith features install mobilenet")
    notes += why_chosen(extractor, own)
    return ImageMap(plane(real, generated, held_out, method=method), trained, kept, seeds, str(extractor), tuple(notes))


def _features(images: Images, extractor: Extractor, *, what: str) -> Features:
    """Of unit length where they are a network's: lengths say how much it sees, not what."""
    features = extract(images, extractor, what=f"{extractor.name} of {what}")[0]
    if extractor.name == "pixels":
        return features
    directions: Features = features / np.maximum(
        np.linalg.norm(features, axis=1, keepdims=True), np.finfo(np.float32).tiny
    )
    return directions
