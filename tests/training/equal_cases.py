"""Trainings that are the same in any number of processes: what is played, and what it comes to. In float64.

Every objective, game, penalty, augmentation and model of the catalog is in a case of its own, a new file too; further
ones are of how they are played.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import nn

from declared import fitted
from gansmith import catalog
from gansmith.adversarial import Batch, Dimensions, Game, Objective, Sample
from gansmith.augment.parts.augment import augmented
from gansmith.catalog import ROLES
from gansmith.data.dataset import Arrays
from gansmith.data.prepared import Prepared
from gansmith.data.prior import Prior
from gansmith.data.settings import DataSettings
from gansmith.data.stream import PairStream, Stream
from gansmith.experiment import completion
from gansmith.system.seeding import seeded
from gansmith.training.batch_statistics import BatchStatistics, share_layers
from toys import tiny

SIZE = Dimensions(3, 8, 8, 5, 3)
Named = tuple[str, dict[str, Any]]  # an entry of the catalog, and its options
ADAM: Named = ("adam", {"lr": 0.002, "betas": [0.5, 0.99]})
SLOW: Named = ("adam", {"lr": 0.0002, "betas": [0.5, 0.99]})  # at ten times the rate some multiply rounding by 1e12
SMALL = {"width": 4, "depth": 1, "styles": 4, "blocks": 1, "layers": 1}  # of networks that have such options
SMALL_OF: dict[str, dict[str, Any]] = {
    "wrn": {"depth": 10, "widen": 1, "dropout": 0.3},
    "projected": {"width": 4, "network": "untrained", "resolution": 64},
    "stylegan2": {"width": 4, "depth": 1, "styles": 4, "mixing": 0.5, "group": 4},
    "r3gan": {"width": 4, "group": 2},
    "dcgan": {"width": 4},
    "munit": {"width": 4, "blocks": 1, "depth": 2, "mlp_width": 8},
}


@dataclass(frozen=True)
class Case:
    """One training; what is not said is the least that trains."""

    game: Named = ("two_player", {})
    objective: Named = ("nonsaturating", {})
    penalties: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    augment: Named | None = None
    networks: Mapping[str, Named] = field(default_factory=dict)  # by role; the others are tiny ones
    size: Dimensions = SIZE
    prior: dict[str, Any] = field(default_factory=dict)
    optimizer: Named = ADAM
    batch: int = 8
    accumulate: int = 1
    steps: int = 20
    flip: bool = True
    statistics: BatchStatistics = "global"
    precise: bool = True  # float64
    layout: str = "contiguous"
    nudge: float = 0.0  # relative, of each weight at the beginning: by up to so much, up or down


def model_cases() -> Iterator[tuple[str, Case]]:
    """A case for each model of the catalog, in the roles that it can fill."""
    games = {"generator": "two_player", "translator": "cycle", "autoencoder": "multimodal", "classifier": "classify"}
    for name in catalog.names("models"):
        filled = [role for role in ROLES if name in catalog.names("models", role)]
        game = next((games[role] for role in filled if role in games), "two_player")
        game = {"cut": "cut", "pix2pix": "paired"}.get(name, game)
        options = {role: SMALL_OF.get(name, SMALL) for role in filled}
        size = fitted(name, Dimensions(3, 32, 32, 5, 3) if name == "munit" else Dimensions(3, 16, 16, 5, 3))
        networks = {role: (name, chosen) for role, chosen in options.items()}
        yield f"model {name}", Case((game, {}), networks=networks, size=size, batch=4, optimizer=SLOW)


DCGAN: dict[str, Named] = {"generator": ("dcgan", {}), "discriminator": ("dcgan", {})}
LAYER_NORM: dict[str, Named] = {"generator": ("dcgan", {}), "discriminator": ("dcgan", {"normalisation": "layer"})}
STYLE: dict[str, Named] = {role: ("stylegan2", {}) for role in ("generator", "discriminator")}
FAST: dict[str, Named] = {role: ("fastgan", {}) for role in ("generator", "discriminator")}
WHOLE = Case(
    ("classify", {"padding": 0}),
    networks={"classifier": ("mnist_net", {})},
    size=Dimensions(1, 16, 16, 5, 3),
    optimizer=("lbfgs", {}),
    batch=64,
    steps=4,
    flip=False,
)
OF_OBJECTIVE: dict[str, dict[str, Any]] = {"wgan": {"warmup": 1, "warmup_steps": 3, "steps": 2}}
OF_PENALTY: dict[str, Case] = {"path_length": Case(networks=STYLE, batch=12)}
OF_AUGMENT: dict[str, dict[str, Any]] = {
    "ada": {"speed": 100, "every": 2, "groups": ["blit", "geometry", "colour", "cutout"]}
}

CASES: dict[str, Case] = {
    **{
        f"objective {name}": Case(objective=(name, OF_OBJECTIVE.get(name, {})), networks=LAYER_NORM)
        for name in catalog.names("objectives")
    },
    **{f"game {name}": Case((name, {}), flip=False) for name in catalog.names("games")},
    **{
        f"penalty {name}": replace(OF_PENALTY.get(name, Case(networks=LAYER_NORM)), penalties={name: {"every": 2}})
        for name in catalog.names("penalties")
    },
    **{
        f"augment {name}": Case(augment=(name, OF_AUGMENT.get(name, {})), networks=DCGAN)
        for name in catalog.names("augment", "build")
    },
    **dict(model_cases()),
    "batch norm in both": Case(networks=DCGAN, objective=("hinge", {})),
    "relativistic, through batch norm": Case(networks=DCGAN, objective=("r3gan", {"gamma": 0.1})),
    "unequal shares": Case(networks=DCGAN, batch=7, penalties={"lecam": {}}),
    "accumulated": Case(networks=DCGAN, batch=18, accumulate=3, penalties={"lecam": {}}, augment=("diffaugment", {})),
    "labels drawn, flipped, uniform": Case(
        ("two_player", {"flips": 0.2}),
        networks={role: ("biggan", {"conditional": True}) for role in ("generator", "discriminator")},
        prior={"kind": "uniform", "labels": "independent"},
    ),
    "cycle, a full pool": Case(("cycle", {"pool": 10, "jitter": 2}), objective=("lsgan", {}), flip=False),
    "style mixing, labels, path length": Case(
        networks={role: ("stylegan2", {"conditional": True}) for role in ("generator", "discriminator")},
        penalties={"path_length": {"every": 2, "shrink": 2}, "r1": {"weight": 1, "every": 4}},
        batch=11,
    ),
    "the whole set, evaluated again": WHOLE,
    "conjugate gradients": replace(WHOLE, optimizer=("cg", {})),
    "adaptive augmentation, accumulated": Case(
        networks=DCGAN, augment=("ada", OF_AUGMENT["ada"]), batch=16, accumulate=2
    ),
}


@contextmanager
def precise(on: bool = True) -> Iterator[None]:
    """Torch's numbers are float64 inside."""
    torch.set_default_dtype(torch.float64 if on else torch.float32)
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)


