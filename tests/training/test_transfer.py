"""Weights of one network as the beginning of another, on states written by hand."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from gansmith.adversarial import Dimensions
from gansmith.training.transfer import Change, transfer

RGB = Dimensions(3, 8, 8, latent=6, classes=4)


def stack(*shapes: tuple[int, ...], first: float = 1) -> dict[str, Tensor]:
    """A list `a` of modules, each with a weight of one value."""
    return {f"a.{place}.weight": torch.full(shape, first + place) for place, shape in enumerate(shapes)}


def taken(mine: dict[str, Tensor], theirs: dict[str, Tensor]) -> list[tuple[int, int]]:
    pairs = transfer(mine, theirs).taken
    return [(int(one.split(".")[1]), int(other.split(".")[1])) for one, other in pairs.items()]


def test_of_the_same_shapes_everything_is_taken_as_it_stands() -> None:
    theirs = {**stack((2, 2), (2, 2), (2, 2)), "last.weight": torch.ones(1, 2), "last.count": torch.tensor(7)}
    mine = {name: torch.zeros_like(value) for name, value in theirs.items()}
    result = transfer(mine, theirs)
    assert result.taken == {name: name for name in theirs}
    assert all(torch.equal(result.state[name], value) for name, value in theirs.items())
    assert result.changed == []


def test_a_larger_network_takes_the_end_that_agrees() -> None:
    """A generator's stages near the image, a discriminator's stages near the image, and both ends of equal ones."""
    assert taken(stack((9, 8), (8, 4), (4, 2), (2, 3)), stack((9, 4), (4, 2), (2, 3))) == [(2, 1), (3, 2)]
    assert taken(stack((3, 2), (2, 4), (4, 8), (8, 1)), stack((3, 2), (2, 4), (4, 1))) == [(0, 0), (1, 1)]
    assert taken(stack((5, 2), (2, 2), (2, 2), (2, 3)), stack((5, 2), (2, 2), (2, 3))) == [(0, 0), (1, 1), (3, 2)]


def test_the_order_is_kept_and_the_most_numbers_are_taken() -> None:
    assert taken(stack((9, 9), (2, 2)), stack((2, 2), (9, 9))) == [(0, 1)]
    assert taken(stack((2, 2), (9, 9)), stack((9, 9), (2, 2))) == [(1, 0)]


def test_numbers_are_places_and_not_words() -> None:
    """Item 10 comes behind item 9."""
    theirs = {f"a.{place}.weight": torch.zeros(2, place + 1) for place in (9, 10)}
    assert taken(theirs, dict(reversed(theirs.items()))) == [(9, 9), (10, 10)]


def test_a_normalisation_goes_with_the_layer_before_it() -> None:
    scale = {"a.1.weight": torch.full((4,), 3.0)}
    mine = {"a.0.weight": torch.zeros(4, 9), "a.1.weight": torch.zeros(4), "a.2.weight": torch.zeros(4, 4)}
    mine["a.3.weight"] = torch.zeros(4)
    theirs = {"a.0.weight": torch.ones(4, 4), **scale}
    assert transfer(mine, theirs).taken == {"a.2.weight": "a.0.weight", "a.3.weight": "a.1.weight"}
    assert transfer({name: mine[name] for name in ("a.0.weight", "a.1.weight")}, theirs).taken == {}


@pytest.mark.parametrize(("before", "after"), [(1, 3), (3, 1)])
def test_grey_and_colour(before: int, after: int) -> None:
    """A grey image is scored as it was, and made as it was."""
    old, new = RGB._replace(channels=before), RGB._replace(channels=after)
    weight, grey = torch.randn(5, before, 3, 3), torch.randn(1, 1, 3, 3)
    read = transfer({"w": torch.zeros(5, after, 3, 3)}, {"w": weight}, Change(old, new, "discriminator")).state["w"]
    torch.testing.assert_close((read * grey).sum((1, 2, 3)), (weight * grey).sum((1, 2, 3)))
    making = transfer({"w": torch.zeros(5, after, 3, 3)}, {"w": weight}, Change(old, new, "generator"))
    torch.testing.assert_close(making.state["w"], weight.mean(1, keepdim=True).expand(-1, after, -1, -1))
    assert making.changed == ["w"]
    assert transfer({"w": torch.zeros(5, after, 3, 3)}, {"w": weight}, Change(old, new, "translator")).taken == {}
    assert transfer({"w": torch.zeros(5, after, 3, 3)}, {"w": weight}).taken == {}


@pytest.mark.parametrize(("role", "share"), [("generator", 1), ("discriminator", 1 / 3)])
def test_transparency_begins_anew(role: str, share: float) -> None:
    """Beside three colours that stay, and beside grey that becomes three; the other way it is left out."""
    mine, colours, grey = torch.full((5, 4), 7.0), torch.randn(5, 3), torch.randn(5, 1)

    def begun(mine: Tensor, theirs: Tensor) -> Tensor:
        old, new = (RGB._replace(channels=one.shape[1]) for one in (theirs, mine))
        return transfer({"w": mine}, {"w": theirs}, Change(old, new, role)).state["w"]

    assert torch.equal(begun(mine, colours), torch.cat([colours, mine[:, 3:]], 1))
    torch.testing.assert_close(begun(mine, grey), torch.cat([(share * grey).expand(5, 3), mine[:, 3:]], 1))
    whole = torch.randn(5, 4)
    assert torch.equal(begun(colours, whole), whole[:, :3])
    torch.testing.assert_close(begun(grey, whole), whole[:, :3].mean(1, keepdim=True) / share)


def test_another_number_of_classes() -> None:
    """Every new class begins as the mean of the old ones; a network without any keeps its own new weights."""
    ten = RGB._replace(classes=10)
    table, rows = torch.randn(4, 7), torch.randn(6 + 4, 5)
    result = transfer(
        {"table": torch.zeros(10, 7), "first": torch.zeros(16, 5)},
        {"table": table, "first": rows},
        Change(RGB, ten, "generator"),
    )
    torch.testing.assert_close(result.state["table"], table.mean(0).expand(10, 7))
    torch.testing.assert_close(result.state["first"], torch.cat([rows[:6], rows[6:].mean(0).expand(10, 5)]))
    assert result.changed == ["table", "first"]
    plain = transfer({"first": torch.full((16, 5), 9.0)}, {"first": rows[:6]}, Change(RGB, ten, "generator"))
    assert torch.equal(plain.state["first"], torch.cat([rows[:6], torch.full((10, 5), 9.0)]))
    back = transfer({"first": torch.zeros(6, 5)}, {"first": rows}, Change(RGB, RGB._replace(classes=0), "generator"))
    assert torch.equal(back.state["first"], rows[:6])


def test_two_differing_sides_do_not_fit() -> None:
    change = Change(RGB, RGB._replace(classes=10, channels=1), "generator")
    assert transfer({"w": torch.zeros(10, 1)}, {"w": torch.zeros(4, 3)}, change).taken == {}
    assert transfer({"w": torch.zeros(10)}, {"w": torch.zeros(4, 3)}, change).taken == {}
