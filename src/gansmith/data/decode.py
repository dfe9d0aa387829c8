"""Encoded bytes -> uint8 [H, W, C], and such an image -> one size and channel count.

C = 1 grey, 2 grey and alpha, 3 RGB, 4 RGBA. Whatever the file stores (one bit, palette, CMYK, 16 bits) becomes one of
these four; a rotation noted by the camera is applied; of several frames the first is read.
"""

from __future__ import annotations

import warnings
from io import BytesIO
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from gansmith.data.kinds import HEAD, kind_of, missing, readable
from gansmith.data.limits import MOST_PIXELS, require_pixels
from gansmith.errors import OptionError, UnreadableImageError

Pixels = NDArray[np.uint8]
Fit = Literal["crop", "pad", "stretch"]

_FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF")  # a fixed list: others start outside programs (EPS)
_WIDE = ("I", "I;16", "I;16B", "I;16L", "I;16N", "F")
_KEPT = ("L", "LA", "RGB", "RGBA")
_BAND = 1 << 22  # pixels
_ORIENTATION = 0x0112  # EXIF 2.32, 4.6.4, tag Orientation
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def decode(data: bytes, name: str, *, near: tuple[int, int] | None = None) -> Pixels:
    """The bytes of an image file -> uint8 [H, W, C]; `name` is what an error calls it.

    With `near` = (height, width), a JPEG of at least four times that is decoded at a half, quarter or eighth of its
    size, never below twice `near`: several times faster, for images that are reduced anyway.
    Raises UnreadableImageError.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of corrupt EXIF, and of images merely large
            return _pixels(data, name, near)
    except UnreadableImageError:
        raise
    except UnidentifiedImageError:
        raise UnreadableImageError(f"{name} {_unidentified(data)}") from None
    except Image.DecompressionBombError as error:  # beyond Pillow's own limit, which is above ours
        limit = f"{MOST_PIXELS / 1e6:.0f} million pixels"
        raise UnreadableImageError(f"{name} says that it has more than {limit}; make it smaller") from error
    except Exception as error:  # broken files make the decoders raise all sorts: SyntaxError, struct.error, KeyError
        reason = str(error) or type(error).__name__
        raise UnreadableImageError(f"{name} cannot be decoded, it is truncated or damaged: {reason}") from error


def open_image(data: bytes) -> Image.Image:
    """The bytes of a file as Pillow's image, not yet decoded; of the kinds that are read here and no others."""
    kind = kind_of(data[:HEAD])
    if kind == "HEIC" and readable(kind):
        import pillow_heif

        pillow_heif.register_heif_opener()
        return Image.open(BytesIO(data), formats=("HEIF",))
    formats = (*_FORMATS, "AVIF") if kind == "AVIF" and readable(kind) else _FORMATS
    return Image.open(BytesIO(data), formats=formats)


def _unidentified(data: bytes) -> str:
    """What is wrong with a file that is of none of these kinds, or begins like one and is none."""
    kind = kind_of(data[:HEAD])
    if not data or (kind is not None and readable(kind)):
        return "cannot be decoded, it is truncated or damaged" if data else "is empty"
    if kind is not None and (why := missing(kind)) is not None:
        return f"is {kind} by its content; {why}"
    is_kind = "is not an image" if kind is None else f"is {kind} by its content, not an image"
    known = ", ".join(kind for kind in (*_FORMATS, "AVIF", "HEIC") if readable(kind))
    return f"{is_kind} of a kind that can be read ({known})"


def _pixels(data: bytes, name: str, near: tuple[int, int] | None) -> Pixels:
    with open_image(data) as opened:
        image: Image.Image = opened
        if near is not None and opened.format in ("JPEG", "MPO"):
            side = 2 * max(near)  # of the longer side, as the file may be turned
            image.draft(None, (side, side))
        require_pixels(*image.size, name)
        image.load()
        turn = _UPRIGHT.get(_orientation(image))
        if turn is not None:
            image = image.transpose(turn)
        if image.mode in _WIDE:
            return _eight_bits(image)
        mode = _mode(image)
        if image.mode != mode:
            image = image.convert(mode)
        pixels = _array(image)
    return pixels[..., None] if pixels.ndim == 2 else pixels


