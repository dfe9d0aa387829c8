"""Types of adversarial training: samples, scores, loss terms, objectives, turns and games.

    Sample -> Scores -> Terms            images with labels; the discriminator's scores; the terms of a loss
    Objective (functions and data)       the losses of both sides, their penalties and projections
    Game = players + turns               which networks are updated, in what order, on what data

Shapes: images float32 [B, C, H, W] in [-1, 1]; labels int64 [B]; latents [B, Z]; scores [B, ...], raw.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple, Protocol

import torch
from torch import Tensor, nn

from gansmith.errors import GansmithError
from gansmith.schedules import Schedule, always_one
from gansmith.system.ranking import accuracy


class Dimensions(NamedTuple):
    """Sizes that the networks of one experiment are built for: of images, latents [B, latent] and labels."""

    channels: int
    height: int
    width: int
    latent: int = 0
    classes: int = 0


class Sample(NamedTuple):
    """Images [B, C, H, W] in [-1, 1], and their labels [B] if there are any."""

    image: Tensor
    label: Tensor | None = None


Batch = Mapping[str, Sample]  # {"real": ...}; {"a": ..., "b": ...} for two domains


class Scores(NamedTuple):
    """Inputs and raw scores [B, ...] of one forward pass of the discriminator, which penalties differentiate."""

    shown_real: Sample
    shown_fake: Sample
    real: Tensor
    fake: Tensor


class Terms(NamedTuple):
    """Scalar terms of one turn: those in `loss` are summed and minimised, those in `seen` only recorded."""

    loss: dict[str, Tensor]
    seen: dict[str, Tensor] = {}  # noqa: RUF012  (a NamedTuple's default; nothing writes into it)

    def plus(self, loss: Mapping[str, Tensor]) -> Terms:
        """These terms with further ones in `loss`."""
        return Terms({**self.loss, **loss}, self.seen) if loss else self

    def total(self) -> Tensor:
        first, *others = self.loss.values()
        return sum(others, start=first)

    def checked(self) -> Terms:
        """These terms. Raises GansmithError for a name in both dictionaries, or without any loss."""
        twice = self.loss.keys() & self.seen.keys()
        if twice:
            raise GansmithError(f"a term stands twice in one turn: {', '.join(sorted(twice))}")
        if not self.loss:
            raise GansmithError("a turn returned no loss: there is nothing to minimise")
        return self


class Moment(NamedTuple):
    """Position of a turn in training: step, real images drawn so far, repeat within the step, the turn's generator."""

    step: int
    images: int
    repeat: int
    rng: torch.Generator


class Fixed(NamedTuple):
    """Inputs of a run's sample sheets: latents [N, Z], labels [N] or None, and up to N real images of each domain."""

    latents: Tensor
    label: Tensor | None
    real: Batch


Penalty = Callable[[nn.Module, Scores, torch.Generator], Tensor]  # -> [B], unweighted
WeightPenalty = Callable[[nn.Module], Tensor]  # -> a scalar, unweighted
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

    penalty: Callable[..., Tensor]  # a Penalty, or a WeightPenalty in OnWeights
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


