"""`gansmith translate`: images of one domain, as the other domain would show them."""

from __future__ import annotations

import zipfile
from collections import Counter
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gansmith.cli.arguments import Checkpoint, Device, Force, Raw, RunPath, Trust, print_trained
from gansmith.system.paths import resolved

if TYPE_CHECKING:
    from torch import Tensor

    from gansmith.data.decode import Pixels
    from gansmith.data.settings import DataSettings
    from gansmith.data.source import Source
    from gansmith.latent.translate import Translator
    from gansmith.system.outputs import Files

_NAMED = 5  # files named in a note


class Domain(StrEnum):
    """What `--to` takes."""

    A = "a"
    B = "b"


class Size(StrEnum):
    """What `--size` takes."""

    OWN = "own"
    FIT = "fit"


def translate(
    run: RunPath,
    source: Annotated[Path, typer.Argument(metavar="IN", help="an image, or a folder or zip of them")],
    out: Annotated[str, typer.Argument(metavar="OUT", help="an image (.png, .jpg, .webp) or a folder/")],
    *,
    to: Annotated[Domain | None, typer.Option(help="which domain; may be left out where a run knows one")] = None,
    styles: Annotated[
        int, typer.Option(min=1, help="so many translations of each image, where the run makes several")
    ] = 1,
    style_from: Annotated[
        Path | None, typer.Option(metavar="IMAGE", help="in the style of this image, of the target domain")
    ] = None,
    size: Annotated[Size, typer.Option(help="each image's own size, or the one that was trained on")] = Size.OWN,
    force: Force = False,
    keep_alpha: Annotated[bool, typer.Option("--keep-alpha", help="give the result the transparency of IN")] = False,
    raw: Raw = False,
    checkpoint: Checkpoint = None,
    device: Device = "auto",
    trust: Trust = False,
) -> None:
    """Translate an image, or each image of a folder or zip, with a run that was trained on two domains."""
    from gansmith.data.settings import DataSettings
    from gansmith.errors import UnreadableImageError
    from gansmith.runs.folder import image_folders, is_run
    from gansmith.runs.run import Run
    from gansmith.system.outputs import require_output
    from gansmith.system.progress import bar

    opened = Run(run, trust=trust)
    translator = opened.translator(to=None if to is None else to.value, raw=raw, checkpoint=checkpoint, device=device)
    trained = opened.experiment.data if is_run(run) else DataSettings()
    images = _images(source)
    targets = _targets(source, images, out, styles)
    data = [*image_folders(run), *([source] if source.is_dir() else [])]
    inputs = [] if style_from is None else [style_from]
    require_output(Path(out), _files(Path(out), targets), force=force, inputs=inputs, data=data)
    work = _Work(
        translator, trained, _styles(translator, styles, style_from, trained), size is Size.FIT, keep_alpha, force
    )
    work.check(targets)
    left_out = _left_out(source, images)  # before anything is written, which may be into IN
    written: list[Path] = []
    failures: list[str] = []
    print_trained(opened, raw=raw, checkpoint=checkpoint)
    with bar("translating", len(images)) as advance:
        for index, files in enumerate(targets):
            try:
                written += work.save(images.one(index).image, files)
            except UnreadableImageError as error:
                if len(images) == 1:
                    raise
                failures.append(str(error))
            advance()
    for note in [*left_out, *work.notes()]:
        typer.echo(f"note: {note}", err=True)
    _tell(written, out, failures, len(images))


