"""What the augmentations are made of: moved pixels, affine maps, colours, and options that are names."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import ndimage
from scipy.spatial.transform import Rotation
from torch import Tensor

from gansmith.augment.parts.affine import Affine, reflected, unmoved, warped
from gansmith.augment.parts.colours import on_colours
from gansmith.augment.parts.options import names_among
from gansmith.augment.parts.pixels import gathered, indexed, taken
from gansmith.augment.parts.recolour import Recolour, recoloured
from gansmith.errors import ExperimentError


def images(*shape: int, seed: int = 0) -> Tensor:
    rng = torch.Generator().manual_seed(seed)
    return torch.rand(shape, generator=rng, dtype=torch.float64) * 2 - 1


def exactly(found: Tensor, wanted: Tensor) -> None:
    torch.testing.assert_close(found, wanted, rtol=0, atol=0)


# ---- pixels


def test_both_ways_of_reading_agree_in_values_and_gradients() -> None:
    rng = torch.Generator().manual_seed(0)
    pixels = images(3, 2, 10).requires_grad_()
    places = torch.randint(10, (3, 7), generator=rng)
    weight = images(3, 2, 7, seed=1)
    wanted = torch.stack([pixels[i][:, places[i]] for i in range(3)])
    (gradient,) = torch.autograd.grad((wanted * weight).sum(), pixels)
    for read in (gathered, indexed):
        found = read(pixels, places)
        exactly(found, wanted)
        torch.testing.assert_close(torch.autograd.grad((found * weight).sum(), pixels)[0], gradient)
        assert torch.autograd.gradgradcheck(lambda pixels, read=read: read(pixels, places) ** 2, pixels)


def test_a_pixel_is_taken_from_its_row_and_column() -> None:
    image = torch.arange(6.0).view(1, 1, 2, 3)
    rows, columns = torch.tensor([[[1, 0], [1, 1], [0, 0]]]), torch.tensor([[[2, 0], [0, 1], [1, 2]]])
    exactly(taken(image, rows, columns), torch.tensor([[[[5.0, 0.0], [3.0, 4.0], [1.0, 2.0]]]]))


# ---- affine maps


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_reflection_is_that_of_numpy(size: int) -> None:
    far = 3 * size + 2
    wanted = np.pad(np.arange(size), far, mode="reflect")
    found = reflected(torch.arange(-far, size + far).double(), size)
    assert found.dtype == torch.int64
    assert found.tolist() == wanted.tolist()


def random_maps(count: int, seed: int = 0) -> Affine:
    values = images(6, count, seed=seed)
    return Affine(values[0] + 1, values[1], values[2], values[3] - 1, 4 * values[4], 4 * values[5])


@pytest.mark.parametrize("size", [(6, 9), (5, 5), (7, 4)])
def test_a_warp_is_that_of_scipy(size: tuple[int, int]) -> None:
    given, source = images(4, 2, *size), random_maps(4)
    middle = (np.array(size) - 1) / 2
    wanted = np.empty(given.shape)
    for image in range(4):
        xx, xy, yx, yy, x, y = (float(value[image]) for value in source)
        matrix = np.array([[yy, yx], [xy, xx]])  # of (row, column)
        offset = np.array([y, x]) + middle - matrix @ middle
        for channel in range(2):
            pixels = given[image, channel].numpy()
            wanted[image, channel] = ndimage.affine_transform(pixels, matrix, offset, order=1, mode="mirror")
    torch.testing.assert_close(warped(given, source), torch.from_numpy(wanted))


def test_maps_are_multiplied_in_the_order_in_which_they_are_named() -> None:
    """Against 3 x 3 matrices that carry an image's points forwards, inverted at the end."""
    values = images(6, 5)
    wide, high, cosine, sine = values[0] + 2, values[1] - 2, values[2].cos(), values[2].sin()
    right, down = values[3] * 3, values[4] * 3
    source = unmoved(5, torch.device("cpu")).shifted(right, down).scaled(wide, high).turned(cosine, sine)
    source = source.shifted(down, right).scaled(high, high)
    for i in range(5):
        w, h, c, s, r, d = (float(value[i]) for value in (wide, high, cosine, sine, right, down))
        first, last = np.array([[1, 0, r], [0, 1, d], [0, 0, 1]]), np.array([[1, 0, d], [0, 1, r], [0, 0, 1]])
        turn = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
        wanted = np.linalg.inv(np.diag([h, h, 1]) @ last @ turn @ np.diag([w, h, 1]) @ first)
        found = np.array([float(value[i]) for value in source])
        order = [wanted[0, 0], wanted[0, 1], wanted[1, 0], wanted[1, 1], wanted[0, 2], wanted[1, 2]]
        np.testing.assert_allclose(found, order, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("size", [(6, 6), (5, 5), (4, 7)])
def test_maps_by_whole_pixels_keep_every_value(size: tuple[int, int]) -> None:
    given, still = images(2, 3, *size).float(), unmoved(2, torch.device("cpu"))
    one, zero = torch.ones(2), torch.zeros(2)
    exactly(warped(given, still), given)
    exactly(warped(given, still.scaled(-one, one)), given.flip(3))
    exactly(warped(given, still.turned(-one, zero)), given.rot90(2, (2, 3)))
    if size[0] == size[1]:
        exactly(warped(given, still.turned(zero, one)), given.rot90(-1, (2, 3)))  # clockwise
    padded = np.pad(given.numpy(), ((0, 0), (0, 0), (3, 3), (3, 3)), mode="reflect")
    moved = torch.from_numpy(padded[:, :, 1 : 1 + size[0], 4 : 4 + size[1]])
    exactly(warped(given, still.shifted(-one, 2 * one)), moved)  # left by one, down by two


def test_an_image_of_one_pixel_stays() -> None:
    exactly(warped(images(3, 2, 1, 1), random_maps(3)), images(3, 2, 1, 1))


def test_a_warp_is_differentiable_twice() -> None:
    given, source = images(2, 1, 4, 5).requires_grad_(), random_maps(2)
    assert torch.autograd.gradcheck(lambda given: warped(given, source), given)
    assert torch.autograd.gradgradcheck(lambda given: warped(given, source) ** 2, given)


def test_a_large_map_still_lands_in_the_image() -> None:
    given, source = images(1, 1, 5, 6), unmoved(1, torch.device("cpu")).scaled(*torch.full((2, 1), 1e-3))
    found = warped(given, source)
    assert float(found.abs().max()) <= float(given.abs().max())


# ---- colours


def changes(count: int, **values: float) -> Recolour:
    neutral = {"brightness": 0.0, "contrast": 1.0, "flip": 1.0, "hue": 0.0, "saturation": 1.0}
    return Recolour(**{name: torch.full((count,), value) for name, value in {**neutral, **values}.items()})


def test_a_recolouring_is_the_product_of_its_matrices() -> None:
    """Brightness, contrast, luma flip, hue and saturation as 4 x 4 matrices, multiplied one by one in that order."""
    given = images(6, 1, 3, 4, 5)
    values = images(5, 6, seed=1)
    change = Recolour(
        values[0], values[1] + 1.5, torch.tensor([1.0, -1, 1, -1, 1, -1]).double(), 3 * values[3], values[4] + 1.5
    )
    axis = np.ones(3) / math.sqrt(3)
    along = np.outer(axis, axis)
    for i in range(6):
        b, c, f, h, s = (float(value[i]) for value in change)
        brightness, contrast, luma, hue, saturation = (np.eye(4) for _ in range(5))
        brightness[:3, 3] = b
        contrast[:3, :3] *= c
        luma[:3, :3] -= (1 - f) * along  # Householder's reflection for f = -1
        hue[:3, :3] = Rotation.from_rotvec(h * axis).as_matrix()
        saturation[:3, :3] = along + s * (np.eye(3) - along)
        matrix = saturation @ hue @ luma @ contrast @ brightness
        pixels = np.concatenate([given[i, 0].flatten(1).numpy(), np.ones((1, 20))])
        wanted = torch.from_numpy((matrix @ pixels)[:3]).view(3, 4, 5)
        torch.testing.assert_close(recoloured(given, change)[i, 0], wanted)


def test_each_change_of_colour_does_what_its_name_says() -> None:
    given = images(2, 1, 3, 4, 5)
    grey = given.mean(2, keepdim=True)
    exactly(recoloured(given, changes(2)), given)
    torch.testing.assert_close(recoloured(given, changes(2, brightness=0.25)), given + 0.25)
    torch.testing.assert_close(recoloured(given, changes(2, contrast=0.5)), given / 2)
    torch.testing.assert_close(recoloured(given, changes(2, brightness=0.25, contrast=2)), 2 * given + 0.5)
    flipped = recoloured(given, changes(2, flip=-1))
    torch.testing.assert_close(flipped, given - 2 * grey)
    torch.testing.assert_close(recoloured(flipped, changes(2, flip=-1)), given)
    turned = recoloured(given, changes(2, hue=0.7))
    torch.testing.assert_close(turned.mean(2, keepdim=True), grey)
    torch.testing.assert_close(turned.norm(dim=2), given.norm(dim=2))
    third = recoloured(given, changes(2, hue=2 * math.pi / 3))  # red becomes green, green blue, blue red
    torch.testing.assert_close(third, given.roll(1, 2), rtol=1e-6, atol=1e-6)
    faded = recoloured(given, changes(2, saturation=0))
    torch.testing.assert_close(faded, grey.expand_as(given))


def test_grey_images_follow_their_luma() -> None:
    """A grey image changes as an RGB image of the same grey does."""
    grey = images(3, 1, 1, 4, 5)
    change = changes(3, brightness=0.2, contrast=0.6, flip=-1, hue=1, saturation=3)
    torch.testing.assert_close(recoloured(grey.expand(-1, -1, 3, -1, -1), change)[:, :, :1], recoloured(grey, change))
    exactly(recoloured(grey, changes(3, hue=1, saturation=3)), grey)


def test_recolouring_is_differentiable_twice() -> None:
    given, change = images(2, 1, 3, 2, 2).requires_grad_(), changes(2, brightness=0.1, hue=1, flip=-1, saturation=0.3)
    assert torch.autograd.gradcheck(lambda given: recoloured(given, change), given)
    assert torch.autograd.gradgradcheck(lambda given: recoloured(given, change) ** 2, given)


@pytest.mark.parametrize(
    ("channels", "shape", "kept"),
    [
        (1, (1, 1), []),
        (3, (1, 3), []),
        (4, (1, 3), [3]),
        (2, (2, 1), []),
        (6, (2, 3), []),
        (8, (2, 3), [3, 7]),
    ],
)
def test_colours_are_told_from_transparency(channels: int, shape: tuple[int, int], kept: list[int]) -> None:
    given = images(3, channels, 4, 5)
    seen = []

    def negative(colours: Tensor) -> Tensor:
        seen.append(tuple(colours.shape))
        return -colours

    found = on_colours(given, negative, otherwise="")
    assert seen == [(3, *shape, 4, 5)]
    sign = torch.tensor([1.0 if channel in kept else -1.0 for channel in range(channels)])
    exactly(found, given * sign[:, None, None])


@pytest.mark.parametrize("channels", [5, 7, 9])
def test_other_channels_have_no_colours(channels: int) -> None:
    with pytest.raises(ExperimentError) as caught:
        on_colours(images(1, channels, 2, 2), torch.neg, otherwise="--set this=that")
    assert str(caught.value) == (
        f"colours can be augmented in images of 1 (grey), 3 (RGB) or 4 channels (RGBA) and in pairs of them, not in "
        f"images of {channels} channels: leave the colours out, for example --set this=that"
    )


# ---- options


def test_names_are_a_list_or_words_with_commas() -> None:
    checked = names_among("letter", ("alpha", "beta"))
    for given in (["beta", "alpha"], ("beta", "alpha"), "beta,alpha", " beta , alpha,"):
        assert checked(given) == ("beta", "alpha")
    assert checked({"beta": 1}) == {"beta": 1}
    assert checked("") == ()
    with pytest.raises(ValueError, match=r"letter.*'betta'.*'beta'.*alpha, beta"):
        checked("alpha,betta")
    with pytest.raises(ValueError, match=r"letter.*'gamma'"):
        checked({"gamma": 1})
    with pytest.raises(ValueError, match=r"'beta'.*twice"):
        checked("beta,alpha,beta")
    with pytest.raises(ValueError, match=r"alpha, beta"):
        checked(3)
