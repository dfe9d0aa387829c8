"""Films of images of one size: animated WebP, GIF or PNG by Pillow, MP4 by PyAV."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from PIL import Image

from gansmith.data.subsets import evenly_spaced
from gansmith.errors import OptionError
from gansmith.records.images import on_white
from gansmith.records.video import LAST, require_video, write_mp4
from gansmith.system.files import atomic

_FILMS: dict[str, tuple[str, dict[str, Any]]] = {  # suffix -> Pillow's name, options
    ".webp": ("WEBP", {"quality": 80, "method": 3}),
    ".gif": ("GIF", {}),
    ".png": ("PNG", {}),
    ".apng": ("PNG", {}),
    ".mp4": ("MP4", {}),
}
_FRAME = 1200  # the longest side of a film's frames, in pixels


def require_film(path: Path) -> None:
    """Raises OptionError for the name of a file that is no film that can be written, MissingExtraError for MP4 without
    PyAV."""
    if path.suffix.lower() not in _FILMS:
        raise OptionError(f"cannot write {path.name!r}: a film ends in {', '.join(_FILMS)}")
    if path.suffix.lower() == ".mp4":
        require_video()


def save_film(
    frames: Iterable[Image.Image | str | Path],
    path: str | Path,
    *,
    seconds: float | None = None,
    most: int = 100,
    replace: bool = True,
    loop: bool = False,
) -> Path:
    """Write images of one size, or their files, as an endless film: animated WebP, GIF or PNG; or as MP4.

    seconds: from the first frame to the last, which then stays; a tenth of a second for each without a value. loop: the
    last frame stays no longer than the others, because the first one continues it.
    most: more frames than this are thinned evenly, the first and the last kept. Frames are laid on white and reduced
    to 1200 pixels a side; smaller ones are enlarged to the largest, where by a whole factor. replace: as for
    `system.files.atomic`.

    Raises OptionError for another suffix, no frame, or frames of several sizes, MissingExtraError for MP4 without PyAV.
    """
    path = Path(path)
    require_film(path)
    name, options = _FILMS[path.suffix.lower()]
    chosen = _thinned(list(frames), most)
    if not chosen:
        raise OptionError(f"cannot write {path.name!r}: a film needs at least one frame")
    resized = _of_one_size([_frame(frame) for frame in chosen])
    sizes = sorted({frame.size for frame in resized})
    if len(sizes) > 1:
        raise OptionError(f"the frames of {path.name!r} are of different sizes: {sizes[:4]}")
    if seconds is not None and not math.isfinite(seconds):
        raise OptionError(f"seconds = {seconds} is not allowed: it takes a finite number")
    each = round(1000 * seconds / max(1, len(resized) - 1)) if seconds is not None else 100
    if not 20 <= each <= 65_535:  # browsers slow down what is faster; PNG counts milliseconds in 16 bits
        raise OptionError(
            f"seconds = {seconds} is not allowed: a frame would last {each} ms, and 20 to 65,535 is possible"
        )
    durations = [each] * (len(resized) - 1) + [each if loop else max(LAST, each)]
    with atomic(path, replace=replace) as file:
        if name == "MP4":
            write_mp4(file, resized, each=each, loop=loop)
        elif len(resized) == 1:
            resized[0].save(file, name, **options)
        else:
            resized[0].save(file, name, save_all=True, append_images=resized[1:], duration=durations, loop=0, **options)
    return path


def _thinned(frames: list[Any], most: int) -> list[Any]:
    if len(frames) <= most:
        return frames
    return [frames[index] for index in evenly_spaced(len(frames), max(2, most))]


def _frame(frame: Image.Image | str | Path) -> Image.Image:
    if isinstance(frame, Image.Image):
        image = on_white(frame).convert("RGB")
    else:
        with Image.open(frame) as opened:
            image = on_white(opened).convert("RGB")
    image.thumbnail((_FRAME, _FRAME), Image.Resampling.BOX)
    return image


def _of_one_size(frames: list[Image.Image]) -> list[Image.Image]:
    """Frames that another scale was chosen for (a sheet of an earlier version) as large as the others."""
    width, height = max(frame.width for frame in frames), max(frame.height for frame in frames)
    return [
        frame.resize((width, height), Image.Resampling.NEAREST)
        if frame.size != (width, height) and width % frame.width == 0 and width // frame.width * frame.height == height
        else frame
        for frame in frames
    ]
