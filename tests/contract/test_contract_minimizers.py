"""Every minimiser of the catalog goes down, keeps to bounds and budget, repeats itself, and takes single steps."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import Tensor

from gansmith import catalog
from gansmith.minimize import minimize, optimizer, value_and_gradient
from gansmith.minimize.loop import build_method

NAMES = catalog.names("minimizers")
CENTRE = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)


def bowl(x: Tensor) -> Tensor:
    return ((x - CENTRE).square() * torch.tensor([1.0, 2.0, 4.0], dtype=torch.float64)).sum()


def start() -> Tensor:
    return torch.zeros(3, dtype=torch.float64)


@pytest.mark.parametrize("name", NAMES)
def test_it_goes_down_within_its_budget(name: str) -> None:
    calls: list[Tensor] = []

    def counted(x: Tensor) -> Tensor:
        calls.append(x.detach().clone())
        return bowl(x)

    for budget in (1, 2, 7, 60):
        calls.clear()
        x = start()
        result = minimize(counted, x, method=name, evaluations=budget)
        assert torch.equal(x, start())
        assert result.evaluations == len(calls) <= budget
        assert result.value == float(bowl(result.x))
        assert result.converged or "evaluations" in result.why or "moves" in result.why
    assert result.value < float(bowl(start()))


@pytest.mark.parametrize("name", NAMES)
def test_the_same_again(name: str) -> None:
    first, second = (minimize(bowl, start(), method=name, iterations=6, seed=3, keep_path=True) for _ in range(2))
    assert torch.equal(first.x, second.x)
    assert first.path is not None
    assert second.path is not None
    assert torch.equal(first.path, second.path)
    assert first.path.shape == (first.iterations + 1, 3)
    assert torch.equal(first.path[0], start())


@pytest.mark.parametrize("name", NAMES)
def test_it_keeps_to_bounds(name: str) -> None:
    """f is asked within the bounds alone, at the start outside them too."""

    def within(x: Tensor) -> Tensor:
        assert bool(((x >= 0.0) & (x <= 0.75)).all())
        return bowl(x)

    result = minimize(within, start() - 1, method=name, bounds=(0.0, 0.75), evaluations=60)
    assert result.evaluations > 1
    assert bool(((result.x >= 0.0) & (result.x <= 0.75)).all())


@pytest.mark.parametrize("name", NAMES)
def test_a_callback_ends_it(name: str) -> None:
    told: list[int] = []
    result = minimize(
        bowl, start(), method=name, tolerance=0.0, callback=lambda now: told.append(now.iteration) or now.iteration == 2
    )
    assert told == [1, 2][: result.iterations]
    assert "callback" in result.why or result.iterations < 2


@pytest.mark.parametrize("name", NAMES)
def test_nested_parameters_take_the_path_of_one_vector(name: str) -> None:
    tree: dict[str, Any] = {"a": [start()[:1].reshape(1, 1), 0.0], "b": start()[:1]}

    def nested(x: dict[str, Any]) -> Tensor:
        first = torch.as_tensor(x["a"][1], dtype=torch.float64) if isinstance(x["a"][1], float) else x["a"][1]
        return bowl(torch.cat([x["a"][0].reshape(1), first.reshape(1), x["b"]]))

    flat = minimize(bowl, start(), method=name, evaluations=30)
    result = minimize(nested, tree, method=name, evaluations=30)
    assert [result.x["a"][0].shape, result.x["b"].shape, type(result.x["a"][1])] == [(1, 1), (1,), float]
    joined = torch.cat([result.x["a"][0].reshape(1), torch.tensor([result.x["a"][1]]).double(), result.x["b"]])
    torch.testing.assert_close(joined, flat.x)


@pytest.mark.parametrize("name", NAMES)
def test_single_steps_are_the_same_steps(name: str) -> None:
    """optimizer(f, x, config): the path of `minimize`, and a deep copy of x and config goes on like the original."""
    whole = minimize(bowl, start(), method=name, iterations=5, tolerance=0.0, keep_path=True)
    step, x, config = optimizer(name), start(), {}
    f = value_and_gradient(bowl)
    copied: tuple[Tensor, dict[str, Any]] | None = None
    assert whole.path is not None
    for number, expected in enumerate(whole.path):
        assert torch.equal(x, expected)
        before = float(bowl(x))
        moved, values = step(f, x, config)
        assert moved is x
        assert values == [pytest.approx(before)]
        if number == 1:
            copied = copy.deepcopy((x, config))
        if number > 1 and copied is not None:
            step(f, *copied)
            assert torch.equal(copied[0], x)
    assert set(config) == {"state"}


@pytest.mark.parametrize("name", NAMES)
def test_its_options_are_its_own(name: str) -> None:
    options = catalog.keyword_options(catalog.find("minimizers", name))
    assert options
    assert not set(options) & {"f", "x", "method", "gradient", "bounds", "callback", "evaluations", "target"}
    assert build_method(name, {}).bounds in ("projected", "transformed", "own")
