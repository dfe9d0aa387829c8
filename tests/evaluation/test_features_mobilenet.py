"""MobileNetV2 is torchvision's, to the names of its parameters and the values of its features."""

from __future__ import annotations

import os
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import torch

from gansmith import catalog
from gansmith.errors import OptionError
from gansmith.evaluation import preprocess
from gansmith.evaluation.features.mobilenet import wrap
from gansmith.pretrained.mobilenet import WEIGHTS, MobileNetV2
from gansmith.system.seeding import seeded


@pytest.fixture(scope="module")
def torchvision() -> Any:
    """Beside a torch without an accelerator torchvision lacks two operators, which nothing here calls."""
    missing = torch.library.Library("torchvision", "FRAGMENT")
    for name in ("nms", "qnms"):
        with suppress(RuntimeError):  # it is there
            missing.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            import torchvision
        except Exception as error:
            pytest.skip(f"torchvision cannot be imported: {error}")
    yield torchvision
    del missing


def lively(network: MobileNetV2) -> MobileNetV2:
    """Random weights under which every layer matters to the result."""
    with seeded("mobilenet"), torch.no_grad():
        for module in network.modules():
            if isinstance(module, torch.nn.Conv2d):
                torch.nn.init.kaiming_normal_(module.weight)
            if isinstance(module, torch.nn.BatchNorm2d):
                for values in (module.running_var, module.weight):
                    values.uniform_(0.7, 1.3)
                for values in (module.running_mean, module.bias):
                    values.normal_(0, 0.2)
    return network.eval()


def test_the_network_is_torchvisions(torchvision: Any) -> None:
    ours = lively(MobileNetV2())
    theirs = torchvision.models.mobilenet_v2(weights=None).eval()
    theirs.load_state_dict(ours.state_dict())  # the same names and shapes, or it raises
    assert list(theirs.state_dict()) == list(ours.state_dict())
    images = torch.randn(3, 3, 96, 64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        torch.testing.assert_close(ours(images), theirs(images), rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(ours.pooled(images), theirs.features(images).mean((2, 3)), rtol=1e-4, atol=1e-5)
        assert float(ours(images).std(0).mean()) > 1e-3


def test_the_extractor_brings_images_to_the_network() -> None:
    network = lively(MobileNetV2())
    extractor = wrap(network, "0" * 64, size=64)
    images = torch.randint(0, 256, (2, 1, 40, 30), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        seen = extractor.run(images)
        brought = preprocess.resize(images.float(), (64, 64)).repeat(1, 3, 1, 1)
        mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
        expected = network((brought / 255 - mean[:, None, None]) / deviation[:, None, None])
    assert seen.features.shape == (2, 1280)
    assert seen.logits is not None
    torch.testing.assert_close(seen.logits, expected, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(network.classifier(seen.features), expected, rtol=1e-4, atol=1e-5)
    assert extractor.prepared == "grey repeated, alpha on white, antialiased bicubic to 64x64"
    assert extractor.digest != wrap(network, "0" * 64, size=96).digest


def test_it_asks_for_its_weights(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"mobilenet.*mobilenet_v2-b0353104\.pth.*torchvision's"):
        catalog.build("features", "mobilenet", weights=str(tmp_path))
    with pytest.raises(OptionError, match="size = 16 is not allowed"):
        catalog.build("features", "mobilenet", size=16)


def test_with_its_own_weights_it_knows_what_it_sees(torchvision: Any) -> None:
    """The published file, where `GANSMITH_TEST_WEIGHTS` names a folder that holds it."""
    folder = os.environ.get("GANSMITH_TEST_WEIGHTS")
    if not folder or not (Path(folder) / WEIGHTS.file).is_file():
        pytest.skip(f"GANSMITH_TEST_WEIGHTS does not name a folder with {WEIGHTS.file}")
    extractor = catalog.build("features", "mobilenet", weights=folder, size=224)
    theirs = torchvision.models.mobilenet_v2(weights=None).eval()
    theirs.load_state_dict(torch.load(Path(folder) / WEIGHTS.file, weights_only=True))
    images = torch.randint(0, 256, (2, 3, 224, 224), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    images = torch.nn.functional.avg_pool2d(images.float(), 9, 1, 4).to(torch.uint8)
    mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    with torch.no_grad():
        expected = theirs((images / 255 - mean[:, None, None]) / deviation[:, None, None])
        found = extractor.run(images).logits
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-3)


def test_the_default_size_is_in_the_protocol() -> None:
    """112 pixels: docs/features.md has what it was chosen by."""
    folder = os.environ.get("GANSMITH_TEST_WEIGHTS")
    if not folder or not (Path(folder) / WEIGHTS.file).is_file():
        pytest.skip(f"GANSMITH_TEST_WEIGHTS does not name a folder with {WEIGHTS.file}")
    default, other = (catalog.build("features", "mobilenet", weights=folder, **size) for size in ({}, {"size": 224}))
    assert "112x112" in str(default)
    assert "224x224" in str(other)
    assert default.digest != other.digest