@dataclass(frozen=True)
class Objective:
    """Losses of the two sides. Both functions take (real scores, fake scores), each [B, ...].

    discriminator(real, fake) -> [B, ...]     its loss, averaged over everything
    generator(real or None, fake) -> [B, ...]
    relativistic        the generator's loss reads the real scores
    threshold           the score from which an image counts as real, where the objective has one
    penalties           further terms of the discriminator's loss
    weight_penalties    further terms on the weights of either side
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
    project: Callable[[nn.Module], None] | None = None
    project_before: Callable[[nn.Module], None] | None = None
    discriminator_steps: Callable[[int], int] = once
    own_state: Mapping[str, Observer] = field(default_factory=dict)

    @property
    def state(self) -> dict[str, Observer]:
        """Statistics of the losses and of the penalties by name, for Game.state; `settle` updates them."""
        of_penalties = {name: term.state for name, term in self.penalties.items() if term.state is not None}
        return {**self.own_state, **of_penalties}

    def penalised(self, penalties: Mapping[str, Weighted | OnWeights]) -> Objective:
        """This objective with further penalties. Raises GansmithError for a name that is taken."""
        taken = penalties.keys() & {"loss", *self.penalties, *self.weight_penalties, *self.own_state}
        if taken:
            way = "set its weight among the objective's own options, or take the penalty away"
            raise GansmithError(f"the objective has a term called {min(taken)} already: {way}")
        weights = {name: term for name, term in penalties.items() if isinstance(term, OnWeights)}
        scores = {name: term for name, term in penalties.items() if isinstance(term, Weighted)}
        weights, scores = {**self.weight_penalties, **weights}, {**self.penalties, **scores}
        return replace(self, penalties=scores, weight_penalties=weights)

    def discriminator_terms(
        self, discriminator: nn.Module, real: Sample, fake: Sample, at: Moment, *, flipped: Tensor | None = None
    ) -> Terms:
        """Terms of the discriminator's turn: real and fake pass in separate batches, then each penalty that is due.

        flipped: bool [B], where the real and the fake score change places.
        """
        if self.project_before is not None:
            torch.no_grad()(self.project_before)(discriminator)
        due = {name: term for name, term in self.penalties.items() if term.due(at.step)}
        if due:  # penalties differentiate by the images
            real = Sample(real.image.detach().requires_grad_(), real.label)
            fake = Sample(fake.image.detach().requires_grad_(), fake.label)
        scores = Scores(real, fake, exact(discriminator(*real)), exact(discriminator(*fake)))
        first, second = scores.real, scores.fake
        if flipped is not None:
            where = flipped.view(-1, *[1] * (first.dim() - 1))
            first, second = torch.where(where, second, first), torch.where(where, first, second)
        loss = {"loss": self.discriminator(first, second).mean()}
        for name, term in due.items():
            if name in loss:
                raise GansmithError(f"a penalty cannot be called {name!r}: the turn has a term of that name")
            loss[name] = term.scale(at) * exact(term.penalty(discriminator, scores, at.rng)).mean()
        seen = seen_of(scores.real.detach(), scores.fake.detach(), self.threshold)
        for state in self.state.values():
            seen |= state.seen()
        return Terms(loss, seen).plus(self.weight_terms("discriminator", discriminator, at))

    def settle(self, discriminator: nn.Module, terms: Terms) -> None:
        """After an update of the discriminator: its projection, and what the statistics learn from its terms."""
        if self.project is not None:
            self.project(discriminator)
        for state in self.state.values():
            state.observe(terms)

    def weight_terms(self, side: Side, network: nn.Module, at: Moment) -> dict[str, Tensor]:
        """Penalties on the weights of `side` that are due, as weighted scalars for the turn of that side."""
        due = {name: term for name, (term, of) in self.weight_penalties.items() if of == side and term.due(at.step)}
        return {name: term.scale(at) * term.penalty(network) for name, term in due.items()}

    def generator_terms(self, discriminator: nn.Module, real: Sample | None, fake: Sample, at: Moment) -> Terms:
        """Terms of the generator's turn. Real scores are computed only for a relativistic objective."""
        real_scores = None
        if self.relativistic:
            if real is None:
                raise GansmithError("a relativistic objective needs the real images in the generator's turn")
            with torch.no_grad():
                real_scores = exact(discriminator(*real))
        return Terms({"loss": self.generator(real_scores, exact(discriminator(*fake))).mean()})


def exact(values: Tensor) -> Tensor:
    """Scores or images in float32 or float64, the formats in which losses and squares are computed."""
    return values if values.dtype == torch.float64 else values.float()


def seen_of(real: Tensor, fake: Tensor, threshold: float | None = None) -> dict[str, Tensor]:
    """Recorded terms of the discriminator's turn. `held_real`: the share of real scores above the threshold."""
    seen = {"score_real": real.mean(), "score_fake": fake.mean(), "accuracy": accuracy(real, fake)}
    if threshold is not None:
        seen["held_real"] = (real > threshold).float().mean()
    return seen


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
