"""An image that was seen is not extracted again, and has the features that it would have had."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gansmith import catalog
from gansmith.evaluation.extract import extract
from gansmith.evaluation.known_features import KnownFeatures, Pair
from gansmith.evaluation.types import Images


def images(count: int, seed: int = 0) -> Images:
    return np.random.default_rng(seed).integers(0, 256, (count, 8, 8, 3), dtype=np.uint8)


def test_only_new_images_are_computed_and_each_once() -> None:
    calls: list[Images] = []

    def compute(some: Images) -> Pair:
        calls.append(some)
        flat = some.reshape(len(some), -1).astype(np.float32)
        return flat[:, :2], flat[:, 2:4]

    known, every = KnownFeatures(), images(6)
    for chosen in ([1, 4], [0, 1, 2, 3, 4, 5], [5, 5, 0], [3]):
        features, probabilities = known.of(every[chosen], "toy", compute)
        np.testing.assert_array_equal(features, every[chosen].reshape(len(chosen), -1)[:, :2])
        assert probabilities is not None
        np.testing.assert_array_equal(probabilities, every[chosen].reshape(len(chosen), -1)[:, 2:4])
    assert [len(call) for call in calls] == [2, 4]
    known.of(every[:1], "another", compute)
    known.of(every[:1].reshape(1, 8, 24, 1), "toy", compute)  # the same bytes, another image
    assert [len(call) for call in calls] == [2, 4, 1, 1]
    known.of(np.stack([every[0] ^ 1] * 3), "toy", compute)
    assert len(calls[-1]) == 1


def test_features_are_those_without_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever was extracted before in whichever company, in memory or from the file of another time."""
    monkeypatch.setenv("GANSMITH_CACHE", str(tmp_path))
    extractor = replace(catalog.build("features", "mobilenet", factory="untrained", device="cpu"), batch=4)
    every = images(11)
    expected, classes = extract(every, extractor, what="images", cache=False)
    known = KnownFeatures()
    extract(every[3:8], extractor, what="some", known=known)
    for _ in range(2):
        features, probabilities = extract(every, extractor, what="images", known=known)
        np.testing.assert_array_equal(features, expected)
        np.testing.assert_array_equal(probabilities, classes)
    later = KnownFeatures()
    extract(every, extractor, what="images", known=later)  # from the file
    broken = replace(extractor, run=lambda _: pytest.fail("computed again"))
    np.testing.assert_array_equal(extract(every[5:], broken, what="some", cache=False, known=later)[0], expected[5:])


def test_what_is_known_may_be_used_without_adding_to_it() -> None:
    calls: list[int] = []

    def compute(some: Images) -> Pair:
        calls.append(len(some))
        return some.reshape(len(some), -1).astype(np.float32), None

    known, every = KnownFeatures(), images(6)
    known.of(every[:2], "toy", compute)
    for _ in range(2):
        features, _none = known.as_it_is().of(every, "toy", compute)
        np.testing.assert_array_equal(features, every.reshape(6, -1))
    assert calls == [2, 4, 4]
