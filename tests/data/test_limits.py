"""Sizes that a file states: what is too large, or impossible, is refused before it is read."""

from __future__ import annotations

import gzip
import struct
import time
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gansmith.data import decode, limits
from gansmith.data.open import open_dataset
from gansmith.data.stages.choose import share_of
from gansmith.errors import DataError, OptionError, UnreadableImageError

GB = 1 << 30


def npy(path: Path, shape: tuple[int, ...], kind: str = "|u1") -> Path:
    """A file whose header states `shape`, with 64 bytes behind it."""
    header = str({"descr": kind, "fortran_order": False, "shape": shape}).ljust(117) + "\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + bytes(64))
    return path


def idx(path: Path, shape: tuple[int, ...], content: bytes = b"") -> Path:
    data = bytes([0, 0, 8, len(shape)]) + b"".join(struct.pack(">I", side) for side in shape) + content
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def packed_zeros(path: Path) -> Path:
    """100 images are promised, 64 MiB follow."""
    return idx(path, (100, 8, 8), bytes(64 << 20))


def labelled(folder: Path, labels: np.ndarray | None = None) -> Path:
    np.save(folder / "a.npy", np.zeros((3, 8, 8, 3), np.uint8))
    if labels is not None:
        np.save(folder / "a.labels.npy", labels)
    return folder / "a.npy"


def of_size(path: Path, size: int) -> Path:
    with path.open("wb") as file:
        file.truncate(size)
    return path


REFUSED: dict[str, tuple[Callable[[Path], Path], str]] = {
    "a label of 20,000,000": (lambda p: labelled(p, np.array([0, 1, 20_000_000])), r"20,000,000.*100,000"),
    "a negative label": (lambda p: labelled(p, np.array([0, 1, -2])), r"-2"),
    "npy -1": (lambda p: npy(p / "a.npy", (-1, 8, 8, 3)), r"\[-1, 8, 8, 3\]"),
    "npy -1 twice": (lambda p: npy(p / "a.npy", (-1, 8, -8, 3)), r"\[-1, 8, -8, 3\]"),
    "npy 2^62": (lambda p: npy(p / "a.npy", (2**62, 2**62, 3)), r"damaged"),
    "npy 2^40": (lambda p: npy(p / "a.npy", (2**40, 8, 8, 3)), r"damaged"),
    "npy true": (lambda p: npy(p / "a.npy", (True, 4, 4, 4)), r"\[True, 4, 4, 4\]"),
    "labels 2^40": (lambda p: [npy(p / "a.labels.npy", (2**40,), "<i8"), labelled(p)][1], r"\[1099511627776\]"),
    "labels -1": (lambda p: [npy(p / "a.labels.npy", (-1,), "<i8"), labelled(p)][1], r"\[-1\]"),
    "idx 2^31": (lambda p: idx(p / "x-images-idx3-ubyte", (2**31, 2**31, 4)), r"18,446,744,073,709,551,632"),
    "idx.gz 2^31": (lambda p: idx(p / "x-images-idx3-ubyte.gz", (2**31, 2**31, 4)), r"18,446,744,073,709,551,632"),
    "idx 0": (lambda p: idx(p / "x-images-idx3-ubyte", (0, 2**32 - 1, 2**32 - 1)), r"no images"),
    "idx.gz with more than it says": (lambda p: packed_zeros(p / "x-images-idx3-ubyte.gz"), r"6,416 bytes.*more"),
    "idx.gz of 8 GB": (lambda p: idx(p / "x-images-idx3-ubyte.gz", (2**20, 8, 1024)), r"8,589,934,608"),
    "cifar": (lambda p: of_size(p / "x.bin", 3073 * 5_000_000), r"15,365,000,000"),
    "csv": (lambda p: of_size(p / "x.csv", 20 * GB), r"21,474,836,480"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_states_too_much_is_not_read(case: str, tmp_path: Path) -> None:
    make, facts = REFUSED[case]
    path = make(tmp_path)
    tracemalloc.start()
    begun = time.process_time()
    try:
        with pytest.raises(DataError, match=facts) as raised:
            open_dataset(path)
        assert tracemalloc.get_traced_memory()[1] < 32 << 20
    finally:
        tracemalloc.stop()
    assert time.process_time() - begun < 5  # not what it takes to read that much
    assert str(tmp_path) in str(raised.value)
    assert "\n" not in str(raised.value)


def test_files_of_images_that_are_too_large(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    of_size(tmp_path / "photos" / "a.png", 20 * GB)
    entry = zipfile.ZipInfo("a.png")
    with zipfile.ZipFile(tmp_path / "z.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr(entry, bytes(1 << 20))
    content = bytearray((tmp_path / "z.zip").read_bytes())
    place = content.rindex(b"PK\x01\x02") + 24  # the unpacked size, in the directory
    content[place : place + 4] = struct.pack("<I", 4 * GB - 2)
    (tmp_path / "z.zip").write_bytes(content)
    for path, size in ((tmp_path / "photos", "21,474,836,480"), (tmp_path / "z.zip", "4,294,967,294")):
        with pytest.raises(UnreadableImageError, match=f"a.png.*{size}"):
            open_dataset(path).one(0)


def test_a_number_of_pixels_is_known_before_they_are_decoded() -> None:
    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 13_000, 13_000, 8, 2, 0, 0, 0))
    image = b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    with pytest.raises(UnreadableImageError, match=r"13,000 x 13,000 = 169 million.*128 million"):
        decode.decode(image, "x.png")


def test_bands_of_rows_change_no_pixel(monkeypatch: pytest.MonkeyPatch) -> None:
    from io import BytesIO

    from PIL import Image

    for channels, mode in ((1, "L"), (3, "RGB"), (4, "RGBA")):
        pixels = np.random.default_rng(0).integers(0, 256, (37, 11, channels), dtype=np.uint8)
        stream = BytesIO()
        Image.fromarray(pixels[..., 0] if channels == 1 else pixels, mode).save(stream, "PNG")
        whole = decode.decode(stream.getvalue(), "x")
        monkeypatch.setattr(decode, "_BAND", 50)
        assert (decode.decode(stream.getvalue(), "x") == whole).all()
        assert (whole == pixels).all()


def test_as_many_classes_as_are_allowed() -> None:
    assert len(limits.classes_of(np.array([limits.MOST_CLASSES - 1]), "x")) == limits.MOST_CLASSES
    with pytest.raises(DataError):
        limits.classes_of(np.array([limits.MOST_CLASSES]), "x")


@pytest.mark.parametrize("name", ["ring", "grid", "stacked_digits"])
def test_a_toy_set_that_memory_cannot_hold(name: str) -> None:
    for count in (10**10, 10**18):
        with pytest.raises(OptionError, match=rf"{name} of count = {count:,} needs .*GiB"):
            open_dataset(name, count=count)
    with pytest.raises(OptionError, match=rf"{name}: count .* 1, not 0"):
        open_dataset(name, count=0)


def test_a_share_of_no_image() -> None:
    for fraction in (1e-30, 0.0002):
        with pytest.raises(DataError, match=rf"{fraction} of 1,797 images.* 0\.000557"):
            share_of(1797, fraction)
    assert len(share_of(1797, 0.000557)) == 1
    assert len(share_of(3, 0.334)) == 1
