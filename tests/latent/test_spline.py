"""Smooth interpolation through many points, held against the equations of the splines."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from gansmith.latent.interpolation import interpolation_path, lerp, slerp
from gansmith.latent.spline import spline_legs, values_along


def randn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def second_derivatives(values: np.ndarray, closed: bool) -> np.ndarray:
    """M_i of the tridiagonal system M_i-1 + 4 M_i + M_i+1 = 6 (y_i-1 - 2 y_i + y_i+1), knots one apart."""
    count = len(values)
    system, right = np.zeros((count, count)), np.zeros_like(values)
    if closed:
        period = count - 1
        for i in range(period):
            before, after = (i - 1) % period, (i + 1) % period
            system[i, before] += 1
            system[i, i] += 4
            system[i, after] += 1
            right[i] = 6 * (values[before] - 2 * values[i] + values[after])
        system[period, period], system[period, 0] = 1, -1  # the last is the first
    else:
        system[0, 0] = system[-1, -1] = 1
        for i in range(1, count - 1):
            system[i, i - 1 : i + 2] = 1, 4, 1
            right[i] = 6 * (values[i - 1] - 2 * values[i] + values[i + 1])
    return np.linalg.solve(system, right)


def by_equation(points: Tensor, steps: int, closed: bool) -> Tensor:
    y = points.numpy()
    m = second_derivatives(y, closed)
    legs = []
    for i in range(len(y) - 1):
        t = (np.arange(steps + 1) / steps)[:, None]
        legs.append((1 - t) * y[i] + t * y[i + 1] + ((1 - t) ** 3 - (1 - t)) * m[i] / 6 + (t**3 - t) * m[i + 1] / 6)
    return torch.from_numpy(np.stack(legs))


@pytest.mark.parametrize("closed", [False, True])
def test_a_cubic_spline_by_its_equations(closed: bool) -> None:
    points = randn(5, 7)
    points = torch.cat([points, points[:1]]) if closed else points
    torch.testing.assert_close(spline_legs(points, steps=6, around=False), by_equation(points, 6, closed))


@pytest.mark.parametrize("closed", [False, True])
def test_around_is_a_spline_of_directions_and_one_of_lengths(closed: bool) -> None:
    points = randn(4, 7) * torch.tensor([1.0, 2.0, 5.0, 3.0], dtype=torch.float64)[:, None]
    points = torch.cat([points, points[:1]]) if closed else points
    lengths = points.norm(dim=1, keepdim=True)
    turned = by_equation(points / lengths, 5, closed)
    expected = turned / turned.norm(dim=2, keepdim=True) * by_equation(lengths, 5, closed)
    torch.testing.assert_close(spline_legs(points, steps=5), expected)


def test_latents_of_one_length_keep_it() -> None:
    points = torch.nn.functional.normalize(randn(5, 50), dim=1) * 3
    assert spline_legs(points, steps=7).norm(dim=2).sub(3).abs().max() < 1e-9
    assert spline_legs(points, steps=7, around=False).norm(dim=2).min() < 2.6


@pytest.mark.parametrize("around", [False, True])
def test_it_is_smooth_at_every_point_and_at_the_seam(around: bool) -> None:
    """Velocity and acceleration go on over each point; along the great arcs the velocity jumps."""
    points, steps = randn(5, 20), 400
    points = torch.cat([points, points[:1]])
    jump = {}
    for kind in ("spline", "spherical"):
        legs = interpolation_path(points, steps=steps, kind=kind, around=around)  # type: ignore[arg-type]
        arriving, leaving = (legs[:, -1] - legs[:, -2]) * steps, (legs[:, 1] - legs[:, 0]) * steps
        jump[kind] = (arriving - leaving.roll(-1, 0)).norm(dim=1) / arriving.norm(dim=1)
        assert torch.equal(legs[:, 0], points[:-1])
        assert torch.equal(legs[:, -1], points[1:])
    assert jump["spline"].max() < 0.05  # of steps that are 1/400 long
    assert jump["spherical"].min() > 0.3
    legs = spline_legs(points, steps=steps, around=around)
    into, out = legs[:, -1] - 2 * legs[:, -2] + legs[:, -3], legs[:, 2] - 2 * legs[:, 1] + legs[:, 0]
    assert ((into - out.roll(-1, 0)).norm(dim=1) / into.norm(dim=1)).max() < 0.1


def test_two_points_have_the_plain_path() -> None:
    points = randn(2, 9).float()
    assert torch.equal(
        interpolation_path(points, steps=4, kind="spline"), interpolation_path(points, steps=4, kind="spherical")
    )
    straight = interpolation_path(points, steps=4, kind="spline", around=False)
    assert torch.equal(straight[0, 1], lerp(points[0], points[1], 0.25))
    assert not torch.equal(straight[0, 1], slerp(points[0], points[1], 0.25))


def test_the_cells_of_a_canvas_turn_separately() -> None:
    points = randn(4, 6, 2, 3)
    torch.testing.assert_close(spline_legs(points, steps=3)[..., 1, 2], spline_legs(points[..., 1, 2], steps=3))


def test_values_evenly_over_a_path() -> None:
    values = values_along(torch.tensor([0.3, 1.0, 0.2], dtype=torch.float64), count=9)
    expected = [0.3, 0.475, 0.65, 0.825, 1.0, 0.8, 0.6, 0.4, 0.2]
    torch.testing.assert_close(values, torch.tensor(expected, dtype=torch.float64))
    assert values[[0, 4, 8]].tolist() == [0.3, 1.0, 0.2]  # exact
    assert values_along(torch.tensor([0.3], dtype=torch.float64), count=3).tolist() == [0.3] * 3


def test_smooth_values_stay_in_their_bounds_and_have_no_seam() -> None:
    values = values_along(torch.tensor([0.3, 1.0, 0.3, 0.9, 0.3]).double(), count=801, smooth=True)
    assert 0.3 - 1e-12 <= values.min() < values.max() <= 1 + 1e-12
    slopes = values.diff()
    assert (slopes[-1] - slopes[0]).abs() < 5e-4  # of steps that are 1/200 long
    assert (slopes[199] - slopes[200]).abs() < 5e-4
    rising = values_along(torch.tensor([0.0, 0.1, 0.9, 1.0]).double(), count=31, smooth=True)
    assert bool((rising.diff() > 0).all())
