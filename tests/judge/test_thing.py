"""The thing that real images show: whose classes are asked, and on which sides."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from gansmith.evaluation.types import Extractor, Features, Outputs, Side
from gansmith.judge.thing import thing_of

NETWORK = Extractor("mobilenet", "0", "as they are", lambda batch: Outputs(torch.ones(len(batch), 4)))


def side(name: str, share: float, classes: int = 1000) -> Side:
    """`share` of a hundred images show cats."""
    rows: Features = np.full((100, classes), 1 / classes, np.float32)
    rows[: round(100 * share)] = 0
    rows[: round(100 * share), 281] = 1
    return Side(name, features=np.ones((100, 4), np.float32), probabilities=rows)


def test_cats_are_counted_on_the_samples_of_all_repeats_and_on_held_out_images() -> None:
    train, held = side("train", 0.9), side("held", 0.8)
    seen = thing_of(train, held, (side("one", 0.1), side("other", 0.3)), NETWORK)
    assert seen is not None
    assert (seen.what, seen.samples.value, seen.held_out.value) == ("a cat", 0.2, 0.8)


def test_classes_without_known_names_are_counted_all_the_same() -> None:
    seen = thing_of(side("train", 0.9, 1008), side("held", 0.9, 1008), (side("made", 0.2, 1008),), NETWORK)
    assert seen is not None
    assert "1 of its classes" in seen.what
    assert seen.samples.value == 0.2


def test_nothing_is_asked_of_other_classes_and_without_held_out_images() -> None:
    train, held, made = side("train", 0.9), side("held", 0.8), (side("made", 0.1),)
    assert thing_of(train, held, made, replace(NETWORK, name="classifier")) is None
    assert thing_of(train, None, made, NETWORK) is None
    assert thing_of(replace(train, probabilities=None), held, made, NETWORK) is None
    assert thing_of(side("train", 0.1), held, made, NETWORK) is None  # no thing is known in so few
