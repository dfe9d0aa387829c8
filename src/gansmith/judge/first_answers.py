"""The first answers of an evaluation: does the generator repeat itself, and did it copy? By pixels alone, before a
network has looked at anything: where one judges, its look at all images takes most of the time.

The first look asks both again, with what the network has seen: it tells whether held-out images are of another kind.
"""

from __future__ import annotations

from collections.abc import Iterator

from gansmith.evaluation.audit.audit import answer_all
from gansmith.evaluation.protocol import Protocol
from gansmith.evaluation.types import Answer, Evidence, Side
from gansmith.judge.evidence import Extractors
from gansmith.judge.image_sets import Generated
from gansmith.judge.reference_images import RealImages

ASKED = ("collapse", "memorisation")  # the quick one first


def first_answers(
    reals: RealImages, generated: Generated, extractors: Extractors, base: Protocol, *, seed: int
) -> Iterator[Answer]:
    """The answers to ASKED, one after the other, at the samples' own channels and size."""
    own = reals.as_made or reals
    evidence = Evidence(
        train=Side("real images", images=own.train[0]),
        holdout=None if own.holdout is None else Side("held-out", images=own.holdout[0]),
        fakes=tuple(Side(f"samples {number}", images=part) for number, part in enumerate(generated.parts, 1)),
        extractor=extractors.main,
        copies=extractors.copies,
        base=base,
        seed=seed,
        trained_on=reals.trained_on,
    )
    for question in ASKED:
        yield answer_all(evidence, questions=[question]).answers[question]
