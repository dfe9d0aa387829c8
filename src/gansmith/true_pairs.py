"""How near translations come to the true other image, on pairs that were held out: what `gansmith evaluate` does for a
run that translates.

An unpaired training never learns which images belong together, but where both domains show the same things under the
same names, those held out can be compared. Beside every run stand the input as it is and a transfer of colour alone:
each channel of the input brought to the mean and deviation that the other domain's training images have (Reinhard,
Ashikhmin, Gooch, Shirley 2001, "Color Transfer between Images", section 3, in RGB). A translation that does not come
nearer than these has learned nothing that statistics do not know.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gansmith import __version__, catalog, layout
from gansmith.data import holdout
from gansmith.data.dataset import Dataset
from gansmith.data.domains import holdout_pairs, prepare_domains
from gansmith.data.prepare import Prepared
from gansmith.data.stream import normalised
from gansmith.device import choose_device
from gansmith.errors import DataError, GansmithError, OptionError
from gansmith.evaluation import intervals
from gansmith.evaluation.answers import Number
from gansmith.evaluation.evidence import Extractor
from gansmith.experiment import paired
from gansmith.files import write_json
from gansmith.latent.translate import OTHER, load
from gansmith.progress import track
from gansmith.records import pictures
from gansmith.run import Run

STYLES = 5  # translations of each image, where a run makes several: their mean distance counts
SHOWN = 12  # pairs on the sheet
_SAMPLE = 2048  # training images that colour statistics are taken of
_SAID = {
    "l1": "mean distance of a pixel's values from the true image's, of 1 from black to white",
    "lpips": "LPIPS distance from the true image",
}

Bytes = NDArray[np.uint8]


@dataclass(frozen=True)
class Likeness:
    """What was found. numbers[way][metric]: of `untouched`, `colour transfer` and each run; nearer[run][way][metric]:
    how much nearer the run comes than the way (above zero: nearer), pair by pair."""

    numbers: dict[str, dict[str, Number]]
    nearer: dict[str, dict[str, dict[str, Number]]]
    pairs: int
    clusters: int
    to: str
    data: str
    features: str | None
    folder: Path

    def record(self) -> dict[str, Any]:
        """As true_pairs.json holds it."""
        return {
            "gansmith": __version__,
            "data": self.data,
            "to": self.to,
            "pairs": self.pairs,
            "clusters": self.clusters,
            "lpips": self.features,
            "distance": {way: {name: n.record() for name, n in row.items()} for way, row in self.numbers.items()},
            "nearer": {
                run: {way: {name: n.record() for name, n in row.items()} for way, row in ways.items()}
                for run, ways in self.nearer.items()
            },
        }

    def as_text(self) -> str:
        """A line for each way, nearest by the last metric first, then what each run gains."""
        metrics = list(next(iter(self.numbers.values())))
        order = sorted(self.numbers, key=lambda way: self.numbers[way][metrics[-1]].value)
        width = max(map(len, order))
        lines = [f"{self.pairs} true pairs held out, {self.clusters} independent, translated to {self.to}: {self.data}"]
        lines += [
            f"{way:{width}}  " + "   ".join(f"{name} {_said(self.numbers[way][name])}" for name in metrics)
            for way in order
        ]
        for run, ways in self.nearer.items():
            for way, row in ways.items():
                gains = ", ".join(f"{name} {_said(number)}" for name, number in row.items())
                lines.append(f"{run} is nearer than {way} by {gains}")
        return "\n".join(lines)


def translates(place: Path) -> bool:
    """Is this a run of a game of two domains?"""
    try:
        return layout.is_run(place) and bool({"to_b", "b"} & {*layout.players(place)})
    except GansmithError:
        return False


def evaluate(
    place: Path,
    *,
    to: str = "b",
    beside: Sequence[Path] = (),
    weights: str | None = None,
    device: str = "auto",
    seed: int = 0,
    out: Path | None = None,
    trust: bool = False,
) -> Likeness:
    """Translate the pairs that the run at `place` held out, and those `beside` it too, which must have held out the
    same. Writes true_pairs.json and true_pairs.png into RUN/audit or `out`.

    weights: the file of LPIPS (features vgg); without it only L1 is measured.
    Raises DataError where nothing is held out, or the domains do not bear the same names.
    """
    if to not in OTHER:
        raise OptionError(f"a translation is to a or to b, not to {to!r}")
    run = Run(place, trust=trust)
    data = _prepared(run, trust=trust)
    chosen = holdout_pairs(data)
    if not len(chosen[0]) or data.other is None or data.holdout is None or data.other.holdout is None:
        raise DataError(
            f"{place} held out no true pairs: a translation can be compared where both domains bear the same names and "
            f"some are held out (data.holdout). Translate a folder and judge that: "
            f"gansmith translate {place} --to {to} IN OUT, then gansmith evaluate OUT --against REAL"
        )
    sides = {"a": _pixels(data.holdout, chosen[0]), "b": _pixels(data.other.holdout, chosen[1])}
    names = [data.keys[index] for index in data.holdout_indices[chosen[0]].tolist()]
    given, true = sides[OTHER[to]], sides[to]
    domains = {"a": data.train, "b": data.other.train}
    made = {
        "untouched": [given],
        "colour transfer": [_recoloured(given, *(_statistics(domains[one]) for one in (OTHER[to], to)))],
    }
    runs = [run, *(Run(other, trust=trust) for other in beside)]
    for one in runs:
        if one is not run:
            _same_split(one, names, trust=trust)
        made[_name(one, runs)] = _translations(one, given, to=to, device=device)
    lpips = _lpips(weights, device)
    distances = {way: _distances(images, true, lpips) for way, images in made.items()}
    clusters = _clusters(data, names)
    numbers = {
        way: {name: _number(values, clusters, seed, _SAID[name]) for name, values in row.items()}
        for way, row in distances.items()
    }
    own = [_name(one, runs) for one in runs]
    nearer = {
        one: {
            way: {
                name: _number(distances[way][name] - values, clusters, seed, f"less {_SAID[name]}")
                for name, values in distances[one].items()
            }
            for way in made
            if way not in own[: own.index(one) + 1]
        }
        for one in own
    }
    folder = place / "audit" if out is None else Path(out)
    found = Likeness(
        numbers,
        nearer,
        len(true),
        len(np.unique(clusters)),
        to,
        data.name,
        None if lpips is None else str(lpips),
        folder,
    )
    write_json(folder / "true_pairs.json", found.record())
    _sheet(given, true, made, folder / "true_pairs.png")
    return found


def _prepared(run: Run, *, trust: bool) -> Prepared:
    game = run.experiment.game.name
    return prepare_domains(run.experiment.data, paired=paired(game, trust=trust), trust=trust)


def _same_split(run: Run, names: Sequence[str], *, trust: bool) -> None:
    """Raises DataError when `run` was trained on one of the pairs."""
    data = _prepared(run, trust=trust)
    held = {data.keys[index] for index in data.holdout_indices.tolist()}
    seen = [name for name in names if name not in held]
    if seen:
        raise DataError(
            f"{run.path} did not hold out {len(seen)} of the {len(names)} pairs, for example {seen[0]}: it may have "
            f"been trained on them. Train both with the same data.holdout and data.holdout_by"
        )


def _name(run: Run, runs: Sequence[Run]) -> str:
    name = run.path.resolve().name
    return name if [one.path.resolve().name for one in runs].count(name) == 1 else str(run.path)


def _pixels(dataset: Dataset, chosen: NDArray[np.int64]) -> Bytes:
    images: Bytes = np.ascontiguousarray(dataset[chosen].image)
    return images


def _statistics(dataset: Dataset) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation [C] of some of a domain's training images."""
    spread = np.unique(np.linspace(0, len(dataset) - 1, min(len(dataset), _SAMPLE)).round().astype(np.int64))
    pixels = _pixels(dataset, spread).astype(np.float64)
    return pixels.mean((0, 1, 2)), pixels.std((0, 1, 2))


