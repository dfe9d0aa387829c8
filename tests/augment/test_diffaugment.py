"""DiffAugment against its definition in numpy, and what it draws."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from gansmith import catalog
from gansmith.augment import diffaugment
from gansmith.augment.diffaugment import color, cutout, hole, recoloured, shifted, translation
from gansmith.augment.parts.augment import Augment
from gansmith.errors import ExperimentError, OptionError


def images(*shape: int) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64) * 2 - 1


def build(**options: object) -> Augment:
    made = catalog.build("augment", "diffaugment", **options)
    assert isinstance(made, Augment)
    return made


def exactly(found: Tensor, wanted: Tensor) -> None:
    torch.testing.assert_close(found, wanted, rtol=0, atol=0)


@pytest.mark.parametrize("colours", [1, 3])
def test_colours_in_numpy(colours: int) -> None:
    given = images(4, 1, colours, 3, 5)
    amounts = images(3, 4) / 2 + 0.5
    found = recoloured(given, *amounts.view(3, 4, 1, 1, 1, 1))
    for i in range(4):
        brightness, saturation, contrast = amounts[:, i].tolist()
        image = given[i, 0].numpy() + (brightness - 0.5)
        grey = image.mean(0)
        image = (image - grey) * (saturation * 2) + grey
        image = (image - image.mean()) * (contrast + 0.5) + image.mean()
        torch.testing.assert_close(found[i, 0], torch.from_numpy(image))


def test_saturation_has_nothing_to_do_in_a_grey_image() -> None:
    given, half = images(4, 1, 1, 3, 5), torch.full((4, 1, 1, 1, 1), 0.5)
    torch.testing.assert_close(recoloured(given, half, 0 * half, half), given)


def test_amounts_of_colour_are_uniform_and_their_own_for_each_image() -> None:
    """On a black and white image of mean 0 and no colour the result is contrast * image + brightness."""
    torch.manual_seed(0)
    pattern = torch.tensor([1.0, -1.0]).expand(20_000, 3, 1, 2)
    found = color(pattern)
    brightness, contrast = found.mean((1, 2, 3)), (found[:, 0, 0, 0] - found[:, 0, 0, 1]) / 2
    saturated = color(torch.tensor([1.0, 0.0, -1.0]).view(1, 3, 1, 1).expand(20_000, 3, 1, 1))
    product = (saturated[:, 0] - saturated[:, 2]).flatten() / 2  # of saturation and contrast
    for drawn, low, high in ((brightness, -0.5, 0.5), (contrast, 0.5, 1.5)):
        assert low <= float(drawn.min()) < low + 0.001
        assert high - 0.001 < float(drawn.max()) <= high
        assert float(drawn.mean()) == pytest.approx((low + high) / 2, abs=5 * 0.289 / 20_000**0.5)
    assert float(product.max()) > 2.8  # of 3
    assert float(product.min()) >= 0
    assert float(product.mean()) == pytest.approx(1, abs=0.03)
    together = torch.corrcoef(torch.stack([brightness, contrast, product]))
    assert float((together - torch.eye(3)).abs().max()) < 5 / 20_000**0.5


def test_transparency_has_no_colour_and_moves_with_the_image() -> None:
    given = images(8, 4, 8, 16).float()
    torch.manual_seed(0)
    exactly(color(given)[:, 3], given[:, 3])
    torch.manual_seed(1)
    alone = translation(given[:, :3])
    torch.manual_seed(1)
    whole = translation(given)
    exactly(whole[:, :3], alone)
    moved = whole != 0
    exactly(moved[:, 3], moved[:, 0])
    torch.manual_seed(2)
    assert bool((cutout(given) == 0).all(1).flatten(1).any(1).all())  # every channel is zero in the hole


def test_a_shift_in_numpy() -> None:
    given = images(3, 2, 5, 7)
    down, right = torch.tensor([2, -1, 0]), torch.tensor([-3, 0, 1])
    padded = np.pad(given.numpy(), ((0, 0), (0, 0), (4, 4), (4, 4)))
    for i in range(3):
        top, left = 4 - int(down[i]), 4 - int(right[i])
        exactly(shifted(given, down, right)[i], torch.from_numpy(padded[i, :, top : top + 5, left : left + 7]))


def test_shifts_are_uniform_up_to_an_eighth_rounded_half_up() -> None:
    """28 pixels move by up to 4: int(28 / 8 + 0.5), the authors' rule."""
    torch.manual_seed(0)
    given = torch.zeros(20_000, 1, 16, 28)
    given[:, :, 8, 12] = 1
    _, _, row, column = translation(given).nonzero(as_tuple=True)
    for drawn, most in ((row - 8, 2), (column - 12, 4)):
        assert len(drawn) == 20_000
        counts = torch.bincount(drawn + most, minlength=2 * most + 1)
        assert len(counts) == 2 * most + 1
        share = 1 / (2 * most + 1)
        torch.testing.assert_close(counts / 20_000, torch.full(counts.shape, share), rtol=0, atol=5 * 0.41 / 141)
    assert abs(float(torch.corrcoef(torch.stack([row, column]).float())[0, 1])) < 5 / 141


