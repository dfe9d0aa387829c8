"""LPIPS diversity with a distance that can be worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from gansmith import catalog
from gansmith.errors import DataError, OptionError
from gansmith.evaluation.metrics.lpips_diversity import lpips_diversity
from gansmith.evaluation.types import Extractor, Outputs, Side


def apart(one: Tensor, other: Tensor) -> Tensor:
    """The mean difference of two images, in levels."""
    return (one.float() - other.float()).abs().mean((1, 2, 3))


TOY = Extractor("toy", "0", "", lambda batch: Outputs(batch.float()), batch=7, distance=apart)


def flat(levels: NDArray[np.int64]) -> NDArray[np.uint8]:
    """One image of each level."""
    return np.broadcast_to(levels.astype(np.uint8)[:, None, None, None], (len(levels), 4, 5, 3)).copy()


def test_images_of_two_kinds() -> None:
    """Half of the images at 0 and half at 10: random pairs are 5 apart on average, and half of that spread remains."""
    images = flat(np.repeat([0, 10], 2000))
    number = lpips_diversity(images, TOY, pairs=2000)
    assert number.low is not None
    assert number.high is not None
    assert number.value == pytest.approx(5, abs=0.4)
    assert number.high - number.low == pytest.approx(2 * 1.96 * 5 / np.sqrt(2000), rel=0.03)
    assert number.means == "how different two images look, the mean LPIPS of 2,000 pairs"
    assert lpips_diversity(images[:2000], TOY).value == 0


def test_the_interval_covers_at_its_rate() -> None:
    """Levels drawn uniformly from 0 to 200: two are (200 * 202) / (3 * 201) apart on average."""
    rng = np.random.default_rng(0)
    expected = 200 * 202 / (3 * 201)
    inside = 0
    for repeat in range(200):
        number = lpips_diversity(flat(rng.integers(0, 201, 80)), TOY, pairs=40, seed=repeat)
        assert number.low is not None
        assert number.high is not None
        inside += number.low <= expected <= number.high
    assert 181 <= inside <= 198  # of 200 at 95 %: 1 in 1,000 falls outside


def test_each_image_is_used_once() -> None:
    seen: list[Tensor] = []

    def remember(one: Tensor, other: Tensor) -> Tensor:
        seen.extend([one[:, 0, 0, 0], other[:, 0, 0, 0]])
        assert one.shape[1:] == (3, 4, 5)
        return apart(one, other)

    lpips_diversity(flat(np.arange(51)), replace(TOY, distance=remember), pairs=500)
    used = torch.cat(seen).tolist()
    assert len(used) == len(set(used)) == 50
    assert used != sorted(used)


def test_the_seed_draws_the_pairs() -> None:
    images = flat(np.random.default_rng(0).integers(0, 256, 60))
    found = [lpips_diversity(images, TOY, pairs=10, seed=seed).value for seed in (0, 0, 1)]
    assert found[0] == found[1] != found[2]


def test_what_it_cannot_judge() -> None:
    with pytest.raises(OptionError, match="extractor pixels has no perceptual distance"):
        lpips_diversity(flat(np.arange(9)), catalog.build("features", "pixels"))
    with pytest.raises(DataError, match=r"3 images.*4"):
        lpips_diversity(flat(np.arange(3)), TOY)
    with pytest.raises(OptionError, match="pairs = 1 is not allowed"):
        lpips_diversity(flat(np.arange(9)), TOY, pairs=1)
    with pytest.raises(OptionError, match="pairs = 0 is not allowed"):
        catalog.build("metrics", "lpips_diversity", pairs=0)


def test_the_metric_measures_both_sides(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    real, fake = Side("real", flat(np.arange(50))), Side("made", flat(np.full(20, 7)))
    metric = catalog.build("metrics", "lpips_diversity", weights=str(tmp_path), pairs=9)
    with pytest.raises(OptionError, match="extractor vgg reads"):  # weights are asked for when they are needed
        metric.measure(real, fake)
    from gansmith.evaluation.features import vgg

    monkeypatch.setattr(vgg, "build", lambda *, weights=None: TOY)
    found = metric.measure(real, fake)
    assert found["lpips_diversity"].value == 0
    assert found["lpips_diversity_of_real"] == lpips_diversity(flat(np.arange(50)), TOY, pairs=9)
    assert metric.words == "lpips_diversity(pairs=9, seed=0)"
    assert metric.needs == ("images",)
    assert set(metric.better) <= set(found)
    with pytest.raises(DataError, match=r"LPIPS diversity.*made"):
        metric.measure(real, Side("made", features=np.zeros((9, 2), np.float32)))
