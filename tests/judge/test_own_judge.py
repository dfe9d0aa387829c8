"""Samples that were trained on a network: another judges them, and nothing is good by their own."""

from __future__ import annotations

import json
import sys
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import gansmith
from gansmith import catalog
from gansmith.errors import OptionError
from gansmith.evaluation.audit.advice import steps
from gansmith.evaluation.audit.audit import answer_all
from gansmith.evaluation.audit.run_facts import RunFacts, read_run_facts
from gansmith.evaluation.protocol import Protocol
from gansmith.evaluation.types import QUESTIONS, Answer, Evidence, Extractor, Number, Outputs, Side, Verdict
from gansmith.judge import chosen_extractors, ruler_at_the_end
from gansmith.judge.audit_run import evaluate
from gansmith.judge.chosen_extractors import choose, why_chosen
from gansmith.judge.compare.compare_runs import compare
from gansmith.judge.end_of_training import end_of_training
from gansmith.judge.run_facts import run_facts
from gansmith.models import saved
from gansmith.runs.run import Run
from small import SMALL

BASE = Protocol("", "toy", "toys", 0, 0, "2x2x1", "raw")


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The names of the extractors whose weights are here; these are untrained networks under the published names."""
    names: set[str] = set()
    plain = catalog.build

    def build(kind: str, name: str, *arguments: Any, **options: Any) -> Any:
        if kind != "features" or name == "pixels":
            return plain(kind, name, *arguments, **options)
        if name not in names:
            raise OptionError(f"the weights of {name} are not here")
        which = name if name in ("mobilenet", "vgg") else "mobilenet"
        return replace(catalog.find("features", which, "untrained")(device="cpu"), name=name)

    monkeypatch.setattr(chosen_extractors.catalog, "build", build)
    return names


@pytest.mark.parametrize(
    ("own", "weights", "chosen"),
    [
        ((), ("mobilenet", "vgg"), "mobilenet"),
        ((), ("vgg",), "pixels"),  # as it was before there was any such run
        (("mobilenet",), ("mobilenet", "vgg"), "vgg"),
        (("mobilenet",), ("mobilenet", "vgg", "inception"), "inception"),
        (("mobilenet",), ("mobilenet",), "pixels"),
        (("vgg",), ("mobilenet", "vgg"), "mobilenet"),
        (("mobilenet", "vgg"), ("mobilenet", "vgg"), "pixels"),
    ],
)
def test_auto_takes_no_network_that_was_trained_on(
    own: Collection[str], weights: Collection[str], chosen: str, here: set[str]
) -> None:
    here.update(weights)
    extractor = choose("auto", None, device="cpu", own=own)
    assert extractor.name == chosen
    said = " ".join(why_chosen(extractor, own))
    assert all(name in said for name in own)
    assert ("does not judge" in said) == bool(own)
    assert ("gansmith features install vgg" in said) == (bool(own) and chosen == "pixels")


def test_a_network_asked_for_by_name_is_taken_and_named(here: set[str]) -> None:
    here.add("mobilenet")
    extractor = choose("mobilenet", None, device="cpu", own=["mobilenet"])
    assert extractor.name == "mobilenet"
    assert "Nothing is called good by it" in why_chosen(extractor, ["mobilenet"])[0]


def answered(verdict: Verdict) -> Any:
    def module(question: str) -> SimpleNamespace:
        said = Answer(question, verdict, f"So it is with {question}.", "share", {"share": Number(0.5)}, BASE, ("sure",))
        return SimpleNamespace(answer=lambda evidence: said)

    return module


@pytest.mark.parametrize("verdict", ["good", "bad", "cannot tell"])
@pytest.mark.parametrize("own", [(), ("toy",), ("other",)])
def test_nothing_is_good_by_the_samples_own_network(
    verdict: Verdict, own: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    for question in QUESTIONS:
        monkeypatch.setitem(sys.modules, f"gansmith.evaluation.audit.{question}", answered(verdict)(question))
    images = np.zeros((4, 2, 2, 1), np.uint8)
    toy = Extractor("toy", "0", "as they are", lambda batch: Outputs(batch.flatten(1).float()))
    evidence = Evidence(Side("a", images), None, (Side("b", images),), toy, toy, BASE, own_networks=own)
    for question, answer in answer_all(evidence).answers.items():
        refused = verdict == "good" and own == ("toy",) and question in ("quality", "diversity")
        assert answer.verdict == ("cannot tell" if refused else verdict)
        assert ("toy" in answer.sentence) == refused
        assert answer.numbers == {"share": Number(0.5)}
        assert answer.details == ((f"So it is with {question}.", "sure") if refused else ("sure",))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short run whose files say that it was trained on MobileNetV2."""
    folder = tmp_path_factory.mktemp("own") / "run"
    run = gansmith.train(**{**SMALL, "fraction": 1.0, "holdout": 0.2, "images": 64, "out": str(folder)})
    files = {}
    for player in run.players:
        path = run.model / f"{player}.safetensors"
        card = saved.read_card(path)
        files[player] = (replace(card, origin={**card.origin, "networks": ["mobilenet"]}), saved.read_state(path))
    saved.save(run.model, files)
    return folder


