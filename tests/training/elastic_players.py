"""A game of two players with batch normalisation and noise, and elastic averaging of it in plain PyTorch, worker by
worker in one process: for the tests of elastic averaging."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
from plain_players import real_batch
from torch import Tensor, nn

from gansmith.adversarial import Batch, Game, Moment, Sample, Terms, Turn
from gansmith.system.seeding import mix
from gansmith.system.sharing import part_of, rows_of
from gansmith.training import optimizers
from gansmith.training.elastic import Elastic
from gansmith.training.engine import Engine, build_engine

BATCH = 9  # images: shares of 5 and 4, or of 3, 2, 2 and 2
SEED = 5
MOVES: dict[str, dict[str, Any]] = {"sgd": {"lr": 0.05, "momentum": 0.5}, "adam": {"lr": 0.01}}


class Rows:
    """This process's rows of the batches of `plain_players`."""

    drawn = 0

    def __next__(self) -> Batch:
        whole = real_batch(self.drawn // BATCH, BATCH)
        self.drawn += BATCH
        with part_of(BATCH):
            return {"real": Sample(rows_of(whole))}


def players() -> dict[str, nn.Module]:
    torch.manual_seed(0)
    return {
        "one": nn.Sequential(
            nn.Flatten(), nn.Linear(4, 3, bias=False), nn.BatchNorm1d(3, eps=0.1), nn.Tanh(), nn.Linear(3, 1)
        ).double(),
        "two": nn.Sequential(nn.Flatten(), nn.Linear(4, 1)).double(),
    }


def loss(own: nn.Module, other: nn.Module, image: Tensor, noise: Tensor) -> Tensor:
    """What both players minimise in turn: to be apart from the other, and near the noise. [B] -> a number."""
    return (own(image) - noise).square().mean() - 0.3 * (own(image) - other(image)).square().mean()


def game(networks: dict[str, nn.Module]) -> Game:
    def turn(name: str, other: str) -> Turn:
        def play(batch: Batch, at: Moment) -> Terms:
            image = batch["real"].image
            noise = torch.rand(len(image), 1, generator=at.rng, dtype=torch.float64)
            value = loss(networks[name], networks[other], image, noise)
            return Terms({"loss": value}, {"noise": noise.mean()})

        return Turn(name, (name,), play, draws=name == "one")

    return Game(networks, (turn("one", "two"), turn("two", "one")))


def build(name: str, *, apart: bool = True, **options: Any) -> tuple[Engine, dict[str, nn.Module], Elastic | None]:
    """An engine of the game with optimizers called `name`."""
    networks = players()
    played = game(networks)
    chosen = {key: optimizers.build(name, network.parameters(), MOVES[name]) for key, network in networks.items()}
    engine = build_engine(played, Rows(), chosen, seed=SEED, apart=apart)
    if not apart:
        return engine, networks, None
    elastic = Elastic(played, chosen, **options)
    elastic.attach(engine)
    return engine, networks, elastic


def tensors(networks: dict[str, nn.Module]) -> dict[str, Tensor]:
    return {f"{key}.{name}": value.clone() for key, n in networks.items() for name, value in n.state_dict().items()}


def same(left: Any, right: Any) -> bool:
    """Equal to the bit, of whatever is in a state."""
    if isinstance(left, Tensor):
        return torch.equal(left, right)
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, (list, tuple)):
        return len(left) == len(right) and all(map(same, left, right))
    return bool(left == right)


# ---- the same in plain PyTorch


def _optimizer(name: str, network: nn.Module) -> torch.optim.Optimizer:
    kinds: dict[str, Callable[..., torch.optim.Optimizer]] = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}
    return kinds[name](network.parameters(), **MOVES[name])


def shares(world: int) -> list[slice]:
    """The rows of each worker: the first ones hold one more."""
    sizes = [BATCH // world + (rank < BATCH % world) for rank in range(world)]
    return [slice(sum(sizes[:rank]), sum(sizes[: rank + 1])) for rank in range(world)]


def plainly(
    name: str, world: int, steps: int, *, beta: float, tau: int
) -> tuple[dict[str, Tensor], list[dict[str, Tensor]], list[dict[str, float]]]:
    """Zhang, Choromanska, LeCun 2015, Eq. 5 and 6: the centre, each worker, and the mean terms of each step."""
    centre, workers = players(), [players() for _ in range(world)]
    moves = [{key: _optimizer(name, network) for key, network in worker.items()} for worker in workers]
    recorded = []
    for step in range(steps):
        before = [copy.deepcopy(worker) for worker in workers]
        terms: dict[str, float] = dict.fromkeys(("one", "two"), 0.0)
        for rank, (worker, rows) in enumerate(zip(workers, shares(world), strict=True)):
            image = real_batch(step, BATCH)[rows]
            for place, (key, other) in enumerate((("one", "two"), ("two", "one"))):
                rng = torch.Generator().manual_seed(mix(SEED, step, place, 0, rank))
                noise = torch.rand(len(image), 1, generator=rng, dtype=torch.float64)
                value = loss(worker[key], worker[other], image, noise)
                worker[key].zero_grad()
                worker[other].zero_grad()
                value.backward()
                moves[rank][key].step()
                terms[key] += float(value.detach()) * len(image) / BATCH
        recorded.append(terms)
        if step % tau == 0:
            _pulled(centre, workers, before, beta)
    return tensors(centre), [tensors(worker) for worker in workers], recorded


@torch.no_grad()
def _pulled(
    centre: dict[str, nn.Module],
    workers: list[dict[str, nn.Module]],
    before: list[dict[str, nn.Module]],
    beta: float,
) -> None:
    alpha = beta / len(workers)
    for key, network in centre.items():
        for name, c in network.named_parameters():
            x = [worker[key].get_parameter(name).clone() for worker in before]
            for worker, was in zip(workers, x, strict=True):
                worker[key].get_parameter(name).sub_(alpha * (was - c))  # Eq. 5, after the optimizer's step
            c.copy_((1 - beta) * c + beta * torch.stack(x).mean(0))  # Eq. 6
        for name, b in network.named_buffers():
            b.copy_(torch.stack([worker[key].get_buffer(name).double() for worker in before]).mean(0))
