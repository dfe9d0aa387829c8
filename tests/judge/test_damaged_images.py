"""The ruler and the layout of an audit, from images: which are damaged, and what they are compared with."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from gansmith.evaluation.damages import COARSE, LAYOUT, WITHOUT_LAYOUT, tiles
from gansmith.evaluation.types import Extractor, Images, Outputs, Ruler, Side
from gansmith.judge.damaged_images import ruler_and_layout

TOY = Extractor("toy", "0", "as they are", lambda batch: Outputs(batch.flatten(1).float() / 64), batch=32)


def images(count: int) -> Images:
    """Bright below, dark above."""
    rng, rows = np.random.default_rng(0), np.linspace(0, 255, 8)[:, None]
    return np.clip(rows + rng.normal(0, 20, (count, 8, 8)), 0, 255).astype(np.uint8)[..., None]


def side(name: str, part: NDArray[np.uint8]) -> Side:
    return Side(name, part, (part.reshape(len(part), -1) / 64).astype(np.float32))


def test_the_ruler_of_images_damages_those_that_are_compared_with_none() -> None:
    """By pixels of toys; the reference holds no image that was damaged."""
    real = images(400)
    train, held, honest = side("train", real[:250]), side("held", real[250:]), side("made", real[250:])
    shuffled = side("made", tiles(real[250:], count=4))

    def ruler_of(fake: Side, holdout: Side | None) -> Ruler | None:
        return ruler_and_layout(train, holdout, (fake,), TOY)[0]

    for holdout in (held, None, side("few", real[250:260])):
        good, bad = ruler_of(honest, holdout), ruler_of(shuffled, holdout)
        assert good is not None
        assert bad is not None
        assert abs(good.samples.value) < 0.05
        assert bad.samples.value == pytest.approx(1, abs=0.3)
        assert (good.held_out is None) == (holdout is not held)
    assert ruler_and_layout(train, held, (honest,), replace(TOY, name="pixels")) == (None, None, None)
    grey = np.full((300, 8, 8, 1), 128, np.uint8)  # no layout to lose, and no texture
    blank = Extractor("toy", "0", "as they are", lambda batch: Outputs(torch.ones(len(batch), 64)), batch=32)
    assert ruler_and_layout(side("train", grey[:200]), None, (side("made", grey[200:]),), blank)[0] is None


def test_a_layout_is_seen_in_real_images_and_in_no_shuffled_ones() -> None:
    real = images(500)
    train, held = side("train", real[:250]), side("held", real[250:400])
    for part, expected in ((real[400:], 1.0), (tiles(real[400:], count=4), 0.0)):
        seen = ruler_and_layout(train, held, (side("made", part),), TOY).layout
        assert seen is not None
        assert not seen.unclear
        assert seen.samples.value == pytest.approx(expected, abs=0.1)
        assert seen.held_out.value == pytest.approx(1, abs=0.05)
    assert ruler_and_layout(train, side("few", real[250:300]), (held,), TOY)[1] is None  # too few to test it by
    noise = np.random.default_rng(1).integers(0, 256, (500, 8, 8, 1)).astype(np.uint8)
    _, seen, classifier = ruler_and_layout(side("train", noise[:250]), side("held", noise[250:400]), (held,), TOY)
    assert classifier is None
    assert seen is not None
    assert "tiles" in seen.unclear  # no classifier can tell noise from its tiles


def test_shuffled_images_that_teach_have_the_textures_of_failing_generators() -> None:
    real = np.random.default_rng(0).integers(0, 256, (12, 16, 16, 3)).astype(np.uint8)
    for name, change in LAYOUT.items():
        taught, plain = WITHOUT_LAYOUT[name](real), change(real)
        for place, texture in enumerate(COARSE):
            expected = plain[place] if "2 x 2" in name else texture(plain[place :: len(COARSE)])[0]
            np.testing.assert_array_equal(taught[place], expected)
