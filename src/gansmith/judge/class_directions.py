"""Directions towards the classes of a run's images: samples are put into classes by a classifier on features that was
trained on the labelled images, and their latents are separated."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from gansmith.data.prepare import prepare
from gansmith.data.prepared import Prepared
from gansmith.data.settings import DataSettings
from gansmith.data.subsets import random_subset
from gansmith.errors import DataError, GansmithError
from gansmith.evaluation import intervals
from gansmith.evaluation.extract import extract
from gansmith.evaluation.linear_probe import standardised
from gansmith.evaluation.types import Extractor, Images, Labels, Number
from gansmith.judge.chosen_extractors import choose
from gansmith.judge.opened import images_at
from gansmith.latent.directions.inner import drawn, generate
from gansmith.latent.directions.separators import Separator, separators
from gansmith.latent.renderer import Renderer
from gansmith.records.images import to_uint8
from gansmith.runs.folder import is_run
from gansmith.runs.own_networks import own_networks_at
from gansmith.runs.run import Run
from gansmith.system.seeding import mix

SAMPLES = 2000  # that are labelled
IMAGES = 3000  # labelled images that the classifier learns from, at most, and is tested on
_TESTED = 0.2  # of them
_COST = 10.0  # C of the classifier, on features that are standardised and divided by the root of their number


@dataclass(frozen=True, eq=False)
class ClassSeparators:
    """The separator of each class, the latents they were fitted on, and how the classifier did: the accuracy on images
    it did not learn from, of `features`."""

    separators: tuple[Separator, ...]
    latents: Tensor
    accuracy: Number
    features: str


def class_separators(
    run: Run,
    renderer: Renderer,
    *,
    data: str | None = None,
    features: str = "auto",
    weights: str | None = None,
    samples: int = SAMPLES,
    device: str = "auto",
) -> ClassSeparators:
    """A separator for each class of the run's images, or of the labelled images at `data`.

    Raises DataError where these have no labels, or a single class.
    """
    channels, height, width = generate(renderer, *drawn(renderer, 1, "size")).shape[1:]
    images, labels, classes = labelled_images(run, (height, width, channels), data)
    extractor = choose(features, weights, device=device, own=own_networks_at(run.path))
    classifier = fit(images, labels, len(classes), extractor)
    latents, own = drawn(renderer, samples, "labels")
    made = to_uint8(generate(renderer, latents, own, what="samples"))
    probabilities = classifier.probabilities(extract(made, extractor, what="features of the samples")[0])
    separated = separators(latents, torch.from_numpy(probabilities), classes)
    return ClassSeparators(tuple(separated), latents, classifier.accuracy, extractor.name)


def labelled_images(run: Run, shape: tuple[int, int, int], data: str | None) -> tuple[Images, Labels, tuple[str, ...]]:
    """At most 3,000 of the training images [N, H, W, C], drawn by a fixed seed, their labels and the classes' names."""
    if data is None and not is_run(run.path):
        raise DataError(f"{run.path} holds models only: say which labelled images, with --data PATH")
    try:
        prepared = prepare(_settings(run, shape, data))
    except GansmithError as error:
        raise DataError(f"labelled images are needed: {error}. Where they are: --data PATH") from error
    _require_labels(prepared, data or str(run.path))
    rng = np.random.default_rng(mix("directions", "images"))
    chosen = prepared.train[random_subset(len(prepared.train), IMAGES, rng)]
    order = rng.permutation(len(chosen.image))  # those that test are the first
    labels = np.asarray(chosen.label, dtype=np.int64)[order]
    if len(np.unique(labels)) < 2:
        raise DataError(f"all images of {prepared.name} are of one class: a direction needs two")
    classes = prepared.classes or tuple(map(str, range(int(labels.max()) + 1)))
    return np.ascontiguousarray(chosen.image[order]), labels, classes


def _settings(run: Run, shape: tuple[int, int, int], data: str | None) -> DataSettings:
    own = run.experiment.data if is_run(run.path) else None
    if data is not None:
        return images_at(os.fspath(data), shape, like=own)
    assert own is not None
    return own.model_copy(update={"size": shape[:2], "channels": shape[2]})


def _require_labels(prepared: Prepared, where: str) -> None:
    if prepared.points:
        raise DataError(f"{where} holds points, not images: --method pca, or svd")
    if not prepared.labelled:
        raise DataError(
            f"the images of {where} have no labels, and --method labels needs the class of each: a folder for each "
            f"class (--data PATH); or --method pca, or svd, which need none"
        )


@dataclass(frozen=True, eq=False)
class Classifier:
    """A softmax on features; accuracy: on images that it did not learn from."""

    model: Any
    learned_from: NDArray[np.float64]
    count: int  # of classes
    accuracy: Number

    def probabilities(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """Features [N, D] -> [N, K]; 0 for a class that it never saw."""
        rows = standardised(self.learned_from, features.astype(np.float64))[1]
        whole = np.zeros((len(rows), self.count))
        whole[:, self.model.classes_] = self.model.predict_proba(rows)
        return whole


def fit(images: Images, labels: Sequence[int] | Labels, count: int, extractor: Extractor) -> Classifier:
    """The classifier of labelled images [N, H, W, C], of `count` classes; a fifth of them tests it."""
    truth = np.asarray(labels)
    features = extract(images, extractor, what="features of the labelled images")[0].astype(np.float64)
    tested = max(1, round(_TESTED * len(features)))
    learned, truth_learned = features[tested:], truth[tested:]
    if len(np.unique(truth_learned)) < 2:
        raise DataError(f"{len(truth)} labelled images are too few to learn their classes from")
    model = LogisticRegression(C=_COST, max_iter=1000).fit(standardised(learned, learned)[0], truth_learned)
    right = int((model.predict(standardised(learned, features[:tested])[1]) == truth[:tested]).sum())
    low, high = intervals.share(right, tested)
    return Classifier(model, learned, count, Number(right / tested, low, high, "of labelled images not learned from"))
