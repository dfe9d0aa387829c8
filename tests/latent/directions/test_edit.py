"""Edits and ranks: what a step adds, what a strip shows, change and purity against numbers worked out by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from gansmith.data.prior import Prior
from gansmith.errors import OptionError
from gansmith.latent.directions.direction import Direction, Directions
from gansmith.latent.directions.edit import edit, edited_images, strips
from gansmith.latent.directions.ranking import feature_clusters, purity, rank
from gansmith.latent.latents import Latent
from gansmith.latent.provenance import seed_of
from gansmith.latent.renderer import Renderer

A, B = torch.tensor([0.6, 0.8, 0.0, 0.0]), torch.tensor([0.0, 0.0, 0.0, 1.0])
MOVES = [(Direction(A, "a", step=0.5), 2.0), (Direction(B, "b"), -3.0)]


def renderer(kind: Any = "normal", size: int = 4) -> Renderer:
    return Renderer(nn.Unflatten(1, (1, 2, 2)), Prior(kind, size=size))


def test_a_step_is_the_directions_own() -> None:
    own = renderer()
    z = own.latents([7])[0]
    moved = edit(own, 7, MOVES)
    torch.testing.assert_close(moved.values, z + torch.tensor([0.6, 0.8, 0.0, -3.0]))
    assert (moved.space, moved.name, moved.label) == ("z", "7 edited", None)
    back = edit(own, moved, [(direction, -amount) for direction, amount in MOVES])
    torch.testing.assert_close(back.values, z)


def test_edits_stay_where_the_prior_is() -> None:
    sphere = edit(renderer("sphere"), 7, MOVES).values
    assert float(sphere.norm()) == pytest.approx(2.0)
    z = renderer("sphere").latents([7])[0] + torch.tensor([0.6, 0.8, 0.0, -3.0])
    torch.testing.assert_close(sphere, 2 * z / z.norm())
    cube = edit(renderer("uniform"), 7, MOVES).values
    assert float(cube[3]) == -1.0
    z = renderer("uniform").latents([7])[0]
    torch.testing.assert_close(cube, (z + torch.tensor([0.6, 0.8, 0.0, -3.0])).clamp(-1, 1))


def test_every_cell_of_a_canvas_is_moved() -> None:
    canvas = Latent(torch.zeros(4, 1, 2))
    own = renderer()
    own.generator.spatial_latents = True
    own._check_canvas = lambda grid: None
    torch.testing.assert_close(edit(own, canvas, MOVES[:1]).values, A[:, None, None].expand(4, 1, 2))


def test_what_is_refused() -> None:
    own = renderer()
    with pytest.raises(OptionError, match="--along smile:2"):
        edit(own, 7, [])
    for amount in (1001.0, math.nan, math.inf):
        with pytest.raises(OptionError, match="steps along a"):
            edit(own, 7, [(MOVES[0][0], amount)])
    with pytest.raises(OptionError, match=r"x has 2 .*4.*another model"):
        edit(own, 7, [(Direction(torch.tensor([1.0, 0.0]), "x"), 1.0)])
    with pytest.raises(OptionError, match="space w"):
        edit(own, Latent(torch.zeros(4), "w"), MOVES)


def test_images_say_the_edited_latents() -> None:
    own = renderer()
    images = edited_images(own, [7, 8], MOVES)
    assert images.labels == ("7 edited", "8 edited")
    assert images.provenance is not None
    for point, seed, image in zip(images.provenance().request.seeds, (7, 8), images.images, strict=True):
        latent = seed_of(point)
        assert isinstance(latent, Latent)
        assert latent.values.equal(edit(own, seed, MOVES).values)
        assert image.equal(own.images([latent]).images[0])


def test_the_strip_goes_from_before_to_after() -> None:
    own = renderer()
    strip = edited_images(own, [7, 8], MOVES, steps=4)
    assert (len(strip), strip.columns, strip.marked) == (10, 5, True)
    assert strip.labels == ("7", "", "", "", "7 edited", "8", "", "", "", "8 edited")
    assert strip.images[0].equal(own.images([7]).images[0])
    assert strip.images[9].equal(edited_images(own, [8], MOVES).images[0])
    half = edit(own, 7, [(direction, amount / 2) for direction, amount in MOVES])
    assert strip.images[2].equal(own.images([half]).images[0])


def test_strips_have_a_row_for_each_direction() -> None:
    own = renderer()
    both = strips(own, Directions(tuple(direction for direction, _ in MOVES), "z", own.origin), 7)
    assert both.columns == 7
    assert [both.images[place].equal(own.images([7]).images[0]) for place in (3, 10)] == [True, True]
    for place, move in ((0, (MOVES[0][0], -3.0)), (6, (MOVES[0][0], 3.0)), (12, (MOVES[1][0], 2.0))):
        assert both.images[place].equal(own.images([edit(own, 7, [move])]).images[0])


class Corners(nn.Module):
    """Images 8 x 8 whose quarters are .1 times the latents, each its own."""

    def forward(self, z: Tensor) -> Tensor:
        return 0.1 * z.view(-1, 1, 2, 2).repeat_interleave(4, 2).repeat_interleave(4, 3)


def test_change_and_purity() -> None:
    """One quarter changes by .1 a step: the root mean square over all pixels is .05. Its four areas vary together."""
    own = Renderer(Corners(), Prior(size=4))
    spread = Direction(torch.full((4,), 0.5), "all", step=4.0)
    corner, all_four = sorted(rank(own, [Direction(B, "corner"), spread]), key=lambda d: d.name, reverse=True)
    assert (corner.change, corner.purity) == (pytest.approx(0.05), pytest.approx(1.0))
    assert (all_four.change, all_four.purity) == (pytest.approx(0.2), pytest.approx(0.25, rel=0.2))
    assert [d.name for d in rank(own, [Direction(B, "corner"), spread])] == ["all", "corner"]


def test_clusters_are_of_features_that_vary_together() -> None:
    base = np.random.default_rng(0).normal(size=(100, 9))
    features = np.concatenate([base, 5 * base + 3], axis=1)  # each feature twice, in other units
    clusters = feature_clusters(features)
    assert clusters[:9].tolist() == clusters[9:].tolist()
    assert len(set(clusters.tolist())) == 8


def test_purity_is_the_largest_share_of_squares() -> None:
    changes = np.array([[3.0, 0.0, 1.0], [0.0, 1.0, -1.0]])
    assert purity(changes, np.array([0, 0, 1])) == pytest.approx(10 / 12)
    assert purity(changes, np.array([1, 0, 0])) == pytest.approx(9 / 12)
    assert purity(np.zeros((2, 3)), np.array([0, 0, 1])) is None


def test_a_generator_that_never_changes() -> None:
    class Still(nn.Module):
        def forward(self, z: Tensor) -> Tensor:
            return torch.zeros(len(z), 1, 2, 2)

    [one] = rank(Renderer(Still(), Prior(size=4)), [Direction(B, "corner")])
    assert (one.change, one.purity) == (0.0, None)


def test_a_feature_that_is_constant_but_for_rounding_counts_for_nothing() -> None:
    """A channel that no image changes: the sum of 256 equal float32 is not 256 times one of them."""
    own = renderer()

    def features(images: Any) -> Any:
        grid = images.reshape(len(images), -1).astype(np.float32) / 255
        return np.concatenate([grid, np.full((len(images), 3), 0.31098366, np.float32)], 1)

    ranked = rank(own, [Direction(B, "b"), Direction(torch.eye(4)[1], "c")], features)
    assert [one.purity for one in ranked] == [1.0, 1.0]
