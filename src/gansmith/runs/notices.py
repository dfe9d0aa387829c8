"""Notices of a training that goes wrong, or well: what a check saw, in words for someone who never trained a GAN, and
what to paste.

    texture       no layout is seen in the samples, twice running, nor at the last check of the run
    rate          the samples are not like real images, and a learning rate is five times the highest that measured well
    memorising    the discriminator scores training images above held-out ones, twice running
    collapse      the samples are nearly all alike, twice running
    improving     the samples came nearer to the real images, by more than chance

Pure functions of the checks so far (records with `check/...`), the latest last; docs/training.md has the bounds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from statistics import fmean
from typing import Any, NamedTuple

from gansmith.evaluation.audit import commands, remedies
from gansmith.evaluation.audit.run_facts import RunFacts
from gansmith.evaluation.number_format import number

Check = Mapping[str, Any]

TEXTURE, REAL = 0.1, 0.5  # the share of samples in which a layout is seen, at most; of real images, at least
TOLD_APART = 0.65  # P(score of a training image > score of one held out): as the health line has it
ALIKE = 0.25  # of the spread of real images
WILD = 1.5  # of it: 14 checks of runs that worked were at .89 to 1.05, a rate of .04 at 2.2
MOVED, NOISE = 0.1, 0.04  # of the ruler, and units: what 64 samples tell from chance (standard deviation .003 to .03)
RATE = 2e-2  # of Adam; the highest that measured well are 4e-3 of a DCGAN and 8e-3 of StyleGAN2
FAR = 0.7  # units
PLATEAU = 3  # checks
SMALL, WIDTH = 0.05, 64  # of the discriminator's weights; of the recipes here


@dataclass(frozen=True)
class Notice:
    """sign: its name;  words: what was seen;  paste: the command against it, where there is one;  again: said at each
    check at which it stands, not only at the first."""

    sign: str
    words: str
    paste: str = ""
    again: bool = False

    def record(self) -> dict[str, str]:
        """Plain values, for `events.jsonl`.

        >>> Notice("collapse", "All alike.").record()
        {'sign': 'collapse', 'words': 'All alike.', 'paste': ''}
        """
        return {name: value for name, value in asdict(self).items() if name != "again"}

    def lines(self) -> list[str]:
        """For a terminal."""
        return [self.words, *([f"  {self.paste}"] if self.paste else [])]


class PlayersFacts(NamedTuple):
    """rate: the highest learning rate of an optimizer of Adam's kind;  share: weights of the generator, as a share of
    the discriminator's."""

    rate: float = 0.0
    share: float = 1.0


def notices(checks: Sequence[Check], facts: RunFacts, players: PlayersFacts | None = None) -> list[Notice]:
    """What stands at the last of `checks`, the worst first.

    >>> seen = {"images": 50_000, "check/layout": 0.0, "check/real_layout": 0.95}
    >>> [notice.sign for notice in notices([seen, seen], RunFacts("runs/a", "photos", 50_000, asked=60_000))]
    ['texture']
    """
    players = players or PlayersFacts()
    broken = _rate(checks, facts, players.rate) or _collapse(checks, facts)
    if broken is not None:  # what else is seen follows from it
        return [broken]
    texture, memorising = _texture(checks, facts, players.share), _memorising(checks, facts)
    if texture is not None and memorising is not None and texture.paste == memorising.paste:
        texture = replace(texture, paste="")  # it stands once, below the sentence on its cause
    return [notice for notice in (texture, memorising, _improving(checks)) if notice is not None]


def reference(checks: Sequence[Check]) -> Check | None:
    """The check that the last one is compared with: the first that has a ruler, or the last one since at which this had
    moved; None where there is none."""
    measured = [check for check in checks[:-1] if "check/ruler" in check]
    place = measured[0] if measured else None
    for check in measured:
        if place is not None and _moved(place, check):
            place = check
    return place


def improved(checks: Sequence[Check]) -> bool:
    """Whether the ruler of the last check is lower than that of its reference by more than chance."""
    place = reference(checks)
    return place is not None and "check/ruler" in checks[-1] and _moved(place, checks[-1])


def _moved(before: Check, now: Check) -> bool:
    return bool(before["check/ruler"] - now["check/ruler"] > max(NOISE, MOVED * before["check/ruler"]))


def settled(checks: Sequence[Check], count: int = PLATEAU) -> bool:
    """Whether the ruler reached below all earlier checks in none of the last `count`.

    >>> [settled([{"check/ruler": value} for value in (0.6, *others)]) for others in ([0.7, 0.6, 0.6], [0.7, 0.6, 0.5])]
    [True, False]
    """
    values = [check["check/ruler"] for check in checks if "check/ruler" in check]
    return len(values) > count and min(values[-count:]) >= min(values[:-count])


