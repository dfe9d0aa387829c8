"""The built-in set of stacked digits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from test_builtin import mnist_like

from gansmith.data.open import open_dataset
from gansmith.data.prepare import prepare
from gansmith.data.settings import DataSettings
from gansmith.errors import DataError, OptionError


def test_every_channel_is_a_digit_and_the_label_says_which() -> None:
    source, digits = open_dataset("stacked_digits", count=300), open_dataset("digits")
    assert (source.name, source.size, len(source), source.points) == ("stacked_digits", (32, 32), 300, False)
    assert source.classes is not None
    assert (len(source.classes), source.classes[7], source.classes[420]) == (1000, "007", "420")
    batch = source[np.arange(300)]
    assert batch.image.shape == (300, 8, 8, 3)
    assert batch.image.dtype == np.uint8
    assert_array_equal(batch.label, source.labels)
    everything = digits[np.arange(len(digits))]
    known = {image.tobytes(): label for image, label in zip(everything.image, everything.label, strict=True)}
    for image, label in zip(batch.image, batch.label, strict=True):
        red, green, blue = (known[np.ascontiguousarray(image[..., channel]).tobytes()] for channel in range(3))
        assert label == 100 * red + 10 * green + blue


def test_one_by_one_and_all_at_once_are_the_same_every_time() -> None:
    source, again = open_dataset("stacked_digits", count=50), open_dataset("stacked_digits", count=50)
    batch = source[[4, 40]]
    for place, index in enumerate((4, 40)):
        for one in (source[index], again[index]):
            assert_array_equal(one.image, batch.image[place])
            assert one.label == batch.label[place]
    assert source.stamp(4) == again.stamp(4) != source.stamp(5)
    assert list(source.keys[:2]) == ["0", "1"]


def test_the_digits_are_drawn_independently_and_evenly() -> None:
    source = open_dataset("stacked_digits", count=20_000)
    assert source.labels is not None
    of_digits = open_dataset("digits").labels
    assert of_digits is not None
    shares = np.bincount(of_digits) / len(of_digits)
    read = np.stack([source.labels // 100, source.labels // 10 % 10, source.labels % 10])
    for channel in read:
        assert np.abs(np.bincount(channel) / 20_000 - shares).max() < 5 * np.sqrt(0.1 * 0.9 / 20_000)
    assert np.abs(np.corrcoef(read) - np.eye(3)).max() < 5 / np.sqrt(20_000)
    assert len(np.unique(source.labels)) == 1000
    assert len(open_dataset("stacked_digits")) == 60_000


def test_mnist_when_it_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANSMITH_DATASETS", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match=r"^mnist is not on this machine"):
        open_dataset("stacked_digits", digits="mnist")
    mnist_like(tmp_path / "mnist", 9)
    source = open_dataset("stacked_digits", digits="mnist", count=4)
    assert source[0].image.shape == (28, 28, 3)
    assert source[0].image.min() == 9
    assert source.labels is not None
    assert {int(digit) for label in source.labels for digit in f"{label:03}"} <= {0, 1, 2}


def test_it_is_trained_on_at_32_pixels() -> None:
    prepared = prepare(DataSettings(path="stacked_digits", options={"count": 40}, holdout=0), workers=0)
    assert prepared.shape == (3, 32, 32)
    assert prepared.labelled
    assert prepared.classes is not None
    assert len(prepared.classes) == 1000


def test_options_out_of_range() -> None:
    with pytest.raises(OptionError, match=r"^stacked_digits: count .* 1, not 0$"):
        open_dataset("stacked_digits", count=0)
    with pytest.raises(OptionError, match=r"^datasets/stacked_digits: digits = 'letters' is not allowed"):
        open_dataset("stacked_digits", digits="letters")
