"""The wrapping of torch-fidelity's Inception, with random weights: the published ones are not needed for it."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import torch

from gansmith import catalog
from gansmith.errors import MissingExtraError, OptionError
from gansmith.evaluation.features import inception
from gansmith.evaluation.types import Extractor
from gansmith.system.seeding import seeded


@pytest.fixture(scope="module")
def network() -> Iterator[Any]:
    """Beside a torch without an accelerator torchvision lacks two operators, which nothing here calls."""
    missing = torch.library.Library("torchvision", "FRAGMENT")
    for name in ("nms", "qnms"):
        with suppress(RuntimeError):  # it is there
            missing.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            made = inception._torch_fidelity()
        except MissingExtraError as error:
            pytest.skip(str(error))
    with seeded("inception"), mock.patch.object(made, "load_state_dict"):
        random = inception._network(made, {})
    yield inception._network(made, random.state_dict())
    del missing


@pytest.fixture(scope="module")
def extractor(network: Any) -> Extractor:
    return inception.wrap(network, "abcdef0123456789" * 4)


def images(channels: int) -> torch.Tensor:
    rng = torch.Generator().manual_seed(channels)
    return torch.randint(0, 256, (2, channels, 40, 33), dtype=torch.uint8, generator=rng)


def test_features_and_logits_are_torch_fidelitys(network: Any, extractor: Extractor) -> None:
    with torch.no_grad():
        seen = extractor.run(images(3))
        features, logits = network(images(3))
    assert seen.features.shape == (2, 2048)
    assert seen.logits is not None
    assert torch.equal(seen.features, features)
    assert torch.equal(seen.logits, logits)
    torch.testing.assert_close(seen.logits, features @ network.fc.weight.T)  # without the bias
    assert seen.logits.shape == (2, 1008)
    assert float((features[0] - features[1]).abs().max()) > 0


def test_grey_and_alpha(extractor: Extractor) -> None:
    grey, alpha = images(1), images(4)
    white = alpha[:, :3].float() * alpha[:, 3:] / 255 + 255 - alpha[:, 3:].float()
    with torch.no_grad():
        for given, brought in ((grey, grey.repeat(1, 3, 1, 1)), (alpha, white.round().to(torch.uint8))):
            assert torch.equal(extractor.run(given).features, extractor.run(brought).features)


def test_what_it_says_of_itself(extractor: Extractor) -> None:
    assert str(extractor) == (
        "inception@abcdef0123456789 (grey repeated, alpha on white, "
        "TensorFlow's bilinear without antialiasing to 299x299)"
    )


def test_the_weights_are_never_unpickled_by_torch_fidelity(network: Any) -> None:
    """What its own loader, which would execute a pickle, is given was written by us, from tensors alone."""
    with mock.patch("torch.load", wraps=torch.load) as load:
        inception._network(type(network), network.state_dict())
    (given,) = [call.args[0] for call in load.call_args_list]
    given.seek(0)
    assert set(torch.load(given, weights_only=True)) == set(network.state_dict())


def test_it_asks_for_its_weights(network: Any, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"inception.*weights-inception-2015-12-05-6726825d\.pth"):
        catalog.build("features", "inception", weights=str(tmp_path))


def test_without_torch_fidelity(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch_fidelity.feature_extractor_inceptionv3", None)
    with pytest.raises(MissingExtraError, match=r"pip install .*judge.*--features mobilenet"):
        catalog.build("features", "inception", weights="anything.pth")
