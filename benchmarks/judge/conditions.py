"""What is done to the samples of a trial, and which verdict is right."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans

from benchmarks.judge.subjects import SOURCES, Dealt, Images, load
from gansmith.evaluation import damages
from gansmith.evaluation.planted_copies import UNDONE, plant
from gansmith.system.seeding import mix

Truth = Literal["good", "bad", "not good", "not bad", "any"]
SAMPLES = 300
KINDS_OF_IMAGES = 10  # clusters, where a set has no classes


class Trial(NamedTuple):
    """What the audit sees: the split, where held-out images may be replaced, and the samples."""

    dealt: Dealt
    samples: Images
    share: float | None = None  # of copies among the samples


class Condition(NamedTuple):
    """question: whose verdict is asked;  truth: the right one;  make: (split, data) -> Trial, None where the set has
    not what it takes."""

    question: str
    truth: Truth
    make: Callable[[Dealt, Path], Trial | None]


def _honest(dealt: Dealt) -> Images:
    return dealt.unseen[0][:SAMPLES]


def _changed(change: Callable[[Images], Images], dealt: Dealt, data: Path) -> Trial:
    return Trial(dealt, change(_honest(dealt)))


def _averaged(images: Images) -> Images:
    return ((images.astype(np.uint16) + np.roll(images, 1, axis=0)) // 2).astype(np.uint8)


def _halved(images: Images) -> Images:
    return images[:, ::2, ::2].repeat(2, axis=1).repeat(2, axis=2)[:, : images.shape[1], : images.shape[2]]


def _mirrored(images: Images) -> Images:
    return np.ascontiguousarray(images[:, :, ::-1])


def _grey(dealt: Dealt, data: Path) -> Trial | None:
    images = _honest(dealt)
    if images.shape[-1] == 1:
        return None
    return Trial(dealt, images.mean(axis=-1, keepdims=True).round().astype(np.uint8).repeat(3, axis=-1))


def _foreign(share: float, dealt: Dealt, data: Path) -> Trial:
    images = _honest(dealt)
    size, channels = images.shape[1], images.shape[-1]
    others = load(SOURCES[dealt.name].other, data, size, channels)[0]
    count = round(share * len(images))
    rng = np.random.default_rng(mix("foreign", dealt.split))
    return Trial(dealt, np.concatenate([others[rng.permutation(len(others))[:count]], images[count:]]))


def kinds(dealt: Dealt) -> NDArray[np.int64]:
    """The kind of each unseen image: its class, or one of ten clusters by colour and layout."""
    images, labels = dealt.unseen
    if SOURCES[dealt.name].labelled:
        return labels
    small = images.reshape(len(images), 8, images.shape[1] // 8, 8, images.shape[2] // 8, -1).mean(axis=(2, 4))
    found: NDArray[np.int64] = (
        KMeans(KINDS_OF_IMAGES, n_init=3, random_state=0).fit_predict(small.reshape(len(images), -1)).astype(np.int64)
    )
    return found


def _fewer(left: float, dealt: Dealt, data: Path) -> Trial:
    """Only the share `left` of the kinds, each as frequent as in the data."""
    kind = kinds(dealt)
    names = np.random.default_rng(mix("fewer", dealt.split)).permutation(np.unique(kind))
    kept = names[: max(1, round(left * len(names)))]
    return Trial(dealt, dealt.unseen[0][np.isin(kind, kept)][:SAMPLES])


def _copies(share: float, of: int | None, kind: str, dealt: Dealt, data: Path) -> Trial:
    """That share of the samples are copies of training images: of `of` of them, or each of another."""
    images = _honest(dealt)
    count = round(share * len(images))
    rng = np.random.default_rng(mix("copies", dealt.split, of or 0))
    chosen = rng.permutation(len(dealt.train[0]))[: of or count]
    sources = dealt.train[0][np.resize(chosen, count)]
    each = sorted(UNDONE) if kind == "mixed" else [kind]
    planted = [plant(sources[place :: len(each)], name, seed=dealt.split) for place, name in enumerate(each)]
    return Trial(dealt, np.concatenate([*planted, images[count:]]), share)


def _foreign_held_out(dealt: Dealt, data: Path) -> Trial | None:
    """Held-out images of one half of the classes, training images and samples of the other."""
    if not SOURCES[dealt.name].labelled:
        return None
    names = np.random.default_rng(mix("foreign held-out", dealt.split)).permutation(np.unique(dealt.train[1]))
    half = names[: len(names) // 2]

    def part(side: tuple[Images, NDArray[np.int64]], inside: bool) -> tuple[Images, NDArray[np.int64]]:
        chosen = np.isin(side[1], half) == inside
        return side[0][chosen], side[1][chosen]

    changed = Dealt(
        dealt.name, dealt.split, part(dealt.train, True), part(dealt.held_out, False), part(dealt.unseen, True)
    )
    return Trial(changed, changed.unseen[0][:SAMPLES], 0.0)


def _quality(truth: Truth, change: Callable[[Images], Images]) -> Condition:
    return Condition("quality", truth, partial(_changed, change))


PARTS: Mapping[str, Mapping[str, Condition]] = {
    "quality": {
        "honest": _quality("good", np.ascontiguousarray),
        "mirrored": _quality("any", _mirrored),
        "blur 0.5": _quality("any", partial(damages.blur, sigma=0.5)),
        "blur 1": _quality("any", partial(damages.blur, sigma=1)),
        "blur 2": _quality("bad", partial(damages.blur, sigma=2)),
        "noise 12": _quality("any", partial(damages.noise, deviation=12)),
        "noise 25": _quality("bad", partial(damages.noise, deviation=25)),
        "JPEG 50": _quality("any", partial(damages.jpeg, quality=50)),
        "JPEG 10": _quality("not good", partial(damages.jpeg, quality=10)),
        "checkerboard 10": _quality("not good", partial(damages.checkerboard, height=10)),
        "2 x 2 tiles": _quality("not good", partial(damages.tiles, count=2)),
        "4 x 4 tiles": _quality("bad", partial(damages.tiles, count=4)),
        "phases": _quality("bad", damages.phases),
        "averaged pairs": _quality("not good", _averaged),
        "halved and doubled": _quality("not good", _halved),
        "grey for colour": Condition("quality", "not good", _grey),
        "25 % foreign": Condition("quality", "any", partial(_foreign, 0.25)),
        "50 % foreign": Condition("quality", "not good", partial(_foreign, 0.5)),
        "100 % foreign": Condition("quality", "bad", partial(_foreign, 1.0)),
    },
    "diversity": {
        "honest": Condition("diversity", "good", lambda dealt, data: Trial(dealt, _honest(dealt))),
        "a third gone": Condition("diversity", "any", partial(_fewer, 2 / 3)),
        "half gone": Condition("diversity", "not good", partial(_fewer, 0.5)),
        "three quarters gone": Condition("diversity", "not good", partial(_fewer, 0.25)),
        "one kind left": Condition("diversity", "not good", partial(_fewer, 0.1)),
    },
    "copies": {
        "honest": Condition("memorisation", "good", lambda dealt, data: Trial(dealt, _honest(dealt), 0.0)),
        "20 % of one": Condition("memorisation", "bad", partial(_copies, 0.2, 1, "exact")),
        "20 % of three": Condition("memorisation", "bad", partial(_copies, 0.2, 3, "exact")),
        "50 % of three": Condition("memorisation", "bad", partial(_copies, 0.5, 3, "mixed")),
        "10 % of many": Condition("memorisation", "bad", partial(_copies, 0.1, None, "mixed")),
        "foreign held-out": Condition("memorisation", "not bad", _foreign_held_out),
    },
}
ASKED: Mapping[str, tuple[str, ...]] = {
    "quality": ("quality", "artifacts"),
    "diversity": ("diversity",),
    "copies": ("memorisation",),
}
