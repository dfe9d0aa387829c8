"""The nouns of the field: what a game is made of, and what passes between its parts.

    Sample -> Scores -> Terms            images with labels; what the discriminator says of them; what is minimised
    Prior                                the distribution of latents
    Objective (functions and data)       what the two sides minimise
    Game = players + turns               who plays, in what order, on what

Shapes: images float32 [B, C, H, W] in [-1, 1]; labels int64 [B]; latents [B, Z]; scores [B, ...], raw.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple, Protocol

import torch
from torch import Tensor, nn

from gansmith.errors import GansmithError


class Dimensions(NamedTuple):
    """What every network of one experiment is built for."""

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
    """What a discriminator was shown and what it said; penalties re-use its forward pass through this."""

    shown_real: Sample
    shown_fake: Sample
    real: Tensor
    fake: Tensor


class Terms(NamedTuple):
    """Scalars of one turn: `loss` is summed and minimised, `seen` is only recorded."""

    loss: dict[str, Tensor]
    seen: dict[str, Tensor] = {}  # noqa: RUF012  (a NamedTuple's default; nothing writes into it)

    def plus(self, loss: Mapping[str, Tensor]) -> Terms:
        """Itself with more to minimise."""
        return Terms({**self.loss, **loss}, self.seen) if loss else self

    def total(self) -> Tensor:
        first, *others = self.loss.values()
        return sum(others, start=first)

    def checked(self) -> Terms:
        """Itself. Raises GansmithError when a name stands in both dictionaries or there is nothing to minimise."""
        twice = self.loss.keys() & self.seen.keys()
        if twice:
            raise GansmithError(f"a term stands twice in one turn: {', '.join(sorted(twice))}")
        if not self.loss:
            raise GansmithError("a turn returned no loss: there is nothing to minimise")
        return self


class Moment(NamedTuple):
    """When a turn is played: the step, the images clock, the repeat within the step, and the turn's own randomness."""

    step: int
    images: int
    repeat: int
    rng: torch.Generator


class Fixed(NamedTuple):
    """What every sheet of a run is made from, the same in every sitting.

    latents [N, Z];  label [N], or None without classes;  real: at most N images of each domain, held out where any are
    """

    latents: Tensor
    label: Tensor | None
    real: Batch


Schedule = Callable[[int], float]  # images -> value
Penalty = Callable[[nn.Module, Scores, torch.Generator], Tensor]  # -> [B], unweighted
WeightPenalty = Callable[[nn.Module], Tensor]  # -> a scalar, unweighted
Side = Literal["generator", "discriminator"]
Pairing = Callable[[Tensor | None, Tensor], Tensor]


def always_one(images: int) -> float:
    """The schedule of a weight that is 1 throughout."""
    return 1.0


def once(step: int) -> int:
    """One repeat in every step."""
    return 1


@dataclass(frozen=True)
class Prior:
    """The distribution of latents: `size` numbers each.

    `normal` is N(0, 1), `uniform` is U(-1, 1), `sphere` is uniform on the sphere of radius sqrt(size), which has the
    normal's scale.

    labels: `paired` gives each fake the label of a real image of the same batch; `independent` draws it uniformly from
    the `classes`. shares: of the classes among the images trained on, where labels are paired; none: equal ones.
    """

    kind: Literal["normal", "uniform", "sphere"] = "normal"
    size: int = 100
    labels: Literal["paired", "independent"] = "paired"
    classes: int = 0
    shares: tuple[float, ...] = ()

    def latents(self, n: int, rng: torch.Generator, grid: tuple[int, int] | None = None) -> Tensor:
        """n latents [n, Z] (or [n, Z, h, w] for a `grid` of h x w), on the generator's device, float32."""
        shape = (n, self.size, *(grid or ()))
        if self.kind == "uniform":
            return torch.rand(shape, generator=rng, device=rng.device) * 2 - 1
        z: Tensor = torch.randn(shape, generator=rng, device=rng.device)
        return z if self.kind == "normal" else self.on_sphere(z)

    def on_sphere(self, z: Tensor) -> Tensor:
        """Latents scaled to the length sqrt(Z) along dimension 1."""
        scale: Tensor = math.sqrt(self.size) / z.norm(dim=1, keepdim=True).clamp_min(1e-12)
        return z * scale

    def draw(self, n: int, rng: torch.Generator, like: Sample | None = None) -> tuple[Tensor, Tensor | None]:
        """n latents [n, Z], and n labels [n] where there are classes: those of `like`, or independent ones."""
        z = self.latents(n, rng)
        if self.labels == "independent" and self.classes:
            return z, torch.randint(self.classes, (n,), generator=rng, device=rng.device)
        return z, None if like is None else like.label


