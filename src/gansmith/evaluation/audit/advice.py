"""Advice of an audit: what is most likely wrong, by all five answers and the run together, and what to do about it.

The one place where steps are chosen, so that no two answers advise against each other. A generator that repeats itself
or its training images is never trained further: it would go on doing so. (Not so one that is young and whose samples
have no layout yet: they are alike as fog is.) Then come what no answer can be had without (features, held-out images),
quality, and what is left of the others. Every step has the reason for it, the commands to paste where they are known,
and what they cost at the run's own pace.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from gansmith.evaluation.audit import commands
from gansmith.evaluation.audit.quality_seen import missing
from gansmith.evaluation.audit.remedies import calmed, few_images, remedy
from gansmith.evaluation.audit.run_facts import RunFacts
from gansmith.evaluation.number_format import number
from gansmith.evaluation.ruler import GOOD
from gansmith.evaluation.types import Answer
from gansmith.system.text import wrapped

YOUNG = 50_000  # images of training: until then samples that repeat themselves may still become images
FEW_SAMPLES = 1000  # docs/evaluation.md: take so many or more
FEW_HELD_OUT = 125  # copies at 5 % are seen with probability .85 beside so many, .17 beside 50 (docs/memorisation.md)
_PIXELS = "pixels@"  # the beginning of a protocol's features
_FEATURES = ("--features", "--weights", "--set")  # options that choose them


@dataclass(frozen=True)
class Step:
    """One thing to do. why: what it answers to;  commands: to paste, none where the subject is files;  forecast: what
    they cost, in words, empty where nothing is known of it;  question: of the answer that it serves."""

    question: str
    do: str
    why: str
    commands: tuple[str, ...] = ()
    forecast: str = ""

    def as_text(self, begin: str = "") -> str:
        """`begin`, what to do and why, wrapped; then each command on a line of its own, however long; then the cost.

        >>> print(Step("quality", "Continue.", "It is early.", ("gansmith resume runs/a",), "1 hour").as_text())
        Continue. It is early.
          gansmith resume runs/a
          cost: 1 hour
        """
        cost = [f"  cost: {self.forecast}"] if self.forecast else []
        return "\n".join(
            [wrapped(f"{begin}{self.do} {self.why}"), *(f"  {command}" for command in self.commands), *cost]
        )


@dataclass(frozen=True)
class Symptoms:
    """What the five answers say together.

    repeats, copies      collapse is bad; memorisation is bad
    far                  the samples are surely not like the real images, or surely not yet
    lacking              kinds of images are missing, though the samples are varied in themselves
    checkerboard, smooth, rough   traces of the network
    pixels               nobody has judged yet whether the samples look real
    foreign              the held-out images are unfit: of another kind, training images, or samples
    twins                held-out images have twins among the training images, so that copies hide among them
    wrong, unsure        an answer is bad, whatever it is;  an answer cannot tell
    few_samples, few_held_out     an answer cannot tell, and there are few of them
    """

    repeats: bool
    copies: bool
    far: bool
    lacking: bool
    checkerboard: bool
    smooth: bool
    rough: bool
    pixels: bool
    foreign: bool
    twins: bool
    wrong: bool
    unsure: bool
    few_samples: bool
    few_held_out: bool


def symptoms(answers: Mapping[str, Answer], *, counts: Mapping[str, int], features: str) -> Symptoms:
    """The symptoms in the answers: their verdicts, and the numbers that these rest on."""
    bad = {name for name, answer in answers.items() if answer.verdict == "bad"}
    unsure = {name for name, answer in answers.items() if answer.verdict == "cannot tell"}
    artifacts = answers.get("artifacts")
    trace = artifacts.headline if artifacts is not None and "artifacts" in bad else ""
    fine = artifacts.numbers[trace].value if artifacts is not None and trace == "high_frequencies" else 0.0
    foreign = any("other held-out images" in answers[name].needs for name in unsure)
    return Symptoms(
        repeats="collapse" in bad,
        copies="memorisation" in bad,
        far="quality" in bad or _not_yet(answers.get("quality")),
        lacking="diversity" in bad,
        checkerboard=trace == "checkerboard",
        smooth=fine < 0,
        rough=fine > 0,
        pixels=features.startswith(_PIXELS) and "quality" in answers,
        foreign=foreign,
        twins=any("held-out images without twins" in answers[name].needs for name in unsure),
        wrong=bool(bad),
        unsure=bool(unsure),
        few_samples=bool(unsure) and not foreign and counts.get("samples", FEW_SAMPLES) < FEW_SAMPLES,
        few_held_out=bool(unsure & {"memorisation", "quality"})
        and not foreign
        and counts.get("real images held out", FEW_HELD_OUT) < FEW_HELD_OUT,
    )


def steps(
    answers: Mapping[str, Answer], *, run: RunFacts | None = None, counts: Mapping[str, int], features: str = ""
) -> tuple[Step, ...]:
    """What to do, the most likely first; at least one step. run: None for images in files.

    >>> [step.do for step in steps({}, counts={})]
    ['Look at more samples than a report shows, and let people try to tell them from real images.']
    """
    signs = symptoms(answers, counts=counts, features=features)
    fog = "quality" in answers and signs.far and "layout" in missing(answers["quality"].numbers)
    if run is not None and run.images < YOUNG and fog and not signs.copies:
        signs = replace(signs, repeats=False)
    plan = [*_repetition(signs, run), *_without_which_no_answer(signs, run)]
    if not (signs.repeats or signs.copies):
        plan += [*_quality(signs, run), *_traces(signs, run)]
    plan += _precision(signs, run)
    return tuple(plan) or (_look(signs, run),)


def _not_yet(quality: Answer | None) -> bool:
    """Whether an answer that cannot tell is still sure that the samples are not quite like real images."""
    if quality is None or quality.verdict != "cannot tell":
        return False
    place = quality.numbers.get("ruler")
    return (place is not None and place.low is not None and place.low > GOOD) or bool(missing(quality.numbers))


def _repetition(signs: Symptoms, run: RunFacts | None) -> list[Step]:
    plan = []
    way, left = commands.augmented(run), remedy(run)
    if signs.repeats and not (signs.copies and left.way == way):  # once
        why = "The generator repeats itself; more training rarely brings the variety back that it has lost."
        if signs.copies:
            why = "The generator repeats a few training images; more training would only make them sharper."
        plan.append(Step("collapse", left.do, why, *left.way))
    if signs.copies:
        distinct = "" if run is None or not run.distinct else f" than these {number(run.distinct)}"
        do = f"Give more images{distinct} if you can."
        if run is None or way[0]:
            do = "Train a new run whose discriminator never sees an image twice in the same way"
            do += f", and give it more images{distinct} if you can."
        why = "The samples copy training images: the discriminator knows those by heart. Training on makes it worse."
        plan.append(Step("memorisation", do, why, *way))
    return plan


def _without_which_no_answer(signs: Symptoms, run: RunFacts | None) -> list[Step]:
    plan = []
    if signs.pixels:
        plan.append(
            Step(
                "quality",
                "Install the features of a network, and evaluate again.",
                "Nobody has judged yet whether these look real: pixels see layout and colour, not what is in an image.",
                (commands.install_features(run), *commands.evaluate(run, without=_FEATURES)),
                "a download of 14 MB",
            )
        )
    if signs.foreign:
        plan.append(
            Step(
                "quality",
                "Give real images of the kind that was trained on, but that were never trained on.",
                "These are of another kind, too few, or not held out at all: nothing can be measured by them.",
                commands.evaluate(run, "--holdout", "OTHER_IMAGES"),
            )
        )
    return plan


def _quality(signs: Symptoms, run: RunFacts | None) -> list[Step]:
    """Steps towards images that look real: of all, to train on is the surest while nothing speaks against it."""
    if not signs.far:
        return _lacking(signs, run)
    why = "The samples are not yet like the real images"
    if run is None:
        return [Step("quality", "Train the generator that made these further, and evaluate again.", f"{why}.")]
    few = few_images(run)
    if few is not None:
        return [Step("quality", few.do, f"{why}; more training would only teach it these by heart.", *few.way)]
    plan = []
    if "diverging" in run.health:
        calmer = calmed(run)
        why = f"{why}, and the training diverges: to go on would not help."
        plan.append(Step("quality", calmer.do, why, *calmer.way))
    elif signs.checkerboard and run.upsample == "transposed":
        plan.append(_resize(run, f"{why}, and a checkerboard lies over them that no further training removes."))
    elif run.improving is not False:
        plan.append(_longer(run, why))
    if "memorising" in run.health and not run.augment:
        do = "If that is not enough: a new run whose discriminator never sees an image twice in the same way."
        reason = (
            "It scores training images above held-out ones, and what it knows by heart teaches the generator little."
        )
        plan.append(Step("quality", do, reason, *commands.augmented(run)))
    if run.best_recipe is not None and run.recipe != run.best_recipe and "diverging" not in run.health:
        do = f"Train a new run with the recipe that measured best on sets of this size: {run.best_recipe}."
        why = "Among the recipes that were tried at 32 pixels on a CPU it came out first (docs/defaults.md)."
        plan.append(Step("quality", do, why, *commands.with_best(run)))
    elif run.width is not None and (run.at_the_end or not plan):
        plan.append(_wider(run, first=not plan))
    return plan


def _longer(run: RunFacts, why: str) -> Step:
    asked = run.asked or 0
    if not run.at_the_end:
        why = f"{why}, and the run stopped after {number(run.images)} of the {number(asked)} images asked."
        return Step("quality", "Let the run go on to its end.", why, *commands.longer(run, asked))
    if "memorising" in run.health:
        why = f"{why}; no copies were found, though the discriminator begins to know its training images."
    elif run.improving:
        why = f"{why}, and were still getting better at the end."
    else:
        why = f"{why}; nothing shows that they repeat themselves or are copies, so more training may well help."
    images = commands.twice(run)
    return Step("quality", f"Continue the run, to {number(images)} images in all.", why, *commands.longer(run, images))


def _lacking(signs: Symptoms, run: RunFacts | None) -> list[Step]:
    if not signs.lacking:
        return []
    left = remedy(run)
    return [Step("diversity", left.do, "The samples look real but leave kinds of images out.", *left.way)]


def _traces(signs: Symptoms, run: RunFacts | None) -> list[Step]:
    """Steps against traces of the network, where no step before serves them as well."""
    if signs.checkerboard and not (signs.far and run is not None and run.upsample == "transposed"):
        if run is None or run.upsample == "transposed":
            return [_resize(run, "A checkerboard lies over the samples; a transposed convolution leaves it.")]
        return []
    if signs.rough and run is not None and run.raw:
        why = "The samples are rough, and raw weights are noisier than their average."
        return [Step("artifacts", "Judge the averaged weights.", why, commands.evaluate(run, without=["--raw"]))]
    if (signs.smooth or signs.rough) and not signs.far and run is not None and run.width is not None:
        return [_wider(run, first=not signs.lacking)]
    return []


def _resize(run: RunFacts | None, why: str) -> Step:
    do = "Train a new run that enlarges by nearest neighbours and a convolution instead."
    images = None if run is None else max(run.images, run.asked or 0)
    way = commands.changed(run, "resize", "--set", "generator.upsample=resize", images=images)
    return Step("artifacts", do, why, *way)


def _wider(run: RunFacts, *, first: bool) -> Step:
    width = 2 * (run.width or 0)
    assignments = ("--set", f"generator.width={width}", "--set", f"discriminator.width={width}")
    why = "Wider networks hold more detail. It is the dearest step: up to four times as long for each image."
    way = commands.changed(run, "wide", *assignments, images=run.images, times=4)
    do = "Train a new run with networks" if first else "If that is not enough: networks"
    return Step("quality", f"{do} twice as wide ({width}).", why, *way)


def _precision(signs: Symptoms, run: RunFacts | None) -> list[Step]:
    plan = []
    if signs.twins:
        do = "Train a new run that holds out whole groups of similar images."
        why = "Held-out images have twins among the training images, and copies hide among them."
        plan.append(Step("memorisation", do, why, *commands.grouped(run)))
    if signs.few_held_out:
        do = f"Give more real images that were not trained on, {FEW_HELD_OUT} or more."
        why = "Beside few held-out images copies cannot be told from chance."
        plan.append(Step("memorisation", do, why, commands.evaluate(run, "--holdout", "OTHER_IMAGES")))
    if signs.few_samples:
        why = "With more samples the intervals become narrower, and an answer may be had."
        do = f"Evaluate again with {number(2 * FEW_SAMPLES)} samples."
        plan.append(Step("", do, why, commands.evaluate(run, "--samples", str(2 * FEW_SAMPLES))))
    return plan


def _look(signs: Symptoms, run: RunFacts | None) -> Step:
    why = "Nothing is wrong that these five questions can see; whether anybody likes the images they cannot."
    if signs.wrong:
        do = "Look at the samples beside real images, and decide whether what the answers name matters."
        return Step("", do, "No remedy is known here for what is wrong.", commands.sample(run))
    if signs.unsure:
        why = "Nothing wrong is proven, and what could not be told stays open."
    do = "Look at more samples than a report shows, and let people try to tell them from real images."
    return Step("", do, why, commands.sample(run))
