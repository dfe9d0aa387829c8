"""The nouns of the field: their defaults and small verbs. (Objectives and priors: tests/objectives.)"""

from __future__ import annotations

import dataclasses

import pytest
import torch
from torch import nn

from gansmith.adversarial import Dimensions, Game, Moment, Objective, Sample, Terms, Turn, Weighted, once
from gansmith.errors import GansmithError
from gansmith.schedules import always_one


def test_total_is_the_sum_of_the_losses_alone() -> None:
    one, two = torch.tensor(1.5, requires_grad=True), torch.tensor(-4.0, dtype=torch.float64)
    terms = Terms({"a": one, "b": two}, {"c": torch.tensor(100.0)})
    total = terms.total()
    assert total.item() == -2.5
    assert total.dtype == torch.float64
    total.backward()
    assert one.grad == 1.0


def test_checked_terms() -> None:
    term = torch.tensor(1.0)
    terms = Terms({"a": term}, {"b": term})
    assert terms.checked() is terms
    with pytest.raises(GansmithError, match=r"twice.*b, z"):
        Terms({"z": term, "b": term}, {"b": term, "z": term, "y": term}).checked()
    with pytest.raises(GansmithError, match="no loss"):
        Terms({}, {"b": term}).checked()


def test_defaults() -> None:
    play = Turn("t", ("a",), lambda batch, at: Terms({}))
    assert (play.draws, play.settle, play.repeats(0), play.repeats(10**6)) == (True, None, 1, 1)
    assert (once(0), once(7), always_one(0), always_one(10**9)) == (1, 1, 1.0, 1.0)
    game = Game({"a": nn.Identity()}, (play,))
    assert (game.averaged, dict(game.state), game.show) == ((), {}, None)
    assert Game({}, ()).state is not Game({}, ()).state
    assert Sample(torch.zeros(1)).label is None
    assert Dimensions(3, 48, 64)[3:] == (0, 0)


@pytest.mark.parametrize(("every", "due"), [(1, [0, 1, 2, 3, 4, 5, 6]), (3, [0, 3, 6]), (16, [0])])
def test_when_a_penalty_is_due(every: int, due: list[int]) -> None:
    weighted = Weighted(lambda discriminator, scores, rng: scores.real, every=every)
    assert [step for step in range(7) if weighted.due(step)] == due


def test_nothing_can_be_changed_afterwards() -> None:
    objective = Objective(lambda real, fake: fake, lambda real, fake: fake)
    with pytest.raises(dataclasses.FrozenInstanceError):
        objective.relativistic = True  # type: ignore[misc]
    with pytest.raises(AttributeError):
        Moment(0, 0, 0, torch.Generator()).step = 1  # type: ignore[misc]
