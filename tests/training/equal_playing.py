"""Cases of equal_cases.py played in as many processes as there are, and what they come to."""

from __future__ import annotations

import hashlib
import io
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch
from equal_cases import CASES, Case, InDefaultType, game_of, precise, source
from torch import Tensor, nn

from gansmith.adversarial import Fixed, Game
from gansmith.system import collectives, sharing
from gansmith.system.seeding import mix, seeded
from gansmith.training import engine, optimizers, shared_sums
from gansmith.training.averaging import Averaging
from gansmith.training.batch_statistics import keep_together
from gansmith.training.engine import Engine, Events, build_engine, play_until

Numbers = dict[str, float]


@dataclass
class Outcome:
    """What a training came to: numbers that are equal to within rounding, and a digest, the same on every rank."""

    gradients: dict[str, list[Tensor]]  # of each player's first update
    first: Numbers  # the terms of the first step
    last: Numbers
    shown: Tensor  # what the players make of fixed inputs at the end, averaged where an average is kept
    digest: str  # of every weight, buffer, moment and state
    saved: bytes  # the whole state in the middle


class Gap:
    """How far two outcomes are apart, relative to their values."""

    def __init__(self, one: Outcome, other: Outcome) -> None:
        self.one, self.other = one, other

    @property
    def gradients(self) -> float:
        one, other = self.one.gradients, self.other.gradients
        assert one.keys() == other.keys()
        return max(_distance(one[player], other[player]) for player in one)

    @property
    def first(self) -> float:
        return _farthest(self.one.first, self.other.first)

    @property
    def last(self) -> float:
        return _farthest(self.one.last, self.other.last)

    @property
    def shown(self) -> float:
        return _distance([self.one.shown], [self.other.shown])


def _farthest(one: Numbers, other: Numbers) -> float:
    assert one.keys() == other.keys()
    return max(abs(one[key] - other[key]) / max(abs(one[key]), 1e-3) for key in one)


def _distance(one: list[Tensor], other: list[Tensor]) -> float:
    """The largest difference of any of the tensors, in lengths of them all together: what rounding leaves of a gradient
    that is zero says nothing."""
    assert len(one) == len(other)
    whole = torch.stack([tensor.norm() for tensor in one]).norm()
    return max(float((a - b).norm() / whole) for a, b in zip(one, other, strict=True))


def played(name: str, changes: Mapping[str, Any] | None = None, begin: bytes | None = None) -> Outcome:
    """Play the case with some of its fields changed; from a saved state on, where there is one."""
    case = replace(CASES[name], **(changes or {}))
    with precise(case.precise):
        return _Training(case).outcome(begin)


def all_played(
    names: tuple[str, ...], changes: Mapping[str, Any] | None = None, begins: tuple[bytes, ...] = ()
) -> list[Outcome]:
    """The outcomes of several cases. Raises RuntimeError naming the one that fails."""
    outcomes = []
    for number, name in enumerate(names):
        try:
            outcomes.append(played(name, changes, begins[number] if begins else None))
        except Exception:
            raise RuntimeError(f"{name}: {traceback.format_exc()}") from None
    return outcomes


