"""`gansmith directions`: what can be changed in a generator's images, found, ranked, named and kept in the run."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gansmith.cli.arguments import (
    Checkpoint,
    Device,
    Label,
    Metadata,
    Raw,
    RunPath,
    Scale,
    Trust,
    echo,
    print_trained,
    require_own_run,
    shown_run,
)
from gansmith.errors import OptionError
from gansmith.system.paths import shell_word
from gansmith.system.text import printable

if TYPE_CHECKING:
    from gansmith.latent.directions.direction import Direction, Directions
    from gansmith.latent.renderer import Renderer
    from gansmith.runs.run import Run

_RANDOM = 8  # random directions that the others are compared with
_WHOLE = 12  # directions whose cosines are printed as a whole


class Method(StrEnum):
    """What `--method` takes."""

    PCA = "pca"
    SVD = "svd"
    LABELS = "labels"


_Method = Annotated[
    Method | None, typer.Option(help="pca: what varies most, svd: the first weights, labels: towards the classes")
]
_Count = Annotated[int, typer.Option(min=1, max=200, help="how many directions (pca, svd)")]
_Layer = Annotated[int | None, typer.Option(min=1, help="pca: behind which layer of a generator without W; the first")]
_Name = Annotated[list[str] | None, typer.Option(help="3=smile: what a direction is called; repeatable")]
_To = Annotated[
    list[str] | None, typer.Option(help="a direction that those made now are at right angles to; repeatable")
]
_Data = Annotated[str | None, typer.Option(help="labelled images, where the run's own are elsewhere or have no labels")]
_Features = Annotated[str, typer.Option(help="labels: of the classifier (gansmith list features); auto: the best here")]
_Replace = Annotated[
    bool, typer.Option("--replace", help="replace directions that have names of yours, or are of other weights")
]


def directions(
    run: RunPath,
    *,
    method: _Method = None,
    count: _Count = 10,
    layer: _Layer = None,
    name: _Name = None,
    orthogonal_to: _To = None,
    data: _Data = None,
    features: _Features = "auto",
    weights: Annotated[str | None, typer.Option(help="file of weights of the features")] = None,
    seed: Annotated[int, typer.Option(min=0, help="whose image the strips show")] = 0,
    replace_: _Replace = False,
    label: Label = None,
    raw: Raw = False,
    checkpoint: Checkpoint = None,
    scale: Scale = None,
    metadata: Metadata = True,
    device: Device = "auto",
    trust: Trust = False,
) -> None:
    """Find directions along which the images change, rank them, name them; without --method list those there are.

    They are kept in RUN/directions, with a sheet of strips from -3 to 3 steps for each method. gansmith edit moves
    images along them.
    """
    from gansmith.latent.directions.direction_file import save_directions
    from gansmith.runs.folder import directions_file
    from gansmith.runs.run import Run
    from gansmith.runs.run_directions import require_own_names, save_sheet, with_made

    names, opened, file = parse_names(name or []), Run(run, trust=trust), directions_file(run)
    _require_own_run(run, file, writes=method is not None or bool(names))
    renderer = opened.renderer(raw=raw, checkpoint=checkpoint, device=device)
    if renderer.images([seed], label=label).images.shape[1:] == (2, 1, 1):
        raise OptionError(f"{run} makes points of the plane: there are no images that a direction could change")
    kept = None if replace_ and method is not None else _kept(file, renderer)
    print_trained(opened, raw=raw, checkpoint=checkpoint)
    wanted = method or (Method.PCA if kept is None else None)
    if wanted is not None:
        _require_options(wanted, layer=layer, data=data)
        require_own_names(kept, wanted.value)
        made = _made(opened, renderer, wanted, count, layer, data, features, weights, device, kept)
        if orthogonal_to:
            made = _projected(with_made(kept, made, renderer), made, orthogonal_to)
        kept = with_made(kept, _ranked(opened, renderer, made, raw=raw, checkpoint=checkpoint), renderer)
    elif orthogonal_to:
        raise OptionError("--orthogonal-to is of directions that are made: add --method pca, svd or labels")
    assert kept is not None
    kept = kept.renamed(names)
    if wanted is not None or names:
        save_directions(file, kept, force=True)
    _tell(kept)
    if wanted is not None:
        how: dict[str, Any] = {"seed": seed, "label": label, "scale": scale, "metadata": metadata}
        for one in dict.fromkeys(d.method for d in kept.items):
            sheet = save_sheet(file.parent / f"{one}.png", kept, one, renderer, **how)
            echo(f"from -3 to 3 steps, seed {seed} -> {printable(sheet)}")
    word = shell_word(printable(kept.items[0].name))
    echo(f"next: gansmith edit {shell_word(shown_run(run))} {seed} --along {word}:2")


def parse_names(texts: Sequence[str]) -> dict[str, str]:
    """`["3=smile"]` -> {"3": "smile"}. Raises OptionError."""
    from gansmith.latent.directions.direction import require_name

    names: dict[str, str] = {}
    for text in texts:
        word, equals, name = text.partition("=")
        if not equals or not word or word in names:
            raise OptionError(f"--name takes NUMBER=NAME or NAME=NAME, each once, as 3=smile, not {text!r}")
        names[word] = require_name(name)
    return names


def _require_own_run(run: Path, file: Path, *, writes: bool) -> None:
    """Raises RunError for a model of the zoo, but where its directions are only listed."""
    if writes or not file.exists():
        require_own_run(run, "its directions are kept in the run")


def _kept(file: Path, renderer: Renderer) -> Directions | None:
    """The run's directions, where it has some of these weights."""
    from gansmith.latent.directions.direction_file import load_directions

    return load_directions(file, digest=renderer.digest) if file.exists() else None


