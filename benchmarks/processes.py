"""Two processes of one thread beside one process of two threads, at the same global batch; and what the sums cost.

All groups of processes stand ready and take turns, a few steps each, so that whatever else the machine does slows all
of them. A step's time is that of the slowest process. The time in collectives is what a process spends in them, mostly
in waiting for the other.
"""

from __future__ import annotations

import multiprocessing
import os
import socket
import time
from collections.abc import Callable, Mapping
from functools import partial
from multiprocessing.connection import Connection
from typing import Any

import torch
from torch import nn

from benchmarks.report import Figure, arguments, give_out
from gansmith import catalog
from gansmith.adversarial import Dimensions
from gansmith.runs.train import experiment_from
from gansmith.speed.interleave import Ours, synthetic
from gansmith.system import collectives
from gansmith.system.seeding import seeded
from gansmith.training import processes

PROCESSES = 2
AT_LEAST = 0.9  # of the images a second of one process with as many threads
UNDER_TORCHRUN = 0.99  # of the images a second of one process by itself
ROUNDS = 5
CONTEXT = multiprocessing.get_context("spawn")
METHODS: Mapping[str, Mapping[str, Any]] = {
    "DCGAN-64": {"recipe": "dcgan", "size": 64},
    "WGAN-GP-32": {"recipe": "wgan_gp", "size": 32, "generator": {"width": 32}, "discriminator": {"width": 32}},
    "R3GAN-32": {"recipe": "r3gan_small", "size": 32},
}
QUICK = {"generator": {"width": 8}, "discriminator": {"width": 8}}
Play = Callable[[int], Any]
Builder = Callable[[], Mapping[str, Play]]  # {what is played: a number of steps of it}


class Group:
    """Processes that play together when asked to; with one, a process by itself, under torchrun or not."""

    def __init__(self, builder: Builder, count: int, *, threads: int, torchrun: bool = True) -> None:
        with socket.create_server(("localhost", 0)) as server:
            port = server.getsockname()[1]
        self.ends: list[Connection] = []
        self.processes = []
        for rank in range(count):
            here, there = CONTEXT.Pipe()
            place = (
                {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": count, "LOCAL_WORLD_SIZE": count} if torchrun else {}
            )
            environment = {**place, "MASTER_ADDR": "localhost", "MASTER_PORT": port, "OMP_NUM_THREADS": threads}
            texts = {name: str(value) for name, value in environment.items()}
            process = CONTEXT.Process(target=_member, args=(there, builder, threads, texts), daemon=True)
            process.start()
            there.close()
            self.ends.append(here)
            self.processes.append(process)

    def play(self, name: str, steps: int) -> tuple[float, float]:
        """(seconds of a step, of these in collectives)"""
        for end in self.ends:
            end.send((name, steps))
        both = [end.recv() for end in self.ends]
        return max(seconds for seconds, _ in both) / steps, min(waited for _, waited in both) / steps

    def close(self) -> None:
        for end in self.ends:
            end.send(None)
        for process in self.processes:
            process.join()


def _member(end: Connection, builder: Builder, threads: int, environment: Mapping[str, str]) -> None:
    os.environ.update(environment)
    torch.set_num_threads(threads)
    processes.join()
    plays = builder()
    while (asked := end.recv()) is not None:
        name, steps = asked
        waited, begun = collectives.waited(), time.perf_counter()
        plays[name](steps)
        end.send((time.perf_counter() - begun, collectives.waited() - waited))
    processes.leave()


def engines(options: Mapping[str, Any], threads: int, kinds: tuple[str, ...]) -> Mapping[str, Play]:
    """One engine for each kind of batch statistics."""
    plays: dict[str, Play] = {}
    for kind in kinds:
        chosen = {"channels": 3, "batch": 64, "threads": threads, "precision": "float32", **options}
        experiment, _ = experiment_from(batch_statistics=kind, **chosen)
        plays[kind] = Ours(synthetic(experiment)).play
    return plays


def reductions(width: int) -> Mapping[str, Play]:
    """Steps of a discriminator's classification, with gradients summed by us and by DistributedDataParallel."""
    size = Dimensions(3, 64, 64)
    rows = 64 // PROCESSES
    plays: dict[str, Play] = {}
    for name in ("ours", "DDP"):
        with seeded(0):
            network: nn.Module = catalog.build("models", "dcgan", size, factory="discriminator", width=width)
            images = torch.rand(rows, 3, 64, 64)
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        model = nn.parallel.DistributedDataParallel(network) if name == "DDP" else network
        optimizer = torch.optim.Adam(network.parameters(), lr=1e-4, fused=True)
        plays[name] = partial(_classify, model, optimizer, images)
    return plays


def _classify(model: nn.Module, optimizer: torch.optim.Optimizer, images: torch.Tensor, steps: int) -> None:
    ours = not isinstance(model, nn.parallel.DistributedDataParallel)
    for _ in range(steps):
        optimizer.zero_grad(set_to_none=True)
        (nn.functional.softplus(model(images)).mean() / (PROCESSES if ours else 1)).backward()
        if ours:
            collectives.sum_in_place([weight.grad for weight in model.parameters() if weight.grad is not None])
        optimizer.step()


def in_turns(
    groups: Mapping[str, tuple[Group, str]], *, steps: int, rounds: int
) -> dict[str, list[tuple[float, float]]]:
    """For each (group, what it plays) the seconds of a step in each round, and of these in collectives; another begins
    in each round."""
    names = list(groups)
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in names}
    for number in range(rounds + 1):
        for name in names:
            group, what = groups[name]
            values = group.play(what, steps)
            if number:  # the first is to warm up
                found[name].append(values)
        names = [*names[1:], names[0]]
    return found


