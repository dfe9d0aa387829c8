"""The verdict of an audit in one sentence, and the steps of an evaluation that runs, from what it wrote."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from gansmith.evaluation.audit.audit import Audit
from gansmith.evaluation.protocol import Protocol
from gansmith.evaluation.types import QUESTIONS, Answer, Verdict
from gansmith.web.audit_words import overall, progress

PROTOCOL = Protocol("", "pixels", "digits", 100, 100, "8x8x1", "", "toy")


def answers(**verdicts: str) -> dict[str, object]:
    return {name: {"verdict": verdict} for name, verdict in verdicts.items()}


@pytest.mark.parametrize(
    ("verdicts", "kind", "words", "absent"),
    [
        (dict.fromkeys(QUESTIONS, "good"), "good", ["look like", "no copies"], ["Not"]),
        ({"quality": "cannot tell", "memorisation": "good"}, "open", ["no copies", "whether the images look"], ["Yes"]),
        ({"quality": "bad", "memorisation": "good"}, "bad", ["do not look", "But they are no copies"], ["Yes"]),
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


def test_steps_and_first_look_of_what_was_printed() -> None:
    """From the text that an audit prints: with its wrapped sentences whole, and without the next step."""
    given: dict[str, tuple[Verdict, str]] = {
        "quality": ("cannot tell", "A sentence of many words " * 6 + "ends here."),
        "collapse": ("good", "Short."),
    }
    audit = Audit({q: Answer(q, v, s, "", {}, PROTOCOL) for q, (v, s) in given.items()}, "toy", PROTOCOL)
    log = "first look, step 2 of 6: Do the images look like the real ones?\n"
    assert progress("starting") == {"step": None, "share": None, "first_look": None}
    assert progress(log)["share"] == pytest.approx(1 / 24, abs=1e-4)
    log += f"first look, at 500 samples; the whole audit follows:\n{audit.as_text()}\n\n"
    log += "step 4 of 6: Does the generator repeat itself?\nsearching for copies: 10/40 images, 2 images/s\n"
    said = progress(log)
    assert said["step"].startswith("Step 4 of 6: Does the generator repeat itself?")
    assert "10 of 40" in said["step"]
    assert said["share"] == pytest.approx(0.25 + 0.75 * 0.5)
    look = said["first_look"]
    assert "500" in look["title"]
    assert {name: (look[name]["verdict"], look[name]["sentence"]) for name in given} == given
    assert look["overall"]["verdict"] == "open"
