"""The same numbers as torch-fidelity on the same features, where it is installed."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from gansmith.evaluation.metrics.fid import fid
from gansmith.evaluation.metrics.inception_score import inception_score
from gansmith.evaluation.metrics.kid import kid, kid_subsets
from gansmith.evaluation.metrics.precision_recall import precision_recall


@pytest.fixture(scope="module")
def fidelity() -> Iterator[Any]:
    """Beside a torch without an accelerator torchvision lacks two operators, which nothing here calls."""
    missing = torch.library.Library("torchvision", "FRAGMENT")
    for name in ("nms", "qnms"):
        with suppress(RuntimeError):  # it is there
            missing.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            import torch_fidelity  # noqa: F401
            from torch_fidelity import metric_fid, metric_isc, metric_kid, metric_prc  # noqa: F401
        except Exception as error:  # a torchvision made for another torch raises what it likes
            pytest.skip(f"torch-fidelity cannot be imported: {error}")
    yield sys.modules["torch_fidelity"]
    del missing


CASES = {
    "wide": (400, 300, 64, 0.3),
    "alike": (300, 300, 16, 0.0),
    "fewer images than dimensions": (60, 50, 96, 0.2),
}


@pytest.fixture(params=CASES)
def features(request: pytest.FixtureRequest) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Not negative and skewed, as the features of a network are: (real, fake)."""
    n, m, width, shift = CASES[request.param]
    rng = np.random.default_rng(len(request.param))
    mixing = rng.standard_normal((width, width)) / np.sqrt(width)
    real = np.maximum(rng.standard_normal((n, width)) @ mixing, 0)
    fake = np.maximum(rng.standard_normal((m, width)) @ mixing + shift, 0)
    return real.astype(np.float32), fake.astype(np.float32)


def test_fid(fidelity: Any, features: tuple[NDArray[np.float32], NDArray[np.float32]]) -> None:
    real, fake = features
    both = [fidelity.metric_fid.fid_features_to_statistics(torch.from_numpy(side)) for side in (fake, real)]
    expected = fidelity.metric_fid.fid_statistics_to_metric(*both, verbose=False)["frechet_inception_distance"]
    assert fid(real, fake, allow_few=True).value == pytest.approx(expected, rel=1e-4, abs=1e-6)


def test_precision_and_recall(fidelity: Any, features: tuple[NDArray[np.float32], NDArray[np.float32]]) -> None:
    real, fake = features
    expected = fidelity.metric_prc.prc_features_to_metric(
        torch.from_numpy(fake), torch.from_numpy(real), prc_neighborhood=3, verbose=False
    )
    found = precision_recall(real, fake)
    assert found.precision.value == pytest.approx(expected["precision"], rel=1e-4, abs=1e-6)
    assert found.recall.value == pytest.approx(expected["recall"], rel=1e-4, abs=1e-6)


def test_kid_of_one_subset_of_everything(
    fidelity: Any, features: tuple[NDArray[np.float32], NDArray[np.float32]]
) -> None:
    size = min(map(len, features))
    real, fake = (side[:size] for side in features)
    expected = fidelity.metric_kid.kid_features_to_metric(
        torch.from_numpy(fake), torch.from_numpy(real), kid_subsets=1, kid_subset_size=size, verbose=False
    )["kernel_inception_distance_mean"]
    assert kid(real, fake).value == pytest.approx(expected, rel=1e-4, abs=1e-6)


def test_kid_of_the_same_subsets(fidelity: Any, features: tuple[NDArray[np.float32], NDArray[np.float32]]) -> None:
    real, fake = features
    expected = fidelity.metric_kid.kid_features_to_metric(
        torch.from_numpy(fake), torch.from_numpy(real), kid_subsets=10, kid_subset_size=40, rng_seed=5, verbose=False
    )
    found = kid_subsets(real, fake, subsets=10, size=40, seed=5)
    assert found.mean == pytest.approx(expected["kernel_inception_distance_mean"], rel=1e-4, abs=1e-6)
    assert found.spread == pytest.approx(expected["kernel_inception_distance_std"], rel=1e-4, abs=1e-6)


def test_inception_score(fidelity: Any) -> None:
    scores = torch.randn(103, 12, generator=torch.Generator().manual_seed(0)) * 3
    expected = fidelity.metric_isc.isc_features_to_metric(scores, splits=10, shuffle=False)
    found = inception_score(scores.double().softmax(1), seed=None)
    assert found.value == pytest.approx(expected["inception_score_mean"], rel=1e-4)