def images(size: Dimensions, first: int = 0) -> Arrays:
    """64 blots of colour with labels."""
    n, y, x, c = np.ogrid[first : first + 64, : size.height, : size.width, : size.channels]
    blots = ((n * 37 + (y - 5) ** 2 * (c + 1) + x * (n % 5) * 9) % 256).astype(np.uint8)
    return Arrays(blots, np.arange(64) % 3)


def network(case: Case, role: str, size: Dimensions) -> nn.Module:
    if role not in case.networks:
        toy: nn.Module = getattr(tiny, role)(size)
        return toy
    name, options = case.networks[role]
    known = catalog.keyword_options(catalog.find("models", name, role))
    chosen = {**{k: v for k, v in SMALL_OF.get(name, SMALL).items() if k in known}, **options}
    built: nn.Module = catalog.build("models", name, size, factory=role, **{k: chosen[k] for k in chosen if k in known})
    return built


class InDefaultType:
    """The images of a stream in torch's default type."""

    def __init__(self, stream: Stream | PairStream) -> None:
        self.stream = stream

    @property
    def drawn(self) -> int:
        return self.stream.drawn

    def __next__(self) -> Batch:
        kind = torch.get_default_dtype()
        return {name: Sample(image.to(kind), label) for name, (image, label) in next(self.stream).items()}


def prepared(dataset: Arrays, size: Dimensions) -> Prepared:
    return Prepared(
        train=dataset,
        holdout=None,
        shape=(size.channels, size.height, size.width),
        classes=None,
        labelled=True,
        count=len(dataset),
        keys=(),
        holdout_indices=np.empty(0, np.int64),
        digest="",
        name="blots",
        points=False,
        settings=DataSettings(),
    )


def source(case: Case) -> Stream | PairStream:
    layout = torch.channels_last if case.layout == "channels_last" else torch.contiguous_format
    options: dict[str, Any] = {"batch": case.batch, "seed": 5, "accumulate": case.accumulate, "flip": case.flip}
    options["memory_format"] = layout
    both = [images(case.size), images(case.size, 100)]
    if completion.domains_of(case.game[0]) == ("real",):
        return Stream(both[0], **options)
    a, b = (prepared(one, case.size) for one in both)
    return PairStream(replace(a, other=b, paired=case.game[0] == "paired"), **options)


@torch.no_grad()
def _nudge(players: Mapping[str, nn.Module], most: float) -> None:
    rng = torch.Generator().manual_seed(8)
    for player in players.values():
        for weight in player.parameters() if most else ():
            weight.mul_(1 + most * (2 * torch.rand(weight.shape, generator=rng) - 1))


def game_of(case: Case) -> Game:
    name, options = case.game
    roles = completion.roles_of(name)
    sized = catalog.stated("games", name, "dimensions_of", lambda role, size: size)
    players: dict[str, nn.Module] = {}
    for player, role in roles.items():
        with seeded(3, player):
            players[player] = network(case, role, sized(role, case.size))
    if case.layout == "channels_last":
        for player in players.values():
            player.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    _nudge(players, case.nudge)
    share_layers(players, case.statistics)
    objective: Objective | None = None
    if "discriminator" in roles.values():
        objective = catalog.build("objectives", case.objective[0], **case.objective[1])
        objective = objective.penalised({n: catalog.build("penalties", n, **o) for n, o in case.penalties.items()})
    prior = Prior(size=case.size.latent, classes=case.size.classes, **case.prior)
    game: Game = catalog.build("games", name, players, objective, prior, **options)
    if case.augment is not None:
        augment = catalog.build("augment", case.augment[0], **case.augment[1])
        game = augmented(game, augment, [player for player, role in roles.items() if role == "discriminator"])
    return game
