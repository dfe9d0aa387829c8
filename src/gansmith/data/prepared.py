"""Prepared images, the result of preparation: of one domain, or of both domains of a translation."""

from __future__ import annotations

from dataclasses import dataclass

from gansmith.data.dataset import Dataset, Indices
from gansmith.data.settings import DataSettings


@dataclass(frozen=True)
class Prepared:
    """Images of one size, split into a training set and a hold-out.

    train, holdout   datasets of ImageItems of one shape; the hold-out is None where it is empty
    larger           the images of `train` before they are cropped, where they are loaded larger, else None
    shape            (channels, height, width) of an image inside the program
    classes          names of the classes, or None;  labelled: whether the images have labels
    frequencies      number of training images of each class; empty without classes
    count            number of images, of both sides and those that `disjoint` leaves out;  keys: their names
    holdout_indices  int64, ascending, positions in 0 .. count - 1
    digest           of the content, of what was done to it and of the split: what a checkpoint remembers
    settings         the user's, with size, channels and the share held out resolved;  warnings: for the user
    other            of a translation: domain b, while this is domain a
    paired           whether image i of `train` (of `holdout`) is the partner of image i there
    """

    train: Dataset
    holdout: Dataset | None
    shape: tuple[int, int, int]
    classes: tuple[str, ...] | None
    labelled: bool
    count: int
    keys: tuple[str, ...]
    holdout_indices: Indices
    digest: str
    name: str
    points: bool
    settings: DataSettings
    warnings: tuple[str, ...] = ()
    other: Prepared | None = None
    paired: bool = False
    frequencies: tuple[int, ...] = ()
    larger: Dataset | None = None

    def amounts(self) -> tuple[str, str]:
        """Numbers of training images and of images held out: "1,200", or "1,200 + 900" of two domains."""
        domains = [self] if self.other is None else [self, self.other]
        train = [len(domain.train) for domain in domains]
        held_out = [len(domain.holdout_indices) for domain in domains]
        return " + ".join(f"{count:,}" for count in train), " + ".join(f"{count:,}" for count in held_out)