def _texture(checks: Sequence[Check], facts: RunFacts, share_of_weights: float) -> Notice | None:
    last = checks[-1]
    if not _without_layout(last) or not (_twice(checks, _without_layout) or 2 * last["images"] > (facts.asked or 0)):
        return None
    share, real = round(100 * last["check/layout"]), round(100 * last["check/real_layout"])
    words = (
        f"nothing but texture so far, or grain that hides the rest: after {number(last['images'])} images {share} of "
        f"100 samples have their parts in their places, of real images {real}."
    )
    if improved(checks):
        return Notice("texture", f"{words} They still come nearer: wait for the next check.")
    if share_of_weights < SMALL:
        times = number(round(1 / share_of_weights))
        words += f" The generator is too small: it has {times} times fewer weights than the discriminator."
        width = ("--set", f"generator.width={WIDTH}")
        return Notice("texture", words, commands.changed(facts, "wide", *width, images=facts.asked)[0][0])
    return _lacking(last, facts, words)


def _lacking(last: Check, facts: RunFacts, words: str) -> Notice:
    """Texture of a training that has all else: by what it lacks of images, augmentation, recipe or length."""
    few_images = remedies.few_images(facts)
    if few_images is not None:
        return Notice("texture", f"{words} {few_images.do}", few_images.paste)
    if last.get("check/told_apart", 0.5) > TOLD_APART and not facts.augment:
        few = f"{words} The discriminator knows its {number(facts.distinct or 0)} images by heart: they are few."
        return Notice("texture", few, commands.augmented(facts)[0][0])
    if facts.best_recipe is not None and facts.recipe != facts.best_recipe:
        best = f"{words} {facts.best_recipe} made the best samples of all that was tried."
        return Notice("texture", best, commands.with_best(facts)[0][0])
    longer = commands.longer(facts, commands.twice(facts))[0][0]
    return Notice("texture", f"{words} Few images drawn is the usual reason: let it go on, and for longer.", longer)


def _rate(checks: Sequence[Check], facts: RunFacts, rate: float) -> Notice | None:
    last = checks[-1]
    unlike = last["check/ruler"] >= FAR if "check/ruler" in last else last.get("check/spread", 1.0) > WILD
    if rate < RATE or not unlike:
        return None
    words = (
        f"the learning rate is too high: {rate:g}; 0.004 (StyleGAN2: 0.008) and less measured well. After "
        f"{number(last['images'])} images the samples are far from the real ones, and more training will not help: "
        f"begin again with a lower one."
    )
    lower = ("--set", "optimizer.generator.lr=2e-3", "--set", "optimizer.discriminator.lr=2e-3")
    return Notice("rate", words, commands.changed(facts, "slower", *lower, images=facts.asked)[0][0])


def _collapse(checks: Sequence[Check], facts: RunFacts) -> Notice | None:
    if not _twice(checks, lambda check: check.get("check/spread", 1.0) < ALIKE):
        return None
    share = round(100 * checks[-1]["check/spread"])
    words = (
        f"the samples are nearly all alike: they differ {share} % as much as real images do. More training rarely "
        f"mends it."
    )
    remedy = remedies.remedy(facts)
    return Notice("collapse", f"{words} {remedy.do}", remedy.paste)


def _memorising(checks: Sequence[Check], facts: RunFacts) -> Notice | None:
    values = [check["check/told_apart"] for check in checks[-2:] if "check/told_apart" in check]
    if len(values) < 2 or fmean(values) <= TOLD_APART or checks[-1]["check/told_apart"] <= TOLD_APART:
        return None
    pairs = round(100 * fmean(values))
    words = (
        f"the discriminator wins because there are few images ({number(facts.distinct or 0)}): it knows them by heart, "
        f"and scores a training image above a held-out one in {pairs} of 100 pairs (50 by chance)."
    )
    if facts.augment:
        flip = "" if facts.flip else ", and --flip where mirrored images are of the same kind"
        return Notice("memorising", f"{words} More images are the remedy that is left{flip}.")
    words += " If the samples get no better: a run in which it never sees an image twice in the same way."
    return Notice("memorising", words, commands.augmented(facts)[0][0])


def _improving(checks: Sequence[Check]) -> Notice | None:
    best = reference(checks)
    if best is None or not improved(checks):
        return None
    words = (
        f"still improving: the ruler moved from {best['check/ruler']:.2f} at {number(best['images'])} images to "
        f"{checks[-1]['check/ruler']:.2f} at {number(checks[-1]['images'])} (0: as real images are; 1: as real images "
        f"cut into tiles and shuffled)."
    )
    return Notice("improving", words, again=True)


def _without_layout(check: Check) -> bool:
    return bool(check.get("check/layout", 1.0) <= TEXTURE and check.get("check/real_layout", 0.0) >= REAL)


def _twice(checks: Sequence[Check], sign: Any) -> bool:
    return len(checks) > 1 and all(map(sign, checks[-2:]))
