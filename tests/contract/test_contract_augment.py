"""What every augmentation of the catalog promises: off it is the identity, on it is differentiable and seeded."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from gansmith import catalog
from gansmith.adversarial import Moment
from gansmith.augment.parts.augment import Augment

# Options that switch one off, and that make it strong, where these are not `probability`.
OFF: dict[str, dict[str, Any]] = {"diffaugment": {"policy": []}, "noise": {"deviation": 0}}
STRONG: dict[str, dict[str, Any]] = {"diffaugment": {}, "noise": {"deviation": 0.3}}
PAIRS_ALIKE = ("ada", "diffaugment")  # images one behind the other, as a discriminator of pairs reads them


@pytest.fixture(params=catalog.names("augment", "build"))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def options(name: str, table: dict[str, dict[str, Any]], probability: float) -> dict[str, Any]:
    known = catalog.keyword_options(catalog.find("augment", name))
    if name not in table and "probability" not in known:
        pytest.skip(f"{name} has no option `probability`: say in {__name__} what switches it off and makes it strong")
    return table.get(name, {"probability": probability})


def off(name: str) -> Augment:
    return begun(catalog.build("augment", name, **options(name, OFF, 0)))


def strong(name: str) -> Augment:
    return begun(catalog.build("augment", name, **options(name, STRONG, 0.8)))


def begun(augment: Augment) -> Augment:
    assert isinstance(augment, Augment)
    augment.begin(Moment(0, 0, 0, torch.Generator()))
    return augment


def images(channels: int = 3, count: int = 6, dtype: torch.dtype = torch.float64) -> Tensor:
    rng = torch.Generator().manual_seed(0)
    return (torch.rand(count, channels, 8, 12, generator=rng, dtype=torch.float64) * 2 - 1).to(dtype)


def seeded(augment: Augment, batch: Tensor, seed: int = 0) -> Tensor:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return augment(batch)


def test_off_it_is_the_identity(name: str) -> None:
    batch = images()
    for seed in range(3):
        assert torch.equal(seeded(off(name), batch, seed), batch)


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_it_keeps_shape_and_type_and_changes_images(name: str, channels: int, dtype: torch.dtype) -> None:
    batch = images(channels, dtype=dtype)
    before = batch.clone()
    changed = seeded(strong(name), batch)
    assert (changed.shape, changed.dtype) == (batch.shape, dtype)
    assert bool(torch.isfinite(changed).all())
    assert not torch.equal(changed, batch)
    assert torch.equal(batch, before)


def test_its_randomness_is_the_global_generators(name: str) -> None:
    augment = strong(name)
    one, again, *others = (seeded(augment, images(), seed) for seed in (1, 1, 2, 3, 4, 5))
    assert torch.equal(one, again)
    assert any(not torch.equal(one, other) for other in others)


def test_each_image_is_changed_by_itself(name: str) -> None:
    """Of one image many times over not all copies stay alike; and each is still its own image's change."""
    changed = seeded(strong(name), images(count=1).expand(16, -1, -1, -1))
    assert any(not torch.equal(image, changed[0]) for image in changed)
    batch = images(count=4).requires_grad_()
    (gradient,) = torch.autograd.grad(seeded(strong(name), batch)[:2].sum(), batch)
    assert torch.equal(gradient[2:], torch.zeros_like(gradient[2:]))


def test_a_gradient_reaches_every_image_and_may_be_differentiated(name: str) -> None:
    batch = images(count=8).requires_grad_()
    loss = seeded(strong(name), batch).square().sum()
    (gradient,) = torch.autograd.grad(loss, batch, create_graph=True)
    assert bool(torch.isfinite(gradient).all())
    assert bool((gradient != 0).flatten(1).any(1).all())
    (second,) = torch.autograd.grad(gradient.square().sum(), batch)
    assert bool(torch.isfinite(second).all())
    assert bool((second != 0).any())


def test_its_gradient_is_that_of_differences(name: str) -> None:
    """One direction, in float64, the same draw on both sides."""
    batch, augment = images(count=3), strong(name)
    weights = torch.randn(batch.shape, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    direction = torch.randn(batch.shape, generator=torch.Generator().manual_seed(6), dtype=torch.float64)
    leaf = batch.clone().requires_grad_()
    (gradient,) = torch.autograd.grad((seeded(augment, leaf) * weights).sum(), leaf)
    above, below = ((seeded(augment, batch + sign * 1e-6 * direction) * weights).sum() for sign in (1, -1))
    torch.testing.assert_close((gradient * direction).sum(), (above - below) / 2e-6, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("channels", [1, 3])
def test_both_images_of_a_pair_are_changed_alike(name: str, channels: int) -> None:
    if name not in PAIRS_ALIKE:
        pytest.skip("it does not promise that")
    batch = images(channels)
    one, other = seeded(strong(name), torch.cat([batch, batch], 1)).chunk(2, 1)
    assert torch.equal(one, other)


def test_what_it_remembers_is_saved_and_loaded(name: str) -> None:
    one, other = catalog.build("augment", name), catalog.build("augment", name)
    begun(one).settle(_terms(), Moment(0, 0, 0, torch.Generator()))
    one.settle(_terms(), Moment(9, 5000, 0, torch.Generator()))
    other.load_state_dict(one.state_dict())
    assert other.state_dict() == one.state_dict()
    assert all(value.dim() == 0 for value in one.seen().values())


def _terms() -> Any:
    from gansmith.adversarial import Terms

    return Terms({"loss": torch.tensor(1.0)}, {"held_real": torch.tensor(0.9)})
