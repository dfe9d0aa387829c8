"""Sides that a model declares, and the refusal of all others."""

from __future__ import annotations

import pytest

from gansmith.adversarial import Dimensions
from gansmith.models.layers.sides import check_sides, nearest_sizes
from refusals import refused


@pytest.mark.parametrize("size", [(8, 8), (8, 100), (12, 16)])
def test_sides_that_fit(size: tuple[int, int]) -> None:
    check_sides("net", Dimensions(3, *size), smallest=8, multiple=4)


@pytest.mark.parametrize("size", [(4, 8), (8, 4), (9, 12), (12, 10)])
def test_a_side_that_is_too_short_or_no_multiple(size: tuple[int, int]) -> None:
    with refused("net", "read", f"{size[0]}x{size[1]}", "multiples of 4", "at least 8", "because", "or wait"):
        check_sides(
            "net", Dimensions(3, *size), smallest=8, multiple=4, verb="read", reason="because ", instead=", or wait"
        )


@pytest.mark.parametrize(
    ("size", "smallest", "multiple", "sizes"),
    [
        ((7, 64), 8, 1, ["8x64"]),
        ((30, 33), 16, 4, ["28x32", "32x36"]),
        ((5, 9), 8, 4, ["8x8", "8x12"]),
        ((60, 99), 61, 4, ["64x96", "64x100"]),  # 61 is no multiple
        ((64, 64), 1, 64, ["64x64"]),
    ],
)
def test_the_nearest_sizes(size: tuple[int, int], smallest: int, multiple: int, sizes: list[str]) -> None:
    assert nearest_sizes(Dimensions(3, *size), smallest, multiple) == sizes


def test_the_advice_may_be_stricter_than_the_rule() -> None:
    with refused("at least 61", "--size 64x64"):
        check_sides("net", Dimensions(3, 60, 60), smallest=61, fitting=4)
    check_sides("net", Dimensions(3, 61, 61), smallest=61, fitting=4)