@dataclass(frozen=True)
class Weighted:
    """A penalty with its weight over the images clock, applied at every `every`-th step and multiplied by it.

    per_sample: does it ask for each image's own gradient? A batch-normalised discriminator has none to give.
    state: what it remembers from turn to turn; the game keeps it in its own state and lets it observe each turn.
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
    """A penalty on the weights of one side, whatever that is shown: its `term.penalty` is a WeightPenalty."""

    term: Weighted
    side: Side = "generator"


@dataclass(frozen=True)
class Objective:
    """What the two sides minimise. Both functions take (real scores, fake scores), each [B, ...].

    discriminator(real, fake) -> [B, ...]     its loss, averaged over everything
    generator(real or None, fake) -> [B, ...]
    relativistic        does the generator's loss read the real scores?
    threshold           where "real" begins, if the objective has such a place
    penalties           extra terms on the discriminator
    weight_penalties    extra terms on the weights of either side
    project             run on the discriminator after each of its steps (a clamp)
    project_before      run on the discriminator before each of its steps
    discriminator_steps how often the discriminator plays in step n
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

    @property
    def state(self) -> dict[str, Observer]:
        """What its penalties remember: for Game.state, and to observe each of the discriminator's turns."""
        return {name: term.state for name, term in self.penalties.items() if term.state is not None}

    def penalised(self, penalties: Mapping[str, Weighted | OnWeights]) -> Objective:
        """Itself with more penalties. Raises GansmithError for a name that is taken."""
        taken = penalties.keys() & {"loss", *self.penalties, *self.weight_penalties}
        if taken:
            raise GansmithError(
                f"the objective has a term called {min(taken)} already: set its weight among the objective's own "
                f"options, or take the penalty away"
            )
        on_weights = {name: term for name, term in penalties.items() if isinstance(term, OnWeights)}
        on_scores = {name: term for name, term in penalties.items() if isinstance(term, Weighted)}
        return replace(
            self,
            penalties={**self.penalties, **on_scores},
            weight_penalties={**self.weight_penalties, **on_weights},
        )

    def discriminator_terms(
        self, discriminator: nn.Module, real: Sample, fake: Sample, at: Moment, *, flipped: Tensor | None = None
    ) -> Terms:
        """The discriminator's turn: real and fake pass in separate batches, then each penalty that is due.

        flipped: bool [B], where the real score is taken for the fake one and the fake for the real.
        """
        if self.project_before is not None:
            with torch.no_grad():
                self.project_before(discriminator)
        due = {name: term for name, term in self.penalties.items() if term.due(at.step)}
        if due:  # penalties differentiate by the images
            real = Sample(real.image.detach().requires_grad_(), real.label)
            fake = Sample(fake.image.detach().requires_grad_(), fake.label)
        scores = Scores(real, fake, exact(discriminator(*real)), exact(discriminator(*fake)))
        loss = {"loss": self.discriminator(*_swapped(scores.real, scores.fake, flipped)).mean()}
        for name, term in due.items():
            if name in loss:
                raise GansmithError(f"a penalty cannot be called {name!r}: the turn has a term of that name")
            loss[name] = term.scale(at) * exact(term.penalty(discriminator, scores, at.rng)).mean()
        terms = Terms(loss, seen_of(scores.real.detach(), scores.fake.detach(), self.threshold))
        return terms.plus(self.weight_terms("discriminator", discriminator, at))

    def weight_terms(self, side: Side, network: nn.Module, at: Moment) -> dict[str, Tensor]:
        """The penalties on the weights of `side` that are due: scalars, weighted. For the turn of that side."""
        due = {name: term for name, (term, of) in self.weight_penalties.items() if of == side and term.due(at.step)}
        return {name: term.scale(at) * term.penalty(network) for name, term in due.items()}

    def generator_terms(self, discriminator: nn.Module, real: Sample | None, fake: Sample, at: Moment) -> Terms:
        """The generator's turn. The real scores are computed only for a relativistic objective."""
        real_scores = None
        if self.relativistic:
            if real is None:
                raise GansmithError("a relativistic objective needs the real images in the generator's turn")
            with torch.no_grad():
                real_scores = exact(discriminator(*real))
        return Terms({"loss": self.generator(real_scores, exact(discriminator(*fake))).mean()})


