"""The ruler: where samples lie between known damages, in units of 4 x 4 tiles."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
from numpy.typing import NDArray

from gansmith.errors import DataError
from gansmith.evaluation import kid
from gansmith.evaluation.audit.quality import _on_ruler as on_ruler
from gansmith.evaluation.audit.quality import answer
from gansmith.evaluation.audit.ruler_figure import drawing
from gansmith.evaluation.damages import LAYOUT, TEXTURE
from gansmith.evaluation.protocol import Protocol
from gansmith.evaluation.ruler import UNIT, UNIT_OF_TEXTURES, ruler
from gansmith.evaluation.types import Answer, Evidence, Extractor, Number, Outputs, Ruler, Side

WIDTH = 6


def cloud(seed: int, count: int, at: float = 0.0) -> NDArray[np.float32]:
    return (np.random.default_rng(seed).standard_normal((count, WIDTH)) + at).astype(np.float32)


REAL = cloud(0, 300)
DAMAGED = {name: cloud(10 + i, 200, at=0.4 * ((i + 1) % 3 + 1)) for i, name in enumerate((*LAYOUT, *TEXTURE))}


def test_distances_are_kid_over_that_of_tiles() -> None:
    samples, held_out = cloud(1, 150, at=0.6), cloud(2, 120)
    found = ruler(REAL, samples, DAMAGED, held_out)
    unit = kid(REAL, DAMAGED[UNIT]).value
    assert found.unit == unit
    assert found.samples.value == pytest.approx(kid(REAL, samples).value / unit)
    assert found.held_out is not None
    assert found.held_out.value == pytest.approx(kid(REAL, held_out).value / unit)
    assert [*found.layout] == [*LAYOUT]
    assert [*found.texture] == [*TEXTURE]
    for name, mark in {**found.layout, **found.texture}.items():
        assert mark.value == pytest.approx(kid(REAL, DAMAGED[name]).value / unit)
    assert ruler(REAL, samples, DAMAGED).held_out is None


def test_the_interval_holds_that_of_the_samples_and_of_the_unit() -> None:
    samples = cloud(1, 150, at=0.9)
    found = ruler(REAL, samples, DAMAGED).samples
    alone, unit = kid(REAL, samples), kid(REAL, DAMAGED[UNIT])
    for end, wide in ((found.low, alone.low), (found.high, alone.high)):
        assert end is not None
        assert wide is not None
        assert unit.high is not None
        half = np.hypot((wide - alone.value) / unit.value, found.value * (unit.high / unit.value - 1))
        assert abs(end - found.value) == pytest.approx(half)


def test_the_nearest_damage_of_each_row() -> None:
    shifted = {name: cloud(30 + i, 300, at=0.3 + 0.25 * i) for i, name in enumerate(LAYOUT)}
    shifted |= {name: cloud(60 + i, 300, at=0.2 + 0.15 * i) for i, name in enumerate(TEXTURE)}
    for i, name in enumerate(LAYOUT):
        assert ruler(REAL, cloud(90 + i, 300, at=0.3 + 0.25 * i), shifted).nearest[0] == name
    for i, name in enumerate(TEXTURE):
        assert ruler(REAL, cloud(120 + i, 300, at=0.2 + 0.15 * i), shifted).nearest[1] == name


def test_the_unit_of_textures_is_a_blur() -> None:
    """Their tiles are as good as they are."""
    samples, blurred = cloud(1, 150, at=0.6), kid(REAL, DAMAGED[UNIT_OF_TEXTURES]).value
    for tiles, is_texture in ((cloud(5, 200), True), (cloud(5, 200, at=0.2), True), (cloud(5, 200, at=1.0), False)):
        measured = ruler(REAL, samples, {**DAMAGED, UNIT: tiles})
        assert measured.unit_name == (UNIT_OF_TEXTURES if is_texture else UNIT)
        assert measured.unit == (blurred if is_texture else kid(REAL, tiles).value)
        assert measured.samples.value == pytest.approx(kid(REAL, samples).value / measured.unit)


def test_images_that_no_damage_takes_far_have_no_ruler() -> None:
    with pytest.raises(DataError, match="than chance allows"):
        ruler(REAL, cloud(1, 150), dict.fromkeys(DAMAGED, cloud(5, 200)))


def test_samples_are_named_by_what_is_as_far() -> None:
    drawn = drawing(ruler(REAL, cloud(1, 150, at=0.6), DAMAGED, cloud(2, 120)))
    root = ElementTree.fromstring(drawn)
    words = [element.text for element in root.iter() if element.tag.endswith("text")]
    for name in ("held-out images", "cut into 2 x 2", "blur of 1 pixel", "JPEG 10", "checkerboard of 10 levels"):
        assert name in words
    marks = [element for element in root.iter() if element.tag.endswith("circle")]
    assert len(marks) == 1 + len(LAYOUT) + len(TEXTURE)
    assert "samples" in root.attrib["aria-label"]


# ---- the verdict


def judged(place: Number, *, made: NDArray[np.float32]) -> Answer:
    """The answer on quality for samples `made` with that place on the ruler."""
    toy = Extractor("toy", "0", "as they are", lambda images: Outputs(images.flatten(1).float()))
    marks = dict.fromkeys(LAYOUT, Number(1.0)), dict.fromkeys(TEXTURE, Number(0.5))
    return answer(
        Evidence(
            Side("train", features=REAL + 3),
            Side("held", features=cloud(2, 200) + 3),
            (Side("samples", features=made + 3),),
            toy,
            toy,
            Protocol("", "toy", "toys", 0, 0, "2x2x1", "raw"),
            ruler=Ruler(place, Number(0.0), *marks, unit=1.0),
        )
    )


REAL_LIKE, STRANGE = cloud(3, 200), cloud(4, 200, at=6.0)


@pytest.mark.parametrize(
    ("ends", "made", "verdict"),
    [
        ((-0.05, 0.09), REAL_LIKE, "good"),
        ((-0.05, 0.11), REAL_LIKE, "cannot tell"),
        ((0.12, 0.18), STRANGE, "cannot tell"),
        ((0.19, 0.9), STRANGE, "cannot tell"),
        ((0.21, 0.9), STRANGE, "bad"),
        ((0.21, 0.9), REAL_LIKE, "cannot tell"),  # each sample looks real: the variety is wrong
        ((-0.05, 0.05), STRANGE, "cannot tell"),
    ],
)
def test_the_ruler_decides_with_its_whole_interval(
    ends: tuple[float, float], made: NDArray[np.float32], verdict: str
) -> None:
    found = judged(Number(sum(ends) / 2, *ends), made=made)
    assert (found.verdict, found.headline) == (verdict, "ruler")
    assert "ruler, good < 0.1 < 0.2 < bad" in found.protocol.metric
    assert found.figures[0].svg is not None
    if verdict == "bad":
        for name in ("cut into", "blur of"):
            assert name in found.sentence


@pytest.mark.parametrize(
    ("flaw", "verdict"),
    [(None, "cannot tell"), (Number(0.01, -0.01, 0.03), "cannot tell"), (Number(0.03, 0.01, 0.05), "bad")],
)
def test_samples_among_the_real_ones_are_bad_where_all_are_off_alike(flaw: Number | None, verdict: str) -> None:
    """Blur of 1, JPEG of 10 and other kinds of images pass by precision among images of many kinds."""
    place = {"ruler": Number(0.5, 0.21, 0.9)} | ({} if flaw is None else {"common_flaw": flaw})
    assert on_ruler(place | {"precision_ratio": Number(0.9, 0.8, 1.0)}) == verdict
    assert on_ruler(place | {"precision_ratio": Number(0.6, 0.5, 0.7)}) == "bad"


def test_neighbours_are_found_by_directions_where_the_evidence_says_so() -> None:
    """A damaged image has small features: by distance it lies near everything, by direction it does not."""
    rng = np.random.default_rng(0)
    real = np.abs(rng.standard_normal((500, 20))).astype(np.float32) + np.eye(20, dtype=np.float32)[0] * 3
    small = 0.4 * np.abs(rng.standard_normal((200, 20))).astype(np.float32) + np.eye(20, dtype=np.float32)[1]
    toy = Extractor("toy", "0", "as they are", lambda images: Outputs(images.flatten(1).float()))
    base = Protocol("", "toy", "toys", 0, 0, "2x2x1", "raw")
    given = Evidence(
        Side("train", features=real[:300]), Side("held", features=real[300:]), (Side("made", features=small),),
        toy, toy, base, directions=True,
    )  # fmt: skip
    found = answer(given)
    assert found.numbers["precision"].value < 0.1 < found.numbers["precision_held_out"].value
    assert "unit length" in found.protocol.metric
    longer = replace(given, fakes=(Side("made", features=small * 7),))
    assert answer(longer).numbers["precision"] == found.numbers["precision"]
