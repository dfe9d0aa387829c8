"""The thing that real images show, by classes of ImageNet."""

from __future__ import annotations

import numpy as np
import pytest

from gansmith.evaluation.things import class_names, known_thing, sees, thing_seen, thing_words
from gansmith.evaluation.types import Features

CLASSES = 1000


def probabilities(count: int, thing: dict[int, float], share: float = 1.0) -> Features:
    """The first `share` of the images have these probabilities, the rest none; what is left is spread over all."""
    rows = np.zeros((count, CLASSES), np.float32)
    for number, value in thing.items():
        rows[: round(share * count), number] = value
    return rows + (1 - rows.sum(axis=1, keepdims=True)) / CLASSES


CATS = {281: 0.4, 285: 0.3, 282: 0.05}


def test_the_fewest_classes_that_hold_half() -> None:
    classes = known_thing(probabilities(50, CATS))
    assert classes is not None
    assert classes.tolist() == [281, 285]


@pytest.mark.parametrize(
    ("thing", "share", "known"),
    [
        (CATS, 0.9, True),
        (dict.fromkeys(range(10), 0.09), 1.0, True),  # ten classes hold .9
        (dict.fromkeys(range(20), 0.04), 1.0, False),  # half is held by more than ten
        (CATS, 0.39, False),  # and in so few images
    ],
)
def test_a_thing_is_known_where_few_classes_hold_much_in_many_images(
    thing: dict[int, float], share: float, known: bool
) -> None:
    assert (known_thing(probabilities(100, thing, share)) is not None) == known


def test_shares_of_samples_and_held_out_images() -> None:
    train, held = probabilities(100, CATS, 0.9), probabilities(100, CATS, 0.63)
    seen = thing_seen(train, held, probabilities(100, {281: 0.11}, 0.02), names=class_names())
    assert seen is not None
    assert (seen.what, seen.samples.value, seen.held_out.value) == ("a cat", 0.02, 0.63)
    assert seen.samples.high is not None
    assert seen.samples.high < 0.1
    assert thing_seen(probabilities(100, {}), held, held) is None


def test_a_tenth_of_the_probability_is_not_clear() -> None:
    rows = np.zeros((3, CLASSES))
    rows[:, 281], rows[:, 285] = (0.04, 0.06, 0.2), (0.05, 0.06, 0.0)
    assert sees(rows.astype(np.float32), np.array([281, 285])).tolist() == [False, True, True]


def test_names_are_those_of_imagenet_and_kinds_hold_only_their_own() -> None:
    names = class_names()
    assert len(names) == len(set(names)) == CLASSES
    for number, name in {
        0: "tench",
        151: "Chihuahua",
        207: "golden retriever",
        985: "daisy",
        999: "toilet tissue",
    }.items():
        assert names[number] == name
    assert thing_words(np.array([151, 268]), names) == "a dog"
    assert "tabby or Chihuahua" in thing_words(np.array([281, 151]), names)
    assert "2 more" in thing_words(np.array([281, 151, 985, 0, 1]), names)
    assert "3 of its classes" in thing_words(np.array([281, 151, 985]))


def test_a_thing_counts_only_where_a_layout_is_seen() -> None:
    seen_by_network = np.float32([[0.9, 0.1]] * 10)
    laid_out = np.arange(10) < 8, np.arange(10) < 3
    seen = thing_seen(seen_by_network, seen_by_network, seen_by_network, laid_out=laid_out)
    assert seen is not None
    assert (seen.held_out.value, seen.samples.value) == (0.8, 0.3)
