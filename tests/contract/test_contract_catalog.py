"""Every objective, game, recipe and description of the catalog, and every docstring of the source."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from gansmith import catalog
from gansmith.adversarial import Dimensions, Fixed, Moment, Objective, Prior, Sample
from gansmith.experiment import completion, layers
from gansmith.experiment.schema import ROLES
from gansmith.training import optimizers
from gansmith.training.engine import build_engine, play_until
from gansmith.training.wiring import check_wiring
from toys import tiny

SRC = Path(__file__).parents[2] / "src" / "gansmith"
SIZE = Dimensions(1, 6, 6, 5, 3)  # room for a padding of 4
BATCH = 8


# ---- objectives


@pytest.fixture(params=catalog.names("objectives"))
def objective(request: pytest.FixtureRequest) -> Objective:
    made = catalog.build("objectives", request.param)
    assert isinstance(made, Objective)
    return made


@pytest.mark.parametrize("shape", [(7,), (7, 1), (7, 1, 3, 3)])
def test_losses_have_the_shape_of_the_scores_and_are_finite(objective: Objective, shape: tuple[int, ...]) -> None:
    rng = torch.Generator().manual_seed(0)
    real, fake = (torch.randn(shape, generator=rng) * 30 for _ in range(2))
    given = real if objective.relativistic else None
    for loss in (objective.discriminator(real, fake), objective.generator(given, fake)):
        assert loss.shape == shape
        assert bool(torch.isfinite(loss).all())


def test_the_sides_pull_the_right_way(objective: Objective) -> None:
    """The discriminator raises real scores and lowers fake ones; the generator raises fake ones."""
    ends = ((-0.9, 0.8), (0.7, -0.6))
    if objective.threshold == 0.5:  # least squares pull towards targets, 0 and 1 here, from either side of them
        ends = ((0.1, 0.8), (0.7, 0.1))
    real, fake = (torch.linspace(*end, 9, dtype=torch.float64).requires_grad_() for end in ends)
    of_real, of_fake = torch.autograd.grad(objective.discriminator(real, fake).sum(), (real, fake))
    assert bool((of_real < 0).all())
    assert bool((of_fake > 0).all())
    given = real.detach() if objective.relativistic else None
    (of_fake,) = torch.autograd.grad(objective.generator(given, fake).sum(), fake)
    assert bool((of_fake < 0).all())


def test_an_objective_trains_a_discriminator_to_tell_real_from_fake(objective: Objective) -> None:
    """A few steps on separable points raise the accuracy from about a half to nearly one."""
    torch.manual_seed(0)
    judge = nn.Sequential(nn.Flatten(), nn.Linear(16, 1), nn.Flatten(0))

    class Judge(nn.Module):
        def forward(self, image: Tensor, label: Tensor | None = None) -> Tensor:
            return judge(image)

    optimizer = torch.optim.Adam(judge.parameters(), lr=0.02)
    rng = torch.Generator().manual_seed(0)
    direction = torch.randn(16, generator=rng)
    real = Sample((torch.randn(64, 16, generator=rng) + 0.5 * direction).unflatten(1, (1, 4, 4)))
    fake = Sample((torch.randn(64, 16, generator=rng) - 0.5 * direction).unflatten(1, (1, 4, 4)))
    found = []
    for step in range(150):
        terms = objective.discriminator_terms(Judge(), real, fake, Moment(step, 64 * step, 0, rng))
        found.append(float(terms.seen["accuracy"]))
        optimizer.zero_grad()
        terms.total().backward()
        optimizer.step()
    assert found[-1] > max(0.97, found[0])


# ---- games


class Labelled:
    """Batches of random images with labels, one for each domain."""

    drawn = 0

    def __init__(self, domains: tuple[str, ...] = ("real",)) -> None:
        self.domains = domains

    def __next__(self) -> dict[str, Sample]:
        self.drawn += BATCH
        rng = torch.Generator().manual_seed(self.drawn)
        batch = {}
        for name in self.domains:
            image = torch.rand(BATCH, *SIZE[:3], generator=rng) * 2 - 1
            batch[name] = Sample(image, torch.randint(3, (BATCH,), generator=rng))
        return batch


@pytest.mark.parametrize("name", catalog.names("games"))
def test_every_game_is_wired_and_plays(name: str) -> None:
    torch.manual_seed(0)
    roles = completion.roles_of(name)
    assert set(roles.values()) <= set(ROLES)
    domains = completion.domains_of(name)
    assert domains in (("real",), ("a", "b"))
    sized = catalog.stated("games", name, "dimensions_of", lambda role, size: size)
    players: dict[str, nn.Module] = {player: getattr(tiny, role)(sized(role, SIZE)) for player, role in roles.items()}
    game = catalog.build("games", name, players, catalog.build("objectives", "nonsaturating"), Prior(size=5))
    assert dict(game.players) == players
    assert set(game.averaged) <= players.keys()
    assert {player for turn in game.turns for player in turn.players} == players.keys()
    assert len({turn.name for turn in game.turns}) == len(game.turns)
    check_wiring(game, next(Labelled(domains)), device=torch.device("cpu"))
    before = {player: [p.detach().clone() for p in network.parameters()] for player, network in players.items()}
    chosen = {player: optimizers.build("sgd", network.parameters(), {"lr": 0.1}) for player, network in players.items()}
    source = Labelled(domains)
    engine = build_engine(game, source, chosen)
    while source.drawn < 2 * BATCH:
        play_until(engine, 2 * BATCH)
    for player, network in players.items():
        moved = [not torch.equal(p, q) for p, q in zip(network.parameters(), before[player], strict=True)]
        assert any(moved), player
        assert all(bool(torch.isfinite(p).all()) for p in network.parameters())
    if game.show is not None:
        with torch.no_grad():
            sheet = game.show({**players}, Fixed(torch.zeros(6, 5), torch.arange(6) % 3, next(Labelled(domains))))
        assert sheet.dim() == 4
        assert len(sheet) % (game.columns or 1) == 0
        assert sheet.shape[1:] == SIZE[:3]


# ---- recipes and descriptions


@pytest.mark.parametrize("name", catalog.names("recipes"))
def test_every_recipe_is_a_complete_experiment(name: str) -> None:
    made, sources = layers.resolve([layers.from_recipe(name)])
    assert made.recipe == name
    assert sources
    assert set(sources.values()) == {f"recipe {name}"}
    done = completion.complete(made)
    assert completion.complete(done) == done
    again, _ = layers.resolve([layers.Layer("file", done.plain())], parts=False)
    assert again.plain() == done.plain()
    assert completion.complete(again) == done  # lists of the file are tuples of the options again
    for part in (done.generator, done.discriminator):
        assert part is None or part.options


@pytest.mark.parametrize("entry", [(kind, name) for kind in catalog.KINDS for name in catalog.names(kind)])
def test_every_entry_has_a_line_that_says_what_it_is(entry: tuple[str, str]) -> None:
    line = catalog.describe(*entry)
    assert 10 < len(line) <= 120
    assert line[0].isupper() or not line[0].islower() or line[0].isdigit() or line.split()[0].endswith(":")
    assert line.endswith((".", ":", "?"))


# ---- docstrings


def undocumented(tree: ast.Module) -> list[str]:
    """Public classes and functions, and the file itself, without a docstring. A method that overrides or is one line
    long says enough by its name and its class."""
    missing = [] if ast.get_docstring(tree) else ["the file"]
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
            long = not (isinstance(node, ast.FunctionDef) and len(node.body) == 1)
            if long and not ast.get_docstring(node):
                missing.append(node.name)
    return missing


@pytest.mark.parametrize("path", sorted(SRC.rglob("*.py")), ids=lambda path: str(path.relative_to(SRC)))
def test_every_file_class_and_function_says_what_it_is(path: Path) -> None:
    text = path.read_text()
    if path.name == "__init__.py" and not text:
        return
    assert undocumented(ast.parse(text)) == []


def test_what_is_missing_is_seen() -> None:
    code = "class A: pass\ndef f(x):\n    y = x\n    return y\ndef g(x): return x\ndef _h():\n    1\n    2\n"
    assert undocumented(ast.parse(code)) == ["the file", "A", "f"]
