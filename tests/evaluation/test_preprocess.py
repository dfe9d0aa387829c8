"""How images reach a network: channels and sizes against Pillow, and by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from gansmith.errors import DataError, ExperimentError
from gansmith.evaluation import preprocess
from gansmith.evaluation.features import pixels

RNG = np.random.default_rng(0)


def image(height: int, width: int, channels: int = 3) -> np.ndarray:
    smooth = Image.fromarray(RNG.integers(0, 256, (6, 5, channels), dtype=np.uint8).squeeze())
    return np.asarray(smooth.resize((width, height), Image.Resampling.BILINEAR)).reshape(height, width, channels)


def tensor(pixels: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None]


@pytest.mark.parametrize(("size", "target"), [((50, 70), (32, 32)), ((28, 28), (64, 64)), ((100, 31), (40, 224))])
def test_resize_is_pillows_bicubic_without_its_rounding(size: tuple[int, int], target: tuple[int, int]) -> None:
    pixels = image(*size)
    ours = preprocess.resize(preprocess.levels(tensor(pixels)), target)[0]
    height, width = target
    for channel in range(3):
        plane = Image.fromarray(pixels[..., channel].astype(np.float32), mode=None)
        theirs = np.asarray(plane.resize((width, height), Image.Resampling.BICUBIC)).clip(0, 255)
        np.testing.assert_allclose(ours[channel].numpy(), theirs, atol=2e-3)
    eight_bits = np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.BICUBIC))
    assert np.abs(ours.permute(1, 2, 0).numpy() - eight_bits).max() <= 1.25  # rounded after each axis


def test_resize_is_antialiased() -> None:
    """A checkerboard of single pixels, made four times smaller, is grey; without antialiasing it stays a pattern."""
    board = torch.from_numpy((np.indices((64, 64)).sum(0) % 2 * 255).astype(np.uint8))[None, None]
    small = preprocess.resize(preprocess.levels(board), (16, 16))
    assert float(small.std()) < 8
    assert float(small.mean()) == pytest.approx(127.5, abs=2)


def test_resize_leaves_what_has_the_size() -> None:
    levels = preprocess.levels(tensor(image(20, 30)))
    assert preprocess.resize(levels, (20, 30)) is levels


def test_overshoot_is_clamped() -> None:
    edge = torch.zeros(1, 1, 8, 8, dtype=torch.uint8)
    edge[..., 4:] = 255
    large = preprocess.resize(preprocess.levels(edge), (64, 64))
    assert float(large.min()) >= 0
    assert float(large.max()) <= 255


def test_eight_bits_and_floats_are_the_same_levels() -> None:
    pixels = tensor(image(5, 6))
    torch.testing.assert_close(preprocess.levels(pixels), pixels.float())
    torch.testing.assert_close(preprocess.levels(pixels / 127.5 - 1), pixels.float(), atol=1e-4, rtol=0)
    fine = torch.full((1, 1, 2, 2), -1 + 1e-3)
    torch.testing.assert_close(preprocess.levels(fine), torch.full((1, 1, 2, 2), 0.1275), atol=1e-4, rtol=0)


def test_alpha_is_laid_on_white_as_pillow_does() -> None:
    pixels = image(9, 7, 4)
    white = Image.new("RGBA", (7, 9), (255, 255, 255, 255))
    theirs = np.asarray(Image.alpha_composite(white, Image.fromarray(pixels)).convert("RGB"))
    ours = preprocess.to_channels(preprocess.levels(tensor(pixels)), 3)[0].permute(1, 2, 0).numpy()
    np.testing.assert_allclose(ours, theirs, atol=1)
    clear = torch.tensor([10, 20, 30, 0], dtype=torch.uint8)[None, :, None, None]
    assert preprocess.to_channels(preprocess.levels(clear), 3).flatten().tolist() == [255, 255, 255]
    half = torch.tensor([0, 100, 255, 51], dtype=torch.uint8)[None, :, None, None]  # a fifth opaque
    torch.testing.assert_close(
        preprocess.to_channels(preprocess.levels(half), 3).flatten(),
        torch.tensor([204.0, 224.0, 255.0]),
        atol=1e-3,
        rtol=0,
    )


def test_grey_is_repeated_and_colour_made_grey_as_pillow_does() -> None:
    grey = image(4, 5, 1)
    made = preprocess.to_channels(preprocess.levels(tensor(grey)), 3)
    assert made.shape == (1, 3, 4, 5)
    assert all(torch.equal(made[0, channel], tensor(grey)[0, 0].float()) for channel in range(3))
    colour = image(4, 5, 3)
    theirs = np.asarray(Image.fromarray(colour).convert("L"))
    np.testing.assert_allclose(
        preprocess.to_channels(preprocess.levels(tensor(colour)), 1)[0, 0].numpy(), theirs, atol=1
    )
    clear = torch.tensor([10, 20, 30, 0], dtype=torch.uint8)[None, :, None, None]
    assert float(preprocess.to_channels(preprocess.levels(clear), 1)) == pytest.approx(255, abs=1e-3)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_what_has_the_channels_is_kept_and_alpha_is_added_as_opaque(channels: int) -> None:
    levels = preprocess.levels(tensor(image(4, 5, channels)))
    assert preprocess.to_channels(levels, channels) is levels
    made = preprocess.to_channels(levels, 4)
    assert made.shape == (1, 4, 4, 5)
    if channels < 4:
        assert bool((made[:, 3] == 255).all())
        assert torch.equal(made[:, :3], levels.expand(-1, 3, -1, -1))


def test_standardise_is_imagenets() -> None:
    levels = torch.tensor([0.0, 127.5, 255.0])[None, :, None, None]
    expected = torch.tensor([(0 - 0.485) / 0.229, (0.5 - 0.456) / 0.224, (1 - 0.406) / 0.225])
    torch.testing.assert_close(preprocess.standardise(levels).flatten(), expected)


@pytest.mark.parametrize("shape", [(3, 8, 8), (1, 2, 8, 8), (0, 3, 8, 8), (1, 3, 0, 8)])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(DataError, match=r"1, 3 or 4 channels \(grey, RGB, RGBA\), not"):
        preprocess.levels(torch.zeros(shape, dtype=torch.uint8))


def test_other_numbers_are_refused() -> None:
    with pytest.raises(DataError, match="as uint8, or as floats"):
        preprocess.levels(torch.zeros(1, 3, 4, 4, dtype=torch.int64))


def test_the_words_say_what_is_done() -> None:
    assert preprocess.words((224, 224)) == "grey repeated, alpha on white, antialiased bicubic to 224x224"
    assert preprocess.words(None, 1) == "colour made grey (BT.601), alpha on white, own size"
    assert preprocess.words((8, 4), 4) == "grey repeated and opaque, alpha kept, antialiased bicubic to 8x4"


def test_devices() -> None:
    """Every extractor asks the one chooser, whose every message tests/training/test_precision.py holds."""
    assert pixels.build(device="cpu").device == torch.device("cpu")
    assert pixels.build(device="auto").device.type in ("cpu", "cuda", "mps")
    for name, text in {
        "gpu": "there is no device called 'gpu'. Allowed: auto, cpu, cuda",
        "cuda:99": "device cuda:99: this machine offers",
        "meta": "there is no device called 'meta'. Allowed: auto, cpu, cuda",
    }.items():
        with pytest.raises(ExperimentError) as raised:
            pixels.build(device=name)
        assert str(raised.value).startswith(text)
