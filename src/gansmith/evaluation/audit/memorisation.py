"""Are the samples copies of the training images? Three tests, their power, and the nearest pairs.

The verdict is "bad" only when the lower tail of `evaluation.memorisation_tests` stands out: single samples that are
nearer to one training image than almost any image that was never trained on. C_T alone, a shift of all samples
together, makes it "cannot tell", and authenticity alone changes nothing: both also answer to images that are merely
smooth, which lie near to many training images at once. "good" needs power: 5 % of clean copies would have been noticed,
and 20 % of copies as flawed as the samples.
"""

from __future__ import annotations

import numpy as np

from gansmith.errors import DataError
from gansmith.evaluation import copy_search
from gansmith.evaluation.audit import memorisation_figures
from gansmith.evaluation.audit import memorisation_words as words
from gansmith.evaluation.audit.memorisation_findings import Findings, distinct, run_tests
from gansmith.evaluation.audit.memorisation_words import APART, ASKED, ENOUGH, ROUGH
from gansmith.evaluation.memorisation_tests import LEVEL
from gansmith.evaluation.protocol import Protocol
from gansmith.evaluation.types import Answer, Evidence, Images, Side, Verdict
from gansmith.system.seeding import mix

SAME = 0.5  # of the usual distance to the nearest training image: samples nearer to each other are one image
MOST = 2000  # samples, and held-out images, that are searched for
PAIRS = 30_000_000  # times training images: a few minutes of one processor core at most
FEWEST = 20  # held-out images
SET_ASIDE = 0.25  # of the training images, where none are held out


def answer(evidence: Evidence) -> Answer:
    """The answer to "memorisation", from images and the copy-sensitive extractor.

    Raises DataError for sides without images or of unequal shape, or fewer than two training images.
    """
    train, held_out, notes = _real(evidence)
    samples = _samples(evidence)
    most = max(FEWEST, min(MOST, PAIRS // len(train)))
    samples = _random_subset(samples, most, evidence.seed, "samples")
    held_out = _random_subset(held_out, most, evidence.seed, "held out")
    protocol = evidence.base.of(
        f"memorisation(nearness to {copy_search.RANK}; tail, C_T, authenticity)",
        features=str(evidence.copies),
        real_count=len(train),
        fake_count=len(samples),
    )
    if len(held_out) < FEWEST:
        return _too_few(len(held_out), protocol)
    near_held_out = copy_search.search(held_out, train, evidence.copies, what="the held-out images")
    count = len(samples)
    samples = distinct(samples, SAME * float(np.median(near_held_out.distance)), evidence)
    if len(samples) < count:
        notes = (
            *notes,
            f"Of {count:,} samples {len(samples):,} are different images; what is repeated was counted once: the test "
            f"is about independent images.",
        )
    findings = run_tests(samples, near_held_out, train, evidence)
    verdict = verdict_of(findings)
    return Answer(
        "memorisation",
        verdict,
        words.sentence(verdict, findings),
        "copies",
        words.numbers(findings),
        protocol,
        details=(*words.details(findings), *notes),
        advice=words.advice(verdict, findings),
        figures=memorisation_figures.figures(findings, samples, held_out, train),
    )


def verdict_of(findings: Findings) -> Verdict:
    """Bad by the lower tail only; good only with power, and when all samples together are not nearer either."""
    if findings.apart > APART:
        return "cannot tell"
    if findings.p[0] <= LEVEL:
        return "bad"
    powerful = findings.power[ASKED] >= ENOUGH and findings.rough[ROUGH] >= ENOUGH
    return "good" if powerful and findings.p[1] > LEVEL else "cannot tell"


def _too_few(held_out: int, protocol: Protocol) -> Answer:
    return Answer(
        "memorisation",
        "cannot tell",
        f"{held_out} held-out images are too few to know how near images that are no copies come: "
        f"at least {FEWEST} are needed.",
        "copies",
        {},
        protocol,
        advice=("hold more images out (--holdout), and train again", "give real images never trained on"),
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