def test_an_audit_says_who_judges_and_why(run: Path, here: set[str], tmp_path: Path) -> None:
    here.update(("mobilenet", "vgg"))
    few: dict[str, Any] = {"samples": 40, "repeats": 1, "real": 200, "device": "cpu"}
    audit = evaluate(run, out=tmp_path / "auto", **few)
    assert audit.protocol.features.startswith("vgg@")
    above = audit.notes[: audit.above]
    assert [note for note in above if "mobilenet" in note and "vgg does" in note]
    assert json.loads((tmp_path / "auto" / "audit.json").read_text())["protocol"]["features"].startswith("vgg@")
    own = evaluate(run, features="mobilenet", out=tmp_path / "own", **few)
    assert own.protocol.features.startswith("mobilenet@")
    assert [note for note in own.notes[: own.above] if "judges them here" in note]
    assert own.answers["quality"].verdict != "good"
    plain = evaluate(run, features="pixels", out=tmp_path / "pixels", **few)
    assert not [note for note in plain.notes if "features install mobilenet" in note]


def test_a_comparison_takes_a_network_that_none_was_trained_on(run: Path, here: set[str], tmp_path: Path) -> None:
    here.update(("mobilenet", "vgg"))
    small = {**SMALL, "fraction": 1.0, "holdout": 0.2, "images": 64}
    other, third = (gansmith.train(**{**small, "seed": seed, "out": str(tmp_path / f"{seed}")}) for seed in (5, 6))
    found = compare([run, other.path], samples=40, device="cpu")
    assert found.metrics["kid"].protocol.features.startswith("vgg@")
    assert [note for note in found.notes if "samples of run were trained on" in note and "vgg does" in note]
    same = compare([other.path, third.path], samples=40, device="cpu")
    assert same.metrics["kid"].protocol.features.startswith("mobilenet@")
    assert not [note for note in same.notes if "trained on the features" in note]


def test_the_end_of_a_training_takes_another_network(
    run: Path, here: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "gansmith features install vgg" in end_of_training(run)[0]
    here.add("mobilenet")
    assert "gansmith features install vgg" in end_of_training(run)[0]
    here.add("vgg")
    monkeypatch.setattr(ruler_at_the_end, "extractor_here", lambda: pytest.fail("its own network was asked"))
    assert not end_of_training(run, seconds=300)[0].endswith("install vgg")


def test_advice_installs_another_network(run: Path) -> None:
    facts = RunFacts("runs/a", "photos", 640)
    answer = Answer("quality", "cannot tell", "Unknown.", "", {}, BASE)
    for own, network in (((), "mobilenet"), (("mobilenet",), "vgg")):
        plan = steps({"quality": answer}, run=replace(facts, own_networks=own), counts={}, features="pixels@1")
        assert [step for step in plan if f"gansmith features install {network}" in str(step)]
    assert read_run_facts(replace(facts, own_networks=("mobilenet",)).record()).own_networks == ("mobilenet",)
    found = run_facts(Run(run), distinct=10)
    assert found is not None
    assert found.own_networks == ("mobilenet",)
