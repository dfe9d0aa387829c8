"""A classifier of one's own as an extractor: found, brought its images, named by its content."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch import Tensor, nn

from gansmith import catalog
from gansmith.adversarial import Dimensions
from gansmith.errors import OptionError, RunError, UnknownNameError
from gansmith.evaluation import preprocess
from gansmith.models import saved
from gansmith.models.saved import Card
from gansmith.system.seeding import seeded

DIMENSIONS = Dimensions(1, 10, 12, classes=3)


class Toy(nn.Module):
    """Features with dropout, so that evaluation mode is seen; no `head`."""

    def __init__(self, dimensions: Dimensions) -> None:
        super().__init__()
        self.inside = nn.Linear(dimensions.channels * dimensions.height * dimensions.width, 5)
        self.last = nn.Linear(5, dimensions.classes)

    def features(self, image: Tensor) -> Tensor:
        return nn.functional.dropout(self.inside(image.flatten(1)), training=self.training)

    def forward(self, image: Tensor, label: Tensor | None = None) -> Tensor:
        logits: Tensor = self.last(self.features(image))
        return logits


class Plain(nn.Linear):
    def __init__(self, dimensions: Dimensions) -> None:
        super().__init__(2, 2)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run's folder with a classifier that is code from outside."""
    monkeypatch.setitem(sys.modules, "my_lab", ModuleType("my_lab"))
    for name, network in (("toy", Toy), ("plain", Plain)):
        module = ModuleType(f"my_lab.{name}")
        module.classifier = network  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, f"my_lab.{name}", module)
    save(tmp_path / "run" / "model", Toy)
    return tmp_path / "run"


def save(folder: Path, network: type[nn.Module], seed: int = 0) -> None:
    with seeded("classifier", seed):
        state = network(DIMENSIONS).state_dict()
    card = Card(
        "classifier", "classifier", f"my_lab.{network.__name__.lower()}", {}, DIMENSIONS, classes=("a", "b", "c")
    )
    saved.save(folder, {"classifier": (card, state)})


def expected(run: Path, scaled: Tensor) -> tuple[Tensor, Tensor]:
    network, _ = saved.load(run / "model", "classifier", trust=True)
    assert isinstance(network, Toy)
    with torch.no_grad():
        return network.features(scaled), network(scaled)


@pytest.mark.parametrize("place", ["", "model", "model/classifier.safetensors"])
def test_found_in_a_run_in_its_model_folder_or_as_a_file(run: Path, place: str) -> None:
    extractor = catalog.build("features", "classifier", weights=str(run / place), trust_model=True)
    images = torch.randint(0, 256, (4, 1, 10, 12), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    seen = extractor.run(images)
    features, logits = expected(run, images / 127.5 - 1)
    torch.testing.assert_close(seen.features, features)
    torch.testing.assert_close(seen.logits, logits)
    assert extractor.classes == ("a", "b", "c")
    assert extractor.prepared == "colour made grey (BT.601), alpha on white, antialiased bicubic to 10x12"


def test_images_are_brought_to_what_it_was_trained_on(run: Path) -> None:
    extractor = catalog.build("features", "classifier", weights=str(run), trust_model=True)
    colour = torch.randint(0, 256, (3, 4, 20, 9), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    levels = preprocess.resize(preprocess.to_channels(colour.float(), 1), (10, 12))
    features, _ = expected(run, levels / 127.5 - 1)
    torch.testing.assert_close(extractor.run(colour).features, features)


def test_it_is_named_by_its_weights(run: Path, tmp_path: Path) -> None:
    first = catalog.build("features", "classifier", weights=str(run), trust_model=True)
    save(tmp_path / "again", Toy)
    save(tmp_path / "other", Toy, seed=1)
    again, other = (
        catalog.build("features", "classifier", weights=str(tmp_path / name), trust_model=True)
        for name in ("again", "other")
    )
    assert first.digest == again.digest != other.digest


@pytest.mark.parametrize("name", ["mnist_net", "darknet", "wrn", "contrastive_net"])
def test_the_classifiers_of_the_house(name: str, tmp_path: Path) -> None:
    """Their logits are their head's of their features, which are computed once."""
    dimensions = Dimensions(3, 32, 32, classes=4)
    with seeded("house"):
        network = Card("classifier", "classifier", name, {}, dimensions).build()
    card = Card("classifier", "classifier", name, {}, dimensions, classes=("a", "b", "c", "d"))
    saved.save(tmp_path, {"classifier": (card, network.state_dict())})
    extractor = catalog.build("features", "classifier", weights=str(tmp_path))
    images = torch.randint(0, 256, (2, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        seen = extractor.run(images)
        torch.testing.assert_close(seen.logits, network.eval()(images / 127.5 - 1))
    assert seen.features.dim() == 2
    assert seen.features.dtype == torch.float32


def test_what_is_no_classifier(run: Path, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="say which with --weights RUN"):
        catalog.build("features", "classifier")
    with pytest.raises(RunError, match=r"nowhere.*gansmith train"):
        catalog.build("features", "classifier", weights=str(tmp_path / "nowhere"))
    with pytest.raises(RunError, match="no player called 'classifier'"):
        catalog.build("features", "classifier", weights=str(tmp_path))
    with pytest.raises(UnknownNameError, match="importing is executing"):
        catalog.build("features", "classifier", weights=str(run))
    save(tmp_path / "plain", Plain)
    with pytest.raises(RunError, match=r"my_lab\.plain.*features\(images\)"):
        catalog.build("features", "classifier", weights=str(tmp_path / "plain"), trust_model=True)
