"""Are the samples copies of the training images? Tests, their power, and the nearest pairs.

The verdict is "bad" when single samples, or images that are made again and again, are nearer to one training image than
almost any image that was never trained on, or when samples are blends of two. C_T alone, a shift of all samples
together, makes it "cannot tell", and authenticity alone changes nothing: both also answer to images that are merely
smooth, which lie near to many training images at once. "good" needs power: a share of clean copies that it names, a
fifth at most, would have been noticed, and 20 % of copies as flawed as the samples. And the control must be one:
held-out images that are of another kind than the training images, or are the training images or the samples
themselves, show nothing.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gansmith.errors import DataError
from gansmith.evaluation import copy_search, intervals
from gansmith.evaluation.audit import memorisation_figures
from gansmith.evaluation.audit import memorisation_words as words
from gansmith.evaluation.audit.memorisation_control import Same, same
from gansmith.evaluation.audit.memorisation_details import details
from gansmith.evaluation.audit.memorisation_findings import Findings, run_tests
from gansmith.evaluation.audit.memorisation_words import ENOUGH, ROUGH
from gansmith.evaluation.memorisation_tests import LEVEL
from gansmith.evaluation.protocol import Protocol
from gansmith.evaluation.types import Answer, Evidence, Images, Need, Number, Side, Verdict
from gansmith.system.seeding import mix

MOST = 2000  # samples, and held-out images, that are searched for
PAIRS = 30_000_000  # times training images: a few minutes of one processor core at most
FEWEST = 20  # held-out images
HALF = 0.5  # of the training images must be searched, before "good" is said
SET_ASIDE = 0.25  # of the training images, where none are held out


def answer(evidence: Evidence) -> Answer:
    """The answer to "memorisation", from images and the copy-sensitive extractor.

    Raises DataError for sides without images or of unequal shape, or fewer than two training images.
    """
    train, held_out, notes = _real(evidence)
    samples = _samples(evidence)
    equal = same(samples, evidence)
    most = max(FEWEST, min(MOST, PAIRS // len(train)))
    samples = _random_subset(samples, most, evidence.seed, "samples")
    held_out = _random_subset(held_out, most, evidence.seed, "held out")
    protocol = evidence.base.of(
        f"memorisation(nearness to {copy_search.RANK}; tail, repeats, blends, C_T, authenticity)",
        features=str(evidence.copies),
        real_count=len(train),
        fake_count=len(samples),
    )
    if equal.copied or equal.trained_on or equal.judged_by_itself:
        return _the_same(equal, sum(map(len, evidence.fakes)), protocol)
    if len(held_out) < FEWEST:
        return _too_few(len(held_out), protocol)
    findings = run_tests(samples, held_out, train, evidence)
    verdict = verdict_of(findings)
    answer = Answer(
        "memorisation",
        verdict,
        words.sentence(verdict, findings),
        "copies",
        words.numbers(findings),
        protocol,
        details=(*details(findings), *words.equal(equal), *notes),
        needs=needs(verdict, findings),
        figures=memorisation_figures.figures(findings, samples, held_out, train),
    )
    return _of_a_part(answer, len(evidence.train), evidence.trained_on or 0)


def _of_a_part(answer: Answer, compared: int, whole: int) -> Answer:
    """The answer where only `compared` of the `whole` training images were searched: it says so, is good only where
    they are HALF of them, and copies of the others are counted in, as if all were copied equally often."""
    if compared >= whole:
        return answer
    copies = answer.numbers["copies"]
    value, high = (None if end is None else min(1.0, end * whole / compared) for end in (copies.value, copies.high))
    rest = f"Only {compared:,} of the {whole:,} training images were searched: copies of the others are not seen."
    return replace(
        answer,
        verdict="cannot tell" if answer.verdict == "good" and compared < HALF * whole else answer.verdict,
        sentence=f"{answer.sentence} {rest}",
        numbers={**answer.numbers, "copies": replace(copies, value=value or 0.0, high=high)},
    )


def verdict_of(findings: Findings) -> Verdict:
    """Bad by single samples, by repeated ones, or by blends; good only with power and with nothing suspect."""
    if findings.control.different:
        return "cannot tell"
    single, repeated = words.accused(findings)
    if (single and findings.confirmed[0]) or (repeated and findings.confirmed[1]) or findings.p[2] <= LEVEL:
        return "bad"
    suspect = single or repeated or findings.repeats.suspect or findings.p[1] <= LEVEL
    powerful = words.visible(findings.power) is not None and findings.rough[ROUGH] >= ENOUGH
    return "good" if powerful and not suspect else "cannot tell"


def needs(verdict: Verdict, findings: Findings) -> tuple[Need, ...]:
    """What is wanting for an answer."""
    if findings.control.different:
        return ("other held-out images",)
    twins = verdict == "cannot tell" and findings.twins > words.TWINS * len(findings.held_out.source)
    return ("held-out images without twins",) if twins else ()


def _the_same(equal: Same, count: int, protocol: Protocol) -> Answer:
    """The answer where one set of images is another one."""
    verdict: Verdict = "bad" if equal.copied else "cannot tell"
    numbers = {}
    if equal.copied:
        means = "share of the samples that are training images, pixel by pixel"
        numbers["copies"] = Number(equal.samples_train, *intervals.share(equal.copies, count), means)
    wanting: tuple[Need, ...] = () if equal.copied else ("other held-out images",)
    return Answer("memorisation", verdict, words.same_sets(equal, count), "copies", numbers, protocol, needs=wanting)


def _too_few(held_out: int, protocol: Protocol) -> Answer:
    return Answer(
        "memorisation",
        "cannot tell",
        f"{held_out} held-out images are too few to know how near images that are no copies come: "
        f"at least {FEWEST} are needed.",
        "copies",
        {},
        protocol,
        needs=("other held-out images",),
    )


def _real(evidence: Evidence) -> tuple[Images, Images, tuple[str, ...]]:
    """Training images, images that take the place of unseen ones, and notes about them."""
    train = _images(evidence.train)
    if evidence.holdout is not None:
        return train, _images(evidence.holdout), ()
    rng = np.random.default_rng(mix(evidence.seed, "memorisation", "set aside"))
    order = rng.permutation(len(train))
    count = int(len(train) * SET_ASIDE)
    return (
        train[np.sort(order[count:])],
        train[np.sort(order[:count])],
        (
            f"No images were held out. {count:,} of the {len(train):,} training images took their place: copies of "
            f"those were not looked for, and make the others harder to tell.",
        ),
    )


def _samples(evidence: Evidence) -> Images:
    """The samples of all repeats."""
    repeats = [_images(side) for side in evidence.fakes]
    if not sum(map(len, repeats)):
        raise DataError("there are no samples to look for copies among: give at least one (--samples)")
    shapes = sorted({images.shape[1:] for images in repeats})
    if len(shapes) > 1:
        raise DataError(f"the samples are of several shapes, {shapes[:4]}: bring them to one size first")
    return np.concatenate(repeats)


def _images(side: Side) -> Images:
    if side.images is None:
        raise DataError(
            f"copies are looked for in images, and of {side.name} there are none: give the images themselves"
        )
    return side.images


def _random_subset(images: Images, most: int, seed: int, which: str) -> Images:
    if len(images) <= most:
        return images
    rng = np.random.default_rng(mix(seed, "memorisation", which))
    return images[np.sort(rng.choice(len(images), most, replace=False))]
