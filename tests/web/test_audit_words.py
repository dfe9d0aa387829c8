"""The verdict of an audit in one sentence, and the steps of an evaluation that runs, from what it wrote."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from gansmith.cli.evaluation_lines import EvaluationLines
from gansmith.evaluation.audit.audit import Audit
from gansmith.evaluation.protocol import Protocol
from gansmith.evaluation.types import QUESTIONS, Answer, Verdict
from gansmith.judge.outlook import Done
from gansmith.web.audit_words import overall, progress

PROTOCOL = Protocol("", "pixels", "digits", 100, 100, "8x8x1", "", "toy")


def answers(**verdicts: str) -> dict[str, object]:
    return {name: {"verdict": verdict} for name, verdict in verdicts.items()}


@pytest.mark.parametrize(
    ("verdicts", "kind", "words", "absent"),
    [
        (dict.fromkeys(QUESTIONS, "good"), "good", ["look like", "no copies", "found"], ["Not", "are no"]),
        (
            {"quality": "cannot tell", "memorisation": "good"},
            "open",
            ["no copies", "found", "whether the images look"],
            ["Yes", "bad", "are no"],
        ),
        ({"quality": "bad", "memorisation": "good"}, "bad", ["do not look", "But no copies", "found"], ["Yes"]),
        (dict.fromkeys(QUESTIONS, "cannot tell"), "open", ["could not decide"], ["nothing bad"]),
    ],
)
def test_all_answers_as_one(verdicts: dict[str, str], kind: str, words: list[str], absent: list[str]) -> None:
    said = overall(answers(**verdicts))
    assert said is not None
    assert said["verdict"] == kind
    assert all(word in said["sentence"] for word in words)
    assert not any(word in said["sentence"] for word in absent)


def test_no_answer_no_sentence() -> None:
    assert overall({"format": 1, "quality": "good", "collapse": None, "diversity": {"verdict": 7}}) is None


def test_the_route_adds_it(own_client: httpx.Client, own_runs: Path) -> None:
    (own_runs / "toy/audit").mkdir()
    (own_runs / "toy/audit/audit.json").write_text(json.dumps(answers(quality="bad")))
    assert own_client.get("/api/runs/toy/audit").json()["overall"]["verdict"] == "bad"


GIVEN: dict[str, tuple[Verdict, str]] = {
    "quality": ("cannot tell", "A sentence of many words " * 6 + "ends here."),
    "collapse": ("good", "Short."),
}


def test_progress_and_first_look_of_what_was_printed() -> None:
    """From the text that an audit prints: with its wrapped sentences whole, and without the whole audit's answers."""
    audit = Audit({q: Answer(q, v, s, "", {}, PROTOCOL) for q, (v, s) in GIVEN.items()}, "toy", PROTOCOL)
    assert progress("starting") == {"share": None, "left": None, "step": None, "first_look": None}
    log = f"{Done(0.317, None, 'first look: making the samples').as_line()}\n"
    assert progress(log) == {"share": 0.31, "left": None, "step": "first look: making the samples", "first_look": None}
    log += f"first look, at 500 samples; the whole audit follows:\n{audit.as_text()}\n\n"
    log += f"{Done(0.62, 41.4, 'Does it? (searching, 10 of 40)').as_line()}\n"
    said = progress(log + "- bad          quality       Another.\n")
    assert (said["share"], said["left"], said["step"]) == (0.62, 41.0, "Does it? (searching, 10 of 40)")
    look = said["first_look"]
    assert look["title"] == "A first look, at 500 samples"
    assert {name: (look[name]["verdict"], look[name]["sentence"]) for name in GIVEN} == GIVEN
    assert look["overall"]["verdict"] == "open"


def test_first_answers_as_they_come(capsys: pytest.CaptureFixture[str]) -> None:
    """One by one, with lines of progress between them; a newer one of the same question takes its place."""
    lines, whole = EvaluationLines(), Protocol("", "pixels", "digits", 100, 500, "8x8x1", "", "toy")
    lines.progress(Done(0.1, 9.0, "first answers, by pixels"))
    lines.answer(Answer("collapse", "bad", "Old.", "", {}, whole))
    lines.progress(Done(0.2, 8.0, "comparing features"))
    for question, (verdict, sentence) in GIVEN.items():
        lines.answer(Answer(question, verdict, sentence, "", {}, whole))
        lines.progress(Done(0.3, 7.0, question))
    said = progress(capsys.readouterr().err)
    look = said["first_look"]
    assert look["title"] == "First answers, at 500 samples"
    assert {name: (look[name]["verdict"], look[name]["sentence"]) for name in GIVEN} == GIVEN
    assert look["overall"] is None
    assert (said["share"], said["step"]) == (0.3, "collapse")
