"""Next step of a run that has ended: the one that measured best in its state, with the evidence for it.

The rules are tried in their order; docs/training.md has the table, and the measurements behind it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gansmith.evaluation.audit import commands
from gansmith.evaluation.audit.advice import Step
from gansmith.evaluation.audit.remedies import few_images, remedy
from gansmith.evaluation.audit.run_facts import RunFacts
from gansmith.evaluation.number_format import number
from gansmith.evaluation.ruler import GOOD
from gansmith.evaluation.types import Seen
from gansmith.judge.ruler_at_the_end import AtTheEnd
from gansmith.runs.notices import PLATEAU, REAL, TEXTURE, improved, reference, settled

Checks = Sequence[Mapping[str, Any]]

_LONGER = "On four sets 3.3 times the images took the ruler down by 11 to 38 %."
_BEST = "It made the best samples of all that was tried for minutes of one core."


def next_step(facts: RunFacts, checks: Checks, measured: AtTheEnd | None) -> Step:
    """Of a run with these checks (records with `check/...`, the latest last), measured at its end or not.

    >>> next_step(RunFacts("runs/a", "photos", 60_000, seconds=60), [], None).commands
    ('gansmith resume runs/a --images 120000',)
    """
    for rule in (_few, _pasted, _from_texture, _good, _memorising, _wider):
        step = rule(facts, checks, measured)
        if step is not None:
            return step
    return _longer(facts, _trend(checks))


def without_layout(layout: Seen | None) -> bool:
    """Whether samples are nothing but texture, as far as the classifier knows layouts of such images."""
    if layout is None or layout.unclear or layout.held_out is None:
        return False
    return layout.samples.value <= TEXTURE and layout.held_out.value >= REAL


def _few(facts: RunFacts, checks: Checks, measured: AtTheEnd | None) -> Step | None:
    few = few_images(facts)
    return few and Step("quality", few.do, "More training would only teach it these by heart.", *few.way)


def _pasted(facts: RunFacts, checks: Checks, measured: AtTheEnd | None) -> Step | None:
    rate = _standing("rate", checks)
    if rate is not None:
        return Step("quality", "Begin a new run.", _sentence(rate["words"]), (rate["paste"],))
    if _standing("collapse", checks) is None:
        return None
    best = remedy(facts)  # by what is known now: the notice may be of an earlier version
    return Step("collapse", best.do, "The samples are nearly all alike; more training rarely mends it.", *best.way)


def _from_texture(facts: RunFacts, checks: Checks, measured: AtTheEnd | None) -> Step | None:
    notice = _standing("texture", checks)
    if not (notice is not None if measured is None else without_layout(measured.layout)):
        return None
    if notice is not None and "generator.width" in notice["paste"]:
        return Step("quality", "Begin a new run.", _sentence(notice["words"]), (notice["paste"],))
    why = "Nothing but texture so far, or grain that hides the rest."
    best = facts.best_recipe
    if not improved(checks) and best is not None and facts.recipe != best:
        do = f"Train a new run with the recipe {best}."
        return Step("quality", do, f"{why} {_BEST}", *commands.with_best(facts))
    return _longer(facts, why)


def _good(facts: RunFacts, checks: Checks, measured: AtTheEnd | None) -> Step | None:
    ruler = None if measured is None else measured.ruler
    if ruler is None or ruler.samples.high is None or ruler.samples.high >= GOOD:
        return None
    why = "By these few samples nothing is left to wish for; an audit asks five questions of a thousand."
    return Step("", "Judge it thoroughly.", why, commands.evaluate(facts))


def _memorising(facts: RunFacts, checks: Checks, measured: AtTheEnd | None) -> Step | None:
    notice = _standing("memorising", checks)
    if notice is None or improved(checks) or facts.augment:
        return None
    do = "Train a new run whose discriminator never sees an image twice in the same way."
    return Step("memorisation", do, _sentence(notice["words"]), *commands.augmented(facts))


def _wider(facts: RunFacts, checks: Checks, measured: AtTheEnd | None) -> Step | None:
    if not settled(checks) or facts.width is None:
        return None
    width = 2 * facts.width
    words = ("--set", f"generator.width={width}", "--set", f"discriminator.width={width}")
    why = f"The ruler did not move in the last {PLATEAU} checks. Nothing was measured that helps most in this state."
    do = f"Train a new run with networks twice as wide ({width})."
    return Step("quality", do, why, *commands.changed(facts, "wide", *words, images=facts.images, times=4))


def _longer(facts: RunFacts, why: str) -> Step:
    images = commands.twice(facts)
    do = f"Continue the run, to {number(images)} images in all."
    return Step("quality", do, f"{why} {_LONGER}".strip(), *commands.longer(facts, images))


def _trend(checks: Checks) -> str:
    best = reference(checks)
    if best is None or not improved(checks):
        return "Nothing speaks against more training."
    now = checks[-1]
    return (
        f"It was still improving: by the checks the ruler moved from {best['check/ruler']:.2f} at "
        f"{number(best['images'])} images to {now['check/ruler']:.2f} at {number(now['images'])}."
    )


def _standing(sign: str, checks: Checks) -> Mapping[str, str] | None:
    """The notice of a sign that stands at the last check, as it was last said."""
    if not checks or sign not in checks[-1].get("signs", ()):
        return None
    said = (notice for check in reversed(checks) for notice in check.get("notices", ()) if notice["sign"] == sign)
    return next(said, None)


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]
