"""Distances of translations from the true other image, on pairs that were held out: what `gansmith evaluate` does for a
run that translates.

An unpaired training never learns which images belong together, but where both domains show the same things under the
same names, those held out can be compared. Beside every run stand the input as it is and a transfer of colour alone. A
translation that does not come nearer than these has learned nothing that statistics do not know.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gansmith import catalog
from gansmith.errors import DataError, GansmithError, OptionError
from gansmith.evaluation import intervals
from gansmith.evaluation.activations import to_input
from gansmith.evaluation.types import Extractor, Images, Labels, Number
from gansmith.judge.colour_transfer import colour_statistics, recoloured
from gansmith.judge.held_out_pairs import HeldPairs, changed, held_pairs, other_side, same_pairs
from gansmith.judge.report_folder import report_folder
from gansmith.judge.true_pairs_report import Likeness, save_sheet
from gansmith.latent.translate import OTHER, Translator
from gansmith.runs.folder import is_run, players_of
from gansmith.runs.run import Run
from gansmith.system.files import write_json
from gansmith.system.paths import resolved, shell_word
from gansmith.system.progress import track

STYLES = 5  # translations of each image, where a run makes several: their mean distance counts
UNTOUCHED, COLOURS = "untouched", "colour transfer"  # what stands beside every run
LEAST = 10  # independent pairs: below, a mean has no interval
_JSON, _SHEET = "true_pairs.json", "true_pairs.png"
_BLOCK = 32  # images in memory as floats at once
_MEANS = {
    "l1": "mean distance of a pixel's values from the true image's, of 1 from black to white",
    "lpips": "LPIPS distance from the true image",
}

Values = NDArray[np.float64]
Rows = dict[str, Values]  # {metric: distance of each pair [P]}


def translates(place: Path) -> bool:
    """Whether this is a run of a game of two domains."""
    try:
        return is_run(place) and bool({"to_b", "b"} & {*players_of(place)})
    except GansmithError:
        return False


def evaluate_translation(
    place: str | Path,
    *,
    to: str = "b",
    beside: Sequence[str | Path] = (),
    weights: str | None = None,
    device: str = "auto",
    seed: int = 0,
    out: Path | None = None,
    force: bool = False,
    trust: bool = False,
) -> Likeness:
    """Translate the pairs that the run at `place` held out, by it and by the runs `beside` it, which must have held
    them out too. Writes true_pairs.json and true_pairs.png into RUN/audit, where they replace those before, or `out`,
    where `force` does.

    weights: the file of LPIPS (features vgg); without it only L1 is measured.
    Raises DataError where nothing is held out, or the domains do not bear the same names, OutputError for files that
    exist; nothing is written then.
    """
    if to not in OTHER:
        raise OptionError(f"a translation is to a or to b, not to {to!r}")
    place = Path(place)
    runs = [Run(one, trust=trust) for one in (place, *beside)]
    names = _names(runs)
    translators = {name: run.translator(to=to, device=device) for name, run in zip(names, runs, strict=True)}
    held, notes = _held_pairs(runs, to)
    folder, replace = report_folder(place, out, (_JSON, _SHEET), force=force)
    source, true = held.images[OTHER[to]], held.images[to]
    lpips, problem = _lpips(weights, device, source[:1])
    ways = _ways(held, translators, to)
    distances = {way: _distances(images, true, lpips) for way, images in ways.items()}
    clusters = len(np.unique(held.clusters))
    if clusters < LEAST:
        notes.append(
            f"no intervals: {clusters} independent pairs are too few to tell how sure a mean is, it takes {LEAST}. "
            f"Train with more held out: --set data.holdout=0.2"
        )
    likeness = Likeness(
        {way: _numbers(rows, held.clusters, seed) for way, rows in distances.items()},
        _nearer(names, distances, held.clusters, seed),
        len(true),
        clusters,
        to,
        f"{held.data.name} {held.data.digest}",
        None if lpips is None else str(lpips),
        folder,
        (*notes, *([] if problem is None else [problem])),
    )
    write_json(folder / _JSON, likeness.record(), replace=replace)
    save_sheet(source, true, ways, folder / _SHEET, replace=replace)
    return likeness


evaluate = evaluate_translation  # its name in earlier versions


def _names(runs: Sequence[Run]) -> list[str]:
    """The folder of each run, or its whole path where that is not clear. Raises OptionError for a run named twice."""
    places = [resolved(run.path) for run in runs]
    twice = next((run.path for run, place in zip(runs, places, strict=True) if places.count(place) > 1), None)
    if twice is not None:
        raise OptionError(f"{twice} is given twice: a run is compared with others (--beside), not with itself")
    taken = [UNTOUCHED, COLOURS, *(place.name for place in places)]
    return [place.name if taken.count(place.name) == 1 else str(place) for place in places]


def _held_pairs(runs: Sequence[Run], to: str) -> tuple[HeldPairs, list[str]]:
    """The pairs that the first run held out, and notes on runs whose images changed. Raises DataError without any, or
    where another run may have been trained on them."""
    first, *others = runs
    held = held_pairs(first)
    if held is None:
        raise DataError(
            f"{first.path} held out no true pairs: a translation can be compared where both domains bear the same "
            f"names and some are held out (data.holdout). Translate a folder and judge that: "
            f"gansmith translate {shell_word(first.path)} --to {to} IN OUT, then gansmith evaluate OUT --against REAL"
        )
    data = [held.data, *(same_pairs(run, first.path, held) for run in others)]
    return held, [note for run, prepared in zip(runs, data, strict=True) for note in changed(run, prepared)]


def _ways(held: HeldPairs, translators: Mapping[str, Translator], to: str) -> dict[str, list[Images]]:
    """{way: its translations of the held-out images, one array or STYLES of them}, untouched and recoloured first."""
    source = held.images[OTHER[to]]
    train = {"a": held.data, "b": other_side(held.data)}
    before, after = (colour_statistics(train[domain].train) for domain in (OTHER[to], to))
    return {
        UNTOUCHED: [source],
        COLOURS: [recoloured(source, before, after)],
        **{name: _translations(translator, source, name) for name, translator in translators.items()},
    }


def _translations(translator: Translator, images: Images, name: str) -> list[Images]:
    styles = [translator.style(seed) for seed in range(STYLES)] if translator.styled else []
    rows = [
        translator.translations(image, styles)
        for image in track(images, f"translating by {name}", len(images), "images")
    ]
    return [np.stack(column) for column in zip(*rows, strict=True)]


def _lpips(weights: str | None, device: str, image: Images) -> tuple[Extractor | None, str | None]:
    """The extractor that measures LPIPS of images like this one; or None, and a note that says why."""
    try:
        extractor: Extractor = catalog.build("features", "vgg", weights=weights, device=device, size=None)
        _perceptual(extractor, image, image)
        return extractor, None
    except GansmithError as error:
        if weights is not None:
            raise OptionError(f"LPIPS cannot be measured, and without --weights only L1 is: {error}") from error
        return None, f"only L1 was measured, and LPIPS was not: {error}"


def _perceptual(lpips: Extractor, images: Images, true: Images) -> Values:
    assert lpips.distance is not None  # vgg has one
    distance: Values = lpips.distance(to_input(images), to_input(true)).double().cpu().numpy()
    return distance


def _distances(translations: Sequence[Images], true: Images, lpips: Extractor | None) -> Rows:
    """The distance of each pair [P], the mean over its translations."""
    rows: dict[str, list[Values]] = {"l1": [], **({} if lpips is None else {"lpips": []})}
    blocks = [slice(start, start + _BLOCK) for start in range(0, len(true), _BLOCK)]
    for images in translations:
        l1 = [np.abs(images[part] - true[part].astype(np.float64)).mean((1, 2, 3)) / 255 for part in blocks]
        rows["l1"].append(np.concatenate(l1))
        if lpips is not None:
            rows["lpips"].append(np.concatenate([_perceptual(lpips, images[part], true[part]) for part in blocks]))
    return {name: np.mean(values, axis=0) for name, values in rows.items()}


def _nearer(
    names: Sequence[str], distances: Mapping[str, Rows], clusters: Labels, seed: int
) -> dict[str, dict[str, dict[str, Number]]]:
    """Each run against the ways before all runs, and against every run after it."""
    table: dict[str, dict[str, dict[str, Number]]] = {}
    for place, name in enumerate(names):
        others = [way for way in distances if way not in names[: place + 1]]
        differences = {
            way: {metric: values - distances[name][metric] for metric, values in distances[way].items()}
            for way in others
        }
        table[name] = {
            way: _numbers(rows, clusters, seed, before="how much less: ") for way, rows in differences.items()
        }
    return table


def _numbers(rows: Rows, clusters: Labels, seed: int, before: str = "") -> dict[str, Number]:
    return {name: cluster_mean(row, clusters, seed, f"{before}{_MEANS[name]}") for name, row in rows.items()}


def cluster_mean(values: Values, clusters: Labels, seed: int, means: str) -> Number:
    """Values [P] -> their mean, with an interval by drawing whole clusters; fewer than LEAST clusters give none."""
    members = [np.flatnonzero(clusters == one) for one in np.unique(clusters)]
    if len(members) < LEAST:
        return Number(float(values.mean()), means=means)
    sums = np.array([[values[one].sum(), len(one)] for one in members])
    low, high = intervals.bootstrap(sums, lambda rows: float(rows[:, 0].sum() / rows[:, 1].sum()), seed=seed)
    return Number(float(values.mean()), low, high, means)
