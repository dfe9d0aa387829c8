"""The thing that the real images show, by the classes of the network that computes the features."""

from __future__ import annotations

import numpy as np

from gansmith.evaluation.layout import LayoutClassifier
from gansmith.evaluation.things import KNOWING, class_names, thing_seen
from gansmith.evaluation.types import Extractor, Seen, Side


def thing_of(
    train: Side,
    holdout: Side | None,
    fakes: tuple[Side, ...],
    extractor: Extractor,
    layout: LayoutClassifier | None = None,
) -> Seen | None:
    """In how many samples the network sees what it sees in the real images; None for an extractor that does not have
    ImageNet's classes, without held-out images, and where the network knows no such thing.

    layout: a thing counts where this one sees a layout too. What classes a network gives to an image that is like none
    it knows means nothing: of streaks that a person calls fence posts it called 56 of 100 what it calls hands.
    """
    if extractor.name not in KNOWING or train.probabilities is None or holdout is None:
        return None
    sides = (holdout, *fakes)
    probabilities = [side.probabilities for side in sides if side.probabilities is not None]
    if len(probabilities) < len(sides) or not fakes:
        return None
    names = class_names() if train.probabilities.shape[1] == len(class_names()) else ()
    held_out, samples = probabilities[0], np.concatenate(probabilities[1:])
    features = [side.features for side in sides if side.features is not None]
    if layout is None or len(features) < len(sides):
        return thing_seen(train.probabilities, held_out, samples, names=names)
    laid_out = layout.sees(features[0]), layout.sees(np.concatenate(features[1:]))
    return thing_seen(train.probabilities, held_out, samples, names=names, laid_out=laid_out)
