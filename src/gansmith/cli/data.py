"""`gansmith data`: check a set of images before training, measure it, pack it into one file."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gansmith.cli.arguments import echo
from gansmith.cli.group import Group
from gansmith.system.text import printable

if TYPE_CHECKING:
    from gansmith.data.settings import DataSettings

app = typer.Typer(cls=Group, help="Check, measure and pack a set of images.", no_args_is_help=True)

Where = Annotated[str, typer.Argument(metavar="PATH", help="Folder, zip, file, or the name of a built-in dataset.")]
Format = Annotated[str | None, typer.Option("--format", help="The format, where looking does not find it.")]
Set = Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="An option of the format.")]
Size = Annotated[str | None, typer.Option(help="64, or height x width: 48x64.")]
Fit = Annotated[str, typer.Option(help="crop, pad or stretch.")]
Channels = Annotated[int | None, typer.Option(help="1, 3 or 4.")]
Classes = Annotated[str | None, typer.Option(help="Only images of these classes: frog, or frog,cat.")]
Skip = Annotated[bool, typer.Option("--skip-unreadable", help="Leave out images that cannot be decoded.")]


@app.command()
def check(
    path: Where,
    format: Format = None,
    options: Set = None,
    size: Size = None,
    channels: Channels = None,
    fit: Fit = "crop",
    classes: Classes = None,
    skip_unreadable: Skip = False,
    other: Annotated[str | None, typer.Option(metavar="PATH", help="The second domain, for a translation.")] = None,
    paired: Annotated[bool, typer.Option("--paired", help="Are they pairs, as the game paired needs them?")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with nothing shortened.")] = False,
) -> None:
    """Count, sizes, classes, unreadable files, duplicates. Exit code 1 if training would stop.

    Notes on what becomes of images are for the --size, --channels and --fit that you would train at.
    With --other, with --paired, or for a folder that holds a and b: each domain by itself, and both together."""
    import json

    from gansmith.data import check as of_one
    from gansmith.data.check_domains import check_domains, domain_settings

    settings = _settings(
        path,
        format,
        options,
        size=size,
        channels=channels,
        fit=fit,
        classes=classes,
        skip_unreadable=skip_unreadable,
        other=other,
    )
    alone = domain_settings(settings, paired=paired)
    if alone:
        together = check_domains(settings, paired=paired)
        share = {"holdout": together.holdout}  # one for both
        reports = {name: of_one.check(side.model_copy(update=share)) for name, side in alone.items()}
        record = {**{name: report.as_json() for name, report in reports.items()}, "together": asdict(together)}
        parts = [f"domain      {name}\n{report.as_text()}" for name, report in reports.items()]
        text = "\n\n".join([*parts, together.as_text()])
        failed = any(failure is not None for failure in (together.failure, *(r.failure for r in reports.values())))
    else:
        report = of_one.check(settings)
        record, text, failed = report.as_json(), report.as_text(), report.failure is not None
    echo(json.dumps(record, indent=1) if as_json else text)
    if failed:
        raise typer.Exit(1)


@app.command()
def stats(
    path: Where,
    size: Size = None,
    channels: Channels = None,
    classes: Classes = None,
    format: Format = None,
    options: Set = None,
    skip_unreadable: Skip = False,
) -> None:
    """Mean and standard deviation of each channel, at the images' own sizes or resized."""
    from gansmith.data.dataset import ImageItem
    from gansmith.data.decode import conform
    from gansmith.data.open import open_source
    from gansmith.data.stages.resolve import resolve
    from gansmith.data.statistics import channel_statistics
    from gansmith.data.unreadable import left_out, unreadable
    from gansmith.errors import DataError

    settings = _settings(
        path, format, options, size=size, channels=channels, classes=classes, skip_unreadable=skip_unreadable
    )
    source = open_source(settings)
    if source.points:
        raise DataError(f"{printable(path)} is a set of points, not of images: it has no channels")
    channels_ = resolve([source], settings).channels or 3

    def same_channels(item: ImageItem) -> ImageItem:
        own = settings.size or item.image.shape[:2]
        return ImageItem(conform(item.image, size=own, channels=channels_))

    failures: dict[str, str] = {}
    statistics = channel_statistics(source.transform(same_channels), names=source.keys, failures=failures)
    if failures and not skip_unreadable:
        raise unreadable(failures, len(source))
    for note in [*source.notes, *([left_out(failures)] if failures else [])]:
        echo(f"note: {note}", err=True)
    echo(f"{statistics.images:,} images, {statistics.pixels:,} pixels, {len(statistics.mean)} channel(s)")
    for what, values in (
        ("mean on [0, 1]", statistics.mean),
        ("standard deviation on [0, 1]", statistics.deviation),
        ("mean on [-1, 1]", statistics.signed_mean),
        ("standard deviation on [-1, 1]", statistics.signed_deviation),
    ):
        echo(f"{what:31}" + "  ".join(f"{value:.5f}" for value in values))


@app.command()
def pack(
    path: Where,
    out: Annotated[Path, typer.Argument(metavar="OUT.npy", help="Written with its labels beside it.")],
    size: Size = None,
    channels: Channels = None,
    fit: Fit = "crop",
    classes: Classes = None,
    fraction: Annotated[float, typer.Option(help="Share of the images, drawn by a fixed seed.")] = 1.0,
    format: Format = None,
    options: Set = None,
    skip_unreadable: Skip = False,
    force: Annotated[bool, typer.Option("--force", help="Replace what is there.")] = False,
) -> None:
    """Decode and resize once into one uint8 .npy file, which every command opens as a dataset."""
    from gansmith.data.pack import pack as write

    settings = _settings(
        path,
        format,
        options,
        size=size,
        channels=channels,
        fit=fit,
        classes=classes,
        fraction=fraction,
        skip_unreadable=skip_unreadable,
    )
    shape = write(settings, out, force=force)
    echo(f"{printable(out)}: {shape[0]:,} images of {shape[1]}x{shape[2]}, {shape[3]} channel(s)")


def _settings(path: str, format: str | None, options: list[str] | None, **more: Any) -> DataSettings:
    """The command's options as settings. Raises OptionError in one line."""
    from pydantic import ValidationError

    from gansmith import catalog
    from gansmith.data.settings import DataSettings
    from gansmith.errors import OptionError
    from gansmith.experiment.sources import parse_value
    from gansmith.system.option_words import explain, field_annotation, shown

    catalog.vouch([format or ""])  # given by hand
    chosen: dict[str, Any] = {}
    for option in options or []:
        key, equals, value = option.partition("=")
        if not equals or not key:
            raise OptionError(f"--set takes KEY=VALUE, not {option!r}")
        chosen[key.removeprefix("data.options.")] = parse_value(value, key)  # as training's --set names it
    try:
        if more.get("classes") is None:
            more.pop("classes", None)
        return DataSettings(path=path, format=format, options=chosen, **more)
    except ValidationError as error:
        first = error.errors()[0]
        field = str(first["loc"][0])
        problem = explain(first, field_annotation(DataSettings.model_fields[field]))
        raise OptionError(f"--{field.replace('_', '-')} {shown(first['input'])}: {problem}") from None
