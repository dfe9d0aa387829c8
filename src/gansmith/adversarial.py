"""Types of adversarial training: samples, scores, loss terms, objectives, turns and games.

    Sample -> Scores -> Terms            images with labels; the discriminator's scores; the terms of a loss
    Objective (functions and data)       the losses of both sides, their penalties and projections
    Game = players + turns               which networks are updated, in what order, on what data

Shapes: images float32 [B, C, H, W] in [-1, 1]; labels int64 [B]; latents [B, Z]; scores [B, ...], raw.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple, Protocol, TypeVar

import torch
from torch import Tensor, nn

from gansmith.errors import GansmithError
from gansmith.schedules import Schedule, always_one
from gansmith.system.ranking import shares_of
from gansmith.values import Batch, Dimensions, Fixed, Moment, Sample, Scores, Terms, exact

__all__ = [
    "Batch",
    "Dimensions",
    "Fixed",
    "Game",
    "Moment",
    "Objective",
    "Observer",
    "OnLatents",
    "OnWeights",
    "Penalty",
    "Play",
    "Sample",
    "Scores",
    "Side",
    "Stateful",
    "Terms",
    "Turn",
    "Weighted",
    "exact",
    "once",
    "seen_of",
]


Penalty = Callable[[nn.Module, Scores, torch.Generator], Tensor]  # -> [B], unweighted
WeightPenalty = Callable[[nn.Module], Tensor]  # -> a scalar, unweighted
LatentPenalty = Callable[[nn.Module, Tensor, Tensor | None, torch.Generator], Tensor]  # -> [B], unweighted
Side = Literal["generator", "discriminator"]
Pairing = Callable[[Tensor | None, Tensor], Tensor]


def once(step: int) -> int:
    """One repeat in every step."""
    return 1


@dataclass(frozen=True)
class Weighted:
    """A penalty with its weight over the images drawn, computed at every `every`-th step and multiplied by `every`.

    per_sample: it differentiates each image's own score, which batch normalisation does not allow.
    state: statistics that it keeps from turn to turn; part of the game's state.
    """

    penalty: Callable[..., Tensor]  # a Penalty, a WeightPenalty in OnWeights, a LatentPenalty in OnLatents
    weight: Schedule = always_one
    every: int = 1
    per_sample: bool = True
    state: Observer | None = None

    def due(self, step: int) -> bool:
        return step % self.every == 0

    def scale(self, at: Moment) -> float:
        """The weight now, times `every`."""
        return self.weight(at.images) * self.every


class OnWeights(NamedTuple):
    """A penalty on the weights of one side: its `term.penalty` is a WeightPenalty."""

    term: Weighted
    side: Side = "generator"


class OnLatents(NamedTuple):
    """A penalty on the generator, differentiated by what it computes of latents: its `term.penalty` is a LatentPenalty,
    called with the generator, latents [B, Z], their labels and the turn's random generator."""

    term: Weighted


