"""Instance noise: its size, its schedule, its gradient."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from gansmith import catalog
from gansmith.adversarial import Moment
from gansmith.augment.parts.augment import Augment
from gansmith.errors import OptionError


def build(**options: object) -> Augment:
    made = catalog.build("augment", "noise", **options)
    assert isinstance(made, Augment)
    return made


def at(images: int) -> Moment:
    return Moment(0, images, 0, torch.Generator())


def added(augment: Augment, images: int, channels: int = 4) -> Tensor:
    augment.begin(at(images))
    torch.manual_seed(0)
    given = torch.full((50, channels, 20, 20), 0.5)
    return augment(given) - given


def test_noise_is_normal_in_every_channel() -> None:
    noise = added(build(deviation=0.3), 0)
    count = noise[:, 0].numel()
    for channel in range(4):
        drawn = noise[:, channel].flatten()
        assert float(drawn.mean()) == pytest.approx(0, abs=5 * 0.3 / count**0.5)
        assert float(drawn.std()) == pytest.approx(0.3, abs=5 * 0.3 / (2 * count) ** 0.5)
        assert float((drawn / 0.3).pow(4).mean()) == pytest.approx(3, abs=5 * 96**0.5 / count**0.5)
    between = torch.corrcoef(noise.transpose(0, 1).flatten(1)) - torch.eye(4)
    assert float(between.abs().max()) < 5 / count**0.5


def test_noise_follows_the_clock() -> None:
    augment = build(deviation={"start": 0.4, "end": 0.1, "decay": "1k"})
    unit = added(build(deviation=1), 0)
    for images, deviation in ((0, 0.4), (500, 0.25), (1000, 0.1), (9000, 0.1), (0, 0.4)):
        torch.testing.assert_close(added(augment, images), deviation * unit, rtol=1e-4, atol=1e-6)


def test_it_begins_where_its_schedule_begins() -> None:
    torch.manual_seed(0)
    assert float(build(deviation={"start": 0.4, "decay": 10})(torch.zeros(1, 1, 50, 50)).std()) > 0.35


def test_the_default_is_a_tenth_and_gone_after_a_million_images() -> None:
    unit = added(build(deviation=1), 0)
    for images, deviation in ((0, 0.1), (250_000, 0.075), (1_000_000, 0.0), (5_000_000, 0.0)):
        torch.testing.assert_close(added(build(), images), deviation * unit, rtol=1e-4, atol=1e-6)


def test_no_noise_changes_nothing_and_draws_nothing() -> None:
    given = torch.rand(2, 3, 4, 4)
    before = torch.get_rng_state()
    assert build(deviation=0)(given) is given
    assert torch.equal(torch.get_rng_state(), before)


def test_noise_is_the_same_in_every_layout_and_type() -> None:
    given = torch.rand(2, 3, 4, 5)
    results = []
    for image in (given, given.contiguous(memory_format=torch.channels_last), given.double(), given.bfloat16()):
        torch.manual_seed(0)
        results.append(build(deviation=0.5)(image))
        assert results[-1].dtype == image.dtype
    plain, last, double, short = results
    torch.testing.assert_close(last, plain, rtol=0, atol=0)
    torch.testing.assert_close(double.float(), plain)
    torch.testing.assert_close(short.float(), plain, rtol=0.01, atol=0.02)


def test_the_gradient_passes_unchanged() -> None:
    given = torch.rand(2, 3, 4, 4, requires_grad=True)
    weight = torch.rand(2, 3, 4, 4)
    (gradient,) = torch.autograd.grad((build()(given) * weight).sum(), given)
    torch.testing.assert_close(gradient, weight, rtol=0, atol=0)


def test_errors() -> None:
    with pytest.raises(OptionError, match=r"augment/noise.*deviation = -1.*negative"):
        build(deviation=-1)
