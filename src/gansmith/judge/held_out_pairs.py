"""The true pairs that a translating run held out, and whether another run held out the same ones."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from gansmith.data import holdout
from gansmith.data.dataset import Dataset
from gansmith.data.prepare import prepare_domains
from gansmith.data.prepared import Prepared
from gansmith.data.true_pairs import holdout_pairs
from gansmith.errors import DataError, RunError
from gansmith.evaluation.types import Images, Labels
from gansmith.experiment.completion import paired
from gansmith.judge.opened import trained_on
from gansmith.runs.folder import is_run
from gansmith.runs.run import Run


@dataclass(frozen=True)
class HeldPairs:
    """The true pairs that a run held out. images: uint8 [P, H, W, C] of each domain; clusters: int64 [P]."""

    data: Prepared
    names: tuple[str, ...]
    images: dict[str, Images]
    clusters: Labels


def held_pairs(run: Run) -> HeldPairs | None:
    """The true pairs that the run held out; None where there are none. Raises RunError for models without their run."""
    if not is_run(run.path):
        raise RunError(
            f"{run.path} holds models only, and only a whole run records which pairs were held out: give the run"
        )
    ran = run.experiment
    data = prepare_domains(ran.data, paired=paired(ran.game.name))
    other, chosen = other_side(data), holdout_pairs(data)
    if data.holdout is None or other.holdout is None or not len(chosen[0]):
        return None
    first, second = data.holdout_indices[chosen[0]], other.holdout_indices[chosen[1]]
    images = {"a": pixels(data.holdout, chosen[0]), "b": pixels(other.holdout, chosen[1])}
    return HeldPairs(data, tuple(data.keys[index] for index in first.tolist()), images, _clusters(data, first, second))


def other_side(data: Prepared) -> Prepared:
    """Domain b of what `prepare_domains` made."""
    assert data.other is not None  # of `prepare_domains` always
    return data.other


def same_pairs(run: Run, place: Path, wanted: HeldPairs) -> Prepared:
    """The data that `run` was trained on. Raises DataError when it may have been trained on one of the pairs `wanted`,
    which the run at `place` held out, or has other images under their names."""
    held = held_pairs(run)
    where = {} if held is None else {name: index for index, name in enumerate(held.names)}
    trained = [name for name in wanted.names if name not in where]
    if held is None or trained:
        raise DataError(
            f"{run.path} did not hold out {len(trained)} of the {len(wanted.names)} pairs, for example {trained[0]}: "
            f"it may have been trained on them. Train both with the same data.holdout and data.holdout_by"
        )
    shapes = ["x".join(map(str, one.images["a"].shape[1:])) for one in (held, wanted)]
    if shapes[0] != shapes[1]:
        raise DataError(f"{run.path} knows images of {shapes[0]} and {place} of {shapes[1]}: compare runs of one size")
    positions = [where[name] for name in wanted.names]
    unlike = [(held.images[side][positions] != wanted.images[side]).any((1, 2, 3)) for side in "ab"]
    different = np.flatnonzero(unlike[0] | unlike[1])
    if len(different):
        raise DataError(
            f"{run.path} knows {len(different)} of the {len(positions)} pairs by other images, for example "
            f"{wanted.names[different[0]]}: was it trained on other data, with the domains exchanged, or with another "
            f"data.fit or data.background?"
        )
    return held.data


def changed(run: Run, data: Prepared) -> list[str]:
    """A note where the images are no longer those that the run was trained on."""
    if trained_on(run) in (None, data.digest):
        return []
    return [
        f"The images at {data.settings.path} are not the ones that {run.path} was trained on: they changed since, and "
        f"it may have been trained on some of these pairs."
    ]


def _clusters(data: Prepared, first: Labels, second: Labels) -> Labels:
    """Which pairs, at `first` in domain a and at `second` in b, belong together by the rule of the hold-out where it
    goes by names: variants of one thing are not independent of each other."""
    rule, other = data.settings.holdout_by, other_side(data)
    if not rule.startswith("name:"):
        return np.arange(len(first), dtype=np.int64)
    # as the hold-out does it: over all names of both sides, since those of these pairs alone may match nothing
    groups = holdout.groups_by(rule, keys=[*data.keys, *other.keys])
    one, two = groups[first], groups[len(data.keys) + second]
    count = int(groups.max()) + 1
    links = coo_array((np.ones(len(one), bool), (one, two)), (count, count))
    together: Labels = connected_components(links, directed=False)[1][one].astype(np.int64)
    return together


def pixels(dataset: Dataset, indices: NDArray[np.int64]) -> Images:
    """The images at `indices`, uint8 [N, H, W, C]."""
    images: Images = np.ascontiguousarray(dataset[indices].image)
    return images
