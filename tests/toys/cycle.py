"""A cycle: two generators trained in one turn, two discriminators in another on a pool of old fakes, reals reused.

One batch of reals is cut into two domains, the second mirrored.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from gansmith.adversarial import Batch, Game, Moment, Objective, Sample, Terms, Turn
from gansmith.data.prior import Prior

ROLES = {"to_a": "generator", "to_b": "generator", "of_a": "discriminator", "of_b": "discriminator"}


class Pool:
    """The last fakes shown; half of what is asked for comes from the past."""

    def __init__(self, size: int) -> None:
        self.size, self.images = size, torch.empty(0)

    def mixed(self, fresh: Tensor, rng: torch.Generator) -> Tensor:
        past = self.images[torch.randperm(len(self.images), generator=rng)[: len(fresh) // 2]]
        shown = torch.cat([past, fresh[len(past) :]]) if len(past) else fresh
        self.images = torch.cat([self.images.reshape(-1, *fresh.shape[1:]), fresh])[-self.size :].clone()
        return shown

    def state_dict(self) -> dict[str, Any]:
        return {"images": self.images.clone()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.images = state["images"].clone()


def build(players: Mapping[str, nn.Module], objective: Objective, prior: Prior) -> Game:
    pools = {"a": Pool(24), "b": Pool(24)}
    made: dict[str, Tensor] = {}

    def domains(batch: Batch) -> tuple[Sample, Sample]:
        image = batch["real"].image
        half = len(image) // 2
        return Sample(image[:half]), Sample(image[half:].flip(3))

    def translate(batch: Batch, at: Moment) -> Terms:
        a, b = domains(batch)
        fake_b, fake_a = players["to_b"](a.image), players["to_a"](b.image)
        made.update(a=fake_a.detach(), b=fake_b.detach())
        loss = {
            "a": objective.generator_terms(players["of_a"], a, Sample(fake_a), at).loss["loss"],
            "b": objective.generator_terms(players["of_b"], b, Sample(fake_b), at).loss["loss"],
            "cycle": (players["to_a"](fake_b) - a.image).abs().mean()
            + (players["to_b"](fake_a) - b.image).abs().mean(),
        }
        return Terms(loss)

    def discriminate(batch: Batch, at: Moment) -> Terms:
        loss, seen = {}, {}
        for name, real in zip("ab", domains(batch), strict=True):
            fake = pools[name].mixed(made[name], at.rng) if made else players[f"to_{name}"](real.image).detach()
            terms = objective.discriminator_terms(players[f"of_{name}"], real, Sample(fake), at)
            loss[name] = terms.loss["loss"]
            seen[f"accuracy_{name}"] = terms.seen["accuracy"]
        return Terms(loss, seen)

    return Game(
        players=players,
        turns=(
            Turn("generators", ("to_a", "to_b"), translate),
            Turn("discriminators", ("of_a", "of_b"), discriminate, draws=False),
        ),
        averaged=("to_a", "to_b"),
        state={"pool_a": pools["a"], "pool_b": pools["b"]},
    )
