"""Features far from the origin, in float32: every metric that compares two sets gives what it gives in float64."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from gansmith.evaluation.metrics.density_coverage import density_coverage
from gansmith.evaluation.metrics.fid import fid
from gansmith.evaluation.metrics.kid import kid, kid_subsets
from gansmith.evaluation.metrics.precision_recall import precision_recall

Features = NDArray[np.float32]


def _kid(real: Features, fake: Features) -> list[float]:
    number = kid(real, fake)
    assert number.low is not None
    assert number.high is not None
    return [number.value, number.low, number.high]


METRICS: dict[str, Callable[[Features, Features], list[float]]] = {
    "kid": _kid,
    "kid_subsets": lambda real, fake: list(kid_subsets(real, fake, subsets=3, size=100)),
    "fid": lambda real, fake: [fid(real, fake).value],
    "precision_recall": lambda real, fake: [number.value for number in precision_recall(real, fake)],
    "density_coverage": lambda real, fake: [number.value for number in density_coverage(real, fake)],
}


@pytest.mark.parametrize("width", [2, 64])
@pytest.mark.parametrize("mean", [0.0, 10.0, 1e3, 1e4])
@pytest.mark.parametrize("metric", METRICS)
def test_single_precision_loses_nothing(metric: str, mean: float, width: int) -> None:
    rng = np.random.default_rng(1)
    real = (rng.standard_normal((300, width)) + mean).astype(np.float32)
    fake = (1.1 * rng.standard_normal((280, width)) + mean + 0.1).astype(np.float32)
    single = METRICS[metric](real, fake)
    double = METRICS[metric](real.astype(np.float64), fake.astype(np.float64))
    assert single == pytest.approx(double, rel=1e-5)
