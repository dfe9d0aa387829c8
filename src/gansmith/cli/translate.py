"""`gansmith translate`: images of one domain, as the other domain would show them."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gansmith.cli.arguments import Checkpoint, Device, Force, Raw, RunPath, Scale, Trust, echo, print_trained
from gansmith.cli.translated_files import left_out, output_files, translation_targets
from gansmith.system.text import printable

if TYPE_CHECKING:
    from torch import Tensor

    from gansmith.data.decode import Pixels
    from gansmith.data.settings import DataSettings
    from gansmith.data.source import Source
    from gansmith.latent.translate import Translator

_NAMED = 5  # files named in a note

Styles = Annotated[
    int, typer.Option(min=1, max=1000, help="so many translations of each image, where the run makes several")
]
StyleFrom = Annotated[
    Path | None, typer.Option(metavar="IMAGE", help="in the style of this image, of the target domain")
]


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
    styles: Styles = 1,
    style_from: StyleFrom = None,
    size: Annotated[Size, typer.Option(help="each image's own size, or the one that was trained on")] = Size.OWN,
    force: Force = False,
    keep_alpha: Annotated[bool, typer.Option("--keep-alpha", help="give the result the transparency of IN")] = False,
    raw: Raw = False,
    checkpoint: Checkpoint = None,
    scale: Scale = None,
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
    targets = translation_targets(source, images, out, styles)
    data = [*image_folders(run), *([source] if source.is_dir() else [])]
    inputs = [] if style_from is None else [style_from]
    require_output(Path(out), output_files(Path(out), targets), force=force, inputs=inputs, data=data)
    work = _Work(
        translator,
        trained,
        _styles(translator, styles, style_from, trained),
        size is Size.FIT,
        keep_alpha,
        scale,
        force,
    )
    work.check(targets)
    strangers = left_out(source, images)  # before anything is written, which may be into IN
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
    for note in [*strangers, *work.notes()]:
        echo(f"note: {note}", err=True)
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
        scale: int | None,
        force: bool,
    ) -> None:
        self.translator, self.trained, self.styles = translator, trained, styles
        self.fit, self.keep_alpha, self.scale, self.force = fit, keep_alpha, scale, force
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
            sheets = [draw_sheet(one[None], padding=0, scale=self.scale or 1) for one in batch]
        else:
            sheets = [draw_sheet(batch, columns=len(translations), scale=self.scale)]
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


def _tell(written: Sequence[Path], out: str, failures: Sequence[str], count: int) -> None:
    """The last line. Raises GansmithError where some images could not be read."""
    from gansmith.errors import GansmithError

    if written:
        what = "image" if len(written) == 1 else "images"
        echo(f"{len(written):,} {what} -> {printable(written[0] if len(written) == 1 else out.rstrip('/') + '/')}")
    if failures:
        more = f"; and {len(failures) - _NAMED:,} more" if len(failures) > _NAMED else ""
        raise GansmithError(
            f"{len(failures):,} of {count:,} images could not be read: {'; '.join(failures[:_NAMED])}{more}"
        )
