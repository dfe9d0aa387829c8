"""The five questions asked, what becomes of a question that cannot be answered, and audit.json there and back."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from gansmith.errors import DataError, RunError, UnknownNameError
from gansmith.evaluation.audit.audit import Audit, answer_all, read
from gansmith.evaluation.audit.report import write
from gansmith.evaluation.protocol import Protocol
from gansmith.evaluation.types import QUESTIONS, Answer, Evidence, Extractor, Number, Outputs, Side

BASE = Protocol("", "pixels@1 (as they are)", "digits train", 40, 20, "8x8x1", "averaged", "toy", "0 to 19")


def nothing(batch: torch.Tensor) -> Outputs:
    raise AssertionError("no question was to look at images")


@pytest.fixture
def evidence() -> Evidence:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (80, 8, 8, 1), dtype=np.uint8)
    pixels = Extractor("pixels", "1", "as they are", nothing)
    return Evidence(
        train=Side("train", images[:40]),
        holdout=Side("holdout", images[40:50]),
        fakes=(Side("a", images[50:65]), Side("b", images[65:])),
        extractor=pixels,
        copies=pixels,
        base=BASE,
        seed=3,
    )


def said(question: str, evidence: Evidence) -> Answer:
    return Answer(
        question=question,
        verdict="good",
        sentence=f"All is well with {question}.",
        headline="share",
        numbers={"share": Number(0.5, 0.25, 0.75, "of all", 0.9), "odd": Number(math.inf, -math.inf, 3.0)},
        protocol=evidence.base.of(f"{question}()"),
        details=("sure",),
    )


def refuse(evidence: Evidence) -> Answer:
    raise DataError("2 images are given, at least 10 are needed: use more")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every question answers; the order in which they were asked."""
    order: list[str] = []

    def answering(question: str) -> Callable[[Evidence], Answer]:
        def answer(evidence: Evidence) -> Answer:
            order.append(question)
            return said(question, evidence)

        return answer

    for question in QUESTIONS:
        module = SimpleNamespace(answer=answering(question))
        monkeypatch.setitem(sys.modules, f"gansmith.evaluation.audit.{question}", module)
    return order


def test_every_question_is_asked(asked: list[str], evidence: Evidence) -> None:
    audit = answer_all(evidence, subject="signs", title="T", facts={"when": "today"}, notes=["n"])
    assert list(audit.answers) == asked == list(QUESTIONS)
    assert audit.answers["collapse"] == said("collapse", evidence)
    assert (audit.subject, audit.title, audit.facts, audit.notes) == ("signs", "T", {"when": "today"}, ("n",))
    assert audit.protocol == BASE
    assert audit.counts == {"training images compared": 40, "real images held out": 10, "samples": 30, "repeats": 2}


def test_some_questions_in_the_order_of_the_report(asked: list[str], evidence: Evidence) -> None:
    audit = answer_all(replace(evidence, holdout=None), questions=["artifacts", "quality"])
    assert list(audit.answers) == asked == ["quality", "artifacts"]
    assert audit.subject == "toy"  # as the protocol calls it
    assert audit.counts["real images held out"] == 0


def test_a_question_that_does_not_exist(asked: list[str], evidence: Evidence) -> None:
    with pytest.raises(UnknownNameError, match=r"'qualty'.*'quality'.*artifacts"):
        answer_all(evidence, questions=["quality", "qualty"])
    assert asked == []  # said before any work


def test_one_refusal_does_not_cost_the_others(
    asked: list[str], evidence: Evidence, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules["gansmith.evaluation.audit.memorisation"], "answer", refuse)
    answers = answer_all(evidence).answers
    assert list(answers) == list(QUESTIONS)
    answer = answers["memorisation"]
    assert (answer.question, answer.verdict, answer.headline) == ("memorisation", "cannot tell", "")
    assert (answer.numbers, answer.protocol) == ({}, BASE)
    assert "2 images are given, at least 10 are needed: use more" in answer.sentence
    assert answers["memorisation"].record()["interval"] is None


def test_a_bug_is_not_hidden(asked: list[str], evidence: Evidence, monkeypatch: pytest.MonkeyPatch) -> None:
    def bug(evidence: Evidence) -> Answer:
        raise ZeroDivisionError

    monkeypatch.setattr(sys.modules["gansmith.evaluation.audit.quality"], "answer", bug)
    with pytest.raises(ZeroDivisionError):
        answer_all(evidence)


def test_the_sheets_show_the_first_samples_and_some_real_images(asked: list[str], evidence: Evidence) -> None:
    made, real = answer_all(evidence).sheets
    assert "15" in made.caption
    assert "30" in real.caption
    assert made.image is not None
    assert real.image is not None
    assert made.image.size == (1 + 6 * 9, 1 + 3 * 9)  # one pixel round each
    assert real.image.size == (1 + 6 * 9, 1 + 5 * 9)
    assert evidence.fakes[0].images is not None
    np.testing.assert_array_equal(np.asarray(made.image)[10:18, 1:9], evidence.fakes[0].images[6, :, :, 0])
    again = answer_all(evidence).sheets[1].image
    other = answer_all(replace(evidence, seed=4)).sheets[1].image
    np.testing.assert_array_equal(np.asarray(real.image), np.asarray(again))
    assert not np.array_equal(np.asarray(real.image), np.asarray(other))


