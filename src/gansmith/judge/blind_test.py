"""Blind test of a run: its samples among real images, or beside another run's, in an order that nobody chose."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gansmith.data.prepare import prepare
from gansmith.data.subsets import random_subset
from gansmith.errors import DataError, OptionError
from gansmith.evaluation.blind.code import FEWEST, MOST
from gansmith.evaluation.blind.page import BlindTest
from gansmith.evaluation.generated_images import generated_images
from gansmith.evaluation.types import Images
from gansmith.judge.compare.contenders import parse
from gansmith.judge.image_sets import read_images
from gansmith.judge.opened import Opened, open_for_judging, trained_on
from gansmith.runs.run import Run
from gansmith.system.paths import resolved
from gansmith.system.progress import bar
from gansmith.system.seeding import mix

_SEEDS = 2**31  # seeds of samples are drawn below it: those of sheets, which people have seen, hardly come up


def blind_test(
    runs: Sequence[str | Path],
    *,
    against: str | None = None,
    looks: int = 40,
    seed: int = 0,
    raw: bool = False,
    device: str = "auto",
    trust: bool = False,
) -> BlindTest:
    """The test of one run, real or made, or of two, which looks more real. A run is a folder, or folder@checkpoint.

    against  real images instead of those that the run held out, or of those it was trained on where these are too few
    seed     of the order, of the samples and of the real images drawn

    Raises OptionError for another number of runs or looks, DataError for points, for two runs of different sizes, and
    for too few real images.
    """
    if len(runs) not in (1, 2):
        raise OptionError(f"{len(runs)} runs given: one is tested against real images, two against each other")
    if not FEWEST <= looks <= MOST:
        raise OptionError(f"looks = {looks} is not allowed: at least {FEWEST}, at most {MOST}")
    if against is not None and len(runs) == 2:
        raise OptionError("--against names real images, and two runs are tested against each other. Leave it out")
    places = [parse(run) for run in runs]
    if len(places) == 2 and places[0] == places[1]:
        raise OptionError(f"{runs[0]} was given twice; give another run, or another checkpoint of it: RUN@CHECKPOINT")
    opened = [
        open_for_judging(Run(path, trust=trust), "generator", checkpoint=checkpoint, raw=raw, device=device)
        for path, checkpoint in places
    ]
    for one in opened:
        if one.points:
            raise DataError(f"{one.run.path} makes points, and only images can be looked at")
    rng = np.random.default_rng(mix(seed, "blind test"))
    truth = rng.integers(0, 2, looks).astype(bool)  # a coin for each look: what was before says nothing
    short, long = [_name(one, whole=False) for one in opened], [_name(one, whole=True) for one in opened]
    names = tuple(long if len(set(short)) < len(short) else short)
    common: dict[str, Any] = {"truth": tuple(truth.tolist()), "names": names, "seed": seed}
    if len(opened) == 2:
        one, other = opened
        if one.shape != other.shape:
            raise DataError(
                f"{names[0]} makes images of {one.size} and {names[1]} of {other.size}: their sizes would tell them "
                f"apart. Test runs of one size and one number of channels"
            )
        first, second = (_samples(each, looks, rng) for each in opened)
        left = truth[:, None, None, None]
        shown = np.stack([np.where(left, first, second), np.where(left, second, first)], axis=1)
        return BlindTest("a or b", shown, reals="", **common)
    made = int(truth.sum())
    real, words = _reals(opened[0], against, looks - made, rng)
    shown = np.empty((looks, 1, *real.shape[1:]), dtype=np.uint8)
    shown[~truth, 0], shown[truth, 0] = real, _samples(opened[0], made, rng)
    return BlindTest("real or made", shown, reals=words, **common)


def _name(opened: Opened, *, whole: bool) -> str:
    name = str(opened.run.path) if whole else resolved(opened.run.path).name
    return name if opened.checkpoint is None else f"{name}@{opened.checkpoint}"


def _samples(opened: Opened, count: int, rng: np.random.Generator) -> Images:
    seeds = rng.choice(_SEEDS, count, replace=False).tolist() if count else [0]
    with bar(f"samples of {resolved(opened.run.path).name}", count) as advance:
        return generated_images(opened.renderer(), seeds, advance=advance)[:count]


def _reals(opened: Opened, against: str | None, count: int, rng: np.random.Generator) -> tuple[Images, str]:
    """`count` real images in the run's size, none twice, and where they come from, in words."""
    path, settings = opened.run.path, opened.settings
    if against is not None:
        settings = opened.images_at(against)
    elif settings is None:
        raise OptionError(
            f"{path} holds models only: say which real images its samples stand among, with --against DATA"
        )
    else:
        height, width, channels = opened.shape
        settings = settings.model_copy(update={"size": (height, width), "channels": channels})
    prepared = prepare(settings)
    if prepared.points:
        raise DataError(f"{settings.path} holds points, and only images can be looked at")
    held, name = prepared.holdout, prepared.name
    pool, words = prepared.train, f"drawn from {name}" if against is not None else f"training images of {name}"
    if held is not None and len(held) >= count:
        pool, words = held, f"images of {name} that the run held out of its training"
    elif against is None:
        few = 0 if held is None else len(held)
        words += f", because the run held out {few} and {count} were needed"
    if against is None and trained_on(opened.run) not in (None, prepared.digest):
        words += ", which changed since the run was trained"
    if len(pool) < count:
        raise DataError(
            f"there are {len(pool):,} real images in {name}, and {count} are needed, none of them twice. "
            f"Give fewer looks with --looks, or other real images with --against DATA"
        )
    return read_images(pool, random_subset(len(pool), count, rng))[0][rng.permutation(count)], words
