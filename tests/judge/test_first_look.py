"""A first look at few images: the same questions, other files, nothing remembered. The whole audit is remembered."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gansmith
from gansmith import catalog
from gansmith.errors import OptionError, OutputError
from gansmith.evaluation.audit import history
from gansmith.evaluation.audit.audit import Audit
from gansmith.evaluation.types import QUESTIONS
from gansmith.judge import audit_run as judge
from gansmith.judge import chosen_extractors, comparison
from gansmith.judge.damaged_images import Measured
from gansmith.runs.run import Run
from small import SMALL, files


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("judged") / "run"
    return gansmith.train(**{**SMALL, "holdout": 0.3, "images": 128, "out": str(folder)}).path


@pytest.fixture
def run(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(comparison, "FIRST", 40)
    monkeypatch.setattr(comparison, "FIRST_REAL", 80)
    return Path(shutil.copytree(trained, tmp_path / "run"))


def test_quick_is_a_first_look_and_is_not_remembered(run: Path) -> None:
    before = files(run)
    audit = judge.evaluate(run, quick=True, features="pixels", metrics=["kid"])
    assert {name: content for name, content in files(run).items() if name in before} == before
    assert sorted(path.name for path in (run / "audit").iterdir()) == ["first_look.html", "first_look.json"]
    assert audit.title.startswith("First look")
    assert "First look" in (run / "audit/first_look.html").read_text()
    assert any("first look" in note and f"gansmith evaluate {run}" in note for note in audit.notes)
    assert (audit.counts["samples"], audit.counts["repeats"]) == (40, 1)
    assert audit.counts["training images compared"] == 80
    assert any("80 of 251 training images" in note for note in audit.notes)
    assert audit.protocol.seeds == "0-39"
    assert set(audit.answers) == set(QUESTIONS)
    assert audit.metrics["kid"].protocol.fake_count == 40
    assert json.loads((run / "audit/first_look.json").read_text())["title"] == audit.title
    judge.evaluate(run, quick=True, features="pixels")  # replaces its own
    elsewhere = run.parent / "look"
    judge.evaluate(run, quick=True, features="pixels", out=elsewhere)
    with pytest.raises(OutputError):
        judge.evaluate(run, quick=True, features="pixels", out=elsewhere)


def test_the_whole_audit_follows_a_first_look(run: Path) -> None:
    looks: list[Audit] = []

    def first_look(audit: Audit) -> None:
        assert not (run / "audit").exists()
        looks.append(audit)

    audit = judge.evaluate(run, samples=60, repeats=2, features="pixels", first_look=first_look, metrics=["kid"])
    assert sorted(path.name for path in (run / "audit").iterdir()) == ["audit.json", "history.jsonl", "report.html"]
    assert [look.counts["samples"] for look in looks] == [40]
    assert looks[0].metrics == {}
    assert any("follows" in note for note in looks[0].notes)
    assert audit.counts["samples"] == 120
    assert audit.title.startswith("Audit of")
    alone = judge.evaluate(run, samples=60, repeats=2, features="pixels", metrics=["kid"])
    for question in QUESTIONS:
        assert audit.answers[question].record() == alone.answers[question].record()
    judge.evaluate(run, samples=40, repeats=1, features="pixels", first_look=looks.append)
    assert len(looks) == 1  # so few samples are their own first look
    assert len(history.read(run / "audit")) == 3


def test_what_the_first_look_extracted_is_not_extracted_again(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    extractor = replace(catalog.build("features", "mobilenet", factory="untrained", device="cpu"), batch=20)
    seen: list[int] = []

    def counting(images: Any) -> Any:
        seen.append(len(images))
        return extractor.run(images)

    monkeypatch.setattr(chosen_extractors, "choose", lambda *_, **__: replace(extractor, run=counting))
    monkeypatch.setattr("gansmith.judge.evidence.ruler_and_layout", lambda *_: Measured())
    monkeypatch.setenv("GANSMITH_CACHE", str(run / "cache"))
    judge.evaluate(run, samples=60, repeats=1, first_look=lambda _: seen.append(0))
    first, rest = seen[: seen.index(0)], seen[seen.index(0) + 1 :]
    assert sum(first) == 80 + 80 + 40  # training images, held-out ones, samples
    assert sum(rest) == 180 + 40 + 20  # of 251, 108 and 60, in batches of 20


def test_the_history_of_a_run(run: Path) -> None:
    options: dict[str, Any] = {"samples": 60, "repeats": 1, "features": "pixels"}
    judge.evaluate(run, **options)
    Run(run).resume(images=256)
    again = judge.evaluate(run, **options, raw=True)
    elsewhere = judge.evaluate(run, **options, out=run.parent / "report")
    lines = history.read(run / "audit")
    assert [line["images"] for line in lines] == [128, 256]
    assert [line["averaging"] for line in lines] == ["averaged", "raw"]
    assert lines[0]["protocol"] == lines[1]["protocol"] == history.digest(elsewhere.protocol)
    assert lines[1]["verdicts"] == {question: answer.verdict for question, answer in again.answers.items()}
    assert not (run.parent / "report" / history.FILE).exists()


def test_files_are_looked_at_and_not_remembered(run: Path, tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (100, 8, 8, 1), dtype=np.uint8)
    np.save(tmp_path / "made.npy", images)
    out = tmp_path / "out"
    options: dict[str, Any] = {"against": "digits", "features": "pixels", "out": out}
    quick = judge.evaluate(tmp_path / "made.npy", quick=True, **options)
    assert quick.counts["samples"] == 40
    judge.evaluate(tmp_path / "made.npy", samples=50, repeats=2, **options)
    assert {path.name for path in out.iterdir()} == {"audit.json", "report.html", "first_look.json", "first_look.html"}


def test_options_of_the_features(monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[tuple[str, dict[str, Any]]] = []

    def build(kind: str, name: str, **options: Any) -> Any:
        if name in ("inception", "dinov2"):
            raise OptionError("its weights are not here")
        built.append((name, options))
        return catalog.find("features", "mobilenet", "untrained")(device="cpu")

    monkeypatch.setattr(chosen_extractors.catalog, "build", build)
    chosen_extractors.choose("auto", None, options={"size": 96}, device="cpu")
    assert built[-1] == ("mobilenet", {"weights": None, "device": "cpu", "size": 96})
    chosen_extractors.choose("auto", None, device="cpu")
    assert built[-1] == ("mobilenet", {"weights": None, "device": "cpu"})


def test_an_option_that_the_features_do_not_have(run: Path) -> None:
    with pytest.raises(OptionError, match="no option 'sise'"):
        judge.evaluate(run, features="mobilenet", options={"sise": 96})
    assert not (run / "audit").exists()
