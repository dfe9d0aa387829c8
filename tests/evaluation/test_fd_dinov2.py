"""FD-DINOv2: the Frechet distance of the named network's features, whatever features the sides carry."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from scipy import linalg

from gansmith import catalog
from gansmith.errors import DataError, GansmithError
from gansmith.evaluation.features import dinov2
from gansmith.evaluation.types import Extractor, Side


@pytest.fixture(autouse=True)
def small_network(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """An untrained network of 32 features in the place of the published one; the options that it was asked with."""
    asked: list[dict[str, Any]] = []
    built = dinov2.untrained(device="cpu")

    def build(*, weights: str | None = None, network: str = "small") -> Extractor:
        asked.append({"weights": weights, "network": network})
        return built

    monkeypatch.setattr(dinov2, "build", build)
    return asked


def images(seed: int, count: int = 80) -> Side:
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 100 + 50 * seed, (count, 8, 8, 3), dtype=np.uint8)
    return Side(f"images {seed}", pixels, features=np.ones((count, 2), np.float32))


def pixels(side: Side) -> torch.Tensor:
    assert side.images is not None
    return torch.from_numpy(side.images.transpose(0, 3, 1, 2).copy())


def test_it_is_the_frechet_distance_of_that_networks_features(small_network: list[dict[str, Any]]) -> None:
    real, fake = images(0), images(2)
    metric = catalog.build("metrics", "fd_dinov2")
    value = metric.measure(real, fake)["fd_dinov2"].value
    rows = [dinov2.untrained(device="cpu").run(pixels(side)).features.double().numpy() for side in (real, fake)]
    covariances = [np.cov(each, rowvar=False) for each in rows]
    root = linalg.sqrtm(covariances[0] @ covariances[1]).real
    expected = np.square(rows[0].mean(0) - rows[1].mean(0)).sum() + np.trace(covariances[0] + covariances[1] - 2 * root)
    assert value == pytest.approx(expected, rel=1e-3)
    assert small_network == [{"weights": None, "network": "large"}]  # the paper's, and built once
    assert metric.needs == ("images",)


def test_too_few_images_and_no_images_are_refused_with_the_way_out() -> None:
    metric = catalog.build("metrics", "fd_dinov2", network="small")
    with pytest.raises(DataError, match=r"at least 33.*--metrics kid"):
        metric.measure(images(0, 32), images(1))
    with pytest.raises(DataError, match="has none"):
        metric.measure(Side("bare", features=np.ones((40, 2), np.float32)), images(1))


def test_another_network_is_refused() -> None:
    with pytest.raises(GansmithError, match="huge"):
        catalog.build("metrics", "fd_dinov2", network="huge")
