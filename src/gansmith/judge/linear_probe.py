"""Linear probe of a discriminator or classifier: `gansmith probe`.

Radford, Metz, Chintala 2016, section 5.1, with the controls that the question needs, on the same images, the same split
and the same classifier: the same network with random weights (batch normalisations settled on the same images), raw
pixels, and pixels pooled as the features are.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gansmith import __version__
from gansmith.data.open import open_dataset
from gansmith.data.prepare import prepare
from gansmith.data.prepared import Prepared
from gansmith.data.subsets import random_subset
from gansmith.errors import DataError, OptionError, RunError, unknown
from gansmith.evaluation.activations import GRID, activations, pooled_pixels, settle, to_input
from gansmith.evaluation.linear_probe import (
    Parts,
    Probe,
    difference,
    difference_from_several,
    linear_probe,
    majority,
    split,
)
from gansmith.evaluation.protocol import Protocol
from gansmith.evaluation.types import Images, Labels, Number
from gansmith.judge.opened import Opened, open_for_judging
from gansmith.models.saved import Card
from gansmith.runs.run import Run
from gansmith.system.paths import resolved
from gansmith.system.seeding import mix, seeded

MOST_NETWORKS = 100  # untrained ones: each takes as long as the trained one
PLAYERS = ("discriminator", "classifier")  # the roles that read images, the preferred one first
PIXELS, POOLED, RANDOM = "raw pixels", "pooled pixels", "random network"
_MEANS = "of test images put into their class by a linear classifier on "


@dataclass(frozen=True)
class Report:
    """features: the network's own probe; controls: {name: its probe}; random: one probe for each seed.

    gains     {control: by how much the features are more accurate than it, on the same test images}
    majority  accuracy of always saying the commonest class
    """

    player: str
    features: Probe
    controls: Mapping[str, Probe]
    random: tuple[Probe, ...]
    gains: Mapping[str, Number]
    majority: float
    parts: Parts
    classes: tuple[str, ...]
    protocol: Protocol

    @property
    def random_accuracy(self) -> tuple[float, float]:
        """Mean and standard deviation over the seeds of the random networks."""
        values = [probe.accuracy.value for probe in self.random]
        return float(np.mean(values)), float(np.std(values, ddof=1))

    def record(self) -> dict[str, Any]:
        """Plain values for JSON."""
        mean, spread = self.random_accuracy
        return {
            "gansmith": __version__,
            "player": self.player,
            "features": _plain(self.features),
            "controls": {name: _plain(probe) for name, probe in self.controls.items()},
            "random": {"mean": mean, "deviation": spread, "seeds": [_plain(probe) for probe in self.random]},
            "gains": {name: number.record() for name, number in self.gains.items()},
            "majority": self.majority,
            "classes": list(self.classes),
            "images": {part: len(indices) for part, indices in vars(self.parts).items()},
            "protocol": {**self.protocol.record(), "text": self.how},
        }

    @property
    def how(self) -> str:
        """The protocol in one line."""
        known = self.protocol
        return (
            f"{known.metric}; {known.features}; tested on {known.real_count:,} of {known.real}; {known.size}; "
            f"gansmith {known.version}"
        )


def probe(
    run: str | Path,
    data: str | Path,
    *,
    player: str | None = None,
    images: int = 2000,
    checkpoint: str | None = None,
    seed: int = 0,
    random_networks: int = 3,
    device: str = "auto",
    trust: bool = False,
) -> Report:
    """Probe a player of `run` on at most `images` of the labelled images `data`, and the controls beside it.

    Raises RunError for a run without such a player, DataError for images without labels or with too few of a class.
    """
    if images < 1:
        raise OptionError(f"images = {images} is not allowed: at least 1")
    if not 2 <= random_networks <= MOST_NETWORKS:
        raise OptionError(f"random_networks = {random_networks} is not allowed: at least 2, at most {MOST_NETWORKS}")
    whole = Run(run, trust=trust)
    opened = open_for_judging(whole, player_of(whole, player), checkpoint=checkpoint, device=device)
    prepared = labelled(data, opened)
    pixels, labels = drawn(prepared, images, seed)
    parts = split(labels, seed=seed, names=prepared.classes)
    name = opened.card.player
    probes = {
        which: linear_probe(rows, labels, parts=parts, means=_MEANS + which, what=f"probing {which}")
        for which, rows in _feature_sets(opened, pixels, parts, random_networks, seed)
    }
    random = tuple(probes[f"{RANDOM} {number}"] for number in range(random_networks))
    controls = {which: probes[which] for which in (PIXELS, POOLED)}
    return Report(
        player=name,
        features=probes[name],
        controls=controls,
        random=random,
        gains={RANDOM: difference_from_several(probes[name], random)}
        | {which: difference(probes[name], control) for which, control in controls.items()},
        majority=majority(labels, parts),
        parts=parts,
        classes=prepared.classes or tuple(str(label) for label in np.unique(labels)),
        protocol=_protocol(opened, prepared, parts, seed),
    )


def _feature_sets(
    opened: Opened, pixels: Images, parts: Parts, random_networks: int, seed: int
) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """(name, features [N, D]) of the player, of each random network, of the pixels and of the pooled pixels."""
    name, device = opened.card.player, opened.device
    yield name, activations(opened.network, pixels, device=device, what=f"features of the {name}")
    learning = pixels[np.concatenate([parts.train, parts.validation])]
    for number in range(random_networks):
        network = settle(untrained(opened.card, seed, number), learning)
        which = f"{RANDOM} {number}"
        yield which, activations(network, pixels, device=device, what=f"features of {which}")
    yield PIXELS, to_input(pixels).flatten(1).numpy()
    yield POOLED, pooled_pixels(pixels)


def _protocol(opened: Opened, prepared: Prepared, parts: Parts, seed: int) -> Protocol:
    trained = f"at {opened.card.images:,} images" if opened.checkpoint is None else f"at checkpoint {opened.checkpoint}"
    return Protocol(
        metric=(
            f"linear L2-SVM on standardised features, trained on {len(parts.train):,} images, "
            f"C chosen on {len(parts.validation):,}"
        ),
        features=(
            f"{opened.card.player} of {resolved(opened.run.path).name} {trained}, "
            f"layers max-pooled to at most {GRID}x{GRID}"
        ),
        real=f"{prepared.name}, {prepared.digest[:12]}, drawn and split by seed {seed}",
        real_count=len(parts.test),
        fake_count=0,
        size=f"{opened.size}, {prepared.settings.fit}",
        averaging=opened.averaging,
    )


def player_of(run: Run, player: str | None) -> str:
    """The player to probe: the one asked for, or the first discriminator or classifier. Raises RunError."""
    known = run.players
    if player is not None and player not in known:
        raise RunError(f"{run.path}: {unknown('player', player, known)}")
    candidates = known if player is None else [player]
    roles = {name: run.network(name)[1].role for name in candidates}
    readers = [name for role in PLAYERS for name in candidates if roles[name] == role]
    if readers:
        return readers[0]
    if player is not None:
        raise RunError(f"the {player} of {run.path} is a {roles[player]}, which reads no images: it has no features")
    raise RunError(
        f"{run.path} has neither a discriminator nor a classifier, and only these read images. "
        f"It has: {', '.join(known)}"
    )


def labelled(data: str | Path, opened: Opened) -> Prepared:
    """The images at `data`, at the size and channels that the network reads. Raises DataError where they have no
    labels."""
    if opened.points:
        raise DataError("this network reads points, not images: there is nothing to probe")
    source = open_dataset(os.fspath(data))
    if source.labels is None:
        raise DataError(
            f"{data} has no labels, and a probe needs the class of each image: a folder for each class, a CSV with a "
            f"column of labels, or a labelled built-in set such as digits"
        )
    if source.points:
        raise DataError(f"{data} holds points, not images: there is nothing to probe")
    return prepare(opened.images_at(os.fspath(data)))


def drawn(prepared: Prepared, images: int, seed: int) -> tuple[Images, Labels]:
    """At most `images` of them, drawn by `seed`: uint8 [N, H, W, C] and labels [N]."""
    count = len(prepared.train)
    sample = prepared.train[random_subset(count, images, np.random.default_rng(mix(seed, "probe", "images")))]
    return np.ascontiguousarray(sample.image), np.asarray(sample.label, dtype=np.int64)


def untrained(card: Card, seed: int, number: int) -> Any:
    """The network of `card` with random weights, number 0, 1, 2 ... of its kind."""
    with seeded(seed, "probe", "random network", number):
        return card.build()


def _plain(one: Probe) -> dict[str, Any]:
    return {
        **one.accuracy.record(),
        "dimensions": one.dimensions,
        "cost": one.cost,
        "chosen_by": {str(cost): accuracy for cost, accuracy in one.chosen_by.items()},
    }
