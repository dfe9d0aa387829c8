"""Do the images look like the real ones? How many samples lie among the real images, beside how many real ones do.

**The ruler** decides where the features are a network's (`evaluation/ruler.py`): KID of the samples over KID of the
same real images cut into 4 x 4 tiles and shuffled (of textures: blurred by 2 pixels). The whole interval below GOOD is
good, above BAD bad; but a set whose samples lie among the real images as real ones do, by precision, and do not surely
differ from the real images nearest to them, is not bad: it lacks variety, which is another question.

**What is seen** rules a "good" out (`quality_seen.py`): a layout, by a classifier of real images against shuffled ones
(`evaluation/layout.py`), and the thing that the real images show, where the network knows it (`evaluation/things.py`).
Seen surely less than .8 times as often as in held-out images, either is too rare for "good", and bad where the whole
interval on the ruler is above GOOD; surely less than a third as often, it is bad wherever the samples lie on the ruler.
Neither makes samples bad that are like the real images one by one.

Without a ruler (features given without images, sets that no damage takes far) three measurements decide.

- Precision (Kynkaanniemi et al. 2019), the share of samples that lie among the real images, as a ratio to the same
  share of real images that were held out: the whole interval above 2/3 is good, below 1/3 bad. Between, the answer is
  "cannot tell", with the number.
- Density (Naeem et al. 2020, eq. 4), how densely the real images lie where the samples are, as a ratio to held-out ones
  again: surely below 1/3 is bad, and good needs 2/3. One odd real image draws a ball that is wide enough for much
  rubbish to lie in it, and precision counts that; density counts how many balls there are.
- A common flaw: the kernel distance (KID, Binkowski et al. 2018) between samples and the training images nearest to
  them, each training image at most once, as a share of the distance of a single real image from all of them. It sees
  stripes or grain that every sample has and that precision, whose balls reach far round odd real images, lets pass.
  Surely above FLAW is bad; a value above it is no longer good. Because each sample is compared with its own neighbour,
  samples of few kinds are not blamed here: that is the question of diversity. But where all samples lie near the same
  few real images, a flaw cannot be told from what is particular to these few: the answer is at best "cannot tell".

KID and FID against all real images stand beside them, for comparison with other runs; they mix quality and diversity
and decide nothing but where the features are plain pixels. Those see layout and brightness, not whether a garment looks
like one: by precision they put clean runs below striped ones. There a KID that is surely more than FAR of a single real
image's own distance is bad, and nothing is good. Where even the held-out images lie far from the training ones (ALIKE,
or surely above GOOD on the ruler), they are images of another kind, and there is no answer.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from gansmith.evaluation.audit import quality_numbers as measure
from gansmith.evaluation.audit import quality_seen as seen
from gansmith.evaluation.audit import quality_words as words
from gansmith.evaluation.audit.quality_numbers import FLAW, flawed, unlike
from gansmith.evaluation.audit.quality_words import FAR
from gansmith.evaluation.audit.ratio_verdict import GOOD, verdict_of
from gansmith.evaluation.audit.reference_split import ReferenceSplit, features_of, places_of, split_reference
from gansmith.evaluation.audit.ruler_figure import drawing
from gansmith.evaluation.audit.ruler_thumbnails import thumbnails
from gansmith.evaluation.audit.sheets import picture
from gansmith.evaluation.fine_detail import as_fine_as
from gansmith.evaluation.pairwise_distances import nearest, radii, within
from gansmith.evaluation.ruler import BAD
from gansmith.evaluation.ruler import GOOD as GOOD_ON_RULER
from gansmith.evaluation.types import Answer, Evidence, Features, Figure, Number, Ruler, Verdict

NEIGHBOURS = 3  # Kynkaanniemi et al.
_SHOWN = 8  # samples on a sheet


def answer(evidence: Evidence) -> Answer:
    """The answer to "quality". Raises DataError for too few images, or features that cannot be used."""
    split = split_reference(evidence, "quality")
    reference, control = features_of(split.reference), features_of(split.control)
    samples = np.concatenate([features_of(side) for side in split.samples])
    among, others = places_of(split.reference, evidence), places_of(split.control, evidence)
    made = np.concatenate([places_of(side, evidence) for side in split.samples])
    balls = radii(among, count=NEIGHBOURS, what="quality: real images among themselves")
    passing = within(made, among, base_radii=balls, what="quality: samples among real images").balls > 0
    attainable = within(others, among, base_radii=balls, what="quality: held-out among real images").balls > 0
    numbers = measure.on_ruler(evidence.ruler) | measure.precision(passing, attainable, split.about)
    numbers |= measure.density(among, others, made, split.about)
    neighbours = nearest(made, among, what="quality: the real image nearest to each sample")[1][:, 0]
    flaw = measure.common_flaw(samples, reference, neighbours)
    if flaw is not None:
        numbers["common_flaw"] = flaw
    numbers |= measure.distances(reference, control, samples)
    if evidence.extractor.name == "pixels":
        numbers["kid_share"] = measure.kid_share(numbers["kid"], reference)
    numbers |= seen.shares(evidence)
    verdict = _verdict(numbers)
    fine = _fine(split) if evidence.ruler is not None else ""
    said = (words.sentence(verdict, numbers, split.about, evidence.ruler, fine), seen.sentence(evidence, numbers))
    return Answer(
        "quality",
        verdict,
        " ".join(filter(None, said)),
        _headline(verdict, numbers),
        numbers,
        evidence.base.of(
            _words(evidence),
            real_count=len(reference),
            fake_count=len(samples),
        ),
        details=(*seen.remarks(evidence), words.repeats(split, passing), *words.remarks(numbers), *split.notes),
        needs=("other held-out images",) if unlike(numbers) else (),
        figures=(*_ruler(evidence.ruler, split), *_figures(split, made, among, balls)),
    )


def _verdict(numbers: Mapping[str, Number]) -> Verdict:
    if unlike(numbers):
        return "cannot tell"
    verdict = _by_distance(numbers)
    if verdict == "good" and seen.missing(numbers):
        verdict = "cannot tell"
    if verdict == "cannot tell" and not _each_is_real(numbers):
        low = numbers["ruler"].low if "ruler" in numbers else None
        surely_off = low is not None and low > GOOD_ON_RULER
        if seen.gone(numbers) or (seen.missing(numbers) and surely_off):
            return "bad"
    return verdict


def _by_distance(numbers: Mapping[str, Number]) -> Verdict:
    density, flaw, share = numbers["density_ratio"], numbers.get("common_flaw"), numbers.get("kid_share")
    if "ruler" in numbers:
        return _on_ruler(numbers)
    if share is not None:
        return "bad" if share.low is not None and share.low > FAR else "cannot tell"
    verdict = verdict_of(numbers["precision_ratio"])
    if verdict_of(density) == "bad" or flawed(numbers):
        return "bad"
    sure = density.value > GOOD and flaw is not None and flaw.value <= FLAW
    return verdict if verdict != "good" or sure else "cannot tell"


def _on_ruler(numbers: Mapping[str, Number]) -> Verdict:
    place = numbers["ruler"]
    if place.low is None or place.high is None:
        return "cannot tell"
    if place.low > BAD:
        return "cannot tell" if _each_is_real(numbers) and not seen.missing(numbers) else "bad"
    return "good" if place.high < GOOD_ON_RULER and verdict_of(numbers["precision_ratio"]) != "bad" else "cannot tell"


def _each_is_real(numbers: Mapping[str, Number]) -> bool:
    """Whether the samples lie among the real images as real ones do, and do not surely differ from the nearest ones."""
    flaw = numbers.get("common_flaw")
    unflawed = flaw is None or flaw.low is None or flaw.low <= 0
    return verdict_of(numbers["precision_ratio"]) == "good" and unflawed


def _fine(split: ReferenceSplit) -> str:
    """Which real images have as much fine detail as the samples; empty where there are no images of equal sizes."""
    real, samples = split.reference.images, [side.images for side in split.samples if side.images is not None]
    if real is None or not samples or any(part.shape[1:] != real.shape[1:] for part in samples):
        return ""
    return as_fine_as(real, np.concatenate(samples))


def _headline(verdict: Verdict, numbers: Mapping[str, Number]) -> str:
    """The number that the verdict mainly rests on."""
    if "ruler" in numbers or "kid_share" in numbers:
        return "ruler" if "ruler" in numbers else "kid_share"
    if verdict != "bad" or verdict_of(numbers["precision_ratio"]) == "bad":
        return "precision_ratio"
    return "common_flaw" if flawed(numbers) else "density_ratio"


def _words(evidence: Evidence) -> str:
    ruler = "" if evidence.ruler is None else f"; ruler, good < {GOOD_ON_RULER} < {BAD} < bad"
    neighbours = "; neighbours by unit length" if evidence.directions else ""
    if evidence.layout is not None or evidence.thing is not None:
        ruler += f"; layout and thing, good needs {seen.NEARLY} of held-out's"
    return f"quality(precision and density, neighbours={NEIGHBOURS}; flaw < {FLAW}{neighbours}{ruler})"


def _ruler(ruler: Ruler | None, split: ReferenceSplit) -> tuple[Figure, ...]:
    """The first of the figures: one real image damaged in each way with a sample among them, and the scale below."""
    if ruler is None:
        return ()
    real, samples = split.reference.images, split.samples[0].images
    image = None if real is None or samples is None else thumbnails(ruler, real[:1], samples[:1])
    caption = (
        "How far the samples are from the real images: between held-out images (0), and the same real images damaged "
        f"on purpose, in layout and in texture. 1 is {ruler.unit_name}; the green stretch is good."
    )
    return (Figure(caption, image=image, svg=drawing(ruler)),)


def _figures(
    split: ReferenceSplit, samples: Features, among: Features, balls: NDArray[np.float32]
) -> tuple[Figure, ...]:
    """The most and the least real samples, each above the real image nearest to it.

    By the realism of Kynkaanniemi et al. 2019, eq. 3: the radius of a real image's ball over the distance to it, where
    only the narrower half of the balls count. # Differs: of the nearest such image, not the largest over all of them.
    """
    real = split.reference.images
    images = [side.images for side in split.samples if side.images is not None]
    if real is None or len(images) < len(split.samples) or len({part.shape[1:] for part in (*images, real)}) > 1:
        return ()
    narrow = np.flatnonzero(balls <= np.median(balls))
    distances, places = nearest(samples, among[narrow], what="quality: the best and the worst")
    radii = balls[narrow[places[:, 0]]].astype(np.float64)  # a sample equal to a real image is at distance 0
    realism = radii / np.maximum(distances[:, 0], np.finfo(np.float32).tiny)
    order, everything = np.argsort(-realism, kind="stable"), np.concatenate(images)
    count = min(_SHOWN, len(order) // 2)
    return tuple(
        Figure(
            f"The {count} samples that look {which} real (upper row), each above the real image nearest to it.",
            image=picture(np.concatenate([everything[part], real[narrow[places[part, 0]]]]), columns=count),
        )
        for which, part in (("most", order[:count]), ("least", order[::-1][:count]))
    )
