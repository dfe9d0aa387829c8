"""`gansmith compare`: which generator is better, by the discriminators of the others and by metrics."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gansmith.cli.arguments import (
    Device,
    Force,
    Raw,
    Trust,
    echo,
    refuse_options,
    require_out,
    require_own_run,
    runs_or_zoo,
    trained_lines,
)
from gansmith.cli.tables import print_whole
from gansmith.system.text import printable

if TYPE_CHECKING:
    from rich.table import Table

    from gansmith.evaluation.cross_play import CrossPlay, Pair
    from gansmith.evaluation.types import Extractor, Number
    from gansmith.judge.compare.comparison import Comparison, Measured

_JSON, _MATRIX, _PAGE = "compare.json", "compare.png", "compare.html"
_FOLDER = "compared"
_NOT_WATCHED = ("against", "raw", "metrics", "features", "weights", "out", "report", "force")

_Runs = Annotated[
    list[str],
    typer.Argument(metavar="RUN RUN ...", help="runs, or RUN@CHECKPOINT of one or several", callback=runs_or_zoo),
]


def compare(
    context: typer.Context,
    runs: _Runs,
    *,
    against: Annotated[
        str | None, typer.Option(help="real images that no run was trained on  [default: what the runs held out]")
    ] = None,
    samples: Annotated[int, typer.Option(help="images of each generator")] = 1000,
    raw: Raw = False,
    metrics: Annotated[str, typer.Option(help="measured side by side: kid,precision_recall ... or none")] = "kid",
    features: Annotated[str, typer.Option(help="that metrics read; auto: the best whose weights are here")] = "auto",
    weights: Annotated[str | None, typer.Option(help="the extractor's weights, a file")] = None,
    out: Annotated[Path | None, typer.Option(help="a folder for compare.json and compare.png")] = None,
    report: Annotated[
        bool, typer.Option("--report", help="with them compare.html: all runs on one page  [default folder: compared]")
    ] = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="play again whenever a run writes its model, until all trainings have ended")
    ] = False,
    force: Force = False,
    device: Device = "auto",
    trust: Trust = False,
) -> None:
    """Rank generators by the discriminators they were not trained with.

    A discriminator's accuracy is the share of pairs of a held-out real image and a sample in which the real one gets
    the higher score. 0.5 means that it cannot tell them apart, which is what a perfect generator would get from all.
    """
    if watch:
        refuse_options(context, _NOT_WATCHED, "--watch records the matrix alone, beside the runs")
        _watch(runs, samples=samples if _is_given(context, "samples") else None, device=device, trust=trust)
        return
    from gansmith.judge.chosen_extractors import choose
    from gansmith.judge.compare.compare_runs import compare as compare_runs
    from gansmith.judge.compare.contenders import parse
    from gansmith.runs.own_networks import own_networks_at
    from gansmith.system.console import say

    out = _require_out(out, runs, against, report=report, force=force)
    own = {name for path, _ in map(parse, runs) for name in own_networks_at(path)}
    extractor = choose(features, weights, device=device, trust=trust, own=own) if report else None
    names = [name.strip() for name in metrics.split(",") if name.strip() and name.strip() != "none"]
    trained = _trained(runs, raw=raw, trust=trust)
    comparison = compare_runs(
        list(runs),
        against=against,
        samples=samples,
        raw=raw,
        metrics=names,
        features=features,
        weights=weights,
        device=device,
        trust=trust,
    )
    say(*trained)
    _print(comparison)
    if out is not None:
        files = write(comparison, out, extractor, replace=force)
        echo(f"-> {', '.join(printable(out / name) for name in files)}")


def _trained(runs: Sequence[str], *, raw: bool, trust: bool) -> list[str]:
    """How long the weights of each were trained, a line each."""
    from gansmith.judge.compare.contenders import parse
    from gansmith.runs.run import Run

    places = map(parse, runs)
    lines = [trained_lines(Run(path, trust=trust), checkpoint=checkpoint, raw=raw) for path, checkpoint in places]
    return [line for of_run in lines for line in of_run]


def _watch(runs: Sequence[str], *, samples: int | None, device: str, trust: bool) -> None:
    """A line for each match: after how many images, and how surely each generator is told apart from real images."""
    from gansmith.judge.compare import matches
    from gansmith.runs.folder import models_of

    places = [Path(run) for run in runs]
    for place in places:
        require_own_run(place, "matches are recorded beside the runs")
        models_of(place)  # raises for what is no run
    file = matches.matches_file(places)
    echo(f"recorded in {printable(file)}", err=True)
    count = matches.SAMPLES if samples is None else samples
    for match in matches.watch(places, file, samples=count, device=device, trust=trust):
        told = zip(match["runs"], match["images"], match["told_apart"], strict=True)
        echo("; ".join(f"{printable(name)} at {images:,} images: {apart:.3f}" for name, images, apart in told))


def _is_given(context: typer.Context, name: str) -> bool:
    return str(context.get_parameter_source(name)).endswith("COMMANDLINE")


def _print(comparison: Comparison) -> None:
    """The matrices, the ranking, each metric side by side, the notes and the protocol, on standard output."""
    from rich.console import Console

    console = Console(soft_wrap=False)
    print_whole(console, [matrix(comparison.play, intervals=True), matrix(comparison.play)])
    echo("\n".join(ranking(comparison.play)))
    for name, measured in comparison.metrics.items():
        console.print()
        print_whole(console, [side_by_side(name, measured, order=[one.name for one in comparison.play.standings])])
        echo(f"protocol: {measured.protocol}")
    for note in comparison.notes:
        echo(f"note: {note}")
    echo(f"protocol: {comparison.protocol}")


def _require_out(
    out: Path | None, runs: Sequence[str], against: str | None, *, report: bool, force: bool
) -> Path | None:
    """Where the files are written, None for nowhere. Raises OutputError, before any work, where they cannot be."""
    from gansmith.runs.folder import image_folders
    from gansmith.system.outputs import inside

    if out is None and not report:
        return None
    data = [folder for run in runs for folder in image_folders(Path(run.partition("@")[0]))]
    names = inside(_JSON, _MATRIX, *([_PAGE] if report else []))
    return require_out(out, _FOLDER, names, force=force, data=[*data, *([Path(against)] if against else [])])


def write(comparison: Comparison, folder: Path, extractor: Extractor | None = None, *, replace: bool) -> list[str]:
    """compare.json, compare.png, and with an extractor for its ruler compare.html; the names of those written.

    replace: as for `system.files.atomic`.
    """
    from gansmith.evaluation.matrix_picture import matrix_picture
    from gansmith.judge.compare.page import page
    from gansmith.records.images import save_image
    from gansmith.system.files import write_json, write_text

    write_json(folder / _JSON, comparison.record(), replace=replace)
    save_image(matrix_picture(comparison.play), folder / _MATRIX, replace=replace)
    if extractor is not None:
        text = page(comparison, extractor, pairs=[sentence(pair).strip() for pair in comparison.play.pairs])
        write_text(folder / _PAGE, text, replace=replace)
    return [_JSON, _MATRIX, *([] if extractor is None else [_PAGE])]


def matrix(play: CrossPlay, *, intervals: bool = False) -> Table:
    """A row for each discriminator; generators from best to worst. Own pairs in brackets."""
    from rich.markup import escape
    from rich.table import Table

    order = [play.names.index(one.name) for one in play.standings]
    table = Table(title="accuracy of discriminators (rows) on generators (columns; own in brackets)", show_lines=True)
    table.title_justify = "left"
    table.add_column("discriminator of")
    for index in order:
        table.add_column(escape(printable(play.names[index])), justify="right")
    for row_of in order:
        row = play.accuracy[row_of]
        cells = [
            f"({_value(row[i])})" if play.own(row_of, i) else f"{_value(row[i])}{interval(row[i]) if intervals else ''}"
            for i in order
        ]
        table.add_row(escape(printable(play.names[row_of])), *cells)
    return table


def interval(number: Number) -> str:
    """On a line of its own."""
    return "\n" + _range(number, dash="-")


def ranking(play: CrossPlay) -> list[str]:
    """In words: the order, how surely each is told apart, and which neighbours cannot be separated."""
    how = f"{'' if play.adjusted else 'not '}adjusted for how strict each discriminator is"
    lines = [f"told apart from real images, best first (0.5 cannot be, 1 always; {how}):"]
    for place, one in enumerate(play.standings, start=1):
        lines.append(f"{place}. {one.name}  {_value(one.told_apart)} ({_range(one.told_apart)})")
    lines += [sentence(pair) for pair in play.pairs]
    return lines


def sentence(pair: Pair) -> str:
    """What is known of two generators."""
    agreement = f"{pair.agree} of {pair.common} common discriminators say so"
    said = f"; {agreement}" if pair.common else ""
    numbers = f"by {pair.difference.value:.3f} ({_range(pair.difference)}){said}"
    if pair.separated and pair.common > 1:
        return f"   {pair.better} is better than {pair.worse} {numbers}"
    if pair.separated:
        return (
            f"   {pair.better} is told apart less than {pair.worse} {numbers}; more runs would say whether it is better"
        )
    return f"   {pair.better} and {pair.worse} cannot be separated: {pair.better} is ahead {numbers}"


def side_by_side(name: str, measured: Measured, *, order: Sequence[str]) -> Table:
    """One metric: a row for each generator, in the order of the ranking."""
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=name, title_justify="left")
    table.add_column("generator of")
    first = next(iter(measured.numbers.values()))
    for quantity in first:
        way = measured.better.get(quantity)
        table.add_column(f"{quantity}{f' ({way} is better)' if way else ''}", justify="right")
    for who in order:
        numbers = measured.numbers[who]
        cells = [f"{_value(numbers[quantity], 4)} ({_range(numbers[quantity], 4)})" for quantity in first]
        table.add_row(escape(printable(who)), *cells)
    return table


def _value(number: Number, digits: int = 3) -> str:
    return f"{number.value:.{digits}f}"


def _range(number: Number, digits: int = 3, dash: str = " to ") -> str:
    return "no interval" if number.low is None else f"{number.low:.{digits}f}{dash}{number.high:.{digits}f}"
