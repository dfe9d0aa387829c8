"""ADA: how its probability moves, what is done to an image, and errors."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from ada_draws import CPU, exactly, near
from torch import Tensor

from gansmith import catalog
from gansmith.adversarial import Moment, Terms
from gansmith.augment.ada import Ada, blitted, holes, recolouring, stretched
from gansmith.augment.parts.affine import unmoved, warped
from gansmith.augment.parts.recolour import recoloured
from gansmith.errors import ExperimentError, OptionError

ALL = ["blit", "geometry", "colour", "cutout"]


def build(**options: Any) -> Ada:
    made = catalog.build("augment", "ada", **options)
    assert isinstance(made, Ada)
    return made


def images(*shape: int) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64) * 2 - 1


# ---- the probability


def at(images: int) -> Moment:
    return Moment(0, images, 0, torch.Generator())


def said(held: float, **others: float) -> Terms:
    seen = {"held_real": held, **others}
    return Terms({"loss": torch.zeros(())}, {name: torch.tensor(value) for name, value in seen.items()})


def play(augment: Ada, held: float, updates: int, batch: int, start: int = 0) -> Iterator[float]:
    """p after each of so many updates, the first with the clock at `start`."""
    for update in range(updates):
        augment.settle(said(held), at(start + update * batch))
        yield float(augment.p)


def test_p_follows_the_clock_of_images() -> None:
    """Up at 1 / speed an image while r > target, in a move each four updates; down as fast; never out of [0, 1]."""
    augment = build(speed=1000)
    assert float(augment.p) == 0
    rising = list(play(augment, 0.9, 16, 50))  # r = 0.8 > 0.6
    # moves with the clock at 150, 350, 550, 750: the fourth update of each window
    wanted = [0.0] * 3 + [0.15] * 4 + [0.35] * 4 + [0.55] * 4 + [0.75]
    assert rising == pytest.approx(wanted)
    falling = list(play(augment, 0.7, 12, 50, start=800))  # r = 0.4 < 0.6
    assert falling == pytest.approx([0.75] * 3 + [0.55] * 4 + [0.35] * 4 + [0.15])
    assert list(play(augment, 0.0, 4, 50, start=1400)) == pytest.approx([0.15] * 3 + [0.0])
    assert list(play(augment, 0.0, 8, 50, start=1600))[-1] == 0
    assert list(play(augment, 1.0, 60, 50, start=2000))[-1] == 1


@pytest.mark.parametrize(("held", "up"), [(0.81, True), (0.79, False), (1.0, True), (0.5, False)])
def test_the_target_is_the_mean_sign_of_the_real_scores(held: float, up: bool) -> None:
    """r = 2 held - 1: 0.6 where 80 % of the real images score above the threshold."""
    augment = build(probability=None)
    augment.p = torch.tensor(0.5)
    *_, last = play(augment, held, 4, 500)
    assert last == pytest.approx(0.5 + (1500 if up else -1500) / 500_000)  # the default speed


def test_the_first_move_counts_from_the_first_update() -> None:
    """Images that were drawn before, by a run that this one goes on from, do not count."""
    assert list(play(build(speed=1000), 1.0, 8, 50, start=100_000)) == pytest.approx([0] * 3 + [0.15] * 4 + [0.35])


def test_on_target_p_stays() -> None:
    augment = build(target=0.5, speed=1000)
    augment.p = torch.tensor(0.5)
    assert list(play(augment, 0.75, 4, 50))[-1] == 0.5


def test_r_is_averaged_over_the_updates_since_p_last_moved() -> None:
    augment = build(speed=1000)
    augment.p = torch.tensor(0.5)
    for update, held in enumerate((1.0, 0.5, 1.0, 0.75)):  # mean r = 0.625
        augment.settle(said(held), at(100 * update))
    assert float(augment.p) == pytest.approx(0.8)
    for update, held in enumerate((1.0, 0.5, 1.0, 0.65)):  # 0.575: what was before is forgotten
        augment.settle(said(held), at(100 * (4 + update)))
    assert float(augment.p) == pytest.approx(0.4)


def test_p_does_not_depend_on_the_batch() -> None:
    """Where the clocks agree p does, whatever the batch and however rarely p moves."""
    found = []
    for batch, every in ((10, 4), (30, 4), (120, 1), (5, 8)):
        augment = build(speed=4000, every=every)
        found.append(
            {batch * n: p for n, p in enumerate(play(augment, 1.0, 1200 // batch, batch)) if n % every == every - 1}
        )
    for moves in found:
        assert moves
        for clock, p in moves.items():
            assert p == pytest.approx(clock / 4000)


def test_a_turn_that_plays_on_the_same_batch_does_not_count_it_twice() -> None:
    """Two discriminators of one step: the clock stands at the same number for both."""
    augment = build(speed=1000, every=2)
    for step in range(4):
        for _ in range(2):
            augment.settle(said(1.0), at(100 * step))
    assert float(augment.p) == pytest.approx(0.3)


def test_the_sides_of_a_game_are_averaged() -> None:
    augment = build(speed=1000, every=1)
    augment.p = torch.tensor(0.5)
    for clock in (0, 100):
        sides = said(0, held_real_a=1.0, held_real_b=0.5)
        del sides.seen["held_real"]
        augment.settle(sides, at(clock))
    assert float(augment.p) == pytest.approx(0.4)  # r = 0.5


def through_a_file(state: dict[str, Any]) -> dict[str, Any]:
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    loaded: dict[str, Any] = torch.load(file, weights_only=True)
    return loaded


@pytest.mark.parametrize("stop", [0, 1, 3, 4, 6, 11])
def test_resumed_is_uninterrupted(stop: int) -> None:
    helds = [0.2 + 0.8 * float(value) for value in torch.rand(40, generator=torch.Generator().manual_seed(0))]
    whole, resumed = build(speed=500, target=0.2), build(speed=500, target=0.2)
    for update, held in enumerate(helds):
        if update == stop:
            state = through_a_file(resumed.state_dict())
            resumed = build(speed=500, target=0.2)
            resumed.load_state_dict(state)
        for augment in (whole, resumed):
            augment.settle(said(held), at(17 * update))
        exactly(torch.as_tensor(resumed.p), torch.as_tensor(whole.p))
    assert 0 < float(whole.p) < 1


def test_a_state_is_not_changed_by_what_follows() -> None:
    augment = build(speed=100)
    *_, before = play(augment, 1.0, 5, 10)
    state = augment.state_dict()
    list(play(augment, 1.0, 9, 10, start=50))
    assert float(state["p"]) == before
    assert float(state["signs"]) == 1
    assert (state["updates"], state["since"]) == (1, 30)


def test_a_given_probability_is_kept_or_follows_its_schedule() -> None:
    fixed = build(probability=0.3)
    assert fixed.p == 0.3
    list(play(fixed, 1.0, 8, 1000))
    assert fixed.p == 0.3
    r3gan = build(probability={"start": 0, "end": 0.55, "decay": "20M", "shape": "cosine"})
    for clock, p in ((0, 0.0), (10_000_000, 0.275), (20_000_000, 0.55), (90_000_000, 0.55)):
        r3gan.begin(at(clock))
        assert r3gan.p == pytest.approx(p)
    r3gan.settle(Terms({"loss": torch.zeros(())}), at(0))  # no threshold is needed
    assert r3gan.state_dict() == {}
    r3gan.load_state_dict({})
    assert build(probability={"start": 0.4, "decay": 10}).p == 0.4  # before the first play too
    adaptive = build()
    adaptive.begin(at(1000))
    assert float(adaptive.p) == 0


# ---- what is done


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 6, 8])
@pytest.mark.parametrize("size", [(8, 8), (7, 12), (1, 1)])
def test_nothing_changes_at_probability_zero(channels: int, size: tuple[int, int]) -> None:
    for given in (images(5, channels, *size), images(5, channels, *size).float()):
        for augment in (build(groups=ALL), build(groups=ALL, probability=0.0), build(probability=1, groups=[])):
            exactly(augment(given), given)
            assert augment(given).dtype == given.dtype


def test_the_groups_come_in_the_papers_order() -> None:
    given = images(12, 4, 9, 14)
    augment = build(groups=["cutout", "colour", "geometry", "blit"], probability=0.7)
    torch.manual_seed(3)
    source = stretched(blitted(unmoved(12, CPU), 9, 14, 0.7), 9, 14, 0.7)
    moved = warped(given, source)
    coloured = recoloured(moved[:, None, :3], recolouring(12, CPU, 0.7))[:, 0]
    wanted = torch.cat([coloured, moved[:, 3:]], 1) * ~holes(given, 0.7)[:, None]
    torch.manual_seed(3)
    exactly(augment(given), wanted)


def test_a_group_alone_does_its_own() -> None:
    given = images(64, 3, 8, 8)
    parts = {}
    for group in ALL:
        torch.manual_seed(0)
        parts[group] = build(groups=group, probability=1.0)(given)
    values = given.flatten(1)
    for image, row in zip(parts["blit"].flatten(1), values, strict=True):
        assert set(image.tolist()) <= set(row.tolist())
    assert bool(((parts["cutout"] == given) | (parts["cutout"] == 0)).all())
    same = parts["colour"].flatten(2).std(2) / given.flatten(2).std(2)
    assert bool((parts["geometry"].abs().amax((1, 2, 3)) <= given.abs().amax((1, 2, 3))).all())
    assert float(same.std()) > 0.1
    torch.manual_seed(0)
    default = build(probability=1.0)(given)
    torch.manual_seed(0)
    exactly(default, build(probability=1.0, groups=["blit", "geometry", "colour"])(given))


def test_a_share_multiplies_the_probability() -> None:
    """As R3GAN runs it: colours half as often as the rest."""
    torch.manual_seed(0)
    given = torch.ones(5_000, 1, 4, 4)
    near((build(probability=0.8, groups={"cutout": 0.5})(given) != 1).flatten(1).any(1), 0.4)
    augment = build(groups={"blit": 0, "cutout": 1, "colour": 0.25})
    augment.p = torch.tensor(0.8)
    bright = augment(given)[:, 0].flatten(1).amax(1)
    near(bright != 1, 1 - 0.8 * 0.8 * 0.9)  # brightness, contrast, luma flip, each with 0.25 * 0.8


def test_transparency_keeps_its_values_and_moves() -> None:
    given = images(32, 4, 8, 8)
    torch.manual_seed(0)
    exactly(build(groups="colour", probability=1)(given)[:, 3], given[:, 3])
    torch.manual_seed(0)
    moved = build(groups="blit,geometry", probability=1)(given)
    torch.manual_seed(0)
    alpha = build(groups="blit,geometry", probability=1)(given[:, 3:])
    torch.testing.assert_close(moved[:, 3:], alpha)


def test_a_rotation_is_one_in_pixels() -> None:
    """A round spot on a wide image stays round: nothing is stretched by the shape of the image."""
    row, column = torch.meshgrid(torch.arange(33) - 16.0, torch.arange(65) - 32.0, indexing="ij")
    spot = (-(row**2 + column**2) / 60).exp()[None, None]
    source = unmoved(1, CPU).turned(torch.tensor([0.6]), torch.tensor([0.8]))
    near_enough = (row**2 + column**2).sqrt() < 16  # what lies farther off is partly reflections
    torch.testing.assert_close(warped(spot, source)[0, 0][near_enough], spot[0, 0][near_enough], rtol=0, atol=0.01)


def test_same_seed_same_result() -> None:
    augment, given = build(groups=ALL, probability=0.8), images(6, 3, 8, 8).float()
    torch.manual_seed(5)
    first, second = augment(given), augment(given)
    assert not torch.equal(first, second)
    torch.manual_seed(5)
    exactly(augment(given), first)
    torch.manual_seed(5)
    exactly(augment(given.contiguous(memory_format=torch.channels_last)), first)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_gradients(channels: int) -> None:
    augment = build(groups=ALL, probability=1.0)

    def fixed(given: Tensor) -> Tensor:
        torch.manual_seed(1)
        return augment(given)

    given = images(2, channels, 4, 3).requires_grad_()
    assert torch.autograd.gradcheck(fixed, given, fast_mode=True)
    assert torch.autograd.gradgradcheck(lambda given: fixed(given) ** 2, given, fast_mode=True)


def test_short_formats_are_computed_in_float32() -> None:
    augment, given = build(groups=ALL, probability=0.8), images(6, 3, 8, 8).bfloat16()
    torch.manual_seed(0)
    wanted = augment(given.float())
    torch.manual_seed(0)
    with torch.autocast("cpu", torch.bfloat16):
        found = augment(given)
    assert found.dtype == torch.bfloat16
    exactly(found, wanted.bfloat16())


def test_nothing_waits_for_a_value() -> None:
    """On the meta device there are no values to wait for: neither an update nor an image reads p."""
    augment = build(groups=ALL)
    for update in range(9):
        augment.settle(Terms({}, {"held_real": torch.zeros((), device="meta")}), at(100 * update))
    assert torch.as_tensor(augment.p).device.type == "meta"
    assert augment(torch.zeros(2, 3, 8, 8, device="meta")).shape == (2, 3, 8, 8)


# ---- errors


def test_an_objective_without_a_threshold_is_refused() -> None:
    ways = r"threshold.*--set augment\.probability=0\.3.*--objective nonsaturating"
    with pytest.raises(ExperimentError, match=ways):
        build().check(catalog.build("objectives", "r3gan"))
    build(probability=0.3).check(catalog.build("objectives", "r3gan"))
    build().check(catalog.build("objectives", "hinge"))


def test_images_without_colours_are_refused() -> None:
    with pytest.raises(ExperimentError, match=r"5 channels.*--set augment.groups=blit,geometry"):
        build()(images(1, 5, 8, 8))
    build(groups="blit,geometry")(images(1, 5, 8, 8))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"groups": "blit,geometri"},
            "no group of ada called 'geometri'. Did you mean 'geometry'? Known: blit, colour,",
        ),
        ({"groups": {"color": 0.5}}, "no group of ada called 'color'. Did you mean 'colour'?"),
        ({"groups": {"blit": 2}}, "from 0 to 1"),
        ({"groups": {"blit": -1}}, "from 0 to 1"),
        ({"probability": 1.5}, "a probability must not be above 1"),
        ({"probability": -0.5}, "it must not be negative"),
        ({"probability": {"start": 0, "end": 1.2, "decay": 5}}, "a probability must not be above 1"),
        ({"probability": {"start": 1.2, "decay": 5}}, "a probability must not be above 1"),
        ({"probability": {"phases": {0: 0.5, 10: 2}}}, "a probability must not be above 1"),
        ({"probability": {"points": {0: 0.5, 10: 2}}}, "a probability must not be above 1"),
        ({"target": 1.5}, "from 0 to 1"),
        ({"target": -0.5}, "from 0 to 1"),
        ({"speed": 0}, "above 0"),
        ({"every": 0}, "every = 0"),
    ],
)
def test_options_are_checked(options: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError) as caught:
        build(**options)
    assert str(caught.value).startswith(f"augment/ada: {next(iter(options))} = ")
    assert message in str(caught.value)


def test_options_are_read() -> None:
    assert build(probability={"points": {0: 0.5, "1k": 1}}).p == 0.5
    assert build(probability={"phases": {0: 0.5, 10: 1}}).p == 0.5
    *_, last = play(build(speed="2k", every=1, target=0), 1.0, 3, 500)
    assert last == pytest.approx(0.5)
