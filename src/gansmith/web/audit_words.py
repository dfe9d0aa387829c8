"""The verdict of an audit in one sentence, from its five answers; and what a running evaluation has said so far.

A file of a run folder may have been written by anybody: whatever has not the expected type is left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from gansmith.evaluation.types import QUESTIONS
from gansmith.system.text import printable

_GOOD: Mapping[str, str] = {
    "quality": "the images look like the real ones",
    "memorisation": "they are no copies of the training images",
    "collapse": "the generator does not repeat itself",
    "diversity": "the variety of the real images is covered",
    "artifacts": "the network leaves no traces in them",
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
_FIRST = re.compile(r"^first look, at ([\d,]+) samples", re.MULTILINE)
_ANSWER = re.compile(r"^[+?-] (good|bad|cannot tell) +(\w+) +(.*)$")
_STEP = re.compile(r"^(first look, )?step (\d+) of (\d+): (.*)$", re.MULTILINE)
_COUNTED = re.compile(r"^(.{1,80}): ([\d,]+)/([\d,]+) \w+", re.MULTILINE)


def overall(audit: Mapping[str, Any]) -> dict[str, str] | None:
    """{verdict, sentence}: all answers as one. verdict: good, bad or open; None where no question was answered.

    >>> overall({"memorisation": {"verdict": "good"}, "quality": {"verdict": "bad"}})["sentence"]
    'Not good yet: the images do not look like the real ones. But they are no copies of the training images.'
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
        first = f"So far nothing bad was seen: {fine}." if good else "This audit could not decide."
        return {"verdict": "open", "sentence": first + still}
    return {"verdict": "good", "sentence": f"Yes, by all that was tested: {fine}."} if good else None


def _joined(parts: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join(part for part in (", ".join(parts[:-1]), *parts[-1:]) if part)


def progress(log: str) -> dict[str, Any]:
    """{step, share, first_look} of what a running evaluation has written. step: in words, None before the first; share:
    of all steps, 0 to 1, None where it is not known; first_look: its answers, as an audit has them, None before it."""
    steps = list(_STEP.finditer(log))
    if not steps:
        return {"step": None, "share": None, "first_look": _first_look(log)}
    first, number, count, what = steps[-1].groups()
    staged = first is not None or any(one[1] for one in steps)
    done = max(0, int(number) - 1) / max(1, int(count))
    counted = list(_COUNTED.finditer(log, steps[-1].end()))
    detail = f" ({counted[-1][1]}, {counted[-1][2]} of {counted[-1][3]})" if counted else ""
    share = done if not staged else done / 4 if first else 0.25 + 0.75 * done
    return {
        "step": printable(f"{'First look: s' if first else 'S'}tep {number} of {count}: {what}{detail}")[:200],
        "share": round(share, 4),
        "first_look": _first_look(log),
    }


def _first_look(log: str) -> dict[str, Any] | None:
    """The answers of the first look, which are printed as wrapped lines that end with an empty one."""
    begin = _FIRST.search(log)
    if begin is None:
        return None
    said: dict[str, Any] = {}
    name = None
    for line in log[begin.end() :].splitlines()[1:]:
        answer = _ANSWER.match(line)
        if answer is not None and answer[2] in QUESTIONS:
            verdict, name, sentence = answer.groups()
            said[name] = {"question": QUESTIONS[name], "verdict": verdict, "sentence": sentence}
        elif name is not None and line.startswith("    "):
            said[name]["sentence"] += " " + line.strip()
        elif name is not None:
            break
    return {"title": f"A first look, at {begin[1]} samples", **said, "overall": overall(said)} if said else None
