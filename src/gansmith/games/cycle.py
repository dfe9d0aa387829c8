"""The cycle: two translators between unpaired sets of images, each the way back of the other, and two discriminators.

Zhu, Park, Isola, Efros 2017, "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks", section
3; the identity term is that of section 5.2 ("Photo generation from paintings"), after Taigman, Polyak, Wolf 2017,
"Unsupervised Cross-Domain Image Generation". The translators play first; the discriminators then play on the same real
images and on a pool of the fakes just made.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, NamedTuple

import torch
from pydantic import Field
from torch import Tensor, nn

from gansmith.adversarial import Batch, Fixed, Game, Moment, Objective, Play, Prior, Sample, Terms, Turn, exact
from gansmith.games.parts.domains import OTHER, distance, images_of, turn_of
from gansmith.games.parts.jitter import jitter as jittered
from gansmith.games.parts.pool import Pool
from gansmith.schedules import Weight, schedule

ROLES = {  # player -> role in the model's file; to_b reads a
    "to_b": "translator",
    "to_a": "translator",
    "discriminator_a": "discriminator",
    "discriminator_b": "discriminator",
}
DOMAINS = ("a", "b")

Many = Annotated[int, Field(ge=0)]


def build(
    players: Mapping[str, nn.Module],
    objective: Objective,
    prior: Prior,
    *,
    cycle: Weight = 10.0,
    identity: Weight = 0.5,
    pool: Many = 50,
    jitter: Many = 0,
    averaged: bool = False,
) -> Game:
    """The game of two translators (images -> images) and two discriminators (images -> scores) under an objective.
    Batches are {"a": Sample, "b": Sample}; no image of one belongs to one of the other. Labels are not read.

    cycle: weight of |to_a(to_b(a)) - a| and of |to_b(to_a(b)) - b|, each the mean over all pixels. identity: weight of
    |to_a(a) - a| and |to_b(b) - b|, times `cycle`. pool: fakes remembered for each discriminator. jitter: pixels by
    which images are made larger before a crop of their size, each by itself. averaged: keep moving averages of the
    translators, and show and save those.
    """
    to = {"a": players["to_a"], "b": players["to_b"]}
    judge = {name: players[f"discriminator_{name}"] for name in DOMAINS}
    pools = {name: Pool(pool) for name in DOMAINS}
    of_cycle, of_identity = schedule(cycle), schedule(identity)
    made = _Made()

    def drawn(batch: Batch, at: Moment) -> dict[str, Tensor]:
        images = images_of(batch, DOMAINS, "cycle")
        return {name: jittered(image, pixels=jitter, rng=at.rng) for name, image in images.items()}

    def translate(batch: Batch, at: Moment) -> Terms:
        real = drawn(batch, at)
        fake = {name: exact(to[name](real[OTHER[name]])) for name in DOMAINS}
        made.remember(batch, at, Pairs(real, {name: image.detach() for name, image in fake.items()}, {}))
        weight = of_cycle(at.images)
        alike = weight * of_identity(at.images)
        loss: dict[str, Tensor] = {}
        seen: dict[str, Tensor] = {}
        for name in DOMAINS:
            terms = objective.generator_terms(judge[name], Sample(real[name]), Sample(fake[name]), at)
            terms = terms.plus(objective.weight_terms("generator", to[name], at))
            loss |= {f"{'adversarial' if key == 'loss' else key}_{name}": value for key, value in terms.loss.items()}
            seen |= {f"{key}_{name}": value for key, value in terms.seen.items()}
            if weight:  # Eq. 2
                loss[f"cycle_{name}"] = weight * distance(to[name](fake[OTHER[name]]), real[name])
            if alike:  # section 5.2
                loss[f"identity_{name}"] = alike * distance(to[name](real[name]), real[name])
        return Terms(loss, seen)

    def discriminates(name: str) -> Play:
        def discriminate(batch: Batch, at: Moment) -> Terms:
            pairs = made.recall(batch, at)
            if pairs is None:  # the translators have not played on this batch
                real = drawn(batch, at)
                with torch.no_grad():
                    pairs = Pairs(real, {name: exact(to[name](real[OTHER[name]]))}, {})
            if name not in pairs.shown:  # repeats are shown the same
                pairs.shown[name] = pools[name].mixed(pairs.fake[name], at.rng)
            return objective.discriminator_terms(judge[name], Sample(pairs.real[name]), Sample(pairs.shown[name]), at)

        return discriminate

    def show(players: Mapping[str, nn.Module], fixed: Fixed) -> Tensor:
        images = images_of(fixed.real, DOMAINS, "cycle")
        columns: list[Tensor] = []
        for name in DOMAINS:
            there = players[f"to_{OTHER[name]}"](images[name])
            columns += [images[name], there, players[f"to_{name}"](there)]
        return torch.stack(columns, 1).flatten(0, 1)

    return Game(
        players=players,
        turns=(
            Turn("translators", ("to_b", "to_a"), translate),
            *(turn_of(name, judge[name], discriminates(name), objective) for name in DOMAINS),
        ),
        averaged=("to_b", "to_a") if averaged else (),
        state={f"pool_{name}": pools[name] for name in DOMAINS},
        show=show,
        columns=6,
    )


class Pairs(NamedTuple):
    """Of one part of a batch, by domain: the real images, the fakes made in their place, and what the pool showed
    instead of these."""

    real: dict[str, Tensor]
    fake: dict[str, Tensor]
    shown: dict[str, Tensor]


class _Made:
    """What the translators made of the parts of this step's batch, until the next step.

    A part is known again by where its images lie in memory, which is theirs as long as they are kept here.
    """

    def __init__(self) -> None:
        self.step = -1
        self.parts: dict[tuple[object, ...], tuple[Batch, Pairs]] = {}

    def remember(self, batch: Batch, at: Moment, pairs: Pairs) -> None:
        if at.step != self.step:
            self.step = at.step
            self.parts.clear()
        self.parts[_place(batch)] = (batch, pairs)

    def recall(self, batch: Batch, at: Moment) -> Pairs | None:
        found = self.parts.get(_place(batch)) if at.step == self.step else None
        return None if found is None else found[1]


def _place(batch: Batch) -> tuple[object, ...]:
    images = [batch[name].image for name in DOMAINS if name in batch]
    return tuple((image.data_ptr(), *image.shape) for image in images)
