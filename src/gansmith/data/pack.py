"""A set of images packed into one .npy file, uint8 [N, H, W, C], its labels beside it, as the format `npy` reads."""

from __future__ import annotations

from contextlib import ExitStack
from io import BytesIO
from pathlib import Path

import numpy as np

from gansmith.data.dataset import Indices
from gansmith.data.open import open_source
from gansmith.data.packed_pair import mark_of
from gansmith.data.settings import DataSettings
from gansmith.data.stages.choose import share_of
from gansmith.data.stages.read import read_source
from gansmith.data.stages.resolve import resolve
from gansmith.errors import DataError, OptionError
from gansmith.system.files import atomic
from gansmith.system.outputs import require_output

_BYTES = 16 << 20


def pack(settings: DataSettings, out: Path, *, force: bool = False, workers: int | None = None) -> tuple[int, ...]:
    """Write OUT.npy and, if there are classes, OUT.labels.npy; returns the shape [N, H, W, C].

    A packing that is killed leaves what was there before, or the whole, or images that do not open: never images beside
    labels of others. Goes through the pixel cache, which stays. Raises OutputError when a file is there already and not
    `force`, or when it is one of those that are packed.
    """
    if out.suffix.lower() != ".npy":
        raise OptionError(f"the file to write must end in .npy, not {out.name!r}")
    beside = _files(out)[1]
    packed = Path(settings.path)
    require_output(out, _files, force=force, inputs=_files(packed) if packed.suffix.lower() == ".npy" else [packed])
    source = open_source(settings)
    if source.points:
        raise DataError(f"{settings.path} is a set of points, not of images: there is nothing to pack")
    settings = resolve([source], settings.model_copy(update={"cache": True}))
    images = read_source(source, share_of(len(source), settings.fraction), settings, workers=workers)
    count = len(images.data)
    each = images.data.one(0).image
    labels = None if images.labels is None else _npy(images.labels)
    with ExitStack() as files:  # both are written before either gets its name; the images, opened last, get it first
        if labels is not None:
            files.enter_context(atomic(beside, replace=force)).write(labels)
        file = files.enter_context(atomic(out, replace=force))
        header = {"descr": each.dtype.str, "fortran_order": False, "shape": (count, *each.shape)}
        np.lib.format.write_array_header_1_0(file, header)
        step = max(1, _BYTES // each.nbytes)
        for start in range(0, count, step):
            file.write(images.data[start : start + step].image.tobytes())
        file.write(mark_of(labels))
    if labels is None and force:
        beside.unlink(missing_ok=True)  # of what was replaced
    return (count, *each.shape)


def _npy(array: Indices) -> bytes:
    content = BytesIO()
    np.save(content, array, allow_pickle=False)
    return content.getvalue()


def _files(out: Path) -> list[Path]:
    """The images' file, and that of their labels."""
    return [out, out.with_suffix(".labels.npy")]
