"""FISTA and CMA-ES, equation by equation, written here again in plain loops."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from known_functions import double, quadratic, rosenbrock

from gansmith.minimize import minimize
from gansmith.minimize.methods import cmaes


def test_fista_is_beck_and_teboulles() -> None:
    """Section 4, FISTA with backtracking, for numpy: every iterate."""
    matrix, b = (part.numpy() for part in quadratic(4, 10, seed=2))
    l1 = 0.3

    def smooth(x: np.ndarray) -> float:
        return float(0.5 * x @ matrix @ x - b @ x)

    x_old, y, t, bound = np.zeros(4), np.zeros(4), 1.0, 0.5
    expected = [x_old]
    for _ in range(8):
        slope = matrix @ y - b
        while True:
            v = y - slope / bound
            new = np.sign(v) * np.maximum(np.abs(v) - l1 / bound, 0)
            if smooth(new) <= smooth(y) + slope @ (new - y) + bound / 2 * ((new - y) ** 2).sum():
                break
            bound *= 1.5
        t_new = (1 + math.sqrt(1 + 4 * t**2)) / 2
        y = new + (t - 1) / t_new * (new - x_old)
        x_old, t = new, t_new
        expected.append(new)
    result = minimize(
        lambda x: 0.5 * x @ torch.from_numpy(matrix) @ x - torch.from_numpy(b) @ x,
        torch.zeros(4).double(),
        method="fista",
        l1=l1,
        lipschitz=0.5,
        increase=1.5,
        iterations=8,
        keep_path=True,
    )
    torch.testing.assert_close(result.path, torch.from_numpy(np.array(expected)), rtol=1e-10, atol=1e-12)


def test_a_restart_saves_fista_evaluations() -> None:
    matrix, b = quadratic(20, 1000, seed=0)
    calls = {
        restart: minimize(
            lambda x: 0.5 * x @ matrix @ x - b @ x, torch.zeros(20).double(), method="fista", restart=restart
        ).evaluations
        for restart in (False, True)
    }
    assert calls[True] < calls[False] / 2


@pytest.mark.parametrize("n", [2, 10])
def test_the_constants_are_those_of_table_1(n: int) -> None:
    """n = 10: population 10, mass 3.167 ... (as Hansen's own program has them), weights of the better half sum to 1."""
    k = cmaes.Constants.of(n, None)
    assert k.population == {2: 6, 10: 10}[n]
    half = k.population // 2
    assert float(k.weights[:half].sum()) == pytest.approx(1.0)
    raw = [math.log((k.population + 1) / 2) - math.log(i) for i in range(1, half + 1)]
    assert k.mass == pytest.approx(sum(raw) ** 2 / sum(w * w for w in raw))
    assert bool((k.weights[:half] > 0).all())
    assert bool((k.weights[half:] <= 0).all())
    assert k.c_1 + k.c_mu <= 1
    assert 1 - k.c_1 - k.c_mu * float(k.weights.sum()) > 0


def test_a_generation_is_hansens() -> None:
    """(41) to (47) with loops over samples, at the third generation, so that paths and covariance are not the first."""
    n, rng = 3, np.random.default_rng(0)
    k = cmaes.Constants.of(n, None)
    state: dict[str, Any] = {}
    cmaes._begin(state, double(0.5, -0.5, 1.0), 0.7, 0)
    m, sigma, covariance = np.array([0.5, -0.5, 1.0]), 0.7, np.eye(n)
    p_sigma, p_c = np.zeros(n), np.zeros(n)
    chi = math.sqrt(n) * (1 - 1 / (4 * n) + 1 / (21 * n**2))
    weights = k.weights.numpy()
    for g in range(3):
        y = rng.standard_normal((k.population, n)) * (g + 1)
        basis, scale = cmaes._axes(state)
        cmaes.update(state, torch.from_numpy(y), basis, scale, k)
        values, vectors = np.linalg.eigh(covariance)
        root = vectors @ np.diag(1 / np.sqrt(values)) @ vectors.T
        y_w = sum(weights[i] * y[i] for i in range(k.population // 2))
        m = m + sigma * y_w
        p_sigma = (1 - k.c_sigma) * p_sigma + math.sqrt(k.c_sigma * (2 - k.c_sigma) * k.mass) * root @ y_w
        norm = np.linalg.norm(p_sigma)
        h = norm / math.sqrt(1 - (1 - k.c_sigma) ** (2 * (g + 2))) < (1.4 + 2 / (n + 1)) * chi
        p_c = (1 - k.c_c) * p_c + h * math.sqrt(k.c_c * (2 - k.c_c) * k.mass) * y_w
        delta = (1 - h) * k.c_c * (2 - k.c_c)
        shares = [w if w >= 0 else w * n / np.linalg.norm(root @ y[i]) ** 2 for i, w in enumerate(weights)]
        covariance = (
            (1 + k.c_1 * delta - k.c_1 - k.c_mu * weights.sum()) * covariance
            + k.c_1 * np.outer(p_c, p_c)
            + k.c_mu * sum(w * np.outer(v, v) for w, v in zip(shares, y, strict=True))
        )
        sigma *= math.exp(min(1.0, k.c_sigma / k.d_sigma * (norm / chi - 1)))
        for ours, theirs in ((state["mean"], m), (state["covariance"], covariance), (state["path_c"], p_c)):
            torch.testing.assert_close(ours, torch.from_numpy(theirs), rtol=1e-9, atol=1e-12)
        assert state["sigma"] == pytest.approx(sigma)


def test_cmaes_needs_about_as_many_evaluations_as_are_published() -> None:
    """Sphere of 10 variables to 1e-10 from 1: about 1,600 to 2,000 by Hansen's program; the seed decides the rest."""
    counts = [
        minimize(lambda x: x.square().sum(), torch.ones(10).double(), method="cmaes", target=1e-10, seed=seed)
        for seed in range(3)
    ]
    assert all(result.converged and 1000 < result.evaluations < 2600 for result in counts)
    assert len({result.evaluations for result in counts}) > 1


def test_cmaes_learns_a_covariance() -> None:
    """An ellipsoid of axes 1 to 1,000: without it the same method takes a hundred times as long."""
    scale = torch.logspace(0, 6, 5, dtype=torch.float64)
    result = minimize(lambda x: (scale * x.square()).sum(), torch.ones(5).double(), method="cmaes", target=1e-8)
    assert result.converged
    assert result.evaluations < 4000


def test_cmaes_leaves_torchs_generator_alone() -> None:
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    minimize(rosenbrock, double(-1.2, 1.0), method="cmaes", evaluations=50)
    assert torch.equal(before, torch.random.get_rng_state())
