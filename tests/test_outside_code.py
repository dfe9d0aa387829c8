"""Code from outside that a file names: refused at every door until the user vouches for it, and for nothing else."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import gansmith
from gansmith import Run, catalog
from gansmith.adversarial import Dimensions
from gansmith.cli.main import app
from gansmith.errors import UnknownNameError
from gansmith.experiment.assemble import assemble
from gansmith.experiment.layers import Layer, resolve
from gansmith.experiment.outside_code import outside_names, vouch
from gansmith.experiment.schema import Experiment
from gansmith.experiment.sources import from_assignments
from gansmith.experiment.with_data import with_data
from gansmith.judge import evaluate
from gansmith.judge.classifier import evaluate as grade
from gansmith.judge.compare.compare_runs import compare
from gansmith.judge.linear_probe import probe
from gansmith.judge.translation import evaluate_translation
from gansmith.latent import translate
from gansmith.models import saved
from gansmith.models.saved import Card
from gansmith.speed.interleave import synthetic
from small import SMALL

SOURCE = """
from pathlib import Path
with Path(__file__).with_name("executed").open("a") as file: file.write("x")
from gansmith.models.dcgan import discriminator, generator
from gansmith.models.mnist_net import classifier
from gansmith.models.cyclegan import translator
from gansmith.data.formats.folder import build
"""
DIMENSIONS = Dimensions(1, 16, 16, classes=2)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose experiment and models name own_lab.net; models of own_lab.card; a run of other_lab.net; files of
    settings. No process that opens them has met any of these names."""
    root = tmp_path_factory.mktemp("outside")
    for lab in ("own_lab", "other_lab"):
        (root / lab).mkdir()
        for module in ("net", "card"):
            (root / lab / f"{module}.py").write_text(SOURCE)
    sys.path.insert(0, str(root))
    for lab in ("own_lab", "other_lab"):
        part = {"name": f"{lab}.net", "width": 4}
        fields = {**SMALL, "images": 16, "generator": part, "discriminator": part, "seed": len(lab)}
        gansmith.train(**fields, out=str(root / lab / "run"))
    card = Card("classifier", "classifier", "own_lab.card", {}, DIMENSIONS, classes=("a", "b"))
    catalog.vouch(["own_lab.card"])
    saved.save(root / "classifier" / "model", {"classifier": (card, card.build().state_dict())})
    card = Card("to_b", "translator", "own_lab.card", {"blocks": 1, "width": 1}, Dimensions(1, 8, 8))
    saved.save(root / "translator" / "model", {"to_b": (card, card.build().state_dict())})
    shutil.copytree(root / "own_lab" / "run", root / "translating")
    shutil.copy(root / "translator" / "model" / "to_b.safetensors", root / "translating" / "model")
    (root / "generator.yaml").write_text("generator: {name: own_lab.net, width: 4}\n")
    (root / "format.yaml").write_text("data: {format: own_lab.net}\n")
    (root / "metric.yaml").write_text("metrics: {names: [own_lab.net]}\n")
    (root / "extractor.yaml").write_text("metrics: {names: [kid], features: own_lab.net}\n")
    weights = root / "classifier"
    (root / "model_of_an_extractor.yaml").write_text(
        f"metrics: {{names: [kid], every: 16, samples: 20, "
        f"features: {{name: classifier, weights: {str(weights)!r}, trust_model: true}}}}\n"
    )
    forget()
    return root


@pytest.fixture(autouse=True)
def _as_in_a_new_process(root: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.syspath_prepend(root)
    for mark in root.glob("*/executed"):
        mark.unlink()
    yield
    forget()


def forget() -> None:
    for name in [name for name in sys.modules if name.startswith(("own_lab", "other_lab"))]:
        del sys.modules[name]
    catalog.forget_vouched()


def executed(root: Path) -> set[str]:
    return {mark.parent.name for mark in root.glob("*/executed")}


def small(root: Path, **more: Any) -> dict[str, Any]:
    return {**SMALL, "images": 16, "out": str(root / "new"), **more}


def command(*arguments: Any) -> Any:
    return app(list(map(str, arguments)), standalone_mode=False)


def without(fields: dict[str, Any], *names: str) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if key not in names}


def recorded(root: Path) -> dict[str, Any]:
    return Run(root / RUN).experiment.plain()


def from_environment_alone(root: Path) -> Run:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GANSMITH_GENERATOR", "own_lab.net")
        return gansmith.train(**without(small(root), "generator"))


