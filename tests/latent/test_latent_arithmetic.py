"""Sums of means of latents."""

from __future__ import annotations

import itertools

import numpy as np
import torch

from gansmith.adversarial import Dimensions
from gansmith.data.prior import Prior
from gansmith.errors import OptionError
from gansmith.latent.arithmetic import Term, latent_arithmetic, mean_latent, sum_of_means
from gansmith.latent.renderer import Renderer
from gansmith.models import dcgan, mlp
from gansmith.system.seeding import seeded
from refusals import refused

TERMS = [Term(1, (1, 4, 9)), Term(-1, (2, 3)), Term(1, (7, 8, 6, 5))]


def made(channels: int = 3, kind: str = "normal") -> Renderer:
    with seeded("test"):
        network = dcgan.generator(Dimensions(channels, 8, 8, 10), width=4)
    return Renderer(network, Prior(kind, 10))  # type: ignore[arg-type]


def test_the_sum_by_hand() -> None:
    z = {seed: made().latents([seed])[0].double().numpy() for seed in range(10)}
    expected = (z[1] + z[4] + z[9]) / 3 - (z[2] + z[3]) / 2 + (z[5] + z[6] + z[7] + z[8]) / 4
    np.testing.assert_allclose(sum_of_means(made(), TERMS).numpy(), expected, rtol=1e-5, atol=1e-6)


def test_no_order_matters_to_the_bit() -> None:
    renderer = made()
    expected = sum_of_means(renderer, TERMS)
    for order in itertools.permutations(TERMS):
        turned = [Term(term.sign, term.seeds[::-1]) for term in order]
        assert torch.equal(sum_of_means(renderer, turned), expected)


def test_what_is_added_and_taken_away_leaves_nothing() -> None:
    """Sums in another order would leave their last digits."""
    renderer = made()
    same = [Term(1, (1, 2, 3)), Term(-1, (3, 1, 2)), Term(1, (5, 6, 7, 8)), Term(-1, (8, 6, 5, 7))]
    expected = sum_of_means(renderer, same)
    assert not sum_of_means(renderer, same[:2]).any()
    for order in itertools.permutations(same):
        assert torch.equal(sum_of_means(renderer, order), expected)


def test_under_the_sphere_means_and_sum_lie_on_it() -> None:
    renderer = made(kind="sphere")
    for latent in (mean_latent(renderer, [1, 2, 3]), sum_of_means(renderer, TERMS)):
        torch.testing.assert_close(latent.norm(), torch.tensor(10.0).sqrt())
    plain = renderer.latents([1, 2, 3]).mean(0)
    torch.testing.assert_close(mean_latent(renderer, [1, 2, 3]), plain / plain.norm() * 10**0.5)


def test_one_seed_is_its_sample_to_the_bit() -> None:
    renderer = made()
    sheet = latent_arithmetic(renderer, [Term(1, (6,))])
    assert torch.equal(sheet.images[[0, 1, 3]], renderer.images([6, 6, 6]).images)
    assert sheet.labels == ("+6", "+mean", "", "result")


def test_the_sheet_shows_terms_means_and_the_result() -> None:
    renderer = made()
    sheet = latent_arithmetic(renderer, TERMS)
    assert sheet.columns == 5
    assert sheet.labels == (
        *("+1", "+4", "+9", "", "+mean"),
        *("-2", "-3", "", "", "-mean"),
        *("+7", "+8", "+6", "+5", "+mean"),
        *("", "", "", "", "result"),
    )
    assert torch.equal(sheet.images[[0, 1, 2, 5, 6]], renderer.images([1, 4, 9, 2, 3]).images)
    assert torch.equal(sheet.images[9], renderer.render(mean_latent(renderer, [2, 3])[None])[0])
    assert torch.equal(sheet.images[19], renderer.render(sum_of_means(renderer, TERMS)[None])[0])
    assert torch.equal(sheet.images[[3, 7, 8, 15]], torch.ones(4, 3, 8, 8))
    assert sheet.sheet(numbered=True).mode == "RGB"


def test_gaps_of_rgba_are_transparent() -> None:
    sheet = latent_arithmetic(made(channels=4), TERMS)
    assert torch.equal(sheet.images[3], -torch.ones(4, 8, 8))


def test_points_share_one_plane() -> None:
    renderer = Renderer(mlp.generator(Dimensions(2, 1, 1, 10)), Prior(size=10))
    sheet = latent_arithmetic(renderer, TERMS)
    assert sheet.images.shape == (9 + 3 + 1, 2, 1, 1)
    assert sheet.sheet(scale=1).size == (256, 256)


def test_nothing_to_add_up() -> None:
    with refused("--plus", error=OptionError):
        latent_arithmetic(made(), [])
    with refused("no seeds", error=OptionError):
        latent_arithmetic(made(), [Term(1, ())])
