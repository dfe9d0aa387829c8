"""How the report writes its numbers, and that its words are explained."""

from __future__ import annotations

import math

import pytest

from gansmith.evaluation.audit import report
from gansmith.evaluation.audit.audit import Audit
from gansmith.evaluation.audit.glossary import GLOSSARY, explains
from gansmith.evaluation.protocol import Protocol
from gansmith.evaluation.types import Answer, Number


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (Number(0.0, 0.0, 0.05, "share of the samples"), "0 % (0 % to 5 %)"),
        (Number(0.123, 0.1, None, "share of the samples"), "at least 10 %"),
        (Number(0.123, None, 0.2, "share of the samples"), "12 % (at most 20 %)"),
        (Number(0.0, 0.0, 0.0, "share of the kinds"), "0 %"),
        (Number(11.0, means="share of"), "1,100 %"),
        (Number(math.nan, means="share of"), "not known"),
        (Number(0.5, 0.25, 0.75, "how far"), "0.500 (0.250 to 0.750)"),
    ],
)
def test_shares_are_shown_in_per_cent(number: Number, shown: str) -> None:
    assert report.values({"it": number}) == {"it": shown}


def test_numbers_to_be_compared_are_shown_alike() -> None:
    """A control and what it is the control of, whatever its meaning begins with: both in per cent, or neither."""
    numbers = {
        "precision": Number(0.0033, means="share of the samples"),
        "precision_held_out": Number(0.784, 0.702, 0.853, "the same share of held-out images"),
        "precision_ratio": Number(0.5, means="how many samples pass, for each real one"),
        "authentic_samples": Number(0.94, means="share of the samples that are authentic"),
        "authentic_held_out": Number(0.776, means="the same of images never trained on"),
        "density": Number(0.5, means="how densely"),
        "density_held_out": Number(0.25, means="the same of held-out images"),
    }
    assert list(report.values(numbers).values()) == [
        "0.33 %",
        "78 % (70 % to 85 %)",
        "0.500",
        "94 %",
        "78 %",
        "0.500",
        "0.250",
    ]
    alone = {name: numbers[name] for name in ("precision_ratio", "precision_held_out")}
    assert report.values(alone)["precision_held_out"] == "78 % (70 % to 85 %)"


def test_every_word_of_the_page_has_an_entry() -> None:
    names = ("common_flaw", "layout_ratio", "blends", "held_out_twins", "checkerboard_matched", "layouts_missing")
    assert [explains(name) for name in names] == ["flaw", "layout", "blend", "twin", "checkerboard", "kinds"]
    assert {"phases", "rough"} <= set(GLOSSARY)


def test_the_summary_promises_no_more_than_was_looked_for() -> None:
    """A search finds no copies: it cannot tell that there are none. What is open is said to be open."""
    texts = [words for by_verdict in report._SHORT.values() for words in by_verdict.values()]
    assert not [words for words in texts if "they are no copies" in words or "there are no" in words]
    assert "found" in report._SHORT["memorisation"]["good"]
    assert "found" in report._SHORT["artifacts"]["good"]
    blank = Protocol("", "pixels@1", "digits train", 100, 50, "8x8x1", "averaged")
    one = Answer("collapse", "cannot tell", "A sentence.", "", {}, blank)
    ((verdict, words),) = report.in_short(Audit({"collapse": one}, "toy", blank))
    assert verdict == "cannot tell"
    assert words.startswith("Not settled: whether")