def test_without_images_there_are_no_sheets(asked: list[str], evidence: Evidence) -> None:
    bare = Side("bare", features=np.zeros((5, 2), np.float32))
    audit = answer_all(replace(evidence, train=bare, fakes=(bare,)))
    assert audit.sheets == ()
    assert audit.counts["samples"] == 5


def test_the_shape_of_audit_json(asked: list[str], evidence: Evidence) -> None:
    record = answer_all(evidence, subject="signs").record()
    assert list(record) == [
        "format",
        "version",
        "title",
        "subject",
        "counts",
        "facts",
        "notes",
        "above",
        "protocol",
        *QUESTIONS,
        "next",
    ]
    assert record["format"] == 1
    assert record["quality"] == {
        "question": QUESTIONS["quality"],
        "verdict": "good",
        "sentence": "All is well with quality.",
        "evidence": {
            "headline": "share",
            "numbers": {
                "share": {"value": 0.5, "interval": [0.25, 0.75], "level": 0.9, "means": "of all"},
                "odd": {"value": None, "interval": [None, 3.0], "level": 0.95, "means": ""},
            },
            "details": ["sure"],
            "advice": ["Install the features of a network, and evaluate again."],  # of the steps, those that serve it
            "needs": [],
        },
        "interval": [0.25, 0.75],
        "protocol": BASE.of("quality()").record(),
    }


def test_there_and_back(asked: list[str], evidence: Evidence, tmp_path: Path) -> None:
    audit = answer_all(evidence, subject="<signs>", facts={"when": "today"}, notes=("n",))
    finite = {q: replace(a, numbers={"share": a.numbers["share"]}) for q, a in audit.answers.items()}
    audit = replace(audit, answers=finite)
    data, page = write(audit, tmp_path / "run" / "audit")
    assert (data, page) == (tmp_path / "run" / "audit" / "audit.json", tmp_path / "run" / "audit" / "report.html")
    assert sorted(path.name for path in data.parent.iterdir()) == ["audit.json", "report.html"]
    assert json.loads(data.read_text()) == audit.record()
    assert page.read_text().startswith("<!doctype html>")
    assert "&lt;signs&gt;" in page.read_text()
    assert read(data) == read(data.parent) == audit


def test_what_is_not_finite_is_valid_json(asked: list[str], evidence: Evidence, tmp_path: Path) -> None:
    data, _ = write(answer_all(evidence), tmp_path)

    def no(name: str) -> None:
        raise AssertionError(name)

    json.loads(data.read_text(), parse_constant=no)
    back = read(data).answers["quality"].numbers["odd"]
    assert math.isnan(back.value)
    assert (back.low, back.high) == (None, 3.0)


def test_nothing_is_written_when_the_page_cannot_be_made(
    asked: list[str], evidence: Evidence, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(audit: Audit) -> str:
        raise DataError("no page")

    monkeypatch.setattr("gansmith.evaluation.audit.report.page", fail)
    with pytest.raises(DataError, match="no page"):
        write(answer_all(evidence), tmp_path / "audit")
    assert not (tmp_path / "audit").exists()


def test_five_answers_and_the_next_step(asked: list[str], evidence: Evidence, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["gansmith.evaluation.audit.collapse"], "answer", refuse)
    audit = answer_all(evidence)
    lines = audit.as_text().splitlines()
    next_step = lines[lines.index("") + 1]
    assert next_step.startswith(f"next: {audit.steps[0].do}"[:60])
    assert lines[0] == "+ good         quality       All is well with quality."
    assert lines[2].startswith("? cannot tell  collapse      ")
    assert "2 images" in lines[2]
    assert all(line.isascii() and len(line) <= 100 for line in lines)


def test_long_sentences_are_wrapped_below_themselves(evidence: Evidence, asked: list[str]) -> None:
    audit = answer_all(evidence)
    long = replace(audit.answers["quality"], sentence=f"{'A sentence ' * 20}of 12\u202f300 \u2212 1.")
    lines = replace(audit, answers={"quality": long}).as_text().splitlines()
    first = lines[: lines.index("")]
    assert len(first) > 2
    assert all(len(line) <= 100 for line in first)
    assert all(line[:29].isspace() and line[29] != " " for line in first[1:])
    assert "12,300 - 1." in first[-1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, r"no audit at .*gansmith evaluate"),
        ("{", r"audit.json.*gansmith evaluate"),
        ("[1]", r"audit.json.*format None.*format 1.*gansmith evaluate"),
        ('{"format": 2}', r"audit.json.*format 2.*format 1.*gansmith evaluate"),
        ('{"format": 1}', r"audit.json.*'subject'.*gansmith evaluate"),
    ],
)
def test_audits_that_cannot_be_read(tmp_path: Path, text: str | None, message: str) -> None:
    if text is not None:
        (tmp_path / "audit.json").write_text(text)
    with pytest.raises(RunError, match=message):
        read(tmp_path)


def test_a_verdict_that_does_not_exist(asked: list[str], evidence: Evidence, tmp_path: Path) -> None:
    data, _ = write(answer_all(evidence), tmp_path)
    data.write_text(data.read_text().replace('"verdict": "good"', '"verdict": "fine"'))
    with pytest.raises(RunError, match=r"quality.*'fine'"):
        read(data)