def _array(image: Image.Image) -> Pixels:
    """uint8 [H, W] or [H, W, C]; in bands of rows, because Pillow copies what it hands over twice."""
    width, height = image.size
    rows = max(1, _BAND // max(1, width))
    if rows >= height:
        return np.array(image)
    bands = len(image.getbands())
    pixels = np.empty((height, width) if bands == 1 else (height, width, bands), np.uint8)
    for top in range(0, height, rows):
        bottom = min(height, top + rows)
        pixels[top:bottom] = np.asarray(image.crop((0, top, width, bottom)))
    return pixels


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # damaged EXIF says nothing of the pixels
        return 1


def _mode(image: Image.Image) -> str:
    transparent = "transparency" in image.info
    if image.mode in _KEPT and not transparent:
        return image.mode
    if image.mode == "P" and not transparent:
        palette = image.getpalette() or []
        return "L" if palette[0::3] == palette[1::3] == palette[2::3] else "RGB"
    if image.mode in ("1", "L"):
        return "LA" if transparent else "L"
    if image.mode in ("La", "LA"):
        return "LA"
    return "RGBA" if transparent or image.mode in ("PA", "RGBa", "RGBA") else "RGB"


def _eight_bits(image: Image.Image) -> Pixels:
    """Grey of 16 bits (0..65535), or floating point within 0..1 or 0..65535 -> uint8 [H, W, 1], the top being 255."""
    values = np.asarray(image, dtype=np.float64)
    low, high = values.min(), values.max()
    if not (low >= 0 and high <= 65535):
        raise ValueError(f"its values go from {low:g} to {high:g}; known are 0 to 65535, and 0 to 1 in floating point")
    top = 1.0 if image.mode == "F" and high <= 1.0 else 65535.0
    grey: Pixels = np.rint(values * (255.0 / top)).astype(np.uint8)
    return grey[..., None]


def conform(
    image: NDArray[Any],
    *,
    size: tuple[int, int],
    channels: int,
    fit: Fit = "crop",
    background: tuple[int, int, int] = (255, 255, 255),
) -> Pixels:
    """uint8 [H, W, 1..4] -> uint8 [height, width, channels], channels 1, 3 or 4.

    `fit`: "crop" the middle to the new aspect, "pad" to it, or "stretch". Reductions are antialiased (Lanczos),
    enlargements bicubic. With 1 or 3 channels, transparent pixels and padding show `background`; with 4, padding is
    transparent, images without alpha are opaque, and what is wholly transparent is black, so that colours hidden
    there neither bleed into the edges nor are learned.
    """
    height, width = size
    if height < 1 or width < 1:
        raise OptionError(f"a size is height x width in pixels, at least 1x1, not {height}x{width}")
    if channels not in (1, 3, 4):
        raise OptionError(f"channels must be 1 (grey), 3 (RGB) or 4 (RGBA), not {channels}")
    flat = _recoloured(image, channels, background)
    high, wide = flat.shape[:2]
    box = (0, 0, wide, high)
    inner = (width, height)
    if fit == "crop":
        box = _middle(wide, high, width, height)
    elif fit == "pad":
        inner = _inside(wide, high, width, height)
    elif fit != "stretch":
        raise OptionError(f"fit must be 'crop', 'pad' or 'stretch', not {fit!r}")
    result = _resized(flat, box, inner)
    if inner != (width, height):
        canvas = np.empty((height, width, channels), np.uint8)
        canvas[...] = 0 if channels == 4 else _paint(background, channels)
        left, top = (width - inner[0]) // 2, (height - inner[1]) // 2
        canvas[top : top + inner[1], left : left + inner[0]] = result
        result = canvas
    if channels == 4:
        result[result[..., 3] == 0] = 0
    return result


def _recoloured(image: NDArray[Any], channels: int, background: tuple[int, int, int]) -> Pixels:
    """The same image with 1, 3 or 4 channels."""
    pixels: Pixels = np.asarray(image, dtype=np.uint8)
    colours, alpha = pixels, None
    if pixels.shape[2] in (2, 4):
        colours, alpha = pixels[..., :-1], pixels[..., -1:]
    if channels == 4:
        colours = np.broadcast_to(colours, (*colours.shape[:2], 3))
        return np.concatenate([colours, np.full_like(colours[..., :1], 255) if alpha is None else alpha], axis=2)
    if channels == 3:
        colours = np.broadcast_to(colours, (*colours.shape[:2], 3))
    elif colours.shape[2] == 3:
        if alpha is not None:
            colours, alpha = _over(colours, alpha, _paint(background, 3)), None
        colours = np.asarray(Image.fromarray(np.ascontiguousarray(colours)).convert("L"))[..., None]
    if alpha is not None:
        colours = _over(colours, alpha, _paint(background, channels))
    return colours


def _over(colours: Pixels, alpha: Pixels, behind: Pixels) -> Pixels:
    opacity = alpha.astype(np.uint16)  # 255 * 255 + 127 fits
    mixed: Pixels = ((colours * opacity + behind * (255 - opacity) + 127) // 255).astype(np.uint8)
    return mixed


def _paint(background: tuple[int, int, int], channels: int) -> Pixels:
    """The background as [3], or as grey [1] by ITU-R 601, as Pillow does it."""
    if any(not 0 <= part <= 255 for part in background) or len(background) != 3:
        raise OptionError(f"a background is red, green and blue from 0 to 255, not {background}")
    if channels == 3:
        return np.array(background, dtype=np.uint8)
    return np.array([Image.new("RGB", (1, 1), tuple(background)).convert("L").getpixel((0, 0))], dtype=np.uint8)


def _middle(wide: int, high: int, width: int, height: int) -> tuple[int, int, int, int]:
    """The largest centred box of the aspect width : height, in whole pixels: half a pixel would blur."""
    if wide * height >= high * width:
        part = min(wide, max(1, (high * width + height // 2) // height))
        left = (wide - part) // 2
        return (left, 0, left + part, high)
    part = min(high, max(1, (wide * height + width // 2) // width))
    top = (high - part) // 2
    return (0, top, wide, top + part)


def _inside(wide: int, high: int, width: int, height: int) -> tuple[int, int]:
    """The largest (width, height) of the image's own aspect that fits."""
    if wide * height >= high * width:
        return width, min(height, max(1, (high * width + wide // 2) // wide))
    return min(width, max(1, (wide * height + high // 2) // high)), height


def _resized(pixels: Pixels, box: tuple[int, int, int, int], size: tuple[int, int]) -> Pixels:
    left, top, right, bottom = box
    part = pixels[top:bottom, left:right]
    if size == (right - left, bottom - top):
        return np.array(part)
    image = Image.fromarray(np.ascontiguousarray(part[..., 0] if part.shape[2] == 1 else part))
    larger = size[0] >= right - left and size[1] >= bottom - top
    kernel = Image.Resampling.BICUBIC if larger else Image.Resampling.LANCZOS
    # Whole-number box means first, down to three times the goal: as good, and much faster on photographs. Pillow
    # premultiplies RGBA by itself: the colour of a transparent pixel weighs nothing
    image = image.resize(size, kernel, reducing_gap=3.0)
    result = np.array(image)
    return result[..., None] if result.ndim == 2 else result
