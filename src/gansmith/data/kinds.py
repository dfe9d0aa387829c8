"""Kinds of files by their first bytes, whatever their names say; which of them can be read here."""

from __future__ import annotations

import functools
from importlib.util import find_spec

HEAD = 512  # bytes that tell

_AT_START = (
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"GIF8", "GIF"),
    (b"BM", "BMP"),
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\x00\x00\x00\x0cJXL ", "JPEG XL"),
    (b"\x00\x00\x00\x0cjP  ", "JPEG 2000"),
    (b"8BPS", "Photoshop"),
    (b"%PDF", "PDF"),
    (b"%!PS", "PostScript"),
    (b"\x00\x00\x01\x00", "ICO"),
    (b"PK\x03\x04", "zip"),
    (b"\x1f\x8b", "gzip"),
    (b"version https://git-lfs", "Git LFS pointer"),  # the file itself was never fetched
)
_BRANDS = {b"avif": "AVIF", b"avis": "AVIF"}
_BRANDS |= dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"), "HEIC")
IMAGES = frozenset(("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "AVIF", "HEIC"))  # that are read, or could be
OF_SUFFIX = {
    ".png": "PNG",
    **dict.fromkeys((".jpg", ".jpeg", ".jpe", ".jfif"), "JPEG"),
    **{".webp": "WEBP", ".bmp": "BMP", ".dib": "BMP", ".gif": "GIF", ".tif": "TIFF", ".tiff": "TIFF"},
    **{".avif": "AVIF", ".heic": "HEIC", ".heif": "HEIC", ".hif": "HEIC"},
}
_MISSING = {
    "AVIF": "this Pillow cannot read AVIF: 11.3 and later can, pip install --upgrade pillow",
    "HEIC": "HEIC is read by an optional package: pip install pillow-heif",
}


def kind_of(head: bytes) -> str | None:
    """The kind of a file that begins with `head` (up to 512 bytes); None for an unknown one.

    >>> kind_of(b"GIF89a..."), kind_of(b"\\0\\0\\0\\x1cftypheic"), kind_of(b"hello")
    ('GIF', 'HEIC', None)
    """
    for start, kind in _AT_START:
        if head.startswith(start):
            return kind
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    if head[4:8] == b"ftyp":  # ISO/IEC 14496-12, section 4.3: the major brand, a version, compatible brands
        brands = [head[8:12], *(head[at : at + 4] for at in range(16, min(len(head), head[3] or 64), 4))]
        return next((_BRANDS[brand] for brand in brands if brand in _BRANDS), "video")
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<!doctype html", b"<html")):
        return "HTML"
    return "SVG" if text.startswith(b"<") and b"<svg" in text else None


def suffix_of(name: str) -> str:
    """`.jpg` of `a/b.JPG`; "" without one."""
    stem, dot, end = name.rpartition("/")[2].rpartition(".")
    return f".{end.lower()}" if dot and stem else ""


@functools.cache
def readable(kind: str) -> bool:
    """Whether files of this kind are decoded here: AVIF by recent Pillow alone, HEIC by an optional package."""
    if kind == "AVIF":
        from PIL import features

        return bool(features.check("avif"))
    if kind == "HEIC":
        return find_spec("pillow_heif") is not None
    return kind in IMAGES


def missing(kind: str) -> str | None:
    """Why files of this kind are not read here, and what would read them; None where they are, or nothing would."""
    return None if kind not in _MISSING or readable(kind) else _MISSING[kind]
