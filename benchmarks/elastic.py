"""Elastic averaging beside summed gradients, in two processes: at equal images, and at equal bytes sent.

    python -m benchmarks.elastic --json elastic.json --write docs/scale.md

The digits: a classifier (recipe mnist_net, error on held-out digits) and a small DCGAN with batch normalisation (KID of
the pixels, averaged generator). Bytes are those of the tensors that a process puts into sums, whatever the network
makes of them. What is evaluated of elastic averaging is its centre. One thread a process, gloo on this machine.
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor

from benchmarks import report
from benchmarks.trained import Record, Trained, collect, spread, table, train
from gansmith.evaluation.metrics.kid import kid
from gansmith.system import collectives
from gansmith.system.sharing import Share, joined_as

WORLD = 2
BATCH = 64
SAMPLES = 1_000
DATA = {"path": "digits", "channels": 1, "holdout": 0.2}
RATE = 1e-3
ADAM = {"name": "adam", "betas": [0.5, 0.999]}
COMMON: dict[str, Any] = {
    "threads": 1,
    "precision": "float32",
    "device": "cpu",
}
TASKS: dict[str, dict[str, Any]] = {
    "classifier": {"data": {**DATA, "size": 28}},
    "GAN": {
        "data": {**DATA, "size": 16},
        "generator": {"name": "dcgan", "width": 8},
        "discriminator": {"name": "dcgan", "width": 8},
        "prior": {"kind": "normal", "size": 16},
        "averaging": {"half_life": 2_000},
        "optimizer": {role: {**ADAM, "lr": RATE} for role in ("generator", "discriminator")},
    },
}


@dataclass(frozen=True)
class Arm:
    """One way of training together. share: of the images of the others. times: of their batch.

    faster: with learning rates for the larger batch: for SGD `times` as high (Goyal et al. 2017, "Accurate, Large
    Minibatch SGD", section 2.1), for Adam the square root of that.
    """

    engine: str
    period: int = 1
    share: float = 1.0
    times: int = 1
    faster: bool = False

    @property
    def name(self) -> str:
        if self.engine == "elastic":
            return f"elastic, period {self.period}"
        larger = f", batch {BATCH * self.times}" if self.times > 1 else ""
        return f"summed gradients{larger}{', higher rates' if self.faster else ''}"

    def settings(self, task: str, images: int) -> dict[str, Any]:
        batch = BATCH * self.times
        rates: dict[str, Any] = {}
        if self.faster and task == "classifier":
            rates = {"classifier": {"name": "sgd", "lr": 0.01 * self.times, "momentum": 0.5}}
        elif self.faster:
            rates = {role: {**ADAM, "lr": RATE * math.sqrt(self.times)} for role in ("generator", "discriminator")}
        return {
            "engine": self.engine,
            "elastic": {"period": self.period},
            "batch": batch,
            "images": max(1, round(images / batch * self.share)) * batch,
            "batch_statistics": "local" if self.engine == "elastic" else "global",
            **({"optimizer": rates} if rates else {}),
        }


ARMS = (
    Arm("all_reduce"),
    *(Arm("elastic", period) for period in (1, 10, 50)),
    Arm("all_reduce", share=0.1),
    Arm("all_reduce", share=0.02),
    Arm("all_reduce", times=10),
    Arm("all_reduce", times=10, faster=True),
)


def played(task: str, arm: Arm, images: int, seed: int) -> Record:
    """In one of the processes: train, and judge what came of it."""
    sent = 0
    plain = collectives._all_reduce

    def counted(values: Tensor, name: str) -> None:
        nonlocal sent
        sent += values.numel() * values.element_size()
        plain(values, name)

    collectives._all_reduce = counted
    try:
        recipe = "mnist_net" if task == "classifier" else None
        trained = train(COMMON, TASKS[task], arm.settings(task, images), {"seed": seed}, recipe=recipe)
    finally:
        collectives._all_reduce = plain
    value = error(trained) if task == "classifier" else distance(trained)
    return {"value": value, "megabytes": sent / 1e6, "images": trained.parts.stream.drawn, "seconds": trained.seconds}


@torch.no_grad()
def error(trained: Trained) -> float:
    """Of the classifier, on the held-out images."""
    held = trained.parts.data.holdout
    assert held is not None
    every = held[np.arange(len(held))]
    network = trained.parts.game.players["classifier"].eval()
    shown = torch.from_numpy(np.ascontiguousarray(every.image.transpose(0, 3, 1, 2))).float() / 127.5 - 1
    return float((network(shown).argmax(1).numpy() != every.label).mean())


def distance(trained: Trained) -> float:
    """KID x 1000 of the pixels, of samples beside the images trained on."""
    train_set = trained.parts.data.train
    real = train_set[np.arange(min(SAMPLES, len(train_set)))].image
    fake = trained.pictures(SAMPLES)
    sides = [torch.from_numpy(np.asarray(images)).flatten(1).double() / 255 for images in (real, fake)]
    return 1000 * float(kid(*sides).value)


def _member(rank: int, folder: str, orders: Any, results: Any) -> None:
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{Path(folder) / 'store'}", rank=rank, world_size=WORLD)
    with joined_as(Share(rank, WORLD)):
        while (order := orders.get()) is not None:
            record = played(*order)
            if rank == 0:
                results.put(record)
    dist.destroy_process_group()


class Pair:
    """Two processes that train together what they are told."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._folder = tempfile.TemporaryDirectory()
        self._orders = [context.Queue() for _ in range(WORLD)]
        self._results = context.Queue()
        self._processes = [
            context.Process(target=_member, args=(rank, self._folder.name, orders, self._results), daemon=True)
            for rank, orders in enumerate(self._orders)
        ]
        for process in self._processes:
            process.start()

    def train(self, task: str, arm: Arm, images: int, seed: int) -> Record:
        for orders in self._orders:
            orders.put((task, arm, images, seed))
        record: Record = self._results.get(timeout=3600)
        return record

    def close(self) -> None:
        for orders in self._orders:
            orders.put(None)
        for process in self._processes:
            process.join(60)
        self._folder.cleanup()


def measured(images: int, seeds: int, file: Path | None) -> list[Record]:
    pair = Pair()
    arms = {f"{arm.name}, {arm.share:g}": arm for arm in ARMS}
    keys = [{"task": task, "arm": arm, "seed": seed} for task in TASKS for seed in range(seeds) for arm in arms]
    try:
        return collect(
            file,
            keys,
            lambda task, arm, seed: pair.train(task, arms[arm], images, seed),
            {"images": images, "world": WORLD, "batch": BATCH},
        )
    finally:
        pair.close()


def rows(runs: list[Record]) -> list[list[str]]:
    """A row for each task and arm: images, MB sent, what came of it."""
    found = []
    for task in TASKS:
        for arm in ARMS:
            mine = [run for run in runs if run["task"] == task and run["arm"] == f"{arm.name}, {arm.share:g}"]
            percent = task == "classifier"
            value = spread([run["value"] for run in mine], 1, percent=percent)
            found.append([task, arm.name, f"{mine[0]['images']:,}", f"{mine[0]['megabytes']:,.1f}", value])
    return found


def page(runs: list[Record], about: Mapping[str, Any]) -> str:
    seeds = len({run["seed"] for run in runs})
    head = ["", "engine", "images", "MB sent by a process", "held-out error; KID x 1000 of the pixels"]
    said = ", ".join(f"{name} {value}" for name, value in about.items())
    return "\n".join(
        [
            f"n = {seeds} seeds, mean +- standard deviation. Lower is better. Measured on: {said}.",
            "",
            table(head, rows(runs)),
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=32_000, help="of a training at equal images")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--json", type=Path, help="keep the figures here, and go on with those that are")
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the table between the comments of this file")
    chosen = parser.parse_args()
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    text = page(measured(chosen.images, chosen.seeds, chosen.json), report.facts())
    print(text)
    if chosen.write is not None:
        report.write_between(chosen.write, text, begin="<!-- elastic: begin -->", end="<!-- elastic: end -->")


if __name__ == "__main__":
    main()
