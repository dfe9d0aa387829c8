"""Samples with the nearest training image beside each: what a person asks first who wonders whether a sample is a copy.

By `evaluation.copy_search` on pixels, mirrored and moved images included. A training image that matches mirrored is
shown mirrored.
"""

from __future__ import annotations

import numpy as np
import torch

from gansmith import catalog
from gansmith.data.prepare import prepare
from gansmith.data.stream import normalised
from gansmith.errors import DataError, GansmithError, RunError
from gansmith.evaluation.copy_search import search
from gansmith.evaluation.types import Images
from gansmith.judge.image_sets import read_images
from gansmith.latent.image_series import ImageSeries
from gansmith.records.images import to_uint8
from gansmith.runs.folder import is_run
from gansmith.runs.run import Run


def with_nearest(run: Run, samples: ImageSeries) -> ImageSeries:
    """The samples of a run, each followed by its nearest training image, whose label is the distance.

    Raises RunError for a model without its run, DataError where the training images are gone or of another shape.
    """
    made = to_uint8(samples.images)
    train = _training_images(run, made.shape[1:])
    near = search(made, train, catalog.build("features", "pixels", device="cpu"), what="the samples")
    chosen = np.stack([_as_it_matches(train[source], one) for source, one in zip(near.source, made, strict=True)])
    both = torch.stack([samples.images.cpu(), normalised(torch.from_numpy(chosen))], dim=1).flatten(0, 1)
    distances = [f"{distance:.3g}" for distance in near.distance]
    labels = [word for pair in zip(samples.labels, distances, strict=True) for word in pair]
    columns = 2 * max(1, round((len(made) / 2) ** 0.5))
    return ImageSeries(both, tuple(labels), columns=columns, provenance=samples.provenance)


def _training_images(run: Run, shape: tuple[int, ...]) -> Images:
    if not is_run(run.path):
        raise RunError(f"{run.path} is a model without its run: which images it was trained on is not known")
    settings = run.experiment.data
    try:
        train = prepare(settings).train
    except GansmithError as error:
        raise DataError(
            f"the training images of {run.path} are needed for the nearest of them, and cannot be read: {error}"
        ) from error
    images = read_images(train, np.arange(len(train)))[0]
    if images.shape[1:] != shape:
        raise DataError(f"the samples are {list(shape)} and the training images {list(images.shape[1:])}")
    return images


def _as_it_matches(image: Images, sample: Images) -> Images:
    """The training image [H, W, C], mirrored where that is nearer to the sample."""
    mirrored = image[:, ::-1]
    plain, turned = (float(np.square(one.astype(float) - sample).sum()) for one in (image, mirrored))
    return mirrored if turned < plain else image
