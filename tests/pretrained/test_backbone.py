"""Backbones: where their four maps are taken, which extractors they are, and what a hub's client must give."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from gansmith.errors import ExperimentError
from gansmith.pretrained import backbone as backbones
from gansmith.pretrained import mobilenet, timm_hub, vgg
from gansmith.pretrained.backbone import STRIDES, Backbone, backbone, extractors_like
from gansmith.pretrained.imagenet import DEVIATION, MEAN
from gansmith.system.seeding import seeded


def standardised(images: Tensor) -> Tensor:
    levels = (images + 1) / 2
    return (levels - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(DEVIATION).view(3, 1, 1)


@pytest.fixture
def images() -> Tensor:
    return torch.rand(2, 3, 64, 96, generator=torch.Generator().manual_seed(0)) * 2 - 1


@pytest.mark.parametrize("name", ["mobilenet", "vgg", "untrained"])
def test_four_maps_of_the_stated_strides(name: str) -> None:
    with torch.device("meta"):
        network = backbone(name)
        maps = network(torch.zeros(1, 3, 64, 96))
    assert [tuple(one.shape) for one in maps] == [
        (1, channels, 64 // stride, 96 // stride) for channels, stride in zip(network.channels, STRIDES, strict=True)
    ]
    assert not network.training
    assert not any(parameter.requires_grad for parameter in network.parameters())


def test_mobilenets_maps_lead_to_its_features(images: Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    """The blocks behind the last map give the features that the extractor of that name compares images by."""
    with seeded("mobilenet"):
        whole = mobilenet.MobileNetV2().eval()
    monkeypatch.setattr(mobilenet, "MobileNetV2", lambda: whole)
    taken = backbones._mobilenet(with_weights=False).eval()
    with torch.no_grad():
        last = taken(images)[-1]
        torch.testing.assert_close(whole.features[18](last).mean((2, 3)), whole.pooled(standardised(images)))


def test_vggs_maps_are_its_activations(images: Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    narrow = vgg.stages(((4, 6), (6,), (8, 7), (5,), (6,)))
    monkeypatch.setattr(vgg, "stages", lambda: narrow)
    taken = backbones._vgg(with_weights=False)
    with torch.no_grad():
        wanted = vgg.activations(narrow, standardised(images))
        maps = taken(images)
        for mine, theirs in zip(maps, [*wanted[2:], functional.max_pool2d(wanted[4], 2)], strict=True):
            torch.testing.assert_close(mine, theirs)


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("mobilenet", ("mobilenet",)),
        ("vgg", ("vgg",)),
        ("untrained", ()),
        ("timm:vgg16_bn", ("vgg",)),
        ("timm:mobilenetv2_100", ("mobilenet",)),
        ("timm:inception_v3", ("inception",)),
        ("timm:vit_small_patch14_dinov2", ("dinov2",)),
        ("timm:tf_efficientnet_lite1", ()),
    ],
)
def test_which_extractors_a_backbone_is(name: str, kinds: tuple[str, ...]) -> None:
    assert extractors_like(name) == kinds


class _Net(nn.Module):
    """What timm's `features_only` networks are, as far as they are used."""

    pretrained_cfg = {"mean": (0.5, 0.4, 0.3), "std": (0.2, 0.25, 0.5)}  # noqa: RUF012  (timm's own form)

    def __init__(self, places: list[int], pretrained: bool) -> None:
        super().__init__()
        self.places, self.pretrained = places, pretrained
        reductions, channels = [2, 4, 8, 16, 32], [3, 4, 5, 6, 7]
        self.feature_info = SimpleNamespace(
            reduction=lambda: [reductions[place] for place in places],
            channels=lambda: [channels[place] for place in places],
        )

    def forward(self, x: Tensor) -> list[Tensor]:
        return [functional.avg_pool2d(x, 2 ** (place + 1)) for place in self.places]


@pytest.fixture
def timm(monkeypatch: pytest.MonkeyPatch) -> None:
    def create_model(name: str, *, pretrained: bool, features_only: bool, out_indices: Any = (0, 1, 2, 3, 4)) -> _Net:
        assert features_only
        if name == "stranger":
            raise RuntimeError("Unknown model (stranger)\nand more")
        if name == "coarse":
            out_indices = [3, 4]
        return _Net(list(out_indices), pretrained)

    monkeypatch.setitem(sys.modules, "timm", SimpleNamespace(create_model=create_model, __spec__=SimpleNamespace()))


@pytest.mark.usefixtures("timm")
def test_a_model_of_a_hub(images: Tensor) -> None:
    network = backbone("timm:any")
    assert network.channels == (4, 5, 6, 7)
    assert isinstance(network.network, _Net)
    assert network.network.pretrained
    values = _Net.pretrained_cfg
    mean, deviation = (torch.tensor(values[name]).view(3, 1, 1) for name in ("mean", "std"))
    theirs = ((images + 1) / 2 - mean) / deviation
    for mine, stride in zip(network(images), STRIDES, strict=True):
        torch.testing.assert_close(mine, functional.avg_pool2d(theirs, stride))
    with torch.device("meta"):
        assert not timm_hub.parts("any", STRIDES, pretrained=False)["network"].pretrained


@pytest.mark.usefixtures("timm")
@pytest.mark.parametrize("name", ["stranger", "coarse"])
def test_a_model_that_a_hub_cannot_give(name: str) -> None:
    with pytest.raises(ExperimentError, match=rf"timm:{name} cannot be had.*--set discriminator\.network=mobilenet"):
        backbone(f"timm:{name}")


@pytest.mark.parametrize("name", ["mobilenet", "vgg"])
def test_the_published_weights(name: str, images: Tensor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where `GANSMITH_TEST_WEIGHTS` names a folder that holds them: finite maps that differ between images."""
    import os

    place = os.environ.get("GANSMITH_TEST_WEIGHTS")
    file = backbones.PUBLISHED[name].file
    if not place or not (Path(place) / file).is_file():
        pytest.skip(f"GANSMITH_TEST_WEIGHTS does not name a folder with {file}")
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / file).symlink_to(Path(place) / file)
    monkeypatch.setenv("GANSMITH_CACHE", str(tmp_path))
    network: Backbone = backbone(name)
    with torch.no_grad():
        for one in network(images):
            assert bool(torch.isfinite(one).all())
            assert float((one[0] - one[1]).abs().mean()) > 1e-3