RUN, MODELS, SET = "own_lab/run", "classifier/model", "digits"
DOORS: dict[str, Callable[[Path], Any]] = {
    "a run's network": lambda root: Run(root / RUN).network(),
    "a run's samples": lambda root: Run(root / RUN).sample(range(2)),
    "a run that goes on": lambda root: Run(root / RUN).resume(images=32),
    "a model's card": lambda root: saved.load(root / RUN / "model"),
    "a model file": lambda root: saved.load(root / RUN / "model" / "generator.safetensors"),
    "a translator": lambda root: translate.load_translator(root / "translator" / "model"),
    "a config": lambda root: gansmith.train(**without(small(root), "generator"), config=root / "generator.yaml"),
    "a recipe's file": lambda root: gansmith.train(
        **without(small(root), "generator"), recipe=str(root / "generator.yaml")
    ),
    "a config's format": lambda root: gansmith.train(**small(root, path=str(root)), config=root / "format.yaml"),
    "a config's metric": lambda root: gansmith.train(**small(root), config=root / "metric.yaml"),
    "a config's extractor": lambda root: gansmith.train(**small(root), config=root / "extractor.yaml"),
    "an extractor's model, which the config itself trusts": lambda root: gansmith.train(
        **small(root), config=root / "model_of_an_extractor.yaml"
    ),
    "a config beside a name given by hand": lambda root: gansmith.train(
        **without(small(root, discriminator="other_lab.net"), "generator"), config=root / "generator.yaml"
    ),
    "the environment": from_environment_alone,
    "an evaluation": lambda root: evaluate(root / RUN, samples=20, real=40),
    "an extractor's model": lambda root: catalog.build("features", "classifier", weights=str(root / "classifier")),
    "an evaluation's classifier": lambda root: evaluate(
        root / RUN, samples=20, real=40, features="pixels", classifier=str(root / "classifier")
    ),
    "a classifier that is graded": lambda root: grade(root / MODELS, against=SET, out=root / "new"),
    "runs that are compared": lambda root: compare([root / RUN, root / "other_lab/run"], metrics=()),
    "a probe": lambda root: probe(root / RUN, SET),
    "a translation that is judged": lambda root: evaluate_translation(root / "translating"),
    "an experiment that is measured": lambda root: synthetic(Experiment.model_validate(recorded(root))),
    "an experiment that is assembled": lambda root: assemble(*with_data(Experiment.model_validate(recorded(root)))),
    "gansmith train --config": lambda root: command("train", SET, "--config", root / "generator.yaml", "--dry-run"),
    "gansmith resume": lambda root: command("resume", root / RUN, "--images", 32),
    "gansmith sample": lambda root: command("sample", root / RUN, "--out", root / "new.png"),
    "gansmith interpolate": lambda root: command("interpolate", root / RUN, 1, 2, "--out", root / "new.png"),
    "gansmith arithmetic": lambda root: command("arithmetic", root / RUN, "--plus", 1, "--out", root / "new.png"),
    "gansmith draw": lambda root: command("draw", root / RUN, "--out", root / "new"),
    "gansmith translate": lambda root: command("translate", root / "translating", root / "x.png", root / "new"),
    "gansmith bench": lambda root: command("bench", "--recipe", root / "generator.yaml"),
}


@pytest.mark.parametrize("door", DOORS)
def test_a_name_in_a_file_is_refused_and_not_imported(door: str, root: Path) -> None:
    with pytest.raises(UnknownNameError, match=r"own_lab\.(net|card).*--trust"):
        DOORS[door](root)
    assert executed(root) == set()
    assert not {"own_lab.net", "own_lab.card"} & sys.modules.keys()
    assert not (root / "new").exists()


@pytest.mark.parametrize("door", DOORS)
def test_one_file_that_is_trusted_opens_no_other(door: str, root: Path) -> None:
    """Before: a run of another lab is opened with trust, and the images of its own code are made."""
    Run(root / "other_lab" / "run", trust=True).sample(range(1))
    assert executed(root) == {"other_lab"}
    with pytest.raises(UnknownNameError, match=r"own_lab\.(net|card).*--trust"):
        DOORS[door](root)
    assert executed(root) == {"other_lab"}


