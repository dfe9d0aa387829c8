"""The real images that generators are compared on: held out of the training of all, or named by the user."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gansmith.data.dataset import Dataset
from gansmith.data.prepare import prepare
from gansmith.data.prepared import Prepared
from gansmith.data.settings import DataSettings
from gansmith.data.subsets import random_subset
from gansmith.errors import DataError, GansmithError, RunError
from gansmith.judge.class_numbers import class_numbers
from gansmith.judge.compare.contenders import Contender, Images, Labelled, Labels
from gansmith.judge.opened import images_at, trained_on
from gansmith.system.seeding import mix

MOST = 10_000  # images; more would only cost time


@dataclass(frozen=True)
class Reals:
    """The real images judged against. name: for people and the protocol. labels: by the contenders' classes, where a
    discriminator reads them."""

    images: Images
    name: str
    points: bool
    labels: Labels | None = None

    @property
    def side(self) -> Labelled:
        """The images with their labels."""
        return Labelled(self.images, self.labels)


def reals(contenders: Sequence[Contender], *, against: str | Path | None) -> Reals:
    """The images that all contenders are judged against.

    Raises DataError when their runs were trained on different images, or held none out.
    """
    first = contenders[0]
    if against is not None:
        like = next((one.generator.settings for one in contenders if one.generator.settings is not None), None)
        prepared = prepare(images_at(os.fspath(against), first.discriminator.shape, like=like))
        return _drawn(prepared.train, prepared, f"{prepared.name} (given)", contenders)
    settings = [_settings(one) for one in contenders]
    prepared = prepare(settings[0])
    for one, other in zip(contenders[1:], settings[1:], strict=True):
        if other != settings[0] and prepare(other).digest != prepared.digest:
            raise DataError(
                f"{first.name} and {one.name} were not trained on the same images, or held out others of them: "
                f"{_difference(settings[0], other)}. Name images that none of them was trained on: --against DATA"
            )
    for one in contenders:
        if trained_on(one.generator.run) not in (None, prepared.digest):
            raise DataError(
                f"{one.name} was trained on other images than {settings[0].path} holds now, so that those it held out "
                f"are not known. Name images that none of them was trained on: --against DATA"
            )
    if prepared.holdout is None:
        raise DataError(
            f"these runs held out no image of {settings[0].path} (holdout: {settings[0].holdout}). "
            f"Name images that none of them was trained on: --against DATA"
        )
    return _drawn(prepared.holdout, prepared, f"{prepared.name} (held out)", contenders)


def training_images(contenders: Sequence[Contender], *, most: int) -> Images | None:
    """At most `most` of the images that the contenders were trained on, drawn at random; None where `reals` would
    refuse to say which these are."""
    try:
        settings = _settings(contenders[0])
        known = {trained_on(one.generator.run) for one in contenders} - {None}
        prepared = prepare(settings)
    except GansmithError:
        return None
    if prepared.points or known - {prepared.digest}:
        return None
    rng = np.random.default_rng(mix(0, "compare", "training images"))
    return np.ascontiguousarray(prepared.train[random_subset(len(prepared.train), most, rng)].image)


def _drawn(dataset: Dataset, prepared: Prepared, name: str, contenders: Sequence[Contender]) -> Reals:
    """At most MOST images, the same ones every time. Raises DataError where a discriminator reads labels and they have
    none, or other classes."""
    reader = next((one for one in contenders if one.conditional), None)
    numbers = None
    if reader is not None:
        if not prepared.labelled:
            raise DataError(
                f"the discriminator of {reader.name} reads labels, and {name} has none. Name images that are sorted "
                f"into classes: --against DATA"
            )
        classes = reader.discriminator.card.classes or prepared.classes or ()
        numbers = class_numbers(prepared, classes, who=reader.name)
    count = len(dataset)
    if count < 2:
        raise DataError(f"{name}: {count} image, and at least 2 are needed. Name others: --against DATA")
    indices = np.arange(count, dtype=np.int64)
    if count > MOST:
        rng = np.random.default_rng(mix(0, "compare", "reals"))
        indices = np.sort(rng.choice(count, MOST, replace=False))
    sample = dataset[indices]
    labels = None if numbers is None or sample.label is None else numbers[np.asarray(sample.label)]
    return Reals(np.ascontiguousarray(sample.image), f"{name}, {prepared.digest[:12]}", prepared.points, labels)


def _settings(contender: Contender) -> DataSettings:
    settings = contender.generator.settings
    if settings is None:
        raise RunError(
            f"{contender.path} holds models only, and does not say which images were held out. "
            f"Name images that none of them was trained on: --against DATA"
        )
    return settings


def _difference(one: DataSettings, other: DataSettings) -> str:
    this, that = one.model_dump(mode="json"), other.model_dump(mode="json")
    return "; ".join(f"{field}: {this[field]} | {that[field]}" for field in this if this[field] != that[field])
