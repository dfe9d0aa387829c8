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

from gansmith import __version__, catalog
from gansmith.data.dataset import Dataset
from gansmith.data.stream import normalised
from gansmith.errors import DataError, GansmithError, OptionError
from gansmith.evaluation import intervals
from gansmith.evaluation.types import Extractor, Number
from gansmith.judge.held_out_pairs import Bytes, changed, held_pairs, other_side, pixels, same_pairs
from gansmith.latent.translate import OTHER, Translator
from gansmith.records import pictures
from gansmith.runs import folder as run_folder
from gansmith.runs.run import Run
from gansmith.system.files import write_json
from gansmith.system.progress import track

STYLES = 5  # translations of each image, where a run makes several: their mean distance counts
SHOWN = 12  # pairs on the sheet
UNTOUCHED, COLOURS = "untouched", "colour transfer"  # what stands beside every run
LEAST = 10  # independent pairs: below, a mean has no interval
_SAMPLE = 2048  # training images that colour statistics are taken of
_BLOCK = 32  # images in memory as floats at once
_SAID = {
    "l1": "mean distance of a pixel's values from the true image's, of 1 from black to white",
    "lpips": "LPIPS distance from the true image",
}

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Likeness:
    """What was found. numbers[way][metric]: of `untouched`, `colour transfer` and each run; nearer[run][way][metric]:
    how much nearer the run comes than the way (above zero: nearer), pair by pair. Intervals are None where fewer
    than LEAST pairs are independent. features: what measured LPIPS, None where nothing did; notes: for the user.
    """

    numbers: dict[str, dict[str, Number]]
    nearer: dict[str, dict[str, dict[str, Number]]]
    pairs: int
    clusters: int
    to: str
    data: str
    features: str | None
    folder: Path
    notes: tuple[str, ...] = ()

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
            "notes": list(self.notes),
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
                lines.append(f"{run} against {way}: " + ", ".join(f"{name} {_gain(n)}" for name, n in row.items()))
        return "\n".join(lines)


def translates(place: Path) -> bool:
    """Is this a run of a game of two domains?"""
    try:
        return run_folder.is_run(place) and bool({"to_b", "b"} & {*run_folder.players(place)})
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
    """Translate the pairs that the run at `place` held out, by it and by the runs `beside` it, which must have held
    them out too. Writes true_pairs.json and true_pairs.png into RUN/audit or `out`.

    weights: the file of LPIPS (features vgg); without it only L1 is measured.
    Raises DataError where nothing is held out, or the domains do not bear the same names; nothing is written then.
    """
    if to not in OTHER:
        raise OptionError(f"a translation is to a or to b, not to {to!r}")
    runs = [Run(one, trust=trust) for one in (place, *beside)]
    names = _names(runs)
    translators = {name: run.translator(to=to, device=device) for name, run in zip(names, runs, strict=True)}
    held = held_pairs(runs[0])
    if held is None:
        raise DataError(
            f"{place} held out no true pairs: a translation can be compared where both domains bear the same names and "
            f"some are held out (data.holdout). Translate a folder and judge that: "
            f"gansmith translate {place} --to {to} IN OUT, then gansmith evaluate OUT --against REAL"
        )
    others = [same_pairs(run, place, held) for run in runs[1:]]
    notes = [note for run, data in zip(runs, [held.data, *others], strict=True) for note in changed(run, data)]
    given, true = held.images[OTHER[to]], held.images[to]
    lpips, why = _lpips(weights, device, given[:1])
    train = {"a": held.data, "b": other_side(held.data)}
    made = {
        UNTOUCHED: [given],
        COLOURS: [_recoloured(given, *(_statistics(train[one].train) for one in (OTHER[to], to)))],
        **{name: _translations(translator, given, name) for name, translator in translators.items()},
    }
    distances = {way: _distances(images, true, lpips) for way, images in made.items()}

    def numbers(rows: dict[str, Values], before: str = "") -> dict[str, Number]:
        return {name: _number(row, held.clusters, seed, f"{before}{_SAID[name]}") for name, row in rows.items()}

    nearer = {
        one: {
            way: numbers({name: row - distances[one][name] for name, row in distances[way].items()}, "how much less: ")
            for way in made
            if way not in names[: place_of + 1]
        }
        for place_of, one in enumerate(names)
    }
    clusters = len(np.unique(held.clusters))
    if clusters < LEAST:
        notes.append(
            f"no intervals: {clusters} independent pairs are too few to tell how sure a mean is, it takes {LEAST}. "
            f"Train with more held out: --set data.holdout=0.2"
        )
    folder = place / "audit" if out is None else out
    found = Likeness(
        {way: numbers(row) for way, row in distances.items()},
        nearer,
        len(true),
        clusters,
        to,
        f"{held.data.name} {held.data.digest}",
        None if lpips is None else str(lpips),
        folder,
        (*notes, *([] if why is None else [why])),
    )
    write_json(folder / "true_pairs.json", found.record())
    _sheet(given, true, made, folder / "true_pairs.png")
    return found


