"""One play of every turn of a game: its losses and its gradient, from the same random numbers on every device."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from declared import fitted
from gansmith import catalog
from gansmith.adversarial import Dimensions, Game, Moment, Objective, Sample
from gansmith.augment.parts.augment import augmented
from gansmith.data.prior import Prior
from gansmith.system.device import Precision
from gansmith.system.seeding import mix, seeded
from gansmith.training.engine import trained_parameters, unfreeze_only
from gansmith.training.precision import autocast, choose_memory_format, torch_format

SIZE = Dimensions(3, 16, 16, 8, 4)
BATCH = 6
SMALL: dict[str, dict[str, Any]] = {
    "biggan": {"width": 8},
    "cyclegan": {"width": 8},
    "dcgan": {"width": 8},
    "mlp": {"width": 16},
    "munit": {"width": 8},
    "pix2pix": {"width": 8},
    "r3gan": {"width": 16},
    "resnet": {"width": 8},
}


class SameDraws(TorchFunctionMode):
    """Inside, random numbers are drawn on the CPU in float32, then moved to the device and the type.

    A draw with a generator begins anew where that was seeded anew; the others continue one sequence.
    """

    def __init__(self, seed: int, dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        self.dtype = dtype
        self.global_rng = torch.Generator().manual_seed(seed)
        self.rng = torch.Generator().manual_seed(seed)

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        given = dict(kwargs or {})
        if func in (torch.rand_like, torch.randn_like):
            like, func = args[0], {torch.rand_like: torch.rand, torch.randn_like: torch.randn}[func]
            args, given = (tuple(like.shape),), {"device": like.device}
        if func not in (torch.rand, torch.randn, torch.randint, torch.randperm):
            return func(*args, **given)
        device = given.pop("device", None) or "cpu"
        generator = given.get("generator")
        if generator is not None and generator.initial_seed() != self.rng.initial_seed():
            self.rng.manual_seed(generator.initial_seed())
        given["generator"] = self.global_rng if generator is None else self.rng
        numbers = func(*args, **given)
        return numbers.to(device, self.dtype if numbers.is_floating_point() else numbers.dtype)


@dataclass(frozen=True)
class Case:
    """A game by its parts' names; the network's options make it small."""

    model: str = "resnet"
    objective: str = "nonsaturating"
    penalty: str | None = None
    augment: str | None = None
    game: str = "two_player"

    def __str__(self) -> str:
        usual = Case()
        return "-".join(str(value) for name, value in vars(self).items() if value != getattr(usual, name)) or "plain"


@dataclass(frozen=True)
class Played:
    """Of one turn: every loss, and the gradient of their sum by all weights of the turn's players, flat; float64."""

    losses: dict[str, float]
    gradient: Tensor


def objective_of(case: Case) -> Objective:
    objective: Objective = catalog.build("objectives", case.objective)
    if case.penalty is None:
        return objective
    return objective.penalised({case.penalty: catalog.build("penalties", case.penalty)})


def size_of(case: Case) -> Dimensions:
    """SIZE, or larger for a model that is not made small here and declares a larger side."""
    return SIZE if case.model in SMALL else fitted(case.model, SIZE)


def network(case: Case, player: str, role: str, dimensions: Dimensions) -> nn.Module:
    """Seeded; what begins as zero gets some weight, because a gradient of zero agrees with everything."""
    options = {**SMALL.get(case.model, {})}
    known = catalog.keyword_options(catalog.find("models", case.model, role))
    if role == "discriminator" and "none" in catalog.choices("models", case.model, "normalisation", factory=role):
        options["normalisation"] = "none"  # a penalty on each image's gradient refuses batch normalisation
    if case.model == "munit" and role == "discriminator":
        options |= {"depth": 2, "scales": 1}
    if "dropout" in known:
        options["dropout"] = 0.0
    with seeded("device", player):
        built: nn.Module = catalog.build("models", case.model, dimensions, factory=role, **options)
        with torch.no_grad():
            for parameter in built.parameters():
                if not parameter.any():
                    parameter.copy_(torch.randn_like(parameter) * 0.1)
    return built


def game_of(case: Case, players: Mapping[str, nn.Module]) -> Game:
    prior = Prior("normal", SIZE.latent, classes=SIZE.classes)
    game: Game = catalog.build("games", case.game, players, objective_of(case), prior)
    if case.augment is None:
        return game
    chance = {"probability": 0.8} if case.augment == "ada" else {}
    judges = tuple(name for name in players if name.startswith("discriminator"))
    return augmented(game, catalog.build("augment", case.augment, **chance), judges=judges)


def played(
    case: Case,
    device: torch.device,
    *,
    dtype: torch.dtype = torch.float32,
    precision: Precision = "float32",
    draw: int = 0,
    change: Callable[[dict[str, nn.Module]], object] | None = None,
) -> dict[str, Played]:
    """{turn: what it gave}. draw: of the images. change: of the networks, to prove that a difference is seen."""
    roles: Mapping[str, str] = catalog.find("games", case.game, "ROLES")  # type: ignore[assignment]
    sized = catalog.stated("games", case.game, "dimensions_of", lambda role, size: size)
    players = {player: network(case, player, role, sized(role, size_of(case))) for player, role in roles.items()}
    layout = torch_format(choose_memory_format(players))
    for built in players.values():
        built.to(device=device, dtype=dtype, memory_format=layout)  # type: ignore[call-overload]
    if change is not None:
        change(players)
    game = game_of(case, players)
    rng = torch.Generator().manual_seed(draw)
    domains = catalog.stated("games", case.game, "DOMAINS", ("real",))
    batch = {}
    for domain in domains:
        image = torch.rand(BATCH, *size_of(case)[:3], generator=rng) * 2 - 1
        label = torch.randint(SIZE.classes, (BATCH,), generator=rng)
        batch[domain] = Sample(image.to(device, dtype, memory_format=layout), label.to(device))
    trained = trained_parameters(game)
    found = {}
    for place, turn in enumerate(game.turns):
        unfreeze_only(trained, turn.players)
        at = Moment(0, 1000, 0, torch.Generator(device).manual_seed(0))
        with SameDraws(mix("play", place), dtype), autocast(device, precision):
            terms = turn.play(batch, at).checked()
        weights = [weight for player in turn.players for weight in trained[player]]
        slopes = torch.autograd.grad(terms.total(), weights, allow_unused=True, materialize_grads=True)
        found[turn.name] = Played(
            {name: float(value.detach()) for name, value in terms.loss.items()},
            torch.cat([slope.detach().flatten().double().cpu() for slope in slopes]),
        )
    return found


def difference(one: Tensor, other: Tensor) -> float:
    """|one - other| / |other|"""
    return float((one - other).norm() / other.norm().clamp_min(1e-30))
