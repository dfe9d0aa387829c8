"""What the judge says: numbers with their intervals, and an answer to each question a person asks.

Number   a value, its interval and what it means in plain words
Figure   a picture or a plot, with a caption
Answer   one question's verdict, the numbers and figures it rests on, how sure it is, what to try next
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from PIL import Image

from gansmith.evaluation.protocol import Protocol

Verdict = Literal["good", "bad", "cannot tell"]
QUESTIONS: Mapping[str, str] = {  # in the order of the report
    "quality": "Do the images look like the real ones?",
    "memorisation": "Are they copies of the training images?",
    "collapse": "Does the generator repeat itself?",
    "diversity": "Does it cover the variety of the real images?",
    "artifacts": "Do the images carry traces of the network?",
}


@dataclass(frozen=True)
class Number:
    """A value with its interval (95 % unless `level` says otherwise; None where none can be given).

    means: one plain phrase: "of 100 samples, how many look like a real image to the extractor".
    """

    value: float
    low: float | None = None
    high: float | None = None
    means: str = ""
    level: float = 0.95

    def record(self) -> dict[str, Any]:
        return {
            "value": self.value,
            "interval": None if self.low is None and self.high is None else [self.low, self.high],
            "level": self.level,
            "means": self.means,
        }


@dataclass(frozen=True)
class Figure:
    """A picture (pixels) or a plot (a self-contained `<svg>` element), with a caption for people."""

    caption: str
    image: Image.Image | None = None
    svg: str | None = None


@dataclass(frozen=True)
class Answer:
    """The answer to one of QUESTIONS.

    sentence   the verdict in one plain sentence, for someone who never read a paper
    headline   which of `numbers` it mainly rests on; its interval is the answer's
    details    further plain sentences: how sure, what could not be seen
    advice     what to try next, most useful first
    """

    question: str
    verdict: Verdict
    sentence: str
    headline: str
    numbers: Mapping[str, Number]
    protocol: Protocol
    details: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()
    figures: tuple[Figure, ...] = field(default=(), compare=False)

    def record(self) -> dict[str, Any]:
        """As `audit.json` holds it."""
        number = self.numbers.get(self.headline)
        return {
            "question": QUESTIONS[self.question],
            "verdict": self.verdict,
            "sentence": self.sentence,
            "evidence": {
                "headline": self.headline,
                "numbers": {name: value.record() for name, value in self.numbers.items()},
                "details": list(self.details),
                "advice": list(self.advice),
            },
            "interval": None if number is None else number.record()["interval"],
            "protocol": self.protocol.record(),
        }
