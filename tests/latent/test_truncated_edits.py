"""Truncation of edits and sums: what they begin with is the truncated image, in z and in W, by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from gansmith.adversarial import Dimensions
from gansmith.data.prior import Prior
from gansmith.errors import OptionError
from gansmith.latent.arithmetic import Term, arithmetic_result, latent_arithmetic, sum_of_means
from gansmith.latent.directions.direction import Direction
from gansmith.latent.directions.edit import edit, edited_images
from gansmith.latent.latents import Latent
from gansmith.latent.provenance import read_provenance
from gansmith.latent.provenance_seeds import seeds_of
from gansmith.latent.renderer import Renderer
from gansmith.models import stylegan2
from gansmith.system.seeding import seeded

TERMS = [Term(1, (1, 4)), Term(-1, (2,)), Term(1, (7,))]


def in_z() -> Renderer:
    return Renderer(nn.Unflatten(1, (1, 2, 2)), Prior("normal", size=4))


def in_w() -> Renderer:
    with seeded("test"):
        network = stylegan2.generator(Dimensions(3, 8, 8, 6), width=8, styles=5, depth=2)
        network.w_mean.copy_(torch.linspace(-1, 1, 5))
    return Renderer(network, Prior("normal", size=6))


def mapped(renderer: Renderer, z: Tensor) -> Tensor:
    network: Any = renderer.generator
    with torch.no_grad():
        w: Tensor = network.map(z)
    return w


def test_an_edit_in_z_begins_with_the_truncated_latent() -> None:
    own, axis = in_z(), Direction(torch.eye(4)[1], "a", step=0.5)
    seed = next(seed for seed in range(20) if bool((own.latents([seed]).abs() > 0.7).any()))
    moved = edit(own, seed, [(axis, 3.0)], truncation=0.7)
    z = own.latents([seed], truncation=0.7)[0]
    torch.testing.assert_close(moved.values, z + torch.tensor([0, 1.5, 0, 0]))
    assert not moved.values.equal(edit(own, seed, [(axis, 3.0)]).values)
    with pytest.raises(OptionError, match="truncation"):
        edit(own, Latent(torch.zeros(4)), [(axis, 1.0)], truncation=0.7)


def test_an_edit_in_w_is_not_truncated_itself() -> None:
    own, axis = in_w(), Direction(torch.eye(5)[2], "a", step=2.0)
    moved = edit(own, 3, [(axis, 3.0)], truncation=0.25)
    mean = torch.linspace(-1, 1, 5)
    w = mapped(own, own.latents([3]))[0]
    torch.testing.assert_close(moved.values, mean + 0.25 * (w - mean) + torch.tensor([0, 0, 6.0, 0, 0]))
    still = edited_images(own, [3], [(axis, 0.0)], truncation=0.25).images
    assert still.equal(own.images([3], truncation=0.25).images)  # as Make shows it, to the bit
    for psi in (-0.1, 1.5):
        with pytest.raises(OptionError, match=r"0 .*to 1"):
            edit(own, 3, [(axis, 1.0)], truncation=psi)


def test_a_film_begins_with_the_truncated_image() -> None:
    own, axis = in_w(), Direction(torch.eye(5)[2], "a")
    frames = edited_images(own, [3], [(axis, 2.0)], truncation=0.5, steps=4).images
    assert len(frames) == 5
    assert frames[:1].equal(own.images([3], truncation=0.5).images)
    assert frames[4:].equal(edited_images(own, [3], [(axis, 2.0)], truncation=0.5).images)


def test_a_sum_in_z_is_of_truncated_latents() -> None:
    own = in_z()
    z = {seed: own.latents([seed], truncation=0.7)[0].double().numpy() for seed in (1, 2, 4, 7)}
    expected = (z[1] + z[4]) / 2 - z[2] + z[7]
    np.testing.assert_allclose(sum_of_means(own, TERMS, truncation=0.7).numpy(), expected, rtol=1e-6)
    assert not sum_of_means(own, TERMS).equal(sum_of_means(own, TERMS, truncation=0.7))


@pytest.mark.parametrize("own", [in_z(), in_w()], ids=["z", "w"])
def test_a_file_of_a_truncated_sum_stands_for_it(own: Renderer, tmp_path: Path) -> None:
    result = arithmetic_result(own, TERMS, truncation=0.6)
    assert latent_arithmetic(own, TERMS, truncation=0.6).images[-1:].equal(result.images)
    assert not result.images.equal(arithmetic_result(own, TERMS).images)
    result.save(tmp_path / "sum.png")
    made = read_provenance(tmp_path / "sum.png")
    assert own.images(seeds_of(made, own, "sum")).images.equal(result.images)


def test_a_sum_in_w_is_truncated_as_its_terms_are() -> None:
    own = in_w()
    z = own.latents([1, 4, 2, 7]).double()
    w = mapped(own, ((z[0] + z[1]) / 2 - z[2] + z[3]).float()[None])
    expected = own.render(own.truncated(w, 0.5), space="w")
    torch.testing.assert_close(arithmetic_result(own, TERMS, truncation=0.5).images, expected)
    sheet = latent_arithmetic(own, TERMS, truncation=0.5)
    one = own.images([4], truncation=0.5).images
    assert sheet.images[1:2].equal(one)
