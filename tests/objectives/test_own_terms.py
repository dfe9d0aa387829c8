"""Terms of its own that a discriminator adds to its turn, whatever the objective."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from gansmith import catalog
from gansmith.adversarial import Game, Moment, Objective, Sample, Turn, Weighted
from gansmith.augment.parts.augment import Augment, augmented
from gansmith.errors import GansmithError
from gansmith.objectives import hinge


class Scoring(nn.Module):
    """Scores [B] are a x + b; the term of its own is |c x| over the batch. Keeps what it was called with."""

    def __init__(self, *names: str) -> None:
        super().__init__()
        self.a, self.b, self.c = (nn.Parameter(torch.tensor(value)) for value in (2.0, 0.25, 3.0))
        self.own_terms = names
        self.calls: list[tuple[Tensor, Tensor | None, torch.Generator | None]] = []

    def forward(
        self, image: Tensor, label: Tensor | None = None, *, own: torch.Generator | None = None
    ) -> Tensor | tuple[Tensor, dict[str, Tensor]]:
        self.calls.append((image.detach(), label, own))
        scores = self.a * image.flatten(1).mean(1) + self.b
        if own is None:
            return scores
        return scores, {name: (self.c * image).abs().mean() for name in self.own_terms}


REAL = Sample(torch.tensor([0.5, -1.0, 0.25]).view(3, 1, 1, 1), torch.tensor([0, 1, 2]))
FAKE = Sample(torch.tensor([1.5, 0.5, -0.75]).view(3, 1, 1, 1), torch.tensor([2, 2, 1]))


def at() -> Moment:
    return Moment(0, 0, 0, torch.Generator().manual_seed(5))


@pytest.mark.parametrize("objective", catalog.names("objectives"))
def test_they_are_added_for_the_reals_and_change_nothing_else(objective: str) -> None:
    built: Objective = catalog.build("objectives", objective)
    plain, rich = Scoring(), Scoring("kept")
    alone = built.discriminator_terms(plain, REAL, FAKE, at())
    both = built.discriminator_terms(rich, REAL, FAKE, at())
    torch.testing.assert_close(both.loss["kept"].detach(), torch.tensor(3 * 1.75 / 3))
    assert both.loss.keys() == {*alone.loss, "kept"}
    assert all(torch.equal(both.loss[name], term) for name, term in alone.loss.items())
    assert both.seen.keys() == alone.seen.keys()
    (both.total() - both.loss["kept"]).backward(retain_graph=True)
    assert rich.c.grad is None or float(rich.c.grad) == 0
    both.loss["kept"].backward()
    torch.testing.assert_close(rich.c.grad, torch.tensor(1.75 / 3))


def test_one_pass_of_the_reals_with_labels_and_the_turns_generator() -> None:
    network, moment = Scoring("kept"), at()
    hinge.build().discriminator_terms(network, REAL, FAKE, moment)
    (first, label, own), (second, other, none) = network.calls
    assert torch.equal(first, REAL.image)
    assert torch.equal(second, FAKE.image)
    assert label is REAL.label
    assert other is FAKE.label
    assert own is moment.rng
    assert none is None


def test_the_generator_has_none_of_them() -> None:
    network = Scoring("kept")
    terms = hinge.build().generator_terms(network, REAL, FAKE, at())
    assert terms.loss.keys() == {"loss"}
    assert [own for *_, own in network.calls] == [None]


def test_a_penalty_of_the_same_name_is_refused() -> None:
    penalty = Weighted(lambda discriminator, scores, rng: scores.real, per_sample=False)
    objective = hinge.build().penalised({"kept": penalty})
    with pytest.raises(GansmithError, match="kept"):
        objective.discriminator_terms(Scoring("kept"), REAL, FAKE, at())


def test_they_are_computed_from_the_augmented_images() -> None:
    class Halved(Augment):
        def __call__(self, images: Tensor) -> Tensor:
            return images / 2

    network = Scoring("kept")
    turn = Turn("d", ("d",), lambda batch, moment: hinge.build().discriminator_terms(network, REAL, FAKE, moment))
    terms = augmented(Game({"d": network}, (turn,)), Halved(), ["d"]).turns[0].play({}, at())
    torch.testing.assert_close(terms.loss["kept"].detach(), torch.tensor(3 * 1.75 / 3 / 2))
