"""The page of a comparison: several runs on one sheet."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gansmith
from gansmith import Run
from gansmith.data.prepare import prepare
from gansmith.errors import OptionError
from gansmith.evaluation import intervals, kid
from gansmith.evaluation.extract import extract
from gansmith.evaluation.features import pixels
from gansmith.evaluation.number_format import interval
from gansmith.evaluation.types import Extractor, Number
from gansmith.judge.audit_run import evaluate
from gansmith.judge.compare.compare_runs import compare
from gansmith.judge.compare.page import measured_on, page
from gansmith.judge.compare.real_images import training_images
from gansmith.judge.compare.run_facts import facts_of, trainings
from small import SMALL

TINY = {**SMALL, "images": 32, "holdout": 0.3}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two trainings of one experiment, a third of another, and two conditional ones."""
    root = tmp_path_factory.mktemp("paged")
    conditional = {
        "generator": {**SMALL["generator"], "conditional": True},
        "discriminator": {**SMALL["discriminator"], "conditional": True},
    }
    changes: dict[str, dict[str, Any]] = {
        "one": {"seed": 1},
        "two": {"seed": 2},
        "wider": {"seed": 1, "generator": {**SMALL["generator"], "width": 8}},
        "classes": {"seed": 1, **conditional},
        "classes2": {"seed": 2, **conditional},
    }
    for name, change in changes.items():
        gansmith.train(out=str(root / name), **{**TINY, **change})
    return {name: root / name for name in changes}


def network() -> Extractor:
    """Pixels under another name: a network whose features see the layout of digits without weights."""
    return replace(pixels.build(device="cpu"), name="network")


def text_of(runs: dict[str, Path], *names: str, extractor: Any = None, **options: Any) -> str:
    found = compare([runs[name] for name in names], samples=40, device="cpu", **options)
    return page(found, extractor or network(), pairs=["one is better than <two>"])


def section(text: str, heading: str) -> str:
    found = re.search(rf"<h2>{re.escape(heading)}</h2>(.*?)(?=<h2>|</main>)", text, re.DOTALL)
    return found[1] if found else ""


def test_three_runs(runs: dict[str, Path]) -> None:
    found = compare([runs[name] for name in ("one", "two", "wider")], samples=40, device="cpu")
    text = page(found, network(), pairs=["one is better than <two>"])
    assert section(text, "How far from the real images").count("<svg") == 1
    assert text.count("data:image/png;base64,") + text.count("data:image/webp;base64,") == 5  # sheets, real, matrix
    ranks = section(text, "Each judged by the others' discriminators")
    order = [one.name for one in found.play.standings]
    assert re.findall(r'<td>\d</td><th scope="row">(\w+)</th>', ranks) == order
    assert "one is better than &lt;two&gt;" in ranks
    cost = section(text, "Cost")
    assert cost.count("<td>32 images</td>") == 3
    assert "cpu, 1 thread" in cost
    assert section(text, "Verdicts").count("gansmith evaluate") == 3
    assert not re.search(r"<script|https?://(?!www\.w3\.org)|onload", text)
    kids = [found.metrics["kid"].numbers[name]["kid"].value for name in ("one", "two")]
    groups = section(text, "Over trainings")
    assert "one, two" in groups
    assert f"<td>KID</td><td>{interval(Number(float(np.mean(kids)), *intervals.mean(kids)))}</td>" in groups


def test_two_runs_have_no_ranks_and_no_trainings(runs: dict[str, Path]) -> None:
    text = text_of(runs, "one", "wider", metrics=())
    ranks = section(text, "Each judged by the others' discriminators")
    assert "no ranks" in ranks
    assert "<table" not in ranks
    assert section(text, "Over trainings") == ""
    assert section(text, "Metrics") == ""


def test_the_ruler_is_measured_from_training_images_in_one_unit(runs: dict[str, Path]) -> None:
    found = compare([runs["one"], runs["two"]], samples=40, device="cpu", metrics=())
    assert found.material is not None
    extractor = network()
    rulers, _ = measured_on(found.material, extractor)
    train = training_images(found.material.contenders, most=600)
    assert train is not None
    assert len(train) == len(prepare(Run(runs["one"]).experiment.data).train)
    held = {image.tobytes() for image in found.material.real.images}
    assert not held & {image.tobytes() for image in train}
    units = {ruler.unit for ruler in rulers.values()}
    assert len(units) == 1
    features = extract(train, extractor, what="training")[0]
    for name, ruler in rulers.items():
        images = found.material.generated[name].images
        expected = kid(features, extract(images, extractor, what=name)[0]).value
        if ruler.held_out is not None:  # else a part of the training images was damaged, and not compared with
            assert ruler.samples.value * ruler.unit == pytest.approx(expected, rel=1e-4)
    assert rulers["one"].samples.value != rulers["two"].samples.value


def test_without_a_network_the_command_that_brings_one_is_named(runs: dict[str, Path]) -> None:
    text = text_of(runs, "one", "two", metrics=(), extractor=pixels.build(device="cpu"))
    assert "gansmith features install mobilenet" in section(text, "How far from the real images")
    assert "<svg" not in text


def test_conditional_runs(runs: dict[str, Path]) -> None:
    text = text_of(runs, "classes", "classes2", metrics=("classification_accuracy",))
    assert "the class that its seed draws" in section(text, "The same seeds")
    assert "classes, classes2" in section(text, "Over trainings")


def test_trainings_are_runs_that_differ_in_their_seed_alone(runs: dict[str, Path]) -> None:
    material = compare([runs[name] for name in ("one", "two", "wider")], samples=4, device="cpu", metrics=()).material
    assert material is not None
    one, two, wider = material.contenders
    assert trainings([one, two, wider]) == [("one", "two")]
    assert trainings([one, wider]) == []
    assert trainings([one, replace(one, name="again")]) == []  # one training, twice


def test_an_audit_of_these_weights_is_shown_and_one_of_others_is_not(runs: dict[str, Path]) -> None:
    material = compare([runs["one"], runs["two"]], samples=4, device="cpu", metrics=()).material
    assert material is not None
    one = material.contenders[0]
    assert facts_of(one).audit is None
    assert f"gansmith evaluate {runs['one']}" in facts_of(one).missing
    audit = evaluate(runs["one"], samples=24, repeats=1, features="pixels", device="cpu")
    facts = facts_of(one)
    assert facts.missing == ""
    assert facts.audit is not None
    assert {q: a.verdict for q, a in facts.audit.answers.items()} == {q: a.verdict for q, a in audit.answers.items()}
    text = text_of(runs, "one", "two", metrics=(), extractor=pixels.build(device="cpu"))
    verdicts = section(text, "Verdicts")
    assert verdicts.count('class="verdict ') == 5
    assert str(audit.protocol.features) in verdicts
    raw = replace(one, generator=replace(one.generator, raw=True))
    if one.generator.averaging == "averaged":
        assert facts_of(raw).audit is None
        assert facts_of(raw).missing.endswith("--raw")
    file = runs["one"] / "audit" / "audit.json"
    record = json.loads(file.read_text())
    record["facts"]["trained for"] = "16 of 32 images"
    file.write_text(json.dumps(record))
    assert facts_of(one).audit is None
    assert "weights after 16 of 32" in facts_of(one).missing


def test_points_have_no_page(runs: dict[str, Path]) -> None:
    found = compare([runs["one"], runs["two"]], samples=4, device="cpu", metrics=())
    with pytest.raises(OptionError, match="--report"):
        page(replace(found, material=None), pixels.build(device="cpu"), pairs=[])