@dataclass(frozen=True)
class Objective:
    """Losses of the two sides. Both functions take (real scores, fake scores), each [B, ...].

    discriminator(real, fake) -> [B, ...]     its loss, averaged over everything
    generator(real or None, fake) -> [B, ...]
    relativistic        the generator's loss reads the real scores
    threshold           the score from which an image counts as real, where the objective has one
    penalties           further terms of the discriminator's loss
    weight_penalties    further terms on the weights of either side
    latent_penalties    further terms of the generator's loss, for a game whose generator reads latents
    project             applied to the discriminator after each of its updates (a clamp)
    project_before      applied to the discriminator before each of its updates
    discriminator_steps how many updates of the discriminator in step n
    own_state           statistics by name that the losses themselves read (BEGAN's k)
    """

    discriminator: Callable[[Tensor, Tensor], Tensor]
    generator: Pairing
    relativistic: bool = False
    threshold: float | None = None
    penalties: Mapping[str, Weighted] = field(default_factory=dict)
    weight_penalties: Mapping[str, OnWeights] = field(default_factory=dict)
    latent_penalties: Mapping[str, Weighted] = field(default_factory=dict)
    project: Callable[[nn.Module], None] | None = None
    project_before: Callable[[nn.Module], None] | None = None
    discriminator_steps: Callable[[int], int] = once
    own_state: Mapping[str, Observer] = field(default_factory=dict)

    @property
    def state(self) -> dict[str, Observer]:
        """Statistics of the losses and of the penalties by name, for Game.state; `settle` updates them."""
        return {**self.state_of("discriminator"), **self.state_of("generator")}

    def state_of(self, side: Side) -> dict[str, Observer]:
        """The statistics that the turns of `side` update."""
        own, terms = (self.own_state, self.penalties) if side == "discriminator" else ({}, self.latent_penalties)
        return {**own, **{name: term.state for name, term in terms.items() if term.state is not None}}

    def penalised(self, penalties: Mapping[str, Weighted | OnWeights | OnLatents]) -> Objective:
        """This objective with further penalties. Raises GansmithError for a name that is taken."""
        names = {"loss", *self.penalties, *self.weight_penalties, *self.latent_penalties, *self.own_state}
        taken = penalties.keys() & names
        if taken:
            way = "set its weight among the objective's own options, or take the penalty away"
            raise GansmithError(f"the objective has a term called {min(taken)} already: {way}")
        return replace(
            self,
            penalties={**self.penalties, **_of_type(Weighted, penalties)},
            weight_penalties={**self.weight_penalties, **_of_type(OnWeights, penalties)},
            latent_penalties={
                **self.latent_penalties,
                **{name: penalty.term for name, penalty in _of_type(OnLatents, penalties).items()},
            },
        )

    def discriminator_terms(
        self, discriminator: nn.Module, real: Sample, fake: Sample, at: Moment, *, flipped: Tensor | None = None
    ) -> Terms:
        """Terms of the discriminator's turn: real and fake pass in separate batches, then each penalty that is due.

        A network with `own_terms` (their names) adds them here: called with `own`, the turn's generator, it returns the
        scores and {name: its own weighted term}. flipped: bool [B], where the real and the fake score change places.
        """
        if self.project_before is not None:
            torch.no_grad()(self.project_before)(discriminator)
        due = {name: term for name, term in self.penalties.items() if term.due(at.step)}
        if due:  # penalties differentiate by the images
            real = Sample(real.image.detach().requires_grad_(), real.label)
            fake = Sample(fake.image.detach().requires_grad_(), fake.label)
        supervised = getattr(discriminator, "own_terms", ())
        of_real, own = discriminator(*real, own=at.rng) if supervised else (discriminator(*real), {})
        scores = Scores(real, fake, exact(of_real), exact(discriminator(*fake)))
        first, second = scores.real, scores.fake
        if flipped is not None:
            where = flipped.view(-1, *[1] * (first.dim() - 1))
            first, second = torch.where(where, second, first), torch.where(where, first, second)
        loss = {"loss": self.discriminator(first, second).mean(), **own}
        for name, term in due.items():
            if name in loss:
                raise GansmithError(f"a penalty cannot be called {name!r}: the turn has a term of that name")
            loss[name] = term.scale(at) * exact(term.penalty(discriminator, scores, at.rng)).mean()
        seen = seen_of(scores.real.detach(), scores.fake.detach(), self.threshold)
        for state in self.state_of("discriminator").values():
            seen |= state.seen()
        return Terms(loss, seen).plus(self.weight_terms("discriminator", discriminator, at))

    def settle(self, discriminator: nn.Module, terms: Terms) -> None:
        """After an update of the discriminator: its projection, and what the statistics learn from its terms."""
        if self.project is not None:
            self.project(discriminator)
        for state in self.state_of("discriminator").values():
            state.observe(terms)

    def settle_generator(self, terms: Terms) -> None:
        """After an update of the generator: what the statistics of its penalties learn from its terms."""
        for state in self.state_of("generator").values():
            state.observe(terms)

    def weight_terms(self, side: Side, network: nn.Module, at: Moment) -> dict[str, Tensor]:
        """Penalties on the weights of `side` that are due, as weighted scalars for the turn of that side."""
        due = {name: term for name, (term, of) in self.weight_penalties.items() if of == side and term.due(at.step)}
        return {name: term.scale(at) * term.penalty(network) for name, term in due.items()}

    def latent_terms(self, generator: nn.Module, z: Tensor, label: Tensor | None, at: Moment) -> Terms:
        """Penalties on the generator that are due, at the latents z [B, Z], as weighted scalars; and what their
        statistics record. To be added to the terms of its turn."""
        seen: dict[str, Tensor] = {}
        due = {name: term for name, term in self.latent_penalties.items() if term.due(at.step)}
        loss = {
            name: term.scale(at) * exact(term.penalty(generator, z, label, at.rng)).mean() for name, term in due.items()
        }
        for state in self.state_of("generator").values():
            seen |= state.seen()
        return Terms(loss, seen)

    def generator_terms(self, discriminator: nn.Module, real: Sample | None, fake: Sample, at: Moment) -> Terms:
        """Terms of the generator's turn. Real scores are computed only for a relativistic objective."""
        real_scores = None
        if self.relativistic:
            if real is None:
                raise GansmithError("a relativistic objective needs the real images in the generator's turn")
            with torch.no_grad():
                real_scores = exact(discriminator(*real))
        return Terms({"loss": self.generator(real_scores, exact(discriminator(*fake))).mean()})


