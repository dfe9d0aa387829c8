"""What every objective of the catalog promises: finite losses, the right pull, and a state that resumes."""

from __future__ import annotations

import copy
import io
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from gansmith import catalog
from gansmith.adversarial import Dimensions, Moment, Objective, Sample
from gansmith.data.prior import Prior
from gansmith.training import optimizers
from gansmith.training.engine import build_engine, play_until
from toys import tiny

SIZE = Dimensions(1, 4, 4, 5)
BATCH = 8


@pytest.fixture(params=catalog.names("objectives"))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def objective(name: str) -> Objective:
    built = catalog.build("objectives", name)
    assert isinstance(built, Objective)
    return built


@pytest.mark.parametrize("shape", [(7,), (7, 1), (7, 1, 3, 3)])
def test_losses_have_the_shape_of_the_scores_and_finite_gradients(objective: Objective, shape: tuple[int, ...]) -> None:
    rng = torch.Generator().manual_seed(0)
    real, fake = ((torch.randn(shape, generator=rng) * 30).requires_grad_() for _ in range(2))
    scores = real.detach() if objective.relativistic else None
    for loss in (objective.discriminator(real, fake), objective.generator(scores, fake)):
        assert loss.shape == shape
        assert bool(torch.isfinite(loss).all())
        gradients = torch.autograd.grad(loss.sum(), (real, fake), allow_unused=True)
        assert all(gradient is None or bool(torch.isfinite(gradient).all()) for gradient in gradients)


def test_the_sides_pull_the_right_way(objective: Objective) -> None:
    """The discriminator raises real scores and lowers fake ones; the generator raises fake ones. At scores on either
    side of the threshold, near enough to each other that no margin is reached."""
    begin = objective.threshold or 0.0
    ends = ((begin - 0.4, begin + 0.3), (begin + 0.2, begin - 0.4))
    real, fake = (torch.linspace(*end, 9, dtype=torch.float64).requires_grad_() for end in ends)
    of_real, of_fake = torch.autograd.grad(objective.discriminator(real, fake).sum(), (real, fake))
    assert bool((of_real < 0).all())
    assert bool((of_fake > 0).all())
    scores = real.detach() if objective.relativistic else None
    (of_fake,) = torch.autograd.grad(objective.generator(scores, fake).sum(), fake)
    assert bool((of_fake < 0).all())


def test_better_scores_cost_less(objective: Objective) -> None:
    """The discriminator's mean loss falls when reals score higher and fakes lower, the generator's when fakes do."""
    begin = objective.threshold or 0.0
    rng = torch.Generator().manual_seed(0)
    real, fake = (begin + 0.2 * torch.rand(50, generator=rng, dtype=torch.float64) - 0.1 for _ in range(2))
    scores = real if objective.relativistic else None
    assert objective.discriminator(real + 0.2, fake).mean() < objective.discriminator(real, fake).mean()
    assert objective.discriminator(real, fake - 0.2).mean() < objective.discriminator(real, fake).mean()
    assert objective.generator(scores, fake + 0.2).mean() < objective.generator(scores, fake).mean()


def test_it_trains_a_discriminator_to_tell_real_from_fake(objective: Objective) -> None:
    """A few steps on separable points raise the accuracy from about a half to nearly one."""
    torch.manual_seed(0)
    layers = nn.Sequential(nn.Flatten(), nn.Linear(16, 1), nn.Flatten(0))

    class Linear(nn.Module):
        def forward(self, image: Tensor, label: Tensor | None = None) -> Tensor:
            scores: Tensor = layers(image)
            return scores

    optimizer = torch.optim.Adam(layers.parameters(), lr=0.02)
    rng = torch.Generator().manual_seed(0)
    direction = torch.randn(16, generator=rng)
    real = Sample((torch.randn(64, 16, generator=rng) + 0.5 * direction).unflatten(1, (1, 4, 4)))
    fake = Sample((torch.randn(64, 16, generator=rng) - 0.5 * direction).unflatten(1, (1, 4, 4)))
    accuracies = []
    for step in range(150):
        terms = objective.discriminator_terms(Linear(), real, fake, Moment(step, 64 * step, 0, rng))
        accuracies.append(float(terms.seen["accuracy"]))
        optimizer.zero_grad()
        terms.checked().total().backward()
        optimizer.step()
        objective.settle(Linear(), terms)
    assert accuracies[-1] > max(0.97, accuracies[0])


class Batches:
    """Batches of random images, the same whenever so many were drawn."""

    def __init__(self, drawn: int = 0) -> None:
        self.drawn = drawn

    def __next__(self) -> dict[str, Sample]:
        self.drawn += BATCH
        rng = torch.Generator().manual_seed(self.drawn)
        return {"real": Sample(torch.rand(BATCH, *SIZE[:3], generator=rng) * 2 - 1)}


class Played:
    """A game of two tiny networks under an objective, and the optimizers of both."""

    def __init__(self, name: str) -> None:
        torch.manual_seed(0)
        networks: dict[str, nn.Module] = {
            "generator": tiny.generator(SIZE),
            "discriminator": tiny.discriminator(SIZE),
        }
        self.objective: Objective = catalog.build("objectives", name)
        self.game = catalog.build("games", "two_player", networks, self.objective, Prior(size=5))
        self.updates = {key: optimizers.build("sgd", p.parameters(), {"lr": 0.05}) for key, p in networks.items()}

    def play(self, steps: range) -> None:
        begin, end = (BATCH * sum(map(self.objective.discriminator_steps, range(n))) for n in (steps.start, steps.stop))
        play_until(build_engine(self.game, Batches(begin), self.updates, seed=1), end, step=steps.start)

    def state(self) -> dict[str, Any]:
        return copy.deepcopy(
            {
                "players": {name: player.state_dict() for name, player in self.game.players.items()},
                "game": {name: state.state_dict() for name, state in self.game.state.items()},
            }
        )

    def load(self, state: dict[str, Any]) -> None:
        for name, player in self.game.players.items():
            player.load_state_dict(state["players"][name])
        assert self.game.state.keys() == state["game"].keys()
        for name, remembered in self.game.state.items():
            remembered.load_state_dict(state["game"][name])


def test_its_state_is_the_games_and_resumes(name: str) -> None:
    """Two steps, saved and loaded into a game built anew, and one more step: the same weights as three steps."""
    whole = Played(name)
    assert whole.game.state.keys() >= whole.objective.state.keys()
    whole.play(range(3))
    first = Played(name)
    first.play(range(2))
    file = io.BytesIO()
    torch.save(first.state(), file)
    file.seek(0)
    second = Played(name)
    second.load(torch.load(file, weights_only=True))
    second.play(range(2, 3))
    for kind in ("players", "game"):
        for key, values in whole.state()[kind].items():
            for entry, value in values.items():
                again = second.state()[kind][key][entry]
                assert torch.equal(again, value) if isinstance(value, Tensor) else again == value, (key, entry)
