"""Experiments trained in this process, without a run folder, for benchmarks of many small trainings."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gansmith import catalog
from gansmith.adversarial import Dimensions
from gansmith.evaluation.features import classifier
from gansmith.evaluation.types import Extractor, Images
from gansmith.experiment.assemble import Assembly, assemble
from gansmith.experiment.layers import Layer, resolve
from gansmith.experiment.sources import from_recipe
from gansmith.experiment.with_data import with_data
from gansmith.records.images import to_uint8
from gansmith.system.files import atomic
from gansmith.system.seeding import generator as randomness
from gansmith.training.engine import Events, play_until

Record = dict[str, Any]
PAIRS = {"dragan": "nonsaturating", "lecam": "hinge"}  # methods that are a penalty on an objective -> that objective
_AT_ONCE = 1000  # images made


@dataclass(frozen=True)
class Trained:
    """The parts after their training, and what it cost. seconds: of processor time, whatever else the machine does."""

    parts: Assembly
    seconds: float
    steps: int

    @torch.no_grad()
    def images(self, count: int, seed: int = 0) -> Tensor:
        """[count, C, H, W] on the CPU, of the averaged generator; of a conditional one the classes in turn."""
        network, prior = self.parts.averaging.players["generator"], self.parts.prior
        rng = randomness("benchmark samples", seed)
        made = []
        for start in range(0, count, _AT_ONCE):
            z = prior.latents(min(_AT_ONCE, count - start), rng).to(self.parts.device)
            label = torch.arange(start, start + len(z), device=z.device) % max(1, len(self.parts.data.classes or ()))
            made.append(network(z, label) if getattr(network, "conditional", False) else network(z))
        return torch.cat([images.float().cpu() for images in made])

    def pictures(self, count: int, seed: int = 0) -> Images:
        """uint8 [count, H, W, C]. Raises NotFiniteError for a generator that has diverged."""
        return to_uint8(self.images(count, seed))


def methods() -> list[str]:
    """Names of all objectives, and of the penalties that are a method of their own on an objective."""
    return sorted({*catalog.names("objectives"), *PAIRS})


def method(name: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of an experiment for one of `methods` with its options."""
    if name not in PAIRS:
        return {"objective": {"name": name, **options}}
    return {"objective": {"name": PAIRS[name]}, "penalties": {name: {"every": 1, **options}}}


def train(*layers: Mapping[str, Any], recipe: str | None = None) -> Trained:
    """The experiment that the recipe and the layers make, later ones winning, trained to its last image."""
    given = [from_recipe(recipe)] if recipe else []
    experiment, _ = resolve([*given, *(Layer("benchmark", values) for values in layers)])
    parts = assemble(*with_data(experiment))

    def average(engine: Any) -> None:
        parts.averaging.update(engine.state.drawn, engine.state.images)

    parts.engine.add_event_handler(Events.ITERATION_COMPLETED, average)
    begun = time.process_time()
    play_until(parts.engine, parts.experiment.images)
    return Trained(parts, time.process_time() - begun, int(parts.engine.state.iteration))


def classifier_of(
    data: Mapping[str, Any], *, images: int, seed: int = 0, device: str = "cpu"
) -> tuple[Extractor, float]:
    """A classifier of the recipe mnist_net trained on `data`, and its error on the images held out of it."""
    trained = train({"data": dict(data), "images": images, "seed": seed, "device": device}, recipe="mnist_net")
    parts = trained.parts
    network = parts.game.players["classifier"].eval()
    held = parts.data.holdout
    assert held is not None
    every = held[np.arange(len(held))]
    shown = torch.from_numpy(np.ascontiguousarray(every.image.transpose(0, 3, 1, 2))).to(parts.device)
    with torch.no_grad():
        said = torch.cat([network(some.float() / 127.5 - 1).argmax(1) for some in shown.split(_AT_ONCE)])
    error = float((said.cpu().numpy() != every.label).mean())
    dimensions = Dimensions(*parts.data.shape, 0, len(parts.data.classes or ()))
    return classifier.wrap(network, dimensions, classes=parts.data.classes or (), device=device), error


def collect(
    file: Path | None, keys: Iterable[Mapping[str, Any]], measure: Callable[..., Record], about: Record
) -> list[Record]:
    """`{**key, **measure(**key)}` for each key. What `file` holds of the same `about` is not measured again, and
    each is written there as soon as it is known: a long series can be stopped and continued."""
    known: list[Record] = []
    if file is not None and file.exists():
        stored = json.loads(file.read_text(encoding="utf-8"))
        if stored["about"] != about:
            raise SystemExit(f"{file} holds figures of other settings: {stored['about']}, not {about}. Name another")
        known = stored["runs"]
    found = []
    for key in keys:
        run = next((run for run in known if key.items() <= run.items()), None)
        if run is None:
            run = {**key, **measure(**key)}
            known.append(run)
            if file is not None:
                with atomic(file) as stream:
                    stream.write((json.dumps({"about": about, "runs": known}, indent=1) + "\n").encode())
            print(", ".join(f"{name} {value}" for name, value in run.items()), flush=True)
        found.append(run)
    return found


def spread(values: Sequence[float | None], digits: int, *, percent: bool = False) -> str:
    """`mean +- standard deviation`; a run without a value (it diverged) is counted out, and said."""
    factor, sign = (100, " %") if percent else (1, "")
    whole = [factor * value for value in values if value is not None and math.isfinite(value)]
    lost = f" ({len(values) - len(whole)} of {len(values)} diverged)" if len(whole) < len(values) else ""
    if not whole:
        return f"-{lost}"
    about = f" +- {stdev(whole):.{digits}f}" if len(whole) > 1 else ""
    return f"{mean(whole):.{digits}f}{about}{sign}{lost}"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Markdown; the first column to the left, the others to the right."""
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
