"""Cycle-consistent unpaired image-to-image translation: two translators, inverse to each other, and two discriminators.

Zhu, Park, Isola, Efros 2017, "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks", section
3; the identity term is that of section 5.2 ("Photo generation from paintings"), after Taigman, Polyak, Wolf 2017,
"Unsupervised Cross-Domain Image Generation". The translators play first; the discriminators then play on the same real
images and on an image pool of fakes.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn

from gansmith.adversarial import Batch, Fixed, Game, Moment, Objective, Sample, Terms, Turn, exact
from gansmith.data.prior import Prior
from gansmith.games.parts.discriminator import discriminator_turn
from gansmith.games.parts.domains import OTHER, images_of, l1_distance
from gansmith.games.parts.jitter import jitter as jittered
from gansmith.games.parts.pool import Pool
from gansmith.schedules import Schedule, Weight, schedule
from gansmith.system.option_types import NonNegativeInt, NonNegativeSmallInt

ROLES = {  # player -> role in the model's file; to_b reads a
    "to_b": "translator",
    "to_a": "translator",
    "discriminator_a": "discriminator",
    "discriminator_b": "discriminator",
}
DOMAINS = ("a", "b")

_DISCRIMINATORS = {domain: f"discriminator_{domain}" for domain in DOMAINS}


def build(
    players: Mapping[str, nn.Module],
    objective: Objective,
    prior: Prior,
    *,
    cycle: Weight = 10.0,
    identity: Weight = 0.5,
    pool: NonNegativeInt = 50,
    jitter: NonNegativeSmallInt = 0,
    averaged: bool = False,
) -> Game:
    """The game of two translators (images -> images) and two discriminators (images -> scores) under an objective.
    Batches are {"a": Sample, "b": Sample}, unpaired. Labels are not read.

    cycle: weight of the cycle consistency loss |to_a(to_b(a)) - a| + |to_b(to_a(b)) - b|, each the mean over all
    pixels. identity: weight of the identity loss |to_a(a) - a| + |to_b(b) - b|, times `cycle`. pool: fakes in the image
    pool of each discriminator. jitter: pixels by which each image is enlarged before a random crop of its size.
    averaged: keep moving averages of the translators, and show and save those.

    >>> from gansmith import catalog
    >>> networks = {player: nn.Identity() for player in ROLES}
    >>> game = build(networks, catalog.build("objectives", "lsgan"), Prior(), averaged=True)
    >>> game.averaged, sorted(game.state)
    (('to_b', 'to_a'), ['pool_a', 'pool_b'])
    """
    weights = {"cycle": schedule(cycle), "identity": schedule(identity)}
    pools = {domain: Pool(pool) for domain in DOMAINS}
    parts = _Parts(players, objective, weights, pools, jitter, _LastFakes())
    return Game(
        players=players,
        turns=(
            Turn("translators", ("to_b", "to_a"), partial(_translate, parts)),
            *(
                discriminator_turn(name, players[name], partial(_discriminate, parts, domain), objective, draws=False)
                for domain, name in _DISCRIMINATORS.items()
            ),
        ),
        averaged=("to_b", "to_a") if averaged else (),
        state={f"pool_{domain}": pools[domain] for domain in DOMAINS},
        show=_show,
        columns=6,
    )


class _Parts(NamedTuple):
    """The parts of one game; weights: of the cycle and the identity loss."""

    players: Mapping[str, nn.Module]
    objective: Objective
    weights: Mapping[str, Schedule]
    pools: Mapping[str, Pool]
    jitter: int
    last: _LastFakes

    def to(self, domain: str, images: Tensor) -> Tensor:
        """Images translated to `domain`."""
        translated: Tensor = self.players[f"to_{domain}"](images)
        return translated

    def discriminator(self, domain: str) -> nn.Module:
        return self.players[_DISCRIMINATORS[domain]]

    def real(self, batch: Batch, at: Moment) -> dict[str, Tensor]:
        """The images of a batch, jittered."""
        images = images_of(batch, "cycle")
        return {domain: jittered(image, pixels=self.jitter, rng=at.rng) for domain, image in images.items()}

    def fake(self, domain: str, real: Mapping[str, Tensor]) -> Tensor:
        """The images of the other domain translated to `domain`, in float32 or better."""
        return exact(self.to(domain, real[OTHER[domain]]))


def _translate(parts: _Parts, batch: Batch, at: Moment) -> Terms:
    """The turn of both translators: adversarial, cycle consistency and identity losses, and penalties on weights."""
    real = parts.real(batch, at)
    fake = {domain: parts.fake(domain, real) for domain in DOMAINS}
    parts.last.remember(batch, at, Pairs(real, {domain: image.detach() for domain, image in fake.items()}, {}))
    cycle = parts.weights["cycle"](at.images)
    identity = cycle * parts.weights["identity"](at.images)
    loss: dict[str, Tensor] = {}
    seen: dict[str, Tensor] = {}
    for domain in DOMAINS:
        sides = Sample(real[domain]), Sample(fake[domain])
        terms = parts.objective.generator_terms(parts.discriminator(domain), *sides, at)
        terms = terms.plus(parts.objective.weight_terms("generator", parts.players[f"to_{domain}"], at))
        loss |= {f"{'adversarial' if name == 'loss' else name}_{domain}": term for name, term in terms.loss.items()}
        seen |= {f"{name}_{domain}": term for name, term in terms.seen.items()}
        if cycle:  # Eq. 2
            loss[f"cycle_{domain}"] = cycle * l1_distance(parts.to(domain, fake[OTHER[domain]]), real[domain])
        if identity:  # section 5.2
            loss[f"identity_{domain}"] = identity * l1_distance(parts.to(domain, real[domain]), real[domain])
    return Terms(loss, seen)


def _discriminate(parts: _Parts, domain: str, batch: Batch, at: Moment) -> Terms:
    """The turn of one domain's discriminator, on the images and fakes of the translators' turn; the fakes pass the
    pool once, whatever the number of repeats."""
    pairs = parts.last.recall(batch, at)
    if pairs is None:  # the translators have not played on this batch
        real = parts.real(batch, at)
        with torch.no_grad():
            pairs = Pairs(real, {domain: parts.fake(domain, real)}, {})
    if domain not in pairs.pooled:
        pairs.pooled[domain] = parts.pools[domain].mixed(pairs.fake[domain], at.rng)
    sides = Sample(pairs.real[domain]), Sample(pairs.pooled[domain])
    return parts.objective.discriminator_terms(parts.discriminator(domain), *sides, at)


def _show(players: Mapping[str, nn.Module], fixed: Fixed) -> Tensor:
    """Six columns: an image of a, its translation, this translated back; and the same for an image of b."""
    images = images_of(fixed.real, "cycle")
    columns: list[Tensor] = []
    for domain in DOMAINS:
        there = players[f"to_{OTHER[domain]}"](images[domain])
        columns += [images[domain], there, players[f"to_{domain}"](there)]
    return torch.stack(columns, 1).flatten(0, 1)


class Pairs(NamedTuple):
    """Of one part of a batch, by domain: the real images, the fakes in their place, and those that the pool returned
    for these."""

    real: dict[str, Tensor]
    fake: dict[str, Tensor]
    pooled: dict[str, Tensor]


class _LastFakes:
    """The pairs of the parts of this step's batch, from the translators' turn until the next step.

    A part is recognised by where its images lie in memory, which is theirs as long as they are kept here.
    """

    def __init__(self) -> None:
        self.step = -1
        self.parts: dict[tuple[object, ...], tuple[Batch, Pairs]] = {}

    def remember(self, batch: Batch, at: Moment, pairs: Pairs) -> None:
        if at.step != self.step:
            self.step = at.step
            self.parts.clear()
        self.parts[_addresses(batch)] = (batch, pairs)

    def recall(self, batch: Batch, at: Moment) -> Pairs | None:
        part = self.parts.get(_addresses(batch)) if at.step == self.step else None
        return None if part is None else part[1]


def _addresses(batch: Batch) -> tuple[object, ...]:
    images = [batch[domain].image for domain in DOMAINS if domain in batch]
    return tuple((image.data_ptr(), *image.shape) for image in images)
