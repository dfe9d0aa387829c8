"""The short ruler of a training: what it is made of, and that its features take one extraction."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from torch import Tensor

from gansmith.evaluation.damages import LAYOUT, WITHOUT_LAYOUT
from gansmith.evaluation.extract import compute
from gansmith.evaluation.features import pixels
from gansmith.evaluation.layout import layout_classifier
from gansmith.evaluation.metrics.kid import kid
from gansmith.evaluation.ruler import UNIT
from gansmith.evaluation.short_ruler import HELD_OUT, short_ruler
from gansmith.evaluation.types import Extractor, Features, Images, Outputs


def slopes(count: int, seed: int) -> Images:
    """Bright at the top, dark below, with noise: a layout."""
    noise = np.random.default_rng(seed).integers(0, 60, (count, 16, 16, 3))
    return (noise + np.linspace(180, 0, 16)[:, None, None]).astype(np.uint8)


def counting(batches: list[int]) -> Extractor:
    """Pixels, that say how many images each batch has."""
    extractor = pixels.build(device="cpu")

    def run(images: Tensor) -> Outputs:
        batches.append(len(images))
        return extractor.run(images)

    return replace(extractor, run=run, batch=32)


def test_it_is_that_of_features_taken_one_set_at_a_time() -> None:
    train, held_out = slopes(200, 0), slopes(60, 1)
    extractor = counting([])

    def features(images: Images) -> Features:
        return compute(images, extractor, what="images")[0]

    reference, second = features(train[:100]), train[100:]
    shuffled = {name: features(change(second)) for name, change in WITHOUT_LAYOUT.items()}
    classifier = layout_classifier(reference, shuffled)
    ruler = short_ruler(train, held_out, extractor)
    assert ruler is not None
    np.testing.assert_array_equal(ruler.reference, reference)
    assert ruler.unit == kid(reference, features(LAYOUT[UNIT](second))).value
    assert ruler.real == classifier.sees(features(held_out[:HELD_OUT])).mean() > 0.9
    assert ruler.classifier is not None
    np.testing.assert_array_equal(ruler.classifier.direction, classifier.direction)


def test_its_images_share_their_batches() -> None:
    """100 to compare with, 100 damaged four ways, 48 that test, 24 of them cut two ways: 596, and one batch filled."""
    batches: list[int] = []
    short_ruler(slopes(200, 0), slopes(60, 1), counting(batches))
    assert batches == [32] * 19
