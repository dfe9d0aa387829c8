"""The ruler of an audit, from images: which are damaged, and what they are compared with."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from gansmith.evaluation.damages import tiles
from gansmith.evaluation.types import Extractor, Outputs, Side
from gansmith.judge.damaged_images import ruler_of


def test_the_ruler_of_images_damages_those_that_are_compared_with_none() -> None:
    """By pixels of toys; the reference holds no image that was damaged."""
    rng = np.random.default_rng(0)
    rows = np.linspace(0, 255, 8)[:, None]
    images = np.clip(rows + rng.normal(0, 20, (400, 8, 8)), 0, 255).astype(np.uint8)[..., None]
    toy = Extractor("toy", "0", "as they are", lambda batch: Outputs(batch.flatten(1).float() / 64), batch=32)

    def side(name: str, part: NDArray[np.uint8]) -> Side:
        return Side(name, part, part.reshape(len(part), -1).astype(np.float32) / 64)

    train, held, honest = side("train", images[:250]), side("held", images[250:]), side("made", images[250:])
    shuffled = side("made", tiles(images[250:], count=4))
    for holdout in (held, None, side("few", images[250:260])):
        good, bad = (ruler_of(train, holdout, (fake,), toy) for fake in (honest, shuffled))
        assert good is not None
        assert bad is not None
        assert abs(good.samples.value) < 0.05
        assert bad.samples.value == pytest.approx(1, abs=0.3)
        assert (good.held_out is None) == (holdout is not held)
    assert ruler_of(train, held, (honest,), replace(toy, name="pixels")) is None
    noise = rng.integers(0, 256, (300, 8, 8, 1)).astype(np.uint8)
    assert ruler_of(side("train", noise[:200]), None, (side("made", noise[200:]),), toy) is None  # no layout to lose