class _Training:
    """One training of a case."""

    def __init__(self, case: Case) -> None:
        self.case, self.game, self.stream = case, game_of(case), source(case)
        name, options = case.optimizer
        players = self.game.players
        self.optimizers = {player: optimizers.build(name, one.parameters(), options) for player, one in players.items()}
        self.averaging = Averaging({one: players[one] for one in self.game.averaged}, half_life=lambda images: 40)
        self.gradients: dict[str, list[Tensor]] = {}
        self.noted: list[Numbers] = []
        self.saved = b""

    def outcome(self, begin: bytes | None) -> Outcome:
        step = 0
        if begin is not None:
            step = self.load(torch.load(io.BytesIO(begin), weights_only=True))
        loop = build_engine(
            self.game, InDefaultType(self.stream), self.optimizers, seed=5, accumulate=self.case.accumulate
        )
        keep_together(loop, self.game.players, self.case.statistics)
        for player, scheduled in self.optimizers.items():
            scheduled.optimizer.register_step_pre_hook(self.note_gradients(player))
        loop.add_event_handler(Events.ITERATION_COMPLETED, self.note)
        play_until(loop, 1 << 40, step=step)
        players = {**self.game.players, **self.averaging.players}
        digest = _digest(self.state(0))
        return Outcome(
            self.gradients, self.noted[0], self.noted[-1], shown(self.case, self.game, players), digest, self.saved
        )

    def note_gradients(self, player: str) -> Any:
        def note(*_: Any) -> None:
            network = self.game.players[player]
            gradients = [p.grad.detach().clone() for p in network.parameters() if p.grad is not None]
            self.gradients.setdefault(player, gradients)

        return note

    def note(self, loop: Engine) -> None:
        state: Any = loop.state
        self.averaging.update(state.drawn, state.images)
        self.noted.append({f"{turn}/{key}": term.item() for turn, terms in state.output for key, term in terms.items()})
        if state.iteration == self.case.steps // 2:
            file = io.BytesIO()
            torch.save(self.state(state.iteration), file)
            self.saved = file.getvalue()
        if state.iteration == self.case.steps:
            loop.terminate()

    def state(self, step: int) -> dict[str, Any]:
        return {
            "step": step,
            "stream": self.stream.state_dict(),
            "players": {name: one.state_dict() for name, one in self.game.players.items()},
            "optimizers": {name: one.optimizer.state_dict() for name, one in self.optimizers.items()},
            "averaging": self.averaging.state_dict(),
            "game": {name: one.state_dict() for name, one in self.game.state.items()},
        }

    def load(self, state: dict[str, Any]) -> int:
        self.stream.load_state_dict(state["stream"])
        self.averaging.load_state_dict(state["averaging"])
        for name, scheduled in self.optimizers.items():
            self.game.players[name].load_state_dict(state["players"][name])
            scheduled.optimizer.load_state_dict(state["optimizers"][name])
        for name, one in self.game.state.items():
            one.load_state_dict(state["game"][name])
        return int(state["step"])


@torch.no_grad()
def shown(case: Case, game: Game, players: Mapping[str, nn.Module]) -> Tensor:
    """The sheet of fixed latents, labels and images; of a classifier its logits."""
    with sharing.joined_as(sharing.Share()), seeded(9):
        real = next(InDefaultType(source(replace(case, batch=8, accumulate=1))))
        latents = torch.randn(8, case.size.latent)
        for player in players.values():
            player.eval()
        if game.show is None:
            logits: Tensor = players["classifier"](real["real"].image)
            return logits
        return game.show(players, Fixed(latents, torch.arange(8) % 3, real))


def _digest(value: Any) -> str:
    if isinstance(value, dict):
        text = "".join(f"{key}:{_digest(one)};" for key, one in value.items()).encode()
    elif isinstance(value, Tensor):
        text = value.contiguous().numpy().tobytes()
    else:
        text = repr(value).encode()
    return hashlib.sha256(text).hexdigest()


# ---- mutations: what is left out, of what makes processes equal


@contextmanager
def without(what: str) -> Iterator[None]:
    """Inside, something is missing."""
    place, name, instead = {
        "sum of gradients": (collectives, "sum_in_place", lambda tensors: None),
        "weights of unequal shares": (shared_sums, "share_of", lambda total: 1 / sharing.share().world),
        "one seed for all": (engine, "mix", lambda *parts: mix(*parts[:-1], sharing.share().rank)),
    }[what]
    whole = getattr(place, name)
    setattr(place, name, instead)
    try:
        yield
    finally:
        setattr(place, name, whole)


def mutated(name: str, changes: Mapping[str, Any], missing: tuple[str, ...]) -> list[Outcome]:
    """The outcomes of a case without each of these."""
    outcomes = []
    for what in missing:
        with without(what):
            outcomes.append(played(name, changes))
    return outcomes
