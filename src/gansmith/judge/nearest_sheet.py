"""Samples with the nearest training image beside each: what a person asks first who wonders whether a sample is a copy.

By `evaluation.copy_search` on pixels, mirrored and moved images included. A training image that matches mirrored is
shown mirrored.
"""

from __future__ import annotations

import numpy as np
import torch

from gansmith import catalog
from gansmith.data.stream import normalised
from gansmith.evaluation.copy_search import search
from gansmith.evaluation.types import Images
from gansmith.judge.training_images import training_images
from gansmith.latent.image_series import ImageSeries
from gansmith.records.images import to_uint8
from gansmith.runs.run import Run


def with_nearest(run: Run, samples: ImageSeries) -> ImageSeries:
    """The samples of a run, each followed by its nearest training image, whose label is the distance.

    Raises RunError for a model without its run, DataError where the training images are gone or of another shape.
    """
    made = to_uint8(samples.images)
    train = training_images(run, made.shape[1:]).images
    near = search(made, train, catalog.build("features", "pixels", device="cpu"), what="the samples")
    chosen = np.stack([as_it_matches(train[source], one) for source, one in zip(near.source, made, strict=True)])
    both = torch.stack([samples.images.cpu(), normalised(torch.from_numpy(chosen))], dim=1).flatten(0, 1)
    distances = [f"{distance:.3g}" for distance in near.distance]
    labels = [word for pair in zip(samples.labels, distances, strict=True) for word in pair]
    columns = 2 * max(1, round((len(made) / 2) ** 0.5))
    return ImageSeries(both, tuple(labels), columns=columns, provenance=samples.provenance)


def as_it_matches(image: Images, sample: Images) -> Images:
    """The training image [H, W, C], mirrored where that is nearer to the sample.

    >>> as_it_matches(np.array([[[0], [9]]], np.uint8), np.array([[[8], [0]]], np.uint8)).ravel().tolist()
    [9, 0]
    """
    mirrored = image[:, ::-1]
    plain, turned = (float(np.square(one.astype(float) - sample).sum()) for one in (image, mirrored))
    return mirrored if turned < plain else image
