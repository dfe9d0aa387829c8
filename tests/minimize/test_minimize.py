"""`minimize`: what ends it, what it returns, what it refuses."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import scipy.optimize
import torch
from known_functions import Counted, double, quadratic, rosenbrock
from torch import Tensor

from gansmith import catalog
from gansmith.errors import GansmithError, LostGraphError, NoDependencyError, OptionError, UnknownNameError
from gansmith.minimize import Progress, minimize, optimizer, value_and_gradient

THIRTEEN = [
    *("adadelta", "adagrad", "adam", "adamax", "asgd", "cg", "cmaes", "fista", "lbfgs"),
    *("nesterov", "rmsprop", "rprop", "sgd"),
]
TORCHS: dict[str, tuple[type[torch.optim.Optimizer], dict[str, Any]]] = {
    "sgd": (torch.optim.SGD, {"lr": 1e-3, "momentum": 0.9}),
    "nesterov": (torch.optim.SGD, {"lr": 1e-3, "momentum": 0.9, "nesterov": True}),
    "asgd": (torch.optim.ASGD, {"lr": 1e-3, "lambd": 1e-2, "t0": 3}),
    "adadelta": (torch.optim.Adadelta, {"rho": 0.8}),
    "adagrad": (torch.optim.Adagrad, {"lr": 0.1, "lr_decay": 0.1}),
    "adam": (torch.optim.Adam, {"lr": 0.02, "betas": (0.5, 0.9)}),
    "adamax": (torch.optim.Adamax, {"lr": 0.02}),
    "rmsprop": (torch.optim.RMSprop, {"lr": 0.02, "alpha": 0.9, "momentum": 0.5}),
    "rprop": (torch.optim.Rprop, {"lr": 0.02, "step_sizes": (1e-6, 50)}),
}


def test_all_thirteen_of_the_lesson_are_there() -> None:
    assert set(THIRTEEN) <= set(catalog.names("minimizers"))


@pytest.mark.parametrize("name", TORCHS)
def test_first_order_methods_take_torchs_steps(name: str) -> None:
    kind, options = TORCHS[name]
    parameter = torch.nn.Parameter(double(-1.2, 1.0))
    theirs = kind([parameter], **options)
    expected = [parameter.detach().clone()]
    for _ in range(12):
        theirs.zero_grad()
        rosenbrock(parameter).backward()
        theirs.step()
        expected.append(parameter.detach().clone())
    ours = dict(options)
    ours.pop("nesterov", None)
    result = minimize(rosenbrock, double(-1.2, 1.0), method=name, iterations=12, keep_path=True, **ours)
    torch.testing.assert_close(result.path, torch.stack(expected), rtol=1e-12, atol=1e-12)
    if name == "asgd":
        (buffers,) = theirs.state.values()
        torch.testing.assert_close(result.x, buffers["ax"])


def test_an_average_of_noisy_steps_is_nearer_than_the_last() -> None:
    distances = {name: [] for name in ("sgd", "asgd")}
    for name, list_of in distances.items():
        for seed in range(5):
            rng = torch.Generator().manual_seed(seed)

            def noisy(x: Tensor, rng: torch.Generator = rng) -> Tensor:
                return ((x - 1 + torch.randn(4, generator=rng, dtype=torch.float64)) ** 2).sum()

            x = minimize(noisy, torch.zeros(4).double(), method=name, lr=0.1, evaluations=400).x
            list_of.append(float((x - 1).norm()))
    assert sum(distances["asgd"]) < sum(distances["sgd"]) / 2


def test_the_learning_rate_falls_as_in_the_lesson() -> None:
    path = minimize(lambda x: x, 0.0, method="sgd", lr=1.0, lr_decay=0.5, iterations=3, keep_path=True).path
    assert path is not None
    torch.testing.assert_close(path[:, 0], double(0.0, -1.0, -1.0 - 1 / 1.5, -1.0 - 1 / 1.5 - 0.5))


def test_lbfgs_needs_about_as_many_evaluations_as_scipys() -> None:
    for n in (2, 5, 10):
        start = double(*([-1.2, 1.0] * 5)[:n])
        ours = minimize(rosenbrock, start)
        theirs = scipy.optimize.minimize(
            scipy.optimize.rosen, start.numpy(), jac=scipy.optimize.rosen_der, method="L-BFGS-B", options={"gtol": 1e-8}
        )
        assert ours.converged
        torch.testing.assert_close(ours.x, torch.ones(n).double(), rtol=1e-6, atol=1e-6)
        assert ours.evaluations <= 1.3 * theirs.nfev


# ---- gradients


def test_gradients_are_traced_or_given() -> None:
    def derivative(x: Tensor) -> Tensor:
        return torch.from_numpy(scipy.optimize.rosen_der(x.numpy()))

    start = double(-1.2, 1.0)
    traced = minimize(rosenbrock, start)
    beside = minimize(rosenbrock, start, gradient=derivative)
    returned = minimize(lambda x: (float(rosenbrock(x)), derivative(x)), start, gradient=True)
    own = minimize(value_and_gradient(rosenbrock), start, gradient=True)
    assert traced.evaluations == own.evaluations
    assert beside.evaluations == returned.evaluations
    for result in (beside, returned, own):
        torch.testing.assert_close(result.x, traced.x, rtol=1e-6, atol=1e-6)


def test_no_gradient_is_asked_for_where_none_is_used() -> None:
    result = minimize(lambda x: np.abs(x.numpy() - 2).sum(), double(0.0, 0.0), method="cmaes", target=1e-4)
    assert result.converged
    assert "target" in result.why
    torch.testing.assert_close(result.x, double(2.0, 2.0), rtol=0, atol=1e-4)


# ---- what ends it, and what it returns


def test_the_result_is_like_what_it_began_with() -> None:
    x = {"w": torch.ones(2, 3), "rest": [torch.ones(1, dtype=torch.float64), 4.0], "pair": (torch.ones(()),)}
    result = minimize(lambda x: x["w"].square().sum() + x["rest"][0].sum() ** 2 + (x["rest"][1] - x["pair"][0]) ** 2, x)
    assert result.converged
    assert result.x["w"].shape == (2, 3)
    assert [result.x["w"].dtype, result.x["rest"][0].dtype] == [torch.float32, torch.float64]
    assert result.x["rest"][1] == pytest.approx(2.5, abs=1e-4)
    assert isinstance(result.x["pair"], tuple)
    assert float(result.x["pair"][0]) == pytest.approx(2.5, abs=1e-4)
    assert x["rest"][1] == 4.0
    assert bool((x["w"] == 1).all())


def test_the_path_and_the_callback_see_every_step() -> None:
    told: list[Progress] = []
    result = minimize(rosenbrock, double(-1.2, 1.0), callback=told.append, keep_path=True)
    assert result.path is not None
    assert [now.iteration for now in told] == [*range(1, result.iterations + 1)]
    torch.testing.assert_close(torch.stack([now.x for now in told]), result.path[1:])
    assert told[-1].value == result.value == float(rosenbrock(result.x))
    assert told[-1].evaluations == result.evaluations
    assert [now.value for now in told] == sorted((now.value for now in told), reverse=True)


@pytest.mark.parametrize(
    ("options", "word", "converged"),
    [
        ({}, "gradient", True),
        ({"target": 1.0}, "target", True),
        ({"evaluations": 9}, "9 evaluations", False),
        ({"iterations": 4}, "4 iterations", False),
        ({"callback": lambda now: now.iteration == 2}, "callback", False),
        ({"tolerance": -1.0}, "too small to move", False),
    ],
)
def test_it_says_why_it_ended(options: dict[str, Any], word: str, converged: bool) -> None:
    result = minimize(rosenbrock, double(-1.2, 1.0), **options)
    assert word in result.why
    assert result.converged is converged
    assert result.value == float(rosenbrock(result.x))


def test_a_value_that_is_not_finite_ends_it_at_the_last_that_was() -> None:
    result = minimize(lambda x: x.square().sum(), double(1.0), method="sgd", lr=1e9, iterations=500)
    assert "nan" in result.why or "inf" in result.why
    assert math.isfinite(result.value)
    assert math.isfinite(float(result.x))


def test_a_start_at_the_minimum_needs_one_evaluation() -> None:
    for name in THIRTEEN:
        f = Counted(lambda x: x.square().sum())
        result = minimize(f, double(0.0, 0.0), method=name, evaluations=200)
        assert float(result.x.norm()) == 0.0
        assert name in ("cmaes", "fista") or f.calls == 1


# ---- bounds


@pytest.mark.parametrize("method", ["lbfgs", "cg", "nesterov", "fista"])
def test_the_minimum_within_bounds_is_scipys(method: str) -> None:
    """One variable has two bounds, one only a lower, one only an upper, one none."""
    matrix, b = quadratic(4, 10, seed=1)
    low, high = [-0.05, 0.1, -math.inf, -math.inf], [0.05, math.inf, -0.3, math.inf]
    theirs = scipy.optimize.minimize(
        lambda x: 0.5 * x @ matrix.numpy() @ x - b.numpy() @ x,
        np.zeros(4),
        jac=lambda x: matrix.numpy() @ x - b.numpy(),
        bounds=list(zip(low, high, strict=True)),
        options={"gtol": 1e-10, "ftol": 0},
    )
    options = {"lr": 0.05} if method == "nesterov" else {}
    ours = minimize(
        lambda x: 0.5 * x @ matrix @ x - b @ x,
        double(0.0, 0.0, 0.0, 0.0),
        method=method,
        bounds=(double(*low), double(*high)),
        tolerance=1e-7,
        **options,
    )
    assert ours.converged, ours.why
    torch.testing.assert_close(ours.x, torch.from_numpy(theirs.x), rtol=0, atol=1e-5)
    assert sum(min(abs(a - c), abs(a - d)) < 1e-6 for a, c, d in zip(ours.x.tolist(), low, high, strict=True)) >= 1


# ---- mistakes


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (lambda: minimize(rosenbrock, double(1, 2), method="adm"), UnknownNameError, ["'adm'", "'adam'"]),
        (lambda: minimize(rosenbrock, double(1, 2), method="adam", rate=1), OptionError, ["'rate'", "lr"]),
        (lambda: minimize(rosenbrock, double(1, 2), method="adam", lr=-1), OptionError, ["lr", "-1"]),
        (lambda: minimize(rosenbrock, double(1, 2), bounds=(1, 0)), OptionError, ["low 1", "high 0"]),
        (lambda: minimize(rosenbrock, double(1, 2), bounds=3), OptionError, ["bounds", "3", "(low, high)"]),
        (lambda: minimize(rosenbrock, double(1, 2), bounds=(double(1), None)), GansmithError, ["bounds", "[1]", "[2]"]),
        (lambda: minimize(rosenbrock, double(1, 2), evaluations=0), OptionError, ["evaluations", "0", "1"]),
        (lambda: minimize(rosenbrock, torch.tensor([1, 2])), GansmithError, ["x", "int64", "floating"]),
        (lambda: minimize(rosenbrock, {"a": []}), GansmithError, ["empty"]),
        (lambda: minimize(rosenbrock, {"a": "b"}), GansmithError, ["x['a']", "str"]),
        (lambda: minimize(lambda x: x, double(1, 2), method="cmaes"), GansmithError, ["[2]", "one number"]),
        (lambda: minimize(lambda x: x, double(1, 2), gradient=True), GansmithError, ["Tensor", "(value, gradient)"]),
        (
            lambda: minimize(lambda x: (1.0, x[:1]), double(1, 2), gradient=True),
            GansmithError,
            ["the gradient", "[1]", "[2]"],
        ),
        (lambda: minimize(lambda x: x["a"] ** 2, {"a": 1.0, "b": 2.0}), NoDependencyError, ["'b'"]),
        (lambda: minimize(lambda x: float(x[0]) * x[1], double(1, 2)), LostGraphError, ["float()"]),
        (lambda: minimize(rosenbrock, double(1, 2), method="fista", term=len), OptionError, ["term", "proximal"]),
        (lambda: optimizer("sgd")(rosenbrock, double(1, 2)), GansmithError, ["value_and_gradient"]),
        (lambda: optimizer("sgd")(value_and_gradient(lambda x: x), 1.0), GansmithError, ["plain number", "tensor"]),
        (lambda: optimizer("sdg"), UnknownNameError, ["'sdg'", "'sgd'"]),
    ],
)
def test_mistakes(call: Any, kind: type[Exception], words: list[str]) -> None:
    with pytest.raises(kind) as raised:
        call()
    assert [word for word in words if word not in str(raised.value)] == []
