"""ADA: the distribution of what is drawn."""

from __future__ import annotations

import pytest
import torch
from ada_draws import CPU, exactly, near
from torch import Tensor

from gansmith.augment.ada import blitted, holes, recolouring, stretched
from gansmith.augment.parts.affine import unmoved

COUNT = 20_000


def normal(found: Tensor, deviation: float) -> None:
    """Mean 0, this deviation and no tails heavier or lighter than a normal's, within five standard errors."""
    error = 5 / len(found) ** 0.5
    assert float(found.mean()) == pytest.approx(0, abs=error * deviation)
    assert float(found.std()) == pytest.approx(deviation, abs=error * deviation / 2**0.5)
    assert float((found / deviation).pow(4).mean()) == pytest.approx(3, abs=error * 96**0.5)


@pytest.mark.parametrize("p", [1.0, 0.4])
def test_blitting(p: float) -> None:
    torch.manual_seed(0)
    found = blitted(unmoved(COUNT, CPU), 16, 16, torch.tensor(p))
    for value in found:
        exactly(value, value.round())
    mirrored = found.xx * found.yy - found.xy * found.yx < 0
    odd = found.xx == 0
    near(mirrored, p / 2)
    near(odd, p / 2)
    near(odd & mirrored, p / 2 * p / 2)
    back = torch.where(mirrored, -1, 1) * found.xx == -1  # by two right angles
    near(back, p / 4)
    left = torch.where(mirrored, -1, 1) * found.xy  # the sine of the angle
    near(left == 1, p / 4)
    near(left == -1, p / 4)
    for move in (found.x, found.y):
        assert float(move.abs().max()) == 2
        for far in (-2, -1, 1, 2):  # U(-2, 2), rounded: the ends have half a pixel each
            near(move == far, p * (0.25 if abs(far) == 1 else 0.125))
    near((found.x != 0) | (found.y != 0), p * (1 - 1 / 16))  # one coin for both
    near(found.x * found.y > 0, p * 2 * (3 / 8) ** 2)


def test_blitting_of_an_image_that_is_no_square() -> None:
    torch.manual_seed(0)
    found = blitted(unmoved(COUNT, CPU), 16, 32, 1.0)
    assert bool((found.xy == 0).all())
    assert bool((found.yx == 0).all())
    near(found.yy == -1, 0.5)
    near(found.xx == -1, 0.5)
    near((found.xx == -1) & (found.yy == -1), 0.25)
    assert (float(found.x.abs().max()), float(found.y.abs().max())) == (4, 2)


def test_stretching() -> None:
    """Size, shape, angle and place, read from the maps' singular values."""
    torch.manual_seed(0)
    found = stretched(unmoved(COUNT, CPU), 16, 32, 1.0)
    xx, xy, yx, yy, x, y = (value.double() for value in found)
    matrices = torch.stack([torch.stack([xx, xy], 1), torch.stack([yx, yy], 1)], 1)
    u, s, v = torch.linalg.svd(matrices)
    normal(-s.prod(1).log2() / 2, 0.2)
    ratio = (s[:, 0] / s[:, 1]).log2() / 2  # |N(0, 0.2^2)|
    assert float((ratio**2).mean()) == pytest.approx(0.04, abs=5 * 0.04 * 2**0.5 / COUNT**0.5)
    assert float(ratio.mean()) == pytest.approx(0.2 * (2 / torch.pi) ** 0.5, abs=5 * 0.2 / COUNT**0.5)
    for side in (u[:, :, 0], v[:, 0]):  # both rotations: the axes of the ellipse lie anywhere, before and after
        angle = torch.atan2(side[:, 1], side[:, 0]).remainder(torch.pi) / torch.pi
        for quarter in range(4):
            near((angle >= quarter / 4) & (angle < (quarter + 1) / 4), 0.25)
    moved = -torch.linalg.solve(matrices, torch.stack([x, y], 1))
    normal(moved[:, 0] / 32, 1 / 8)
    normal(moved[:, 1] / 16, 1 / 8)
    assert abs(float(torch.corrcoef(moved.T)[0, 1])) < 5 / COUNT**0.5


@pytest.mark.parametrize("p", [0.75, 0.3])
def test_stretching_happens_with_its_probability(p: float) -> None:
    torch.manual_seed(0)
    found = stretched(unmoved(COUNT, CPU), 16, 16, torch.tensor(p))
    xx, xy, yx, yy, x, _ = (value.double() for value in found)
    area = xx * yy - xy * yx
    near((area - 1).abs() > 1e-5, p)
    round_ = ((xx - yy).abs() < 1e-5) & ((xy + yx).abs() < 1e-5)  # not made wider
    near(~round_, p)
    near((xy != 0)[round_], p)  # one rotation, the other, or both
    near(x != 0, p)
    first = 1 - (1 - p) ** 0.5
    upright = ~round_ & (xy == 0) & (yx == 0)
    near(upright, p * (1 - p))
    near(~round_ & ((xy == 0) ^ (yx == 0)), 0)
    leaning = ~round_ & (((xx * xy + yx * yy).abs() < 1e-5) ^ ((xx * yx + xy * yy).abs() < 1e-5)) & ~upright
    near(leaning, p * 2 * first * (1 - first))  # turned once only, before or after


@pytest.mark.parametrize("p", [1.0, 0.4])
def test_recolouring(p: float) -> None:
    torch.manual_seed(0)
    found = recolouring(COUNT, CPU, torch.tensor(p))
    near(found.flip == -1, p / 2)
    near(found.flip == 1, 1 - p / 2)
    changed = [found.brightness != 0, found.contrast != 1, found.hue != 0, found.saturation != 1]
    for change in changed:
        near(change, p)
    near(torch.stack(changed).all(0), p**4)  # a coin for each
    normal(found.brightness[changed[0]], 0.2)
    normal(found.contrast[changed[1]].log2(), 0.5)
    normal(found.saturation[changed[3]].log2(), 1)
    hue = found.hue[changed[2]] / torch.pi
    assert float(hue.abs().max()) <= 1
    for start in (-1, -0.5, 0, 0.5):
        near((hue >= start) & (hue < start + 0.5), 0.25)


@pytest.mark.parametrize("p", [1.0, 0.4])
def test_holes(p: float) -> None:
    torch.manual_seed(0)
    found = holes(torch.zeros(COUNT, 1, 8, 12), torch.tensor(p))
    near(found.flatten(1).any(1), p)
    rows, columns = found.any(2).sum(1), found.any(1).sum(1)
    exactly(found.flatten(1).sum(1), rows * columns)  # a rectangle
    assert (int(rows.max()), int(columns.max())) == (4, 6)
    within = []  # P(|place - middle| < 1/4), the middle uniform on (0, 1)
    for size in (8, 12):
        places = (torch.arange(size) + 0.5) / size
        within.append((places + 0.25).clamp(max=1) - (places - 0.25).clamp(min=0))
    wanted = p * within[0][:, None] * within[1]
    torch.testing.assert_close(found.float().mean(0), wanted, rtol=0, atol=5 * 0.5 / COUNT**0.5)