def _recoloured(
    images: Bytes,
    before: tuple[NDArray[np.float64], NDArray[np.float64]],
    after: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> Bytes:
    moved = (images - before[0]) / np.maximum(before[1], 1e-6) * after[1] + after[0]
    return np.clip(moved, 0, 255).round().astype(np.uint8)


def _translations(run: Run, images: Bytes, *, to: str, device: str) -> list[Bytes]:
    """One array of translations, or STYLES of them."""
    translator = load(run.model, to, device=choose_device(device), trust=run.trust)
    styles = [translator.style(seed) for seed in range(STYLES)] if translator.styled else []
    made = [
        translator.translations(image, styles)
        for image in track(images, f"translating by {run.path.name}", len(images), "images")
    ]
    return [np.stack(column) for column in zip(*made, strict=True)]


def _lpips(weights: str | None, device: str) -> Extractor | None:
    try:
        found: Extractor = catalog.build("features", "vgg", weights=weights, device=device, size=None)
        return found
    except GansmithError:
        if weights is not None:
            raise
        return None


def _distances(made: Sequence[Bytes], true: Bytes, lpips: Extractor | None) -> dict[str, NDArray[np.float64]]:
    """The distance of each pair [P], the mean over its translations."""
    rows: dict[str, list[NDArray[np.float64]]] = {}
    for images in made:
        l1 = np.abs(images.astype(np.float64) - true).mean((1, 2, 3)) / 255
        rows.setdefault("l1", []).append(l1)
        if lpips is not None and lpips.distance is not None:
            parts = [
                lpips.distance(_input(one), _input(other)).double().cpu().numpy()
                for one, other in zip(
                    np.array_split(images, _parts(true)), np.array_split(true, _parts(true)), strict=True
                )
            ]
            rows.setdefault("lpips", []).append(np.concatenate(parts))
    return {name: np.mean(values, axis=0) for name, values in rows.items()}


def _parts(images: Bytes) -> int:
    return -(-len(images) // 32)


def _input(images: Bytes) -> Tensor:
    return normalised(torch.from_numpy(np.ascontiguousarray(images)))


def _clusters(data: Prepared, names: Sequence[str]) -> NDArray[np.int64]:
    """Which pairs belong together, by the rule of the hold-out where it goes by names: variants of one thing are not
    independent of each other."""
    rule = data.settings.holdout_by
    if not rule.startswith("name:"):
        return np.arange(len(names), dtype=np.int64)
    return holdout.groups_by(rule, keys=tuple(names), labels=None, similar=lambda: np.arange(len(names)))


def _number(values: NDArray[np.float64], clusters: NDArray[np.int64], seed: int, means: str) -> Number:
    """The mean over pairs, with an interval by drawing whole clusters."""
    members = [np.flatnonzero(clusters == one) for one in np.unique(clusters)]
    sums = np.array([[values[one].sum(), len(one)] for one in members])
    low, high = intervals.bootstrap(sums, lambda rows: float(rows[:, 0].sum() / rows[:, 1].sum()), seed=seed)
    return Number(float(values.mean()), low, high, means)


def _sheet(given: Bytes, true: Bytes, made: dict[str, list[Bytes]], path: Path) -> None:
    """A row for each pair: the input, what each way made of it (one style), the true image."""
    chosen = np.unique(np.linspace(0, len(true) - 1, min(SHOWN, len(true))).round().astype(np.int64))
    columns = [images[0] for images in made.values()] + [true]
    rows = np.stack([column[index] for index in chosen for column in columns])
    shown = _input(rows)
    labels = tuple([*made, "true"] + [""] * (len(rows) - len(columns)))
    pictures.save(pictures.sheet(shown, columns=len(columns), labels=labels), path)


def _said(number: Number) -> str:
    return f"{number.value:.4f} [{number.low:.4f}, {number.high:.4f}]"
