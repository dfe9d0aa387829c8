"""The verdict of an audit in one sentence, from its five answers; and what a running evaluation has said so far.

A file of a run folder may have been written by anybody: whatever has not the expected type is left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from gansmith.evaluation.types import QUESTIONS
from gansmith.judge.outlook import read_line
from gansmith.system.text import printable

_GOOD: Mapping[str, str] = {
    "quality": "the images look like the real ones",
    "memorisation": "no copies of training images were found",
    "collapse": "the generator does not repeat itself",
    "diversity": "the variety of the real images is covered",
    "artifacts": "no trace of the network that matters was found",
}
_BAD: Mapping[str, str] = {
    "quality": "the images do not look like the real ones",
    "memorisation": "some are copies of training images",
    "collapse": "the generator repeats itself",
    "diversity": "kinds of real images are missing",
    "artifacts": "the network leaves traces in them",
}
_OPEN: Mapping[str, str] = {
    "quality": "whether the images look real",
    "memorisation": "whether they are copies",
    "collapse": "whether the generator repeats itself",
    "diversity": "whether all kinds of images come",
    "artifacts": "whether the network leaves traces",
}
_FIRST = re.compile(r"^first (look|answers), at ([\d,]+) samples")
_ANSWER = re.compile(r"^[+?-] (good|bad|cannot tell) +(\w+) +(.*)$")


def overall(audit: Mapping[str, Any]) -> dict[str, str] | None:
    """{verdict, sentence}: all answers as one. verdict: good, bad or open; None where no question was answered.

    >>> overall({"memorisation": {"verdict": "good"}, "quality": {"verdict": "bad"}})["sentence"]
    'Not good yet: the images do not look like the real ones. But no copies of training images were found.'
    """
    verdicts = {name: audit[name].get("verdict") for name in QUESTIONS if isinstance(audit.get(name), dict)}
    good, bad, unknown = (
        [words[name] for name, verdict in verdicts.items() if verdict == wanted]
        for wanted, words in (("good", _GOOD), ("bad", _BAD), ("cannot tell", _OPEN))
    )
    fine, still = _joined(good), f" Not known yet: {_joined(unknown)}." if unknown else ""
    if bad:
        return {"verdict": "bad", "sentence": f"Not good yet: {_joined(bad)}.{f' But {fine}.' if good else ''}{still}"}
    if unknown:
        first = f"Not settled yet. So far: {fine}." if good else "This audit could not decide."
        return {"verdict": "open", "sentence": first + still}
    return {"verdict": "good", "sentence": f"Yes, by all that was tested: {fine}."} if good else None


def _joined(parts: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join(part for part in (", ".join(parts[:-1]), *parts[-1:]) if part)


def progress(log: str) -> dict[str, Any]:
    """{share, left, step, first_look} of what a running evaluation has written. share: of its time, 0 to 1;  left:
    seconds;  step: what it does, in words;  each None where it is not known;  first_look: as an audit has its answers,
    None before one, and without `overall` while they are not all there."""
    lines = log.splitlines()
    said = next(filter(None, map(read_line, reversed(lines))), None)
    return {
        "share": None if said is None else said.share,
        "left": None if said is None else said.left,
        "step": None if said is None else printable(said.what)[:200],
        "first_look": _first_look(lines),
    }


def _first_look(lines: Sequence[str]) -> dict[str, Any] | None:
    """The newest answers of the first look, each of wrapped lines: those that came early one by one, then all."""
    said: dict[str, Any] = {}
    samples, whole, name = "", False, None
    for line in lines:
        begin, answer = _FIRST.match(line), _ANSWER.match(line)
        if begin is not None:
            samples, whole, name = begin[2], whole or begin[1] == "look", None
        elif samples and answer is not None and answer[2] in QUESTIONS:
            verdict, name, sentence = answer.groups()
            said[name] = {"question": QUESTIONS[name], "verdict": verdict, "sentence": sentence}
        elif name is not None and line.startswith("    "):
            said[name]["sentence"] += " " + line.strip()
        elif name is not None and whole:
            break  # the look is over: what follows is of the whole
        else:
            name = None
    if not said:
        return None
    title = f"A first look, at {samples} samples" if whole else f"First answers, at {samples} samples"
    return {"title": title, **said, "overall": overall(said) if whole else None}