class _Work:
    """Translation of images to files, and what of them was lost on the way."""

    def __init__(
        self,
        translator: Translator,
        trained: DataSettings,
        styles: Sequence[Tensor],
        fit: bool,
        keep_alpha: bool,
        force: bool,
    ) -> None:
        self.translator, self.trained, self.styles = translator, trained, styles
        self.fit, self.keep_alpha, self.force = fit, keep_alpha, force
        self.channels = translator.dimensions.channels
        self.lost: set[str] = set()

    def check(self, targets: Sequence[Sequence[Path]]) -> None:
        """Raises OptionError where --keep-alpha can keep nothing."""
        from gansmith.errors import OptionError

        if self.keep_alpha and self.channels == 4:
            raise OptionError("this run makes a transparency of its own: leave --keep-alpha out")
        jpeg = targets[0][0].suffix.lower() in (".jpg", ".jpeg")
        if self.keep_alpha and jpeg:
            raise OptionError("--keep-alpha: a JPEG has no transparency, write a .png or .webp")
        if self.channels == 4 and jpeg:
            self.lost.add("the run's transparency")

    def save(self, image: Pixels, files: Sequence[Path]) -> list[Path]:
        """Translate one image uint8 [H, W, 1..4] in each style; into a file each, or side by side into the one file."""
        import numpy as np
        import torch

        from gansmith.data.decode import conform
        from gansmith.data.stream import normalised
        from gansmith.records.images import draw_sheet, save_image

        alpha = image[..., -1:] if image.shape[2] in (2, 4) else np.full_like(image[..., :1], 255)
        self._notice(image, alpha)
        background = self.trained.background
        if self.fit:
            size = (self.translator.dimensions.height, self.translator.dimensions.width)
            fitted = [
                conform(image, size=size, channels=channels, fit=self.trained.fit, background=background)
                for channels in (self.channels, 4)
            ]
            image, alpha = fitted[0], fitted[1][..., 3:]
        translations = self.translator.translations(image, self.styles, background=background)
        if self.keep_alpha:
            translations = [
                np.concatenate([np.broadcast_to(one, (*one.shape[:2], 3)), alpha], axis=2) for one in translations
            ]
        batch = normalised(torch.from_numpy(np.stack(translations)))
        if len(files) == len(translations):
            sheets = [draw_sheet(one[None], padding=0) for one in batch]
        else:
            sheets = [draw_sheet(batch, columns=len(translations))]
        return [save_image(sheet, file, replace=self.force) for sheet, file in zip(sheets, files, strict=True)]

    def _notice(self, image: Pixels, alpha: Pixels) -> None:
        if self.channels == 1 and image.shape[2] > 2 and bool((image[..., :1] != image[..., 1:3]).any()):
            self.lost.add("colours")
        if self.channels != 4 and not self.keep_alpha and bool((alpha < 255).any()):
            self.lost.add("transparency")

    def notes(self) -> list[str]:
        """What of the images the run could not see."""
        behind = ", ".join(map(str, self.trained.background))
        said = {
            "colours": "this run was trained on grey images: colours are turned to grey",
            "transparency": f"transparent pixels show the background ({behind}); --keep-alpha keeps the transparency",
            "the run's transparency": "a JPEG has no transparency: it is shown on white; write a .png or .webp",
        }
        return [note for what, note in said.items() if what in self.lost]


def _styles(translator: Translator, count: int, like: Path | None, trained: DataSettings) -> list[Tensor]:
    """Those of the first seeds, or of an image; none where there is one translation only. Raises OptionError."""
    from gansmith.errors import OptionError

    if like is None:
        return [translator.style(seed) for seed in range(count)] if translator.styled or count > 1 else []
    if count > 1:
        raise OptionError("--style-from gives one style: leave --styles out")
    images = _images(like)
    if len(images) != 1:
        raise OptionError(f"--style-from takes one image, and {like} holds {len(images):,}")
    return [translator.style_of(images.one(0).image, background=trained.background)]


def _images(source: Path) -> Source:
    """The image at `source`, or all of a folder, zip or other set. Raises DataError."""
    from gansmith.data.encoded import Encoded, Files
    from gansmith.data.listing import is_image
    from gansmith.data.open import open_dataset
    from gansmith.errors import DataError

    if source.is_file() and is_image(source.name):
        return Encoded(Files(source.parent, [source.name]), name=source.stem, keys=[source.name])
    opened = open_dataset(source)
    if opened.points:
        raise DataError(f"{source} is a set of points, not of images")
    return opened