_Kind = TypeVar("_Kind")


def _of_type(kind: type[_Kind], penalties: Mapping[str, object]) -> dict[str, _Kind]:
    return {name: penalty for name, penalty in penalties.items() if isinstance(penalty, kind)}


def seen_of(real: Tensor, fake: Tensor, threshold: float | None = None) -> dict[str, Tensor]:
    """Recorded terms of the discriminator's turn. `held_real`: the share of real scores above the threshold."""
    return {"score_real": real.mean(), "score_fake": fake.mean(), **shares_of(real, fake, threshold)}


class Stateful(Protocol):
    """State that a checkpoint holds: an image pool, an adaptive probability, moving averages.

    `load_state_dict` receives tensors on the CPU and moves them to where they are used.
    """

    def state_dict(self) -> dict[str, Any]: ...
    def load_state_dict(self, state: dict[str, Any]) -> Any: ...


class Observer(Stateful, Protocol):
    """Statistics of the discriminator's turns. They are read before an update, and updated after it, without gradient.

    observe: updates them from the terms of a turn. seen: scalars by name, recorded with each turn; none is an answer.
    """

    def observe(self, terms: Terms) -> None: ...
    def seen(self) -> Mapping[str, Tensor]: ...


Play = Callable[[Batch, Moment], Terms]


@dataclass(frozen=True)
class Turn:
    """One update of one side: `players` are trained together on the terms of `play`, all other networks are frozen.

    repeats(step)    updates in this step; with zero the turn is left out and records nothing
    draws            True: every repeat takes a fresh batch, which counts as images drawn; False: it reuses the last one
    settle           called after the update, without gradient: a clamp, an adaptive probability
    """

    name: str
    players: tuple[str, ...]
    play: Play
    repeats: Callable[[int], int] = once
    draws: bool = True
    settle: Callable[[Terms, Moment], None] | None = None


@dataclass(frozen=True)
class Game:
    """Networks, the order of their updates, and the state of a training besides its optimizers.

    players     name -> network
    turns       played in order, in every step
    averaged    the players of which a moving average is kept
    state       everything besides networks and optimizers that a checkpoint must hold
    show        (players, fixed inputs) -> images [N, C, H, W]: one sample sheet
    columns     of that sheet; near-square when None
    """

    players: Mapping[str, nn.Module]
    turns: tuple[Turn, ...]
    averaged: tuple[str, ...] = ()
    state: Mapping[str, Stateful] = field(default_factory=dict)
    show: Callable[[Mapping[str, nn.Module], Fixed], Tensor] | None = None
    columns: int | None = None