TRUSTED: dict[str, Callable[[Path], Any]] = {
    "a run": lambda root: Run(root / RUN, trust=True).sample(range(2)),
    "a model's card": lambda root: saved.load(root / RUN / "model", trust=True),
    "a translator": lambda root: translate.load_translator(root / "translator" / "model", trust=True),
    "a config": lambda root: gansmith.train(
        **without(small(root), "generator"), config=root / "generator.yaml", trust=True
    ),
    "a config, with an extractor's model": lambda root: gansmith.train(
        **small(root), config=root / "model_of_an_extractor.yaml", trust=True
    ),
    "by hand": lambda root: gansmith.train(**small(root, discriminator={"name": "own_lab.net", "width": 4})),
    "by --set": lambda root: gansmith.train(**small(root), assignments=["discriminator=own_lab.net"]),
    "a format": lambda root: gansmith.open_dataset(folder_of_images(root), format="own_lab.net", trust=True),
    "gansmith data check --format": lambda root: command(
        "data", "check", folder_of_images(root), "--format", "own_lab.net"
    ),
    "gansmith sample --trust": lambda root: command(
        "sample", root / RUN, "--seeds", "0-1", "--out", root / "new" / "x.png", "--trust"
    ),
}


def folder_of_images(root: Path) -> Path:
    if not (root / "images").exists():
        (root / "images").mkdir()
        for index in range(2):
            Image.new("L", (8, 8), 100 + index).save(root / "images" / f"{index}.png")
    return root / "images"


@pytest.mark.parametrize("door", TRUSTED)
def test_it_is_imported_when_the_user_says_so(door: str, root: Path) -> None:
    try:
        TRUSTED[door](root)
    finally:
        shutil.rmtree(root / "new", ignore_errors=True)
    assert executed(root) == {"own_lab"}


def test_weights_are_borrowed_without_any_code(root: Path) -> None:
    try:
        run = gansmith.train(**small(root), start_from=root / RUN)
    finally:
        shutil.rmtree(root / "new", ignore_errors=True)
    assert run is not None
    assert executed(root) == set()


def test_a_run_is_trusted_as_it_is_when_it_is_opened(root: Path, tmp_path: Path) -> None:
    """Files that change behind an open run are not covered."""
    shutil.copytree(root / RUN, tmp_path / "run")
    opened = Run(tmp_path / "run", trust=True)
    for name in ("generator", "discriminator"):
        shutil.copy(root / "other_lab" / "run" / "model" / f"{name}.safetensors", tmp_path / "run" / "model")
    with pytest.raises(UnknownNameError, match=r"other_lab\.net"):
        opened.sample(range(1))
    assert executed(root) == set()


def test_a_data_worker_needs_nobody_to_vouch(root: Path) -> None:
    """The parts are built in the main process; a worker, begun anew, reads images alone."""
    source = gansmith.open_dataset(folder_of_images(root), format="own_lab.net", trust=True)
    catalog.forget_vouched()
    assert [picture.image.shape for picture in source.parallel(workers=2)] == [(8, 8, 1)] * 2


@pytest.mark.parametrize(
    ("layers", "allowed"),
    [
        ([from_assignments(["objective=lab.spiral"])], {"lab.spiral"}),
        ([Layer("arguments", {"objective": "lab.spiral"})], {"lab.spiral"}),
        ([Layer("own.yaml", {"objective": "lab.spiral"})], set()),
        ([Layer("recipe mine", {"objective": "lab.spiral"})], set()),
        ([Layer("environment", {"objective": "lab.spiral"})], set()),
        ([Layer("own.yaml", {"game": "lab.game"}), from_assignments(["objective=lab.spiral"])], {"lab.spiral"}),
        ([Layer("own.yaml", {"objective": "lab.spiral"}), from_assignments(["objective=lab.spiral"])], {"lab.spiral"}),
        ([from_assignments(["data.format=lab.scans"])], {"lab.scans"}),
        ([from_assignments(["metrics.names=kid,lab.score"])], {"lab.score"}),
        ([from_assignments(["metrics.features=lab.net"])], {"lab.net"}),
        ([Layer("own.yaml", {"metrics": {"names": ["lab.score"], "features": "lab.net"}})], set()),
        (
            [Layer("own.yaml", {"data": {"format": "lab.scans"}}), from_assignments(["augment=lab.noise"])],
            {"lab.noise"},
        ),
        ([], set()),
    ],
)
def test_names_given_by_hand_are_vouched_for(
    layers: list[Layer], allowed: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    vouched: set[str] = set()
    monkeypatch.setattr(catalog, "vouch", vouched.update)
    experiment, sources = resolve(layers)
    vouch(experiment, sources)
    assert vouched == allowed
    vouch(experiment, sources, trust=True)
    assert vouched == {name for names in outside_names(experiment).values() for name in names}
