"""One cell: a training by a peer or by gansmith's default, judged by what judges the cells of the defaults."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from benchmarks.defaults import cell as defaults
from benchmarks.defaults.candidates import settings_of
from benchmarks.defaults.cell import ALONE, SHEET, Key, figures, name_of, reals_of
from benchmarks.defaults.sets import SETS
from benchmarks.peers import apart
from benchmarks.peers.authors.task import as_tensor
from benchmarks.peers.registry import OURS, PEERS
from benchmarks.trained import Trained
from gansmith.data.prepared import Prepared
from gansmith.evaluation.types import Extractor
from gansmith.experiment.assemble import assemble
from gansmith.experiment.field_paths import flat
from gansmith.experiment.layers import Layer, resolve
from gansmith.experiment.sources import from_recipe
from gansmith.experiment.with_data import with_data
from gansmith.records.images import draw_sheet, save_image
from gansmith.runs.default_recipe import default_recipe

_TIMED = 64  # images of which gansmith's sampling time is the mean
_OWN = {"images", "precision", "threads", "device"}  # fields of a default that the cell itself sets


@dataclass(frozen=True)
class Place:
    """data: the folder of the sets' files;  sheets: the folder for PNGs;  python: that has the peers' packages"""

    data: Path
    sheets: Path
    python: Path
    extractor: Extractor
    samples: int | None = None


def measure(key: Key, place: Place) -> dict[str, Any]:
    """A cell's figures; its sheet is written as a PNG. A peer that fails has no ruler, and says why."""
    return _ours(key, place) if key.candidate == OURS else _peer(key, place)


def prepared(key: Key, data: Path) -> Prepared:
    """The set's images at the cell's size, split into the training set and the hold-out."""
    layer = {"data": SETS[key.set].settings(data, key.count, key.size)}
    return with_data(resolve([Layer("benchmark", layer)])[0])[1]


def _peer(key: Key, place: Place) -> dict[str, Any]:
    images, peer = prepared(key, place.data), PEERS[key.candidate]
    wanted = place.samples or min(peer.samples or defaults.SAMPLES, defaults.SAMPLES)
    begun = time.monotonic()
    done = apart.run(
        place.python,
        peer.module,
        images.train[:].image,
        seconds=key.seconds,
        seed=key.seed,
        samples=wanted,
        flip=SETS[key.set].flip,
        precision=key.precision,
    )
    line = {**_line(done.report, wanted), "wall_seconds": round(time.monotonic() - begun, 1)}
    if done.samples is None:
        return {**line, "ruler": None}
    place.sheets.mkdir(parents=True, exist_ok=True)
    save_image(draw_sheet(as_tensor(done.samples[:SHEET])), place.sheets / f"{name_of(key)}-{key.precision}.png")
    reals = reals_of(key.set, key.count, key.size, images, place.extractor)
    return {**line, **figures(reals, done.samples, place.extractor)}


def _line(report: Mapping[str, Any], samples: int) -> dict[str, Any]:
    """The figures of the report that a line keeps."""
    if "drawn" not in report:  # the program failed before it could report
        return {"images": 0, "why": report["why"]}
    line = {
        "images": report["drawn"],
        "steps": report["steps"],
        "cpu_seconds": round(report["cpu_seconds"], 1),
        "parameters": report["parameters"],
    }
    if report["why"] is not None:
        return {**line, "why": report["why"]}
    return {**line, "samples": samples, "sampling_ms": round(1000 * report["sampling_seconds"] / samples, 2)}


def _ours(key: Key, place: Place) -> dict[str, Any]:
    """The default's cell, measured as the cells of the defaults are."""
    words = default_words(key, place.data)
    chosen = replace(key, candidate=words)
    line = defaults.measure(chosen, place.data, place.sheets, place.extractor)
    return {**line, "recipe": words, "samples": defaults.SAMPLES, **_cost(chosen, place.data)}


def default_words(key: Key, data: Path) -> str:
    """The recipe and the settings that `gansmith train` takes for these images, as `settings_of` reads them."""
    layers = [Layer("benchmark", {"data": SETS[key.set].settings(data, key.count, key.size)})]
    found = default_recipe(*resolve(layers))
    if found is None or found.recipe is None:
        raise SystemExit(f"there is no default recipe for {key.set}: {found}")
    own = {path: value for path, value in flat(found.settings) if path not in _OWN and not path.startswith("data.")}
    words = (f"{path}={value if isinstance(value, str) else json.dumps(value)}" for path, value in own.items())
    return " ".join([found.recipe, *words])


def _cost(key: Key, data: Path) -> dict[str, Any]:
    """The networks' weights, and the milliseconds of processor time that a sample takes."""
    own = {"data": SETS[key.set].settings(data, key.count, key.size), **ALONE}
    recipe, settings = settings_of(key.candidate, 100_000)
    experiment, _ = resolve([from_recipe(recipe), Layer("benchmark", own), Layer("candidate", settings)])
    parts = assemble(*with_data(experiment))
    networks = Trained(parts, 0.0, 0)
    networks.images(_TIMED)  # the first call chooses its kernels
    begun = time.process_time()
    networks.images(_TIMED)
    spent = time.process_time() - begun
    return {
        "parameters": {name: _weights(player) for name, player in parts.game.players.items()},
        "sampling_ms": round(1000 * spent / _TIMED, 2),
    }


def _weights(network: torch.nn.Module) -> int:
    return sum(weight.numel() for weight in network.parameters())
