"""The map as a still image: each point where it belongs, in the colour of its kind."""

from __future__ import annotations

import numpy as np

from gansmith.evaluation.plane import Plane
from gansmith.judge.image_map import ImageMap
from gansmith.judge.map_picture import GROUPS, SIDE, map_picture


def small_map() -> ImageMap:
    """Real images at the corners below, a held-out one in the middle, samples at the corners above."""
    plane = Plane(
        real=np.array([[0.0, 0.0], [10.0, 0.0]]),
        held_out=np.array([[5.0, 1.0]]),
        generated=np.array([[0.0, 2.0], [10.0, 2.0]]),
        real_reached=np.array([True, False]),
        held_out_reached=np.array([False]),
        real_like=np.array([True, False]),
        explained=(0.7, 0.2),
    )
    return ImageMap(plane, np.array([3, 8]), np.array([1]), range(2), "pixels", ())


def test_points_lie_where_the_map_has_them() -> None:
    image = np.asarray(map_picture(small_map()).convert("RGB")).astype(int)
    assert image.shape[1] == SIDE
    assert image.shape[0] > SIDE  # the words
    plane = image[:SIDE]
    colours = {(g.kind, g.neighbour): g.colour for g in GROUPS}
    for (kind, neighbour), (left, top) in {
        ("real", True): (0, 1),
        ("real", False): (1, 1),
        ("held_out", False): (0.5, 0.5),
        ("sample", True): (0, 0),
        ("sample", False): (1, 0),
    }.items():
        x, y = (round(20 + share * (SIDE - 40)) for share in (left, top))
        near = plane[y - 8 : y + 8, x - 8 : x + 8]
        apart = np.abs(near - np.array(colours[kind, neighbour])).sum(-1)
        assert apart.min() < 60, (kind, neighbour)  # its edge is smooth
    dark = (plane.sum(-1) < 700).sum()
    assert 50 < dark < 1000  # and nothing else is drawn


def test_words_say_how_many() -> None:
    """Each group with points has a mark of its colour below, the others none."""
    image = np.asarray(map_picture(small_map()).convert("RGB")).astype(int)[SIDE:]
    absent = next(g.colour for g in GROUPS if (g.kind, g.neighbour) == ("held_out", True))
    for colour in {g.colour for g in GROUPS}:
        count = int((np.abs(image - np.array(colour)).sum(-1) == 0).sum())
        assert count > 10, colour
        if colour == absent:  # the real one alone: a disc, not a disc and a square
            assert count < 120
