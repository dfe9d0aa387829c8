"""The control of the search for copies: are held-out images like the training images, and are sets the same ones?

Held-out images show how near images come that are no copies only if they are of the kind of the training images. Each
training image, compared with the others, is such an image too; so the distances of held-out images to the training
images, and their nearness, are compared with those of training images among themselves, by the test of Kolmogorov and
Smirnov (Massey 1951, "The Kolmogorov-Smirnov Test for Goodness of Fit"). Nearness only above TWINNED: groups of similar
images held out as a whole have no twins, where training images have, and are a good control nevertheless.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

import numpy as np
from scipy import stats

from gansmith.evaluation.copy_search import Nearest
from gansmith.evaluation.types import Evidence, Images, Number, Ruler

LEVEL = 0.005  # of each of the two tests
EFFECT = 0.12  # difference of two distributions, at least: with many images any difference is significant
CLEAR = 0.2  # the same where a network sees no difference: groups held out as a whole are fewer images than they seem
APART = 2.5  # times as far from the training images as they are from each other
TWINNED = 0.5  # nearness below which two images may be twins
FAR = 0.1  # units of the ruler: held-out images surely farther from the training images than this are of another kind
NEARLY_ALL = 0.9  # of a set that is another one, image by image


class Control(NamedTuple):
    """Held-out images beside training images among themselves.

    apart     median distance of held-out images to the training images, over that of training images to the others;
              of those that are equal to none;  equal  share of the held-out images that are equal to one, some mirrored
    p         of their distances, and of their nearness
    kid       how far held-out images lie by the main features, in units of the ruler; None without one
    different they are of another kind
    """

    apart: float
    equal: float
    p: tuple[float, float]
    kid: Number | None
    different: bool


def control(held_out: Nearest, own: Nearest, ruler: Ruler | None) -> Control:
    """Nearest training images of held-out images, and of training images but themselves."""
    sides = [near.distance[near.distance > 0] for near in (held_out, own)]
    apart = float(np.median(sides[0]) / np.median(sides[1])) if all(map(len, sides)) else 1.0
    tests = [
        stats.ks_2samp(held_out.distance, own.distance),
        *(
            [stats.ks_2samp(*bulk)]
            if all(map(len, bulk := [near.nearness[near.nearness >= TWINNED] for near in (held_out, own)]))
            else []
        ),
    ]
    kid = None if ruler is None else ruler.held_out
    alike = kid is not None and kid.high is not None and kid.high < FAR
    effect = CLEAR if alike else EFFECT
    different = (
        any(test.pvalue <= LEVEL and test.statistic >= effect for test in tests)
        or apart > APART
        or (kid is not None and kid.low is not None and kid.low > FAR)
    )
    first, second = float(tests[0].pvalue), float(tests[-1].pvalue) if len(tests) > 1 else 1.0
    return Control(apart, float((held_out.distance == 0).mean()), (first, second), kid, different)


class Same(NamedTuple):
    """How many images of one set are equal to one of another, pixel by pixel, as shares.

    samples_train     of the samples that are training images;  held_out_train  of the held-out images that are
    samples_held_out  of the samples that are held-out images, or the reverse if more;  distinct  of the training
                      images that are different ones
    copies            samples that are training images
    """

    samples_train: float
    held_out_train: float
    samples_held_out: float
    distinct: float
    copies: int

    @property
    def copied(self) -> bool:
        """The samples are the training images, and these are no handful of images repeated."""
        return self.samples_train >= NEARLY_ALL and self.distinct >= 0.5

    @property
    def trained_on(self) -> bool:
        return self.held_out_train >= NEARLY_ALL

    @property
    def judged_by_itself(self) -> bool:
        return self.samples_held_out >= NEARLY_ALL


def same(samples: Images, evidence: Evidence) -> Same:
    """All samples, beside the training and the held-out images of the evidence as they came."""
    train, made = _digests(evidence.train.images), _digests(samples)
    held = _digests(None if evidence.holdout is None else evidence.holdout.images)
    known, own = set(train), set(held)
    count = sum(image in known for image in made)
    return Same(
        count / max(1, len(made)),
        _share(held, known),
        max(_share(made, own), _share(held, set(made))),
        len(known) / max(1, len(train)),
        count,
    )


def _share(images: list[bytes], among: set[bytes]) -> float:
    return sum(image in among for image in images) / max(1, len(images))


def _digests(images: Images | None) -> list[bytes]:
    if images is None:
        return []
    shape = str(images.shape[1:]).encode()
    return [hashlib.blake2b(shape + image.tobytes(), digest_size=16).digest() for image in images]
