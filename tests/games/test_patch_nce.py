"""PatchNCE against Eq. 3 written out in loops, in values and gradients."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from gansmith.games.parts.patch_nce import drawn_places, patch_nce, vectors_at


def unit(seed: int, *shape: int) -> Tensor:
    rng = torch.Generator().manual_seed(seed)
    vectors = torch.randn(*shape, generator=rng, dtype=torch.float64)
    return vectors / vectors.square().sum(-1, keepdim=True).sqrt()


def by_the_equation(queries: Tensor, keys: Tensor, tau: float) -> list[list[float]]:
    """Eq. 3 for each patch of each image: -log(exp(v . v+ / tau) / (exp(v . v+ / tau) + sum exp(v . v- / tau)))."""
    losses: list[list[float]] = []
    for image in range(len(queries)):
        losses.append([])
        for patch in range(queries.shape[1]):
            likeness = [
                math.exp(sum(float(q * k) for q, k in zip(queries[image, patch], key, strict=True)) / tau)
                for key in keys[image]
            ]
            losses[image].append(-math.log(likeness[patch] / sum(likeness)))
    return losses


def gradient_by_hand(queries: Tensor, keys: Tensor, tau: float) -> Tensor:
    """d loss / d v = (sum over all patches of p_k k, less the positive) / tau, over the S patches' mean; summed over
    images."""
    gradient = torch.zeros_like(queries)
    for image in range(len(queries)):
        for patch in range(queries.shape[1]):
            weights = torch.stack([(queries[image, patch] * key).sum() / tau for key in keys[image]]).exp()
            expected = sum(w * key for w, key in zip(weights / weights.sum(), keys[image], strict=True))
            gradient[image, patch] = (expected - keys[image, patch]) / tau / queries.shape[1]
    return gradient


@pytest.mark.parametrize("tau", [0.07, 0.5, 1.0])
def test_values_and_gradients(tau: float) -> None:
    queries, keys = unit(1, 2, 5, 3).requires_grad_(), unit(2, 2, 5, 3).requires_grad_()
    loss = patch_nce(queries, keys, temperature=tau)
    expected = torch.tensor(by_the_equation(queries.detach(), keys.detach(), tau), dtype=torch.float64).mean(1)
    torch.testing.assert_close(loss, expected)
    loss.sum().backward()
    torch.testing.assert_close(queries.grad, gradient_by_hand(queries.detach(), keys.detach(), tau))
    assert keys.grad is None  # the targets hold still


def test_patches_of_other_images_are_no_negatives() -> None:
    queries, keys = unit(1, 3, 4, 3), unit(2, 3, 4, 3)
    alone = torch.cat([patch_nce(queries[i : i + 1], keys[i : i + 1], temperature=0.07) for i in range(3)])
    torch.testing.assert_close(patch_nce(queries, keys, temperature=0.07), alone)


def test_the_same_patches_lose_least_and_changed_places_most() -> None:
    same = unit(3, 1, 6, 8)
    right, wrong = patch_nce(same, same, temperature=0.07), patch_nce(same, same.roll(1, 1), temperature=0.07)
    assert float(right) < 0.01
    assert float(wrong) > 5
    torch.testing.assert_close(patch_nce(same[:, :1], same[:, :1], temperature=0.07), torch.zeros(1).double())


def test_short_formats_do_not_reach_the_softmax() -> None:
    queries, keys = unit(1, 1, 64, 16).float(), unit(2, 1, 64, 16).float()
    exactly = patch_nce(queries, keys, temperature=0.07)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(patch_nce(queries, keys, temperature=0.07), exactly)


def test_vectors_are_those_at_the_places() -> None:
    maps = torch.arange(2 * 3 * 2 * 4).reshape(2, 3, 2, 4)
    found = vectors_at(maps, torch.tensor([5, 0]))
    assert found.shape == (2, 2, 3)
    for image in range(2):
        assert torch.equal(found[image, 0], maps[image, :, 1, 1])
        assert torch.equal(found[image, 1], maps[image, :, 0, 0])


def test_places_are_drawn_by_the_generator_and_differ() -> None:
    maps = torch.zeros(2, 3, 6, 5)
    one, again, other = (drawn_places(maps, 12, torch.Generator().manual_seed(seed)) for seed in (4, 4, 5))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)
    assert len({*one.tolist()}) == 12
    assert {*one.tolist()} <= {*range(30)}
    everything = drawn_places(maps, 256, torch.Generator().manual_seed(4))
    assert sorted(everything.tolist()) == [*range(30)]