def of_method(name: str, options: Mapping[str, Any], *, steps: int, rounds: int) -> list[Figure]:
    """The figures of one method."""
    alone = Group(partial(engines, options, PROCESSES, ("global",)), 1, threads=PROCESSES, torchrun=False)
    under = Group(partial(engines, options, PROCESSES, ("global",)), 1, threads=PROCESSES)
    group = Group(partial(engines, options, 1, ("global", "local")), PROCESSES, threads=1)
    every = {"alone": (alone, "global"), "under": (under, "global")}
    every |= {kind: (group, kind) for kind in ("global", "local")}
    found = in_turns(every, steps=steps, rounds=rounds)
    for one in (alone, under, group):
        one.close()
    seconds = {key: [value for value, _ in values] for key, values in found.items()}
    waited = [100 * part / whole for whole, part in found["global"]]

    def share(one: str, other: str) -> list[float]:
        return [a / b for a, b in zip(seconds[one], seconds[other], strict=True)]

    figure = partial(Figure, "processes")
    return [
        figure(f"{name}: 1 process, {PROCESSES} threads", "ms", [1e3 * v for v in seconds["alone"]], digits=1),
        figure(f"{name}: {PROCESSES} processes, 1 thread", "ms", [1e3 * v for v in seconds["global"]], digits=1),
        figure(f"{name}: images/s, {PROCESSES} processes / 1", "", share("alone", "global"), at_least=AT_LEAST),
        figure(f"{name}: of a step, in collectives", "%", waited, digits=0),
        figure(f"{name}: local statistics / global", "", share("local", "global"), digits=3),
        figure(f"{name}: 1 under torchrun / 1", "", share("alone", "under"), at_least=UNDER_TORCHRUN, digits=3),
    ]


def of_sums(*, width: int, steps: int, rounds: int) -> list[Figure]:
    """Our one sum beside DistributedDataParallel's buckets."""
    group = Group(partial(reductions, width), PROCESSES, threads=1)
    found = in_turns({name: (group, name) for name in ("ours", "DDP")}, steps=steps, rounds=rounds)
    group.close()
    ours, theirs = ([seconds for seconds, _ in found[name]] for name in ("ours", "DDP"))
    figure = partial(Figure, "processes")
    return [
        figure("a discriminator's step, one sum", "ms", [1e3 * v for v in ours], digits=1),
        figure("a discriminator's step, DDP", "ms", [1e3 * v for v in theirs], digits=1),
        figure("DDP / one sum", "", [a / b for a, b in zip(theirs, ours, strict=True)], digits=3),
        figure("of a step, the one sum", "%", [100 * part / whole for whole, part in found["ours"]], digits=0),
    ]


def measure(quick: bool = False, *, method: str | None = None, rounds: int = ROUNDS) -> list[Figure]:
    """Medians over `rounds`, of every method and of the sums; or of one method alone."""
    steps, rounds = (1, 3) if quick else (5, rounds)
    figures = []
    for name, options in METHODS.items():
        if method in {None, name}:
            figures += of_method(name, {**options, **(QUICK if quick else {})}, steps=steps, rounds=rounds)
    return figures if method else figures + of_sums(width=16 if quick else 64, steps=steps, rounds=rounds)


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--method", choices=METHODS, help="this one alone, without the sums")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="of five steps (default %(default)s)")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    give_out(measure(chosen.quick, method=chosen.method, rounds=chosen.rounds), chosen.json)


if __name__ == "__main__":
    main()
