"""Problems whose answer is known: quadratics, Rosenbrock, sparse regression, the lesson's deconvolution, a latent."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from known_functions import Counted, double, quadratic, rosenbrock
from torch import Tensor, nn

from gansmith.minimize import minimize


@pytest.mark.parametrize("n", [5, 10, 30])
@pytest.mark.parametrize("condition", [2, 10, 100])
def test_conjugate_gradients_end_within_n_steps_and_one(n: int, condition: float) -> None:
    """Also in evaluations: one at the start, two a step, and one where rounding needs a second look."""
    for seed in range(5):
        matrix, b = quadratic(n, condition, seed)
        f = Counted(lambda x, matrix=matrix, b=b: 0.5 * x @ matrix @ x - b @ x)
        result = minimize(f, torch.zeros(n).double(), method="cg")
        assert result.converged
        assert result.iterations <= n + 1
        assert f.calls == result.evaluations <= 2 * result.iterations + 2
        torch.testing.assert_close(result.x, torch.linalg.solve(matrix, b), rtol=1e-6, atol=1e-6)


def test_each_direction_is_conjugate_to_those_before() -> None:
    matrix, b = quadratic(10, 100, seed=0)
    result = minimize(lambda x: 0.5 * x @ matrix @ x - b @ x, torch.zeros(10).double(), method="cg", keep_path=True)
    assert result.path is not None
    steps = F.normalize(result.path.diff(dim=0)[:9], dim=1)
    products = steps @ matrix @ steps.T
    torch.testing.assert_close(products, torch.diag(products.diagonal()), rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("method", "options", "budget"),
    [
        ("lbfgs", {}, 60),
        ("cg", {}, 120),
        ("cmaes", {}, 1500),
        ("fista", {"restart": True}, 3000),
        ("nesterov", {"lr": 1e-3}, 3000),
        ("rprop", {}, 8000),
        ("adam", {"lr": 0.02}, 8000),
    ],
)
def test_rosenbrocks_valley_is_walked_to_its_end(method: str, options: dict[str, float], budget: int) -> None:
    result = minimize(rosenbrock, double(-1.2, 1.0), method=method, target=1e-6, evaluations=budget, **options)
    assert result.converged, result.why
    torch.testing.assert_close(result.x, double(1.0, 1.0), rtol=0, atol=5e-3)


def test_fista_finds_the_three_causes_among_forty() -> None:
    """Lasso: optimality by its subgradients (|A'(Ax - b)| <= l1, equal to -l1 sign x where x is not zero)."""
    rng = torch.Generator().manual_seed(0)
    design = torch.randn(25, 40, generator=rng, dtype=torch.float64)
    truth = torch.zeros(40, dtype=torch.float64)
    truth[[3, 17, 30]] = double(2.0, -3.0, 1.5)
    measured = design @ truth + 0.01 * torch.randn(25, generator=rng, dtype=torch.float64)
    l1 = 1.0
    result = minimize(
        lambda x: 0.5 * (design @ x - measured).square().sum(), torch.zeros(40).double(), method="fista", l1=l1
    )
    assert result.converged, result.why
    assert set(result.x.nonzero()[:, 0].tolist()) == {3, 17, 30}
    torch.testing.assert_close(result.x, truth, rtol=0, atol=0.15)
    slope = design.T @ (design @ result.x - measured)
    assert float(slope.abs().max()) <= l1 + 1e-6
    active = result.x != 0
    torch.testing.assert_close(slope[active], -l1 * result.x[active].sign(), rtol=0, atol=1e-6)
    smooth = 0.5 * (design @ result.x - measured).square().sum()
    assert result.value == pytest.approx(float(smooth + l1 * result.x.abs().sum()))


def test_a_term_of_ones_own_with_its_proximal_step() -> None:
    """x >= 0 and the sum of x: its proximal step is the shifted positive part."""
    result = minimize(
        lambda x: 0.5 * (x - double(3.0, 0.5, -2.0)).square().sum(),
        torch.zeros(3).double(),
        method="fista",
        proximal=lambda v, size: (v - size).clamp(min=0),
        term=lambda x: x.sum(),
    )
    torch.testing.assert_close(result.x, double(2.0, 0.0, 0.0))
    assert result.value == pytest.approx(0.5 + 2.0 + 0.125 + 2.0)


@pytest.mark.parametrize(("method", "options"), [("adam", {"lr": 0.003}), ("cmaes", {}), ("rprop", {"lr": 0.1})])
def test_the_lessons_deconvolution(method: str, options: dict[str, float]) -> None:
    """A 3 x 3 filter with which a transposed convolution of a 2 x 2 image gives a chosen 4 x 4 one, under L1."""
    image = double(1.0, 2.0, 3.0, 4.0).view(1, 1, 2, 2)
    wanted = double(0.5, -1.0, 0.25, 1.0, 0.75, -0.5, -0.25, 1.25, 1.0).view(1, 1, 3, 3)
    target = F.conv_transpose2d(image, wanted)
    assert target.shape == (1, 1, 4, 4)
    result = minimize(
        lambda kernel: (F.conv_transpose2d(image, kernel) - target).abs().sum(),
        torch.zeros(1, 1, 3, 3).double(),
        method=method,
        target=0.05,
        evaluations=6000,
        **options,
    )
    assert result.converged, (result.why, result.value)
    torch.testing.assert_close(result.x, wanted, rtol=0, atol=0.1)


@pytest.mark.parametrize(("method", "options"), [("lbfgs", {}), ("cg", {}), ("adam", {"lr": 0.05})])
def test_a_known_latent_is_met_again(method: str, options: dict[str, float]) -> None:
    """By the image that a small generator made of it."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        generator = nn.Sequential(nn.Linear(4, 32), nn.Tanh(), nn.Linear(32, 64), nn.Tanh()).double()
    known = torch.randn(4, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    image = generator(known).detach()
    before = [parameter.clone() for parameter in generator.parameters()]

    def difference(z: Tensor) -> Tensor:
        return (generator(z) - image).square().mean()

    result = minimize(difference, torch.zeros(4).double(), method=method, target=1e-9, evaluations=3000, **options)
    assert result.converged, result.why
    torch.testing.assert_close(result.x, known, rtol=0, atol=1e-3)
    assert all(parameter.grad is None for parameter in generator.parameters())
    assert all(torch.equal(a, b) for a, b in zip(before, generator.parameters(), strict=True))
