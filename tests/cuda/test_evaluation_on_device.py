"""Features, neighbours, kernel sums and moments on the device are those of the CPU to 1e-4."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from gansmith import catalog
from gansmith.evaluation import frechet, neighbour_lists
from gansmith.evaluation import kernel_sums as kernels
from gansmith.evaluation.extract import extract
from gansmith.evaluation.metrics import kid
from gansmith.evaluation.neighbour_lists import Neighbours
from gansmith.evaluation.pairwise_distances import nearest

TOLERANCE = 1e-4


def features(count: int, seed: int, width: int = 1280) -> NDArray[np.float32]:
    """As a network's: not negative, many near zero."""
    return np.random.default_rng(seed).exponential(0.4, (count, width)).astype(np.float32)


@pytest.mark.parametrize("name", ["mobilenet", "pixels"])
def test_features(name: str, device: torch.device, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANSMITH_CACHE", str(tmp_path))
    factory = "untrained" if name == "mobilenet" else "build"
    images = np.random.default_rng(0).integers(0, 256, (70, 32, 32, 3), dtype=np.uint8)
    here, there = (
        extract(images, catalog.build("features", name, factory=factory, device=place), what=place)[0]
        for place in ("cpu", str(device))
    )
    np.testing.assert_allclose(there, here, rtol=TOLERANCE, atol=TOLERANCE * np.abs(here).max())


@pytest.mark.parametrize("count", [1, 5])
def test_neighbours(count: int, device: torch.device) -> None:
    base, queries = features(3000, 1), features(500, 2)
    here = nearest(queries, base, count=count)
    there = nearest(queries, base, count=count, device=device)
    np.testing.assert_allclose(there[0], here[0], rtol=TOLERANCE)
    halves = [(Neighbours(*nearest(queries, base[at : at + 1500], count=count, device=device)), at) for at in (0, 1500)]
    np.testing.assert_allclose(neighbour_lists.merge(halves, count=count).distances, here[0], rtol=TOLERANCE)


@pytest.mark.parametrize("shares", [1, 3])
def test_kernel_distance(shares: int, device: torch.device) -> None:
    real, fake = features(3000, 1), 1.1 * features(2500, 2)
    here = kid.value_of(kernels.kernel_sums(real, fake, kernels.Kernel()))
    parts = [
        kernels.kernel_sums(real, fake, kernels.Kernel(), share=(part, shares), device=device) for part in range(shares)
    ]
    assert kid.value_of(kernels.merge(parts)) == pytest.approx(here, rel=TOLERANCE)


def test_moments(device: torch.device) -> None:
    rows = features(5000, 1, width=64)
    here = frechet.moments(rows)
    there = frechet.merge([frechet.moments(rows[:1000], device=device), frechet.moments(rows[1000:], device=device)])
    np.testing.assert_allclose(there.scatter, here.scatter, rtol=TOLERANCE, atol=TOLERANCE * here.scatter.max())
