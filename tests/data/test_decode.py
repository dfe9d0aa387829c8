"""Every kind of file that Pillow can write and we read, and the way to one size."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from PIL import Image

from gansmith.data.decode import conform, decode
from gansmith.errors import OptionError, UnreadableImageError

RNG = np.random.default_rng(0)
RGB = RNG.integers(0, 256, (5, 7, 3), dtype=np.uint8)
RGBA = RNG.integers(0, 256, (5, 7, 4), dtype=np.uint8)
GREY = RNG.integers(0, 256, (5, 7), dtype=np.uint8)


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


LOSSLESS = {"WEBP": {"lossless": True, "exact": True}}


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "BMP", "TIFF"])
def test_rgb_comes_back_as_it_was(kind: str) -> None:
    got = decode(encoded(Image.fromarray(RGB), kind, **LOSSLESS.get(kind, {})), "x")
    assert got.dtype == np.uint8
    assert_array_equal(got, RGB)
    got[0, 0, 0] += 1  # writable


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
def test_rgba_comes_back_as_it_was(kind: str) -> None:
    assert_array_equal(decode(encoded(Image.fromarray(RGBA), kind, **LOSSLESS.get(kind, {})), "x"), RGBA)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "GIF"])
def test_grey_has_one_channel(kind: str) -> None:
    got = decode(encoded(Image.fromarray(GREY), kind), "x")
    assert got.shape == (5, 7, 1)
    assert_array_equal(got[..., 0], GREY)


def test_grey_jpeg_has_one_channel() -> None:
    assert decode(encoded(Image.fromarray(GREY), "JPEG"), "x").shape == (5, 7, 1)


def test_grey_with_alpha_has_two() -> None:
    pixels = RNG.integers(0, 256, (5, 7, 2), dtype=np.uint8)
    assert_array_equal(decode(encoded(Image.fromarray(pixels, "LA"), "PNG"), "x"), pixels)


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP"])
def test_one_bit_is_black_and_white(kind: str) -> None:
    bits = GREY > 127
    got = decode(encoded(Image.fromarray(bits), kind), "x")
    assert_array_equal(got[..., 0], np.where(bits, 255, 0))


def test_palette_is_looked_up() -> None:
    palette = Image.fromarray(RNG.integers(0, 4, (5, 7), dtype=np.uint8), "P")
    palette.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 8, 7])
    colours = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255], [9, 8, 7]])
    assert_array_equal(decode(encoded(palette, "PNG"), "x"), colours[np.asarray(palette)])
    with_alpha = decode(encoded(palette, "PNG", transparency=bytes([0, 100, 255, 255])), "x")
    assert_array_equal(with_alpha[..., :3], colours[np.asarray(palette)])
    assert_array_equal(with_alpha[..., 3], np.array([0, 100, 255, 255])[np.asarray(palette)])
    one_index = decode(encoded(palette, "PNG", transparency=1), "x")
    assert_array_equal(one_index[..., 3], np.where(np.asarray(palette) == 1, 0, 255))


def test_a_transparent_colour_of_grey_and_rgb_becomes_alpha() -> None:
    got = decode(encoded(Image.fromarray(GREY), "PNG", transparency=int(GREY[0, 0])), "x")
    assert_array_equal(got[..., 1], np.where(GREY[0, 0] == GREY, 0, 255))
    key = tuple(int(part) for part in RGB[0, 0])
    got = decode(encoded(Image.fromarray(RGB), "PNG", transparency=key), "x")
    assert_array_equal(got[..., 3] == 0, (RGB[0, 0] == RGB).all(axis=2))


def test_cmyk_becomes_rgb() -> None:
    flat = Image.new("CMYK", (16, 16), (0, 255, 255, 0))  # magenta + yellow = red
    got = decode(encoded(flat, "JPEG", quality=95), "x")
    assert got.shape == (16, 16, 3)
    np.testing.assert_allclose(got[8, 8], [255, 0, 0], atol=6)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_are_scaled_so_that_the_top_is_255(kind: str) -> None:
    values = np.array([[0, 128, 129, 257, 32896, 65278, 65535]], dtype=np.uint16)
    got = decode(encoded(Image.fromarray(values), kind), "x")
    assert_array_equal(got[0, :, 0], [0, 0, 1, 1, 128, 254, 255])


def test_sixteen_bits_may_be_transposed_too() -> None:
    values = np.arange(6, dtype=np.uint16).reshape(2, 3) * 257
    got = decode(encoded(Image.fromarray(values), "TIFF", tiffinfo={274: 6}), "x")
    assert_array_equal(got[..., 0], np.rot90(values // 257, -1))


def test_wide_integers_and_floating_point() -> None:
    whole = np.array([[0, 257, 65535]], dtype=np.int32)
    assert_array_equal(decode(encoded(Image.fromarray(whole), "TIFF"), "x")[0, :, 0], [0, 1, 255])
    unit = np.array([[0, 0.5, 1.0]], dtype=np.float32)
    assert_array_equal(decode(encoded(Image.fromarray(unit), "TIFF"), "x")[0, :, 0], [0, 128, 255])
    wide = np.array([[0, 257, 65535]], dtype=np.float32)
    assert_array_equal(decode(encoded(Image.fromarray(wide), "TIFF"), "x")[0, :, 0], [0, 1, 255])
    for bad in ([[-1.0, 0.5]], [[0.0, 70000.0]], [[np.nan, 0.0]]):
        with pytest.raises(
            UnreadableImageError, match=r"x.tif cannot be decoded.*its values go from .* known are 0 to"
        ):
            decode(encoded(Image.fromarray(np.array(bad, dtype=np.float32)), "TIFF"), "x.tif")


def test_a_gif_gives_its_first_frame() -> None:
    frames = [Image.new("RGB", (4, 3), colour) for colour in ("red", "blue")]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert_array_equal(decode(data, "x")[..., :3], np.broadcast_to([255, 0, 0], (3, 4, 3)))


# What a viewer must do to the stored pixels, by EXIF 2.32: 6 is stored turned left, so it is turned right again
UPRIGHT = {
    1: lambda a: a,
    2: np.fliplr,
    3: lambda a: np.rot90(a, 2),
    4: np.flipud,
    5: lambda a: np.swapaxes(a, 0, 1),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: np.rot90(np.swapaxes(a, 0, 1), 2),
    8: lambda a: np.rot90(a, 1),
}


@pytest.mark.parametrize("orientation", UPRIGHT)
@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
def test_exif_rotation_is_applied_once(orientation: int, kind: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    got = decode(encoded(Image.fromarray(RGB), kind, exif=exif, **LOSSLESS.get(kind, {})), "x")
    assert_array_equal(got, UPRIGHT[orientation](RGB))


def test_exif_rotation_of_a_jpeg_also_when_decoded_smaller() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    pixels = np.zeros((256, 512, 3), np.uint8)
    pixels[:, :256] = 255  # the left half becomes the top half
    data = encoded(Image.fromarray(pixels), "JPEG", exif=exif)
    assert decode(data, "x").shape == (512, 256, 3)
    small = decode(data, "x", near=(32, 16))
    assert small.shape == (128, 64, 3)
    assert small[:60].min() > 250
    assert small[68:].max() < 5


def test_a_jpeg_is_never_decoded_below_twice_the_need() -> None:
    data = encoded(Image.fromarray(np.zeros((256, 512, 3), np.uint8)), "JPEG")
    assert [decode(data, "x", near=(n, n)).shape[:2] for n in (16, 32, 33, 64, 65)] == [
        (32, 64),
        (64, 128),
        (128, 256),
        (128, 256),
        (256, 512),
    ]
    assert decode(encoded(Image.fromarray(RGB), "PNG"), "x", near=(1, 1)).shape == (5, 7, 3)


def test_damaged_exif_does_not_make_pixels_unreadable() -> None:
    data = encoded(Image.fromarray(RGB), "PNG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff\xff\xff")
    assert_array_equal(decode(data, "x"), RGB)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_a_truncated_file_is_named(kind: str, share: float) -> None:
    data = encoded(Image.fromarray(RNG.integers(0, 256, (60, 70, 3), dtype=np.uint8)), kind)
    with pytest.raises(UnreadableImageError, match=r"^holiday/1\.img .*damaged: \w+"):
        decode(data[: int(len(data) * share)], "holiday/1.img")


def test_what_is_no_image_is_named() -> None:
    with pytest.raises(UnreadableImageError, match=r"^a.png is empty$"):
        decode(b"", "a.png")
    with pytest.raises(UnreadableImageError, match=r"^a\.png .*\(PNG, JPEG"):
        decode(b"hello, this is text", "a.png")


def test_kinds_that_start_programs_are_not_tried() -> None:
    with pytest.raises(UnreadableImageError, match=r"\(PNG, JPEG"):
        decode(encoded(Image.fromarray(RGB), "EPS"), "a.png")


def test_a_flipped_bit_in_a_png_is_noticed() -> None:
    data = bytearray(encoded(Image.fromarray(RGB), "PNG"))
    data[data.index(b"IDAT") + 20] ^= 4
    with pytest.raises(UnreadableImageError, match="damaged"):
        decode(bytes(data), "x")


def test_a_claim_of_gigantic_size_is_an_error_and_a_large_image_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0))
    bomb = b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    with pytest.raises(UnreadableImageError, match=r"^x .* 128 million pixels"):
        decode(bomb, "x")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 30)  # Pillow only warns up to twice its limit
    assert decode(encoded(Image.fromarray(RGB), "PNG"), "x").shape == (5, 7, 3)


# ---------------------------------------------------------------- conform


def test_the_same_size_is_the_same_image() -> None:
    assert_array_equal(conform(RGB, size=(5, 7), channels=3), RGB)
    assert_array_equal(conform(GREY[..., None], size=(5, 7), channels=1), GREY[..., None])
    assert_array_equal(conform(GREY[..., None], size=(5, 7), channels=3), np.repeat(GREY[..., None], 3, axis=2))


def test_the_input_is_not_changed_and_not_shared() -> None:
    image = RGBA.copy()
    result = conform(image, size=(5, 7), channels=4)
    result[...] = 0
    assert_array_equal(image, RGBA)


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("of", [1, 2, 3, 4])
@pytest.mark.parametrize("fit", ["crop", "pad", "stretch"])
@pytest.mark.parametrize("size", [(4, 4), (3, 11), (16, 9), (1, 1)])
def test_every_shape_becomes_the_shape_asked_for(channels: int, of: int, fit: str, size: tuple[int, int]) -> None:
    for shape in ((5, 7), (1, 300), (300, 1), (1, 1)):
        flat = np.full((*shape, of), 255, np.uint8)
        got = conform(flat, size=size, channels=channels, fit=fit, background=(255, 255, 255))
        assert got.shape == (*size, channels)
        assert got.dtype == np.uint8
        if channels < 4 or fit != "pad":
            assert (got == 255).all()


def test_crop_keeps_the_middle() -> None:
    wide = np.zeros((2, 6, 1), np.uint8)
    wide[:, 2:4] = 200
    assert_array_equal(conform(wide, size=(2, 2), channels=1), np.full((2, 2, 1), 200))
    assert_array_equal(conform(wide.swapaxes(0, 1), size=(2, 2), channels=1), np.full((2, 2, 1), 200))


def test_an_odd_margin_does_not_blur() -> None:
    got = conform(RGB, size=(5, 6), channels=3)
    assert_array_equal(got, RGB[:, :6])


def test_pad_shows_the_background_and_the_whole_image() -> None:
    got = conform(np.full((2, 4, 3), 7, np.uint8), size=(4, 4), channels=3, fit="pad", background=(1, 2, 3))
    assert_array_equal(got[1:3], np.full((2, 4, 3), 7))
    assert_array_equal(got[[0, 3]], np.broadcast_to([1, 2, 3], (2, 4, 3)))
    clear = conform(np.full((4, 2, 3), 7, np.uint8), size=(4, 4), channels=4, fit="pad", background=(1, 2, 3))
    assert_array_equal(clear[:, 1:3], np.broadcast_to([7, 7, 7, 255], (4, 2, 4)))
    assert (clear[:, [0, 3]] == 0).all()


def test_stretch_uses_every_pixel() -> None:
    halves = np.zeros((4, 16, 1), np.uint8)
    halves[:, 8:] = 255
    got = conform(halves, size=(4, 4), channels=1, fit="stretch")[..., 0]
    assert (got[:, 0] < 30).all()
    assert (got[:, 3] > 225).all()


def test_reduction_is_antialiased() -> None:
    stripes = np.zeros((64, 64, 1), np.uint8)
    stripes[:, ::2] = 255
    got = conform(stripes, size=(8, 8), channels=1)
    assert ((got > 115) & (got < 140)).all()


def test_reduction_agrees_with_direct_lanczos() -> None:
    photo = np.asarray(Image.fromarray(RNG.integers(0, 256, (8, 8, 3), dtype=np.uint8)).resize((240, 240)))
    direct = np.asarray(Image.fromarray(photo).resize((16, 16), Image.Resampling.LANCZOS))
    np.testing.assert_allclose(conform(photo, size=(16, 16), channels=3).astype(int), direct, atol=3)


def test_enlarging_a_step_stays_in_range_and_monotone_at_the_ends() -> None:
    step = np.zeros((8, 8, 1), np.uint8)
    step[:, 4:] = 255
    got = conform(step, size=(32, 32), channels=1)[0, :, 0]
    assert got[0] == 0
    assert got[-1] == 255
    assert (got[:12] < 12).all()  # wrapped-around ringing would be near 255
    assert (got[-12:] > 243).all()


def test_grey_is_itu_r_601() -> None:
    got = conform(RGB, size=(5, 7), channels=1)[..., 0]
    expected = RGB @ np.array([0.299, 0.587, 0.114])
    np.testing.assert_allclose(got, expected, atol=0.51)


def test_transparency_shows_the_background() -> None:
    half = np.zeros((2, 2, 4), np.uint8)
    half[...] = (200, 100, 0, 51)  # a fifth
    got = conform(half, size=(2, 2), channels=3, background=(0, 50, 255))
    assert_array_equal(got[0, 0], [40, 60, 204])
    rounded = np.array([[[3, 0, 0, 128]]], np.uint8)  # 1.506, to the nearest
    assert_array_equal(conform(rounded, size=(1, 1), channels=3, background=(0, 0, 0))[0, 0], [2, 0, 0])
    grey = conform(half, size=(2, 2), channels=1, background=(0, 50, 255))
    assert grey[0, 0, 0] == round(40 * 0.299 + 60 * 0.587 + 204 * 0.114)
    two = np.zeros((1, 1, 2), np.uint8)
    two[...] = (200, 51)
    assert conform(two, size=(1, 1), channels=1, background=(50, 50, 50))[0, 0, 0] == 80
    assert_array_equal(conform(two, size=(1, 1), channels=3, background=(0, 50, 255))[0, 0], [40, 80, 244])
    assert_array_equal(conform(two, size=(1, 1), channels=4)[0, 0], [200, 200, 200, 51])


def test_hidden_colours_do_not_bleed() -> None:
    image = np.zeros((8, 8, 4), np.uint8)
    image[:, :4] = (10, 20, 30, 255)
    image[:, 4:] = (255, 255, 255, 0)  # white, but not to be seen
    got = conform(image, size=(3, 3), channels=4)
    seen = got[got[..., 3] > 32]
    np.testing.assert_allclose(seen[:, :3], np.broadcast_to([10, 20, 30], (len(seen), 3)), atol=6)
    assert (got[:, 1, 3] > 0).all()
    assert (got[:, 1, 3] < 255).all()
    assert (got[:, 2] == 0).all()


def test_hidden_colours_are_not_kept_either() -> None:
    image = np.full((2, 2, 4), 255, np.uint8)
    image[0, 0, 3] = 0
    got = conform(image, size=(2, 2), channels=4)
    assert_array_equal(got[0, 0], [0, 0, 0, 0])
    assert_array_equal(got[1, 1], [255, 255, 255, 255])


def test_wrong_options_are_named() -> None:
    with pytest.raises(OptionError, match=r"channels must be 1 \(grey\), 3 \(RGB\) or 4 \(RGBA\), not 2"):
        conform(RGB, size=(4, 4), channels=2)
    with pytest.raises(OptionError, match=r"at least 1x1, not 0x4"):
        conform(RGB, size=(0, 4), channels=3)
    with pytest.raises(OptionError, match=r"'crop', 'pad' or 'stretch', not 'cover'"):
        conform(RGB, size=(4, 4), channels=3, fit="cover")  # type: ignore[arg-type]
    with pytest.raises(OptionError, match=r" 0 to 255, not \(0, 0, 256\)"):
        conform(RGBA, size=(4, 4), channels=3, background=(0, 0, 256))
