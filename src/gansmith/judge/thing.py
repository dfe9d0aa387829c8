"""The thing that the real images show, by the classes of the network that computes the features."""

from __future__ import annotations

import numpy as np

from gansmith.evaluation.things import KNOWING, class_names, thing_seen
from gansmith.evaluation.types import Extractor, Seen, Side


def thing_of(train: Side, holdout: Side | None, fakes: tuple[Side, ...], extractor: Extractor) -> Seen | None:
    """In how many samples the network sees what it sees in the real images; None for an extractor that does not have
    ImageNet's classes, without held-out images, and where the network knows no such thing."""
    samples = [side.probabilities for side in fakes if side.probabilities is not None]
    if extractor.name not in KNOWING or train.probabilities is None or not samples:
        return None
    if holdout is None or holdout.probabilities is None:
        return None
    names = class_names() if train.probabilities.shape[1] == len(class_names()) else ()
    return thing_seen(train.probabilities, holdout.probabilities, np.concatenate(samples), names=names)