@pytest.mark.parametrize(("height", "width"), [(8, 8), (9, 12), (7, 10), (1, 2)])
def test_a_hole_is_half_the_image_about_its_middle(height: int, width: int) -> None:
    """By the authors' definition: the indices of the hole, clamped to the image."""
    for row in range(height + 1):
        for column in range(width + 1):
            wanted = np.zeros((height, width), dtype=bool)
            high, wide = int(height * 0.5 + 0.5), int(width * 0.5 + 0.5)
            for i in range(high):
                for j in range(wide):
                    y, x = i + row - high // 2, j + column - wide // 2
                    if 0 <= y < height and 0 <= x < width:
                        wanted[y, x] = True
            found = hole(torch.zeros(1, 1, height, width), torch.tensor([row]), torch.tensor([column]))
            assert found[0].tolist() == wanted.tolist()


@pytest.mark.parametrize(("size", "places"), [((4, 8), (5, 9)), ((6, 7), (6, 8)), ((5, 9), (5, 9))])
def test_the_middle_of_the_hole_is_uniform(size: tuple[int, int], places: tuple[int, int]) -> None:
    torch.manual_seed(0)
    kept = cutout(torch.ones(8_000, 1, *size))[:, 0]
    wanted = torch.zeros(size)
    for row in range(places[0]):
        for column in range(places[1]):
            wanted += ~hole(torch.zeros(1, 1, *size), torch.tensor([row]), torch.tensor([column]))[0]
    torch.testing.assert_close(kept.mean(0), wanted / (places[0] * places[1]), rtol=0, atol=5 * 0.5 / 8_000**0.5)


def test_the_policy_says_what_is_done_and_in_which_order() -> None:
    given = images(6, 3, 16, 16).float()
    for names in (("color", "translation", "cutout"), ("cutout", "color"), ("translation",)):
        torch.manual_seed(3)
        wanted = given
        for name in names:
            wanted = getattr(diffaugment, name)(wanted)
        torch.manual_seed(3)
        exactly(build(policy=list(names))(given), wanted)
    torch.manual_seed(3)
    default = build()(given)
    torch.manual_seed(3)
    exactly(build(policy="color,translation,cutout")(given), default)
    exactly(build(policy=[])(given), given)


def test_same_seed_same_result_and_no_state() -> None:
    augment, given = build(), images(4, 3, 8, 8).float()
    torch.manual_seed(5)
    first, second = augment(given), augment(given)
    assert not torch.equal(first, second)
    torch.manual_seed(5)
    exactly(augment(given), first)
    assert augment.state_dict() == {}


@pytest.mark.parametrize("channels", [1, 3, 4, 6])
def test_gradients(channels: int) -> None:
    augment = build()

    def fixed(given: Tensor) -> Tensor:
        torch.manual_seed(0)
        return augment(given)

    given = images(2, channels, 4, 5).requires_grad_()
    assert torch.autograd.gradcheck(fixed, given, fast_mode=True)
    assert torch.autograd.gradgradcheck(lambda given: fixed(given) ** 2, given, fast_mode=True)


def test_short_formats_are_computed_in_float32() -> None:
    given = images(4, 3, 8, 8).bfloat16()
    torch.manual_seed(0)
    wanted = build()(given.float())
    torch.manual_seed(0)
    with torch.autocast("cpu", torch.bfloat16):
        found = build()(given)
    exactly(found, wanted.bfloat16())


def test_nothing_waits_for_a_value() -> None:
    """On the meta device there are no values to wait for."""
    assert build()(torch.zeros(2, 3, 8, 8, device="meta")).shape == (2, 3, 8, 8)


def test_errors() -> None:
    with pytest.raises(OptionError, match=r"DiffAugment policy.*'colour'.*'color'"):
        build(policy="colour")
    with pytest.raises(ExperimentError, match=r"5 channels.*--set augment.policy=translation,cutout"):
        build()(images(1, 5, 8, 8))
    build(policy="translation,cutout")(images(1, 5, 8, 8))
