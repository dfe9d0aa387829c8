"""The evidence of an audit, from images: their features, and what else the five questions are answered from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from gansmith.evaluation.extract import side_of
from gansmith.evaluation.known_features import KnownFeatures
from gansmith.evaluation.protocol import Protocol
from gansmith.evaluation.types import Evidence, Extractor, Images, Labels, Side
from gansmith.judge.damaged_images import ruler_and_layout
from gansmith.judge.thing import thing_of


@dataclass(frozen=True)
class Extractors:
    """main: of the features that images are compared by;  copies: the one that finds copies;  classifier: the one whose
    classes are counted, None where none was asked for."""

    main: Extractor
    copies: Extractor
    classifier: Extractor | None = None

    @property
    def words(self) -> str:
        """Both extractors in words, for the protocol of metrics that may read features and classes."""
        other = "" if self.classifier in (None, self.main) else f"; classes: {self.classifier}"
        return f"{self.main}{other}"


@dataclass(frozen=True)
class Sides:
    """All images with their features: trained on, held out, and the samples of each repeat."""

    train: Side
    holdout: Side | None
    fakes: tuple[Side, ...]


def sides_of(
    train: tuple[Images, Labels | None],
    holdout: tuple[Images, Labels | None] | None,
    samples: Sequence[Images],
    extractors: Extractors,
    *,
    cache: bool,
    known: KnownFeatures | None = None,
    remember: bool = True,
) -> Sides:
    """Features of real images are kept for the next time, those of samples where `cache` is set; `known` ones are not
    computed again, and with `remember` new ones become known."""
    if known is not None and not remember:
        known = known.as_it_is()
    both: dict[str, Any] = {"classifier": extractors.classifier, "known": known}

    def side(name: str, images: Images, labels: Labels | None = None, *, cache: bool = True) -> Side:
        return side_of(name, images, extractors.main, labels=labels, cache=cache, **both)

    return Sides(
        side("real images", *train),
        None if holdout is None else side("held-out", *holdout),
        tuple(side(f"samples {number}", part, cache=cache) for number, part in enumerate(samples, 1)),
    )


def evidence_of(
    sides: Sides,
    protocol: Protocol,
    extractors: Extractors,
    *,
    seed: int,
    names: tuple[str, ...] | None = None,
    trained_on: int | None = None,
    own_networks: tuple[str, ...] = (),
) -> Evidence:
    """The evidence of the five questions; they count a network's classes only where a classifier was asked for.

    names: of the real images' labels;  trained_on: how many training images there are, of which some are compared;
    own_networks: extractors whose features the samples were trained on.
    """
    counted = extractors.classifier is not None
    train, *others = (
        side if counted or side is None else replace(side, probabilities=None)
        for side in (sides.train, sides.holdout, *sides.fakes)
    )
    assert train is not None
    measured = ruler_and_layout(sides.train, sides.holdout, sides.fakes, extractors.main)
    own_classes = extractors.classifier in (None, extractors.main)  # else the probabilities are the classifier's
    return Evidence(
        train=train,
        holdout=others[0],
        fakes=tuple(side for side in others[1:] if side is not None),
        extractor=extractors.main,
        copies=extractors.copies,
        base=protocol,
        classes=None if extractors.classifier is None else extractors.classifier.classes,
        seed=seed,
        ruler=measured.ruler,
        layout=measured.layout,
        thing=thing_of(sides.train, sides.holdout, sides.fakes, extractors.main, measured.classifier)
        if own_classes
        else None,
        directions=extractors.main.name != "pixels",
        label_names=names,
        trained_on=trained_on,
        own_networks=own_networks,
    )
