"""Trials of the judge: deals, conditions, remembered features, one whole trial, and the tables."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from benchmarks.judge import real_runs, table, trial
from benchmarks.judge.conditions import PARTS, Trial
from benchmarks.judge.memory import remembering
from benchmarks.judge.subjects import MOST, SOURCES, Dealt, deal
from benchmarks.judge.textures import textures

from gansmith.evaluation.types import Extractor, Outputs

NOWHERE = Path("nowhere")


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Textures of 16 pixels, 260 of them."""
    monkeypatch.setenv("GANSMITH_CACHE", str(tmp_path / "cache"))
    images, labels = textures(260, 16), np.arange(260) % 5
    source = SOURCES["textures"].__class__("", 16, "textures", training=100, held_out=60)
    monkeypatch.setitem(SOURCES, "textures", source)  # type: ignore[arg-type]  # a mapping that is a dict
    monkeypatch.setattr("benchmarks.judge.subjects.load", lambda *_: (images, labels))
    monkeypatch.setattr("benchmarks.judge.conditions.load", lambda *_: (255 - images, labels))


def dealt(split: int = 0) -> Dealt:
    return deal("textures", NOWHERE, split)


def made(part: str, condition: str) -> Trial:
    found = PARTS[part][condition].make(dealt(), NOWHERE)
    assert found is not None
    return found


def rows(images: Any) -> set[bytes]:
    return {image.tobytes() for image in images}


def test_a_split_deals_every_image_once() -> None:
    sides = [dealt().train[0], dealt().held_out[0], dealt().unseen[0]]
    assert [len(side) for side in sides] == [100, 60, 100]
    assert len(rows(np.concatenate(sides))) == 260
    assert rows(sides[0]) != rows(dealt(1).train[0])
    assert MOST >= 260


def test_samples_are_what_their_condition_says() -> None:
    unseen, trained = rows(dealt().unseen[0]), rows(dealt().train[0])
    assert rows(made("quality", "honest").samples) == unseen
    assert not rows(made("quality", "blur 2").samples) & unseen
    assert len(rows(made("quality", "50 % foreign").samples) & unseen) == 50
    halved = made("diversity", "half gone").samples
    kept = {
        label
        for label, image in zip(dealt().unseen[1], dealt().unseen[0], strict=True)
        if image.tobytes() in rows(halved)
    }
    assert len(kept) == 2
    copies = made("copies", "20 % of three")
    assert copies.share == 0.2
    assert sum(image.tobytes() in trained for image in copies.samples) == 20
    assert len(rows(copies.samples) & trained) == 3
    foreign = made("copies", "foreign held-out").dealt
    assert not set(foreign.held_out[1]) & set(foreign.train[1])


def test_features_are_computed_once(tmp_path: Path) -> None:
    batches: list[int] = []

    def run(images: torch.Tensor) -> Outputs:
        batches.append(len(images))
        return Outputs(images.flatten(1).float(), images.flatten(1).float()[:, :2])

    images = torch.arange(4 * 12, dtype=torch.uint8).reshape(4, 3, 2, 2)
    for _ in range(2):
        extractor = remembering(Extractor("toy", "0", "", run), tmp_path / "features.sqlite")
        outputs = extractor.run(images)
        np.testing.assert_array_equal(outputs.features, images.flatten(1).float())
        assert outputs.logits is not None
        np.testing.assert_array_equal(outputs.logits, images.flatten(1).float()[:, :2])
    assert batches == [4]


def test_a_trial_is_a_line_that_can_be_read_again(tmp_path: Path) -> None:
    toy = Extractor(
        "toy", "0", "", lambda images: Outputs(torch.nn.functional.avg_pool2d(images.float(), 4).flatten(1))
    )
    lines = [trial.run("quality", "textures", name, 0, data=NOWHERE, extractor=toy) for name in ("honest", "phases")]
    file = tmp_path / "trials.jsonl"
    file.write_text("\n".join(json.dumps(line) for line in lines) + '\n{"part": "qua')
    read = trial.read(file)
    assert read == lines
    assert read[0]["answers"]["quality"]["verdict"] != "bad"
    assert (read[0]["samples"], read[0]["training"], read[0]["held_out"]) == (100, 100, 60)


def test_the_table_counts_verdicts_and_orders() -> None:
    def line(verdict: str, split: int, ruler: dict[str, float]) -> dict[str, Any]:
        answers = {"quality": {"verdict": verdict}}
        return {
            "part": "quality",
            "set": "signs",
            "condition": "blur 2",
            "split": split,
            "answers": answers,
            "ruler": ruler,
        }

    names = ("held-out", "after a blur of 1 pixel", "after a blur of 2 pixels")
    right, wrong = (dict(zip(names, values, strict=True)) for values in ((0, 1, 2), (0, 2, 1)))
    text = table.markdown([line("bad", 0, right), line("bad", 1, wrong), line("good", 1, wrong)])
    assert "| blur 2 | bad |  | 1, 0, 1 |" in text  # the newest line of a trial counts
    assert "| held-out < after a blur of 1 pixel < after a blur of 2 pixels |  | 1 of 2 |" in text


def test_pairs_are_those_on_which_all_readers_agree() -> None:
    readers = [[["a"], ["b", "c"], ["d"]], [["a"], ["c"], ["b"], ["d"]], [["a", "b"], ["c"], ["d"]]]
    assert sorted(real_runs.pairs(readers)) == [("a", "c"), ("a", "d"), ("b", "d"), ("c", "d")]