def _names(runs: Sequence[Run]) -> list[str]:
    """What each run is called: its folder, or its whole path where that is not clear. Raises OptionError for a run
    that is given twice."""
    places = [run.path.resolve() for run in runs]
    twice = next((run.path for run, place in zip(runs, places, strict=True) if places.count(place) > 1), None)
    if twice is not None:
        raise OptionError(f"{twice} is given twice: a run is compared with others (--beside), not with itself")
    taken = [UNTOUCHED, COLOURS, *(place.name for place in places)]
    return [place.name if taken.count(place.name) == 1 else str(place) for place in places]


def _statistics(dataset: Dataset) -> tuple[Values, Values]:
    """Mean and standard deviation [C] of some of a domain's training images."""
    spread = np.unique(np.linspace(0, len(dataset) - 1, min(len(dataset), _SAMPLE)).round().astype(np.int64))
    counts: Any = 0  # [C, 256]: how often each level is there
    for start in range(0, len(spread), _BLOCK):
        some = pixels(dataset, spread[start : start + _BLOCK])
        counts = counts + np.stack([np.bincount(one.ravel(), minlength=256) for one in np.moveaxis(some, 3, 0)])
    share, levels = counts / counts.sum(1, keepdims=True), np.arange(256.0)
    mean = share @ levels
    return mean, np.sqrt((share * (levels - mean[:, None]) ** 2).sum(1))


def _recoloured(images: Bytes, before: tuple[Values, Values], after: tuple[Values, Values]) -> Bytes:
    """Each level [256, C] is moved once: pixels of one level become pixels of one level."""
    levels = np.arange(256.0)[:, None]
    moved = (levels - before[0]) / np.maximum(before[1], 1e-6) * after[1] + after[0]
    table = np.clip(moved, 0, 255).round().astype(np.uint8)
    found: Bytes = table[images, np.arange(images.shape[3])]
    return found


def _translations(translator: Translator, images: Bytes, name: str) -> list[Bytes]:
    """One array of translations, or STYLES of them."""
    styles = [translator.style(seed) for seed in range(STYLES)] if translator.styled else []
    made = [
        translator.translations(image, styles)
        for image in track(images, f"translating by {name}", len(images), "images")
    ]
    return [np.stack(column) for column in zip(*made, strict=True)]


def _lpips(weights: str | None, device: str, image: Bytes) -> tuple[Extractor | None, str | None]:
    """What measures LPIPS of images like this one; or None, and a note that says why."""
    try:
        found: Extractor = catalog.build("features", "vgg", weights=weights, device=device, size=None)
        _perceptual(found, image, image)
        return found, None
    except GansmithError as error:
        if weights is not None:
            raise OptionError(f"LPIPS cannot be measured, and without --weights only L1 is: {error}") from error
        return None, f"only L1 was measured, and LPIPS was not: {error}"


def _perceptual(lpips: Extractor, made: Bytes, true: Bytes) -> Values:
    assert lpips.distance is not None  # vgg has one
    found: Values = lpips.distance(_input(made), _input(true)).double().cpu().numpy()
    return found


def _distances(made: Sequence[Bytes], true: Bytes, lpips: Extractor | None) -> dict[str, Values]:
    """The distance of each pair [P], the mean over its translations."""
    rows: dict[str, list[Values]] = {"l1": [], **({} if lpips is None else {"lpips": []})}
    blocks = [slice(start, start + _BLOCK) for start in range(0, len(true), _BLOCK)]
    for images in made:
        l1 = [np.abs(images[some] - true[some].astype(np.float64)).mean((1, 2, 3)) / 255 for some in blocks]
        rows["l1"].append(np.concatenate(l1))
        if lpips is not None:
            rows["lpips"].append(np.concatenate([_perceptual(lpips, images[some], true[some]) for some in blocks]))
    return {name: np.mean(values, axis=0) for name, values in rows.items()}


def _input(images: Bytes) -> Tensor:
    return normalised(torch.from_numpy(np.ascontiguousarray(images)))


def _number(values: Values, clusters: NDArray[np.int64], seed: int, means: str) -> Number:
    """The mean over pairs, with an interval by drawing whole clusters; few of them say nothing of their spread."""
    members = [np.flatnonzero(clusters == one) for one in np.unique(clusters)]
    if len(members) < LEAST:
        return Number(float(values.mean()), means=means)
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


def _gain(number: Number) -> str:
    """How much nearer, or farther where it is negative; an interval that holds 0 leaves that open."""
    value, low, high = number.value, number.low, number.high
    if value < 0:
        value, low, high = -value, *(None if end is None else -end for end in (high, low))
    open_ = low is not None and high is not None and low <= 0 <= high
    word = "farther" if number.value < 0 else "nearer"
    return f"{word} by {_said(Number(value, low, high))}" + (", not clear" if open_ else "")


def _said(number: Number) -> str:
    if number.low is None or number.high is None:
        return f"{number.value:.4f}"
    return f"{number.value:.4f} [{number.low:.4f}, {number.high:.4f}]"
