"""The real images that generated ones are compared with: those trained on, and those held out of the training."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gansmith.data.dataset import Dataset
from gansmith.data.open import builtin_name
from gansmith.data.prepare import prepare
from gansmith.data.prepared import Prepared
from gansmith.data.settings import DataSettings
from gansmith.data.subsets import evenly_spaced, random_subset
from gansmith.errors import DataError, OptionError
from gansmith.evaluation.types import Images, Labels
from gansmith.judge.image_sets import LEAST, Subject, read_images
from gansmith.judge.opened import images_at, trained_on
from gansmith.runs.folder import is_run
from gansmith.system.paths import expanded, resolved
from gansmith.system.seeding import mix


@dataclass(frozen=True)
class RealImages:
    """Real images and labels at the subject's size: trained on, and held out (None where none are known to be).

    description  name, digest and split, for the protocol;  notes  what a reader must know of them
    trained_on   how many training images there are, of which `train` may be a part
    above        what a reader must know first;  shape  (height, width, channels), None: the subject's
    as_made      the same images at the subject's shape, where they are of another
    """

    name: str
    train: tuple[Images, Labels | None]
    holdout: tuple[Images, Labels | None] | None
    description: str
    classes: tuple[str, ...] | None
    notes: tuple[str, ...]
    trained_on: int
    above: tuple[str, ...] = ()
    shape: tuple[int, int, int] | None = None
    as_made: RealImages | None = None

    def fewer(self, most: int) -> RealImages:
        """At most `most` images a side, evenly spaced: for a first look."""
        if self.as_made is not None:
            return replace(replace(self, as_made=None).fewer(most), as_made=self.as_made.fewer(most))
        (train, labels), held = self.train, self.holdout
        if len(train) > most:
            note = f"{most:,} of {len(train):,} training images were compared: copies of the others are not seen."
            return replace(
                self,
                train=_some(train, labels, most),
                holdout=None if held is None else _some(*held, most),
                notes=(*self.notes, note),
            )
        return self if held is None else replace(self, holdout=_some(*held, most))


def _some(images: Images, labels: Labels | None, most: int) -> tuple[Images, Labels | None]:
    chosen = evenly_spaced(len(images), most)
    return images[chosen], None if labels is None else labels[chosen]


def reals_of(
    subject: Subject, *, against: str | None, holdout: str | None, most: int, seed: int, resized: bool = False
) -> RealImages:
    """The images that the subject's run was trained on, or those `against`, at most `most` a side, drawn by `seed`.

    resized: the subject's shape is not the samples' own.
    Raises OptionError when neither says which, DataError when there are too few, or they are points.
    """
    settings, of_the_run = settings_of(subject, against)
    if subject.skip_unreadable:
        settings = settings.model_copy(update={"skip_unreadable": True})
    prepared = prepare(settings)
    if prepared.points:
        raise DataError(f"{settings.path} holds points, and only images can be judged")
    kept, names, split = _held_out(prepared, settings, holdout)
    rng = np.random.default_rng(mix(seed, "real images to judge against"))
    train = read_images(prepared.train, random_subset(len(prepared.train), most, rng))
    held_out = None if kept is None else read_images(kept, random_subset(len(kept), most, rng))
    if held_out is not None:
        held_out = held_out[0], _renumbered(held_out[1], names, prepared.classes)
    _require_enough("real", len(train[0]))
    if held_out is not None:
        _require_enough("held-out", len(held_out[0]))
    return RealImages(
        prepared.name,
        train,
        held_out,
        f"{prepared.name} {prepared.digest}, train; held out: {split}; fit {settings.fit}",
        prepared.classes,
        tuple(_notes(subject, prepared, kept is not None, of_the_run, most, resized=resized)),
        len(prepared.train),
    )


def settings_of(subject: Subject, against: str | None) -> tuple[DataSettings, bool]:
    """Settings of the real images, and whether they are those of the subject's run."""
    run, own = subject.run, subject.settings
    if against is None and (run is None or not is_run(run.path)):
        raise OptionError("against which real images? Say so with --against DATA: the images that it was trained on")
    if against is None or (run is not None and _same_place(against, own.path)):
        height, width, channels = subject.shape
        return own.model_copy(update={"size": (height, width), "channels": channels}), run is not None
    return images_at(against, subject.shape, like=None if run is None else own), False


def _held_out(
    prepared: Prepared, settings: DataSettings, holdout: str | None
) -> tuple[Dataset | None, tuple[str, ...] | None, str]:
    """The images never trained on, those at `holdout` or those that the run kept aside; the names of their classes; the
    split in words."""
    if holdout is not None:
        changes: dict[str, Any] = {"path": holdout, "format": None, "options": {}, "classes": (), "holdout": 0.0}
        other = prepare(settings.model_copy(update=changes))
        return other.train, other.classes, f"of {other.name}, {other.digest}"
    return prepared.holdout, prepared.classes, "a part of it" if prepared.holdout is None else "held out by the run"


def _renumbered(labels: Labels | None, names: tuple[str, ...] | None, wanted: tuple[str, ...] | None) -> Labels | None:
    """Labels by `names` -> the same by `wanted`; None where one of the names is not among these."""
    if labels is None or names == wanted:
        return labels
    if names is None or wanted is None or not set(names) <= set(wanted):
        return None
    return np.array([wanted.index(name) for name in names], dtype=np.int64)[labels]


def _require_enough(what: str, count: int) -> None:
    if count < LEAST:
        raise DataError(
            f"there {'is' if count == 1 else 'are'} only {count} {what} image{'s' * (count != 1)}; "
            f"at least {LEAST} are needed to judge anything"
        )


def _notes(
    subject: Subject, prepared: Prepared, held_out: bool, of_the_run: bool, most: int, *, resized: bool
) -> list[str]:
    run, count = subject.run, len(prepared.train)
    notes = [f"Real images: {warning}." for warning in prepared.warnings if warning.startswith("left out ")]
    if not held_out:
        notes.append(
            "No real images are known to have been held out of training (--holdout gives some), so part of the "
            "training images stands in for them; copies of that part are not looked for."
        )
    if of_the_run and run is not None and trained_on(run) not in (None, prepared.digest):
        path = prepared.settings.path
        notes.append(f"The images at {path} are not the ones the run was trained on: they changed since.")
    if count > most:
        notes.append(
            f"{most:,} of the {count:,} training images were compared, drawn at random (--real N for more): "
            f"copies of the others are not seen."
        )
    if run is None and not resized:
        size = "x".join(map(str, subject.shape))
        notes.append(f"All images were compared at the generated ones' size and channels, {size}.")
    return notes


def _same_place(one: str, other: str) -> bool:
    left, right = expanded(one), expanded(other)
    if left.exists():
        return resolved(left) == resolved(right)
    return one == other or (builtin_name(one) is not None and builtin_name(one) == builtin_name(other))