def _projected(whole: Directions, made: Sequence[Direction], words: Sequence[str]) -> list[Direction]:
    """Those made now, at right angles to the directions that the words name; these, where made now, as they are."""
    from gansmith.latent.directions.direction import orthogonal

    fixed = [whole.find(word) for word in words]
    names = {one.name for one in fixed}
    return orthogonal([d for d in made if d.name not in names], fixed) + [d for d in made if d.name in names]


def _require_options(method: Method, *, layer: int | None, data: str | None) -> None:
    if layer is not None and method is not Method.PCA:
        raise OptionError(f"--layer is of --method pca, not {method.value}: leave it out")
    if data is not None and method is not Method.LABELS:
        raise OptionError(f"--data is of --method labels, not {method.value}: leave it out")


def _made(
    opened: Run, renderer: Renderer, method: Method, count: int, layer: int | None, data: str | None,
    features: str, weights: str | None, device: str, kept: Directions | None,
) -> list[Direction]:  # fmt: skip
    from gansmith.latent.directions.principal import principal_directions
    from gansmith.latent.directions.separators import LEAST_AUC, separator_directions
    from gansmith.latent.directions.singular import singular_directions

    if method is Method.PCA:
        return principal_directions(renderer, count, layer=layer)
    if method is Method.SVD:
        return singular_directions(renderer, count)
    from gansmith.judge.class_directions import class_separators

    result = class_separators(opened, renderer, data=data, features=features, weights=weights, device=device)
    echo(
        f"classes by {result.features}: {result.accuracy.value:.0%} of labelled images that it did not learn from "
        f"are right"
    )
    for one in result.separators:
        auc = "too few samples of it" if one.auc is None else f"AUC {one.auc:.2f}"
        end = "" if one.usable else ": not found"
        echo(f"  {printable(one.name):16} {one.count:5,} of {len(result.latents):,} samples  {auc}{end}")
    taken = [d.name for d in (kept.items if kept is not None else ()) if d.method != "labels"]
    made = separator_directions(renderer, result.separators, result.latents, taken=taken)
    if not made:
        raise OptionError(f"no class was found: no AUC is {LEAST_AUC:.1f} or more. --method pca, or svd")
    return made


def _ranked(
    opened: Run, renderer: Renderer, made: Sequence[Direction], *, raw: bool, checkpoint: str | None
) -> list[Direction]:
    """The directions, ranked, and a line about random ones."""
    from gansmith.latent.directions.finish import random_directions
    from gansmith.latent.directions.make import numbered
    from gansmith.latent.directions.ranking import rank
    from gansmith.runs.run_directions import features_of

    features = features_of(opened, raw=raw, checkpoint=checkpoint)
    both = rank(renderer, [*made, *random_directions(renderer, _RANDOM)], features)
    random = [one for one in both if one.name.startswith("random-")]
    change, purity = (sum(getattr(d, what) or 0 for d in random) / len(random) for what in ("change", "purity"))
    echo(f"random directions: change {change:.3f}, purity {purity:.2f} (mean of {_RANDOM})")
    own = {one.name for one in made}
    return numbered([one for one in both if one.name in own])


def _tell(kept: Directions) -> None:
    """The numbered list, and the cosines."""
    cosines = kept.cosines()
    width = max(len(printable(d.name)) for d in kept.items)
    echo(f"{'':3} {'':{width}} change purity  AUC  most alike")
    for place, d in enumerate(kept.items):
        change, purity, auc = (
            "" if value is None else f"{value:.{digits}f}"
            for value, digits in ((d.change, 3), (d.purity, 2), (d.auc, 2))
        )
        others = cosines[place].abs().clone()
        others[place] = -1
        near = int(others.argmax())
        alike = f"{printable(kept.items[near].name)} {float(cosines[place, near]):+.2f}" if len(kept) > 1 else ""
        echo(f"{place + 1:3} {printable(d.name):{width}} {change:>6} {purity:>6} {auc:>4}  {alike}".rstrip())
    if 1 < len(kept) <= _WHOLE:
        echo("cosines")
        for place, row in enumerate(cosines):
            echo(f"{place + 1:3} {' '.join(f'{float(value):+.2f}' for value in row[: place + 1])}")
