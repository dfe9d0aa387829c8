"""Directions of a generator in one call: by one of the methods, at right angles to others, ranked and named."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from gansmith.errors import OptionError
from gansmith.latent.directions.direction import METHODS, Direction, Directions, Method, orthogonal
from gansmith.latent.directions.inner import drawn, generate, space_of_directions
from gansmith.latent.directions.principal import principal_directions
from gansmith.latent.directions.ranking import FeaturesOf, rank
from gansmith.latent.directions.separators import separator_directions, separators
from gansmith.latent.directions.singular import singular_directions
from gansmith.latent.renderer import Renderer
from gansmith.records.images import to_uint8

SAMPLES = 2000  # that are put into classes
Classify = Callable[[NDArray[np.uint8]], NDArray[Any]]  # images [N, H, W, C] -> probabilities of the classes [N, K]


def make_directions(
    renderer: Renderer,
    method: Method = "pca",
    *,
    count: int = 10,
    layer: int | None = None,
    classify: Classify | None = None,
    classes: Sequence[str] = (),
    orthogonal_to: Sequence[Direction] = (),
    features: FeaturesOf | None = None,
) -> Directions:
    """The directions of a generator, ranked by how much a step changes its images, as `gansmith directions` makes them.

    count     how many (pca, svd);  layer  pca: behind which layer of a generator without W, the first when None
    classify  labels: of 2,000 samples, uint8 [N, H, W, C] -> probabilities [N, K] of the K `classes`; a direction for
              each class whose AUC is .7 or more
    orthogonal_to  they are projected to right angles to these;  features  for purity: pixels on a grid when None

    Raises OptionError for options that are not the method's.

    >>> from gansmith.data.prior import Prior
    >>> renderer = Renderer(torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.Unflatten(1, (1, 2, 2))), Prior(size=4))
    >>> make_directions(renderer, "svd", count=2).items
    (Direction('svd-1' of 4 numbers, svd), Direction('svd-2' of 4 numbers, svd))
    """
    if method not in METHODS:
        raise OptionError(f"there is no method {method!r}: {', '.join(METHODS)}")
    if (method == "labels") != (classify is not None and len(classes) > 1):
        raise OptionError(
            "classify, and the names of its classes (2 or more), are of the method labels, which needs both"
        )
    if layer is not None and method != "pca":
        raise OptionError(f"layer = {layer} is of the method pca, not of {method}: leave it out")
    if method == "pca":
        made = principal_directions(renderer, count, layer=layer)
    elif method == "svd":
        made = singular_directions(renderer, count)
    else:
        assert classify is not None
        made = _towards_classes(renderer, classify, classes)
    if orthogonal_to:
        made = orthogonal(made, orthogonal_to)
    ranked = rank(renderer, made, features) if made else []
    return Directions(tuple(numbered(ranked)), space_of_directions(renderer), renderer.origin)


def numbered(ranked: Sequence[Direction]) -> list[Direction]:
    """Those of pca and svd named by their method and place, 1 for the first; those of classes keep their names.

    >>> x, y = torch.eye(2)
    >>> numbered([Direction(x, "pca-7"), Direction(y, "class_3", "labels")])
    [Direction('pca-1' of 2 numbers, pca), Direction('class_3' of 2 numbers, labels)]
    """
    return [
        one if one.method == "labels" else replace(one, name=f"{one.method}-{place}")
        for place, one in enumerate(ranked, 1)
    ]


def _towards_classes(renderer: Renderer, classify: Classify, classes: Sequence[str]) -> list[Direction]:
    latents, labels = drawn(renderer, SAMPLES, "labels")
    images = to_uint8(generate(renderer, latents, labels, what="samples"))
    probabilities = torch.from_numpy(np.asarray(classify(images), dtype=np.float64))
    return separator_directions(renderer, separators(latents, probabilities, classes), latents)