def _swapped(real: Tensor, fake: Tensor, flipped: Tensor | None) -> tuple[Tensor, Tensor]:
    if flipped is None:
        return real, fake
    where = flipped.view(-1, *[1] * (real.dim() - 1))
    return torch.where(where, fake, real), torch.where(where, real, fake)


def exact(values: Tensor) -> Tensor:
    """Scores or images in float32 or better: losses and squares are never taken in a shorter format."""
    return values if values.dtype == torch.float64 else values.float()


def accuracy(real: Tensor, fake: Tensor) -> Tensor:
    """P(score of a real > score of a fake), ties counted half: over all pairs, a scalar in [0, 1].

    Scores of patches are averaged per image first. The one form of accuracy that means the same for every objective
    (the Mann-Whitney statistic, or area under the ROC curve).
    """
    real, fake = (scores.flatten(1).mean(1) if scores.dim() > 1 else scores for scores in (real, fake))
    ordered = real.sort().values  # all pairs at once would take memory with the square of the batch
    below, up_to = (torch.searchsorted(ordered, fake, right=right) for right in (False, True))
    return 1 - (below + up_to).float().mean() / (2 * len(real))


def seen_of(real: Tensor, fake: Tensor, threshold: float | None = None) -> dict[str, Tensor]:
    """What every discriminator's turn records: mean scores and pairwise accuracy; with a threshold also `held_real`,
    the share of real scores above it."""
    seen = {"score_real": real.mean(), "score_fake": fake.mean(), "accuracy": accuracy(real, fake)}
    if threshold is not None:
        seen["held_real"] = (real > threshold).float().mean()
    return seen


class Stateful(Protocol):
    """Anything a checkpoint must not miss: an image pool, an adaptive probability, lagging averages.

    What `load_state_dict` is given lies on the CPU: move it to where it is used.
    """

    def state_dict(self) -> dict[str, Any]: ...
    def load_state_dict(self, state: dict[str, Any]) -> Any: ...


class Observer(Stateful, Protocol):
    """Remembers something of every turn of the discriminator: the averages of its scores."""

    def observe(self, terms: Terms) -> None: ...


Play = Callable[[Batch, Moment], Terms]


@dataclass(frozen=True)
class Turn:
    """One update of one side: `players` are trained together on what `play` returns, all others are frozen.

    repeats(step)    how often in this step; zero leaves the turn out and reports nothing
    draws            True: every repeat takes a fresh batch and advances the clock; False: it plays on the last batch
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
    """Who plays, in what order, and what must be remembered.

    players     name -> network
    turns       played in order, in every step
    averaged    the players of which a moving average is kept
    state       everything besides networks and optimizers that a checkpoint must hold
    show        (players, what is fixed) -> images [N, C, H, W]: one sheet of this game
    columns     of that sheet; near-square when None
    """

    players: Mapping[str, nn.Module]
    turns: tuple[Turn, ...]
    averaged: tuple[str, ...] = ()
    state: Mapping[str, Stateful] = field(default_factory=dict)
    show: Callable[[Mapping[str, nn.Module], Fixed], Tensor] | None = None
    columns: int | None = None