def _targets(source: Path, images: Source, out: str, styles: int) -> list[list[Path]]:
    """The files that each image becomes. Raises OptionError where they would be one file, or the originals."""
    from gansmith.errors import OptionError
    from gansmith.records.images import SUFFIXES

    folder = Path(out)
    one_image = source.is_file() and len(images) == 1 and images.keys[0] == source.name
    if folder.suffix and not out.endswith("/") and not folder.is_dir():
        if folder.suffix.lower() not in SUFFIXES:
            raise OptionError(
                f"cannot write {out!r}: an image file ends in {', '.join(SUFFIXES)}; for a folder give {out}/"
            )
        if len(images) > 1:
            raise OptionError(f"{source} holds {len(images):,} images: give a folder to write to, {out}/, not one file")
        targets = [[folder]]
    else:
        numbers = [""] if styles == 1 else [f"_{number}" for number in range(styles)]
        targets = [[folder / f"{name}{number}.png" for number in numbers] for name in _names(images.keys)]
    place = source.parent if one_image else source
    originals = {resolved(place / key) for key in images.keys}
    over = next((file for files in targets for file in files if resolved(file) in originals), None)
    if over is not None:
        inside = source.is_dir() and resolved(folder).is_relative_to(resolved(source))
        why = f": {out} lies inside {source}, whose images are all read" if inside else ""
        raise OptionError(f"{over} is an image of {source} itself and would be overwritten{why}. Choose another OUT")
    return targets


def _files(out: Path, targets: Sequence[Sequence[Path]]) -> Files:
    """The files that another OUT would become."""
    from gansmith.system.outputs import inside, itself

    names = [file for files in targets for file in files]
    return itself if names == [out] else inside(*(str(file.relative_to(out)) for file in names))


def _names(keys: Sequence[str]) -> list[str]:
    """What the images are called in OUT: without suffix, where that leaves them different. Raises OptionError."""
    from gansmith.errors import OptionError

    # an archive may name files outside the folder
    plain = ["/".join(part for part in key.split("/") if part not in ("", ".", "..")) for key in keys]
    stems = [str(Path(name).with_suffix("")) if _has_image_suffix(name) else name for name in plain]
    count = Counter(stem.lower() for stem in stems)
    some = [stem if count[stem.lower()] == 1 else name for stem, name in zip(stems, plain, strict=True)]
    for names in (some, plain):  # "x.png" and "x.jpg" keep their suffix, and beside them "x.png.png" must too
        if len({name.lower() for name in names}) == len(names):
            return names
    twice = next(name for name, times in Counter(name.lower() for name in plain).items() if times > 1)
    raise OptionError(f"two of the images would both become {twice}.png: rename one of them")


def _has_image_suffix(name: str) -> bool:
    from gansmith.data.listing import SUFFIXES

    return name.lower().endswith(SUFFIXES)


def _hidden(name: str) -> bool:
    return any(part.startswith(".") or part == "__MACOSX" for part in name.split("/"))


def _left_out(source: Path, images: Source) -> list[str]:
    """The note about what is in a folder or zip and is no image."""
    names: list[str] = []
    if source.is_dir():
        names = [path.relative_to(source).as_posix() for path in sorted(source.rglob("*")) if path.is_file()]
    elif zipfile.is_zipfile(source):
        with zipfile.ZipFile(source) as archive:
            names = [name for name in archive.namelist() if not name.endswith("/")]
    read = set(images.keys)
    others = [name for name in names if name not in read and not _hidden(name)]
    more = f" and {len(others) - _NAMED:,} more" if len(others) > _NAMED else ""
    return [f"left out what is no image: {', '.join(others[:_NAMED])}{more}"] if others else []


def _tell(written: Sequence[Path], out: str, failures: Sequence[str], count: int) -> None:
    """The last line. Raises GansmithError where some images could not be read."""
    from gansmith.errors import GansmithError

    if written:
        what = "image" if len(written) == 1 else "images"
        typer.echo(f"{len(written):,} {what} -> {written[0] if len(written) == 1 else out.rstrip('/') + '/'}")
    if failures:
        more = f"; and {len(failures) - _NAMED:,} more" if len(failures) > _NAMED else ""
        raise GansmithError(
            f"{len(failures):,} of {count:,} images could not be read: {'; '.join(failures[:_NAMED])}{more}"
        )
