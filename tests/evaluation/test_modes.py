"""Modes of toy mixtures and stacked digits, counted: closed forms, and the truth itself."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from torch import Tensor

from gansmith.data.open import open_dataset
from gansmith.data.points import Points
from gansmith.errors import DataError, OptionError
from gansmith.evaluation.modes import Modes, count_labels, count_modes, count_stacked, divergence, read_stacked
from gansmith.evaluation.types import Extractor, Outputs

CENTRES = np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0], [-10.0, 0.0]])


@pytest.mark.parametrize("name", ["ring", "grid"])
def test_the_truth_has_all_modes_and_nearly_all_of_it_is_good(name: str) -> None:
    source = open_dataset(name, count=50_000)
    assert isinstance(source, Points)
    found = count_modes(source[np.arange(50_000)].image[:, 0, 0], source.centres, source.deviation)
    assert found.found == found.total == len(source.centres)
    assert abs(found.good - (1 - math.exp(-4.5))) < 4 * math.sqrt(0.0111 * 0.9889 / 50_000)
    assert 0 < found.kl < 5 * (found.total - 1) / (2 * 50_000)


@pytest.mark.parametrize("radius", [1.0, 2.0, 3.0])
def test_a_good_sample_is_within_the_radius(radius: float) -> None:
    """In the plane, not in each direction: 1 - exp(-radius^2 / 2) of a round Gaussian."""
    points = np.random.default_rng(0).standard_normal((40_000, 2)) * 0.5
    found = count_modes(points, CENTRES, 0.5, radius=radius)
    assert_allclose(found.good, 1 - math.exp(-(radius**2) / 2), atol=0.01)
    edge = np.array([[1.5 * radius / 3, 0], [0, -1.5 * radius / 3 - 1e-9]])
    assert count_modes(edge, CENTRES, 0.5, radius=radius).good == 0.5


def test_a_mode_is_found_with_20_of_10_000_good_samples() -> None:
    points = np.zeros((20_000, 2))
    for mode, count in ((1, 40), (2, 39)):
        start = 100 * mode
        points[start : start + count] = CENTRES[mode]
    points[900:1000] = CENTRES[3] + 0.31  # near no other, but not good
    assert count_modes(points, CENTRES, 0.1)[:3] == (2, 4, 1 - 100 / 20_000)
    assert count_modes(points, CENTRES, 0.1, least=19.5).found == 3
    assert count_modes(points, CENTRES, 0.1, least=20.5).found == 1
    assert count_modes(points[:1], CENTRES, 0.1).found == 1


def test_divergence_in_closed_form() -> None:
    assert divergence([5, 5, 5, 5]) == 0
    assert_allclose(divergence([7, 0, 0, 0]), math.log(4))
    assert_allclose(divergence([3, 1, 0, 0]), 0.75 * math.log(3) + 0.25 * math.log(1))
    far = np.concatenate([np.repeat(CENTRES, 3, axis=0) + 3, CENTRES[:1]])
    found = count_modes(far, CENTRES, 0.1)  # each counts for its nearest centre, good or not
    assert found.good == pytest.approx(1 / 13)
    assert_allclose(found.kl, 4 / 13 * math.log(16 / 13) + 9 / 13 * math.log(12 / 13))


@pytest.mark.parametrize("given", [np.zeros((0, 2)), np.zeros(4), np.zeros((4, 3))])
def test_points_of_the_wrong_shape(given: np.ndarray) -> None:
    with pytest.raises(DataError, match=r"points \[N, 2\]"):
        count_modes(given, CENTRES, 0.1)
    with pytest.raises(DataError, match=r"^modes are counted of centres \[N, 2\]"):
        count_modes(CENTRES, given, 0.1)


def test_points_that_are_none() -> None:
    points = np.zeros((1000, 2))
    points[3, 1], points[4, 0] = np.nan, np.inf
    with pytest.raises(DataError, match="2 of 1,000 points"):
        count_modes(points, CENTRES, 0.1)


@pytest.mark.parametrize("option", ["deviation", "least", "radius"])
@pytest.mark.parametrize("value", [0, -1.5, math.nan])
def test_numbers_out_of_range(option: str, value: float) -> None:
    with pytest.raises(OptionError, match=f"{option} = {value:g} .*above 0"):
        count_modes(CENTRES, CENTRES, **{"deviation": 0.1, option: value})


def test_labels() -> None:
    assert count_labels([0, 2, 2, 0], 4) == Modes(2, 4, 1.0, math.log(2))
    assert count_labels(np.arange(1000), 1000) == Modes(1000, 1000, 1.0, 0.0)
    uniform = np.random.default_rng(1).integers(1000, size=25_600)
    assert_allclose(count_labels(uniform, 1000).kl, 999 / 51_200, rtol=0.15)


@pytest.mark.parametrize("labels", [[], [4], [-1, 2], [[0, 1]]])
def test_labels_outside(labels: list[object]) -> None:
    with pytest.raises(DataError, match="from 0 to 3"):
        count_labels(np.array(labels, dtype=np.int64), 4)


def reader(classes: int | None = 10) -> Extractor:
    """Reads the digit that a grey image's first pixel is, times 20."""

    def run(images: Tensor) -> Outputs:
        assert images.shape[1] == 1
        digit = images[:, 0, 0, 0].long() // 20
        logits = None if classes is None else torch.nn.functional.one_hot(digit, classes).float()
        return Outputs(images.float().flatten(1), logits)

    return Extractor("reader", "0", "as they are", run, batch=7)


def test_stacked_digits_are_read_red_green_blue() -> None:
    images = np.zeros((3, 4, 5, 3), np.uint8)
    for image, number in zip(images, ((1, 2, 3), (0, 0, 9), (7, 7, 0)), strict=True):
        image[:] = 20 * np.array(number)
    assert_array_equal(read_stacked(images, reader(), cache=False), [123, 9, 770])
    assert count_stacked(images[[0, 0, 1]], reader(), cache=False) == (
        2,
        1000,
        1.0,
        pytest.approx(2 / 3 * math.log(2000 / 3) + 1 / 3 * math.log(1000 / 3)),
    )


def test_what_is_no_stack_of_digits() -> None:
    with pytest.raises(DataError, match=r"\[N, H, W, 3\].*\[2, 4, 5, 1\]"):
        read_stacked(np.zeros((2, 4, 5, 1), np.uint8), reader())
    for classes, said in ((None, 0), (12, 12)):
        message = (
            f"^the extractor reader tells {said} classes apart, and digits are 10: "
            f"give a classification run on digits or mnist$"
        )
        with pytest.raises(DataError, match=message):
            read_stacked(np.zeros((2, 4, 5, 3), np.uint8), reader(classes), cache=False)
