"""The gradient of any Python function: printed values, closed forms, finite differences, second derivatives."""

from __future__ import annotations

import contextlib
import io
import math
import re
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from traced_functions import F64, branch

from gansmith.autograd import gradient
from gansmith.errors import NoDependencyError


def sum_while(a, b, c):
    total = 0
    while b > c:
        total = total + a * math.sin(b)
        b = b - 0.1
    return total


# --- the values that torch-autograd's slides print ---


@pytest.mark.parametrize(
    ("function", "arguments", "value", "slope"),
    [
        (lambda a, b, c: a + b * c, (3.5, 2.1, 1.1), "5.81", "1"),
        (branch, (3.5, 2.1, 1.1), "3.0212327832711", "0.86320936664887"),
        (branch, (3.5, 0.1, 1.1), "3.61", "1"),
        (sum_while, (3.5, 2.1, 1.1), "33.468522197289", "9.5624349135111"),
    ],
)
def test_the_printed_values(function, arguments, value, slope):
    found = gradient(function)(*arguments)
    assert [type(number) for number in found] == [float, float]
    assert [f"{number:.14g}" for number in found] == [slope, value]


def test_the_printed_dependency_check():
    with pytest.raises(NoDependencyError, match=r"not depend on a: .* 0$"):
        gradient(sum_while)(3.5, 1.0, 1.1)


def test_the_condition_may_depend_on_the_traced_value():
    def halved(a):
        while a > 1:
            a = a / 2
        return a

    assert gradient(halved)(6.0) == (0.125, 0.75)
    assert gradient(halved)(0.5) == (1.0, 0.5)


# --- against closed forms and finite differences ---


def test_two_layers_agree_with_finite_differences():
    random = np.random.default_rng(0)
    weights = {"one": torch.tensor(random.normal(size=(3, 4))), "two": [torch.tensor(random.normal(size=4)), 0.3]}
    x = torch.tensor(random.normal(size=(5, 3)))

    def loss(weights, x):
        hidden = torch.tanh(x @ weights["one"])
        return (hidden @ weights["two"][0] + weights["two"][1]).exp().mean()

    found, value = gradient(loss)(weights, x)
    torch.testing.assert_close(value, loss(weights, x))
    for where, given, slope in [
        ("one", weights["one"], found["one"]),
        ("two", weights["two"][0], found["two"][0]),
    ]:
        numeric = torch.zeros_like(given)
        for index in np.ndindex(*given.shape):
            moved = []
            for step in (1e-6, -1e-6):
                other = given.clone()
                other[index] += step
                changed = {**weights, "one": other} if where == "one" else {**weights, "two": [other, 0.3]}
                moved.append(float(loss(changed, x)))
            numeric[index] = (moved[0] - moved[1]) / 2e-6
        torch.testing.assert_close(slope, numeric, rtol=1e-7, atol=1e-8)
    assert isinstance(found["two"][1], float)
    assert found["two"][1] == pytest.approx(float(value), rel=1e-14)  # d mean(exp(u + b)) / db is the value


def test_a_quadratic_form_has_its_closed_form():
    matrix = torch.arange(9, dtype=F64).reshape(3, 3)
    x = torch.tensor([1.0, -2.0, 0.5], dtype=F64)
    slope, value = gradient(lambda x: x @ matrix @ x)(x)
    torch.testing.assert_close(slope, (matrix + matrix.T) @ x, rtol=0, atol=0)
    torch.testing.assert_close(value, x @ matrix @ x, rtol=0, atol=0)
    assert not slope.requires_grad
    assert not value.requires_grad


class Pair(NamedTuple):
    left: Any
    right: Any


def test_the_gradient_has_the_structure_of_the_argument():
    def f(tree):
        a, (b, [c]), pair = tree["a"], tree["rest"], tree["pair"]
        return 2 * a + (3 * b).sum() + 4 * c + (pair.left * pair.right).sum()

    b, left = torch.ones(2, 3), torch.full((2,), 2.0, dtype=F64)
    slope, value = gradient(f)({"a": 1, "rest": (b, [np.float32(0.5)]), "pair": Pair(left, 7.0), "none": []})
    assert slope["a"] == 2.0
    assert isinstance(slope["a"], float)
    torch.testing.assert_close(slope["rest"][0], torch.full((2, 3), 3.0))
    assert isinstance(slope["rest"], tuple)
    assert slope["rest"][1] == [4.0]
    assert isinstance(slope["pair"], Pair)
    torch.testing.assert_close(slope["pair"].left, torch.full((2,), 7.0, dtype=F64))
    assert slope["pair"].right == 4.0
    assert slope["none"] == []
    assert list(slope) == ["a", "rest", "pair", "none"]
    assert value.item() == 2 + 18 + 2 + 28


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_dtype_and_shape_are_kept(dtype):
    slope, value = gradient(lambda x: (x * x).sum())(torch.full((2, 1, 3), 1.5, dtype=dtype))
    torch.testing.assert_close(slope, torch.full((2, 1, 3), 3.0, dtype=dtype), rtol=0, atol=0)
    assert value.dtype == dtype


def test_a_number_beside_a_tensor_gives_a_tensor_value():
    x = torch.tensor([1.0, 2.0])
    slope, value = gradient(lambda a, x: (a * x).sum())(2.0, x)
    assert (slope, type(slope)) == (3.0, float)
    torch.testing.assert_close(value, torch.tensor(6.0), check_dtype=False)
    slope, value = gradient(lambda a, kind, module=None: module(a * x).sum())(2.0, "k", module=nn.Identity())
    assert isinstance(value, Tensor)
    assert isinstance(gradient(lambda a, kind: a * a)(2.0, "k")[1], float)
    assert isinstance(gradient(lambda tree: tree[0] * tree[1])([2.0, torch.tensor(3.0)])[1], Tensor)


def test_one_element_of_any_shape_is_a_scalar():
    slope, value = gradient(lambda x: x * 3)(torch.ones(1, 1))
    torch.testing.assert_close(slope, torch.full((1, 1), 3.0))
    torch.testing.assert_close(value, torch.full((1, 1), 3.0))


def test_keyword_arguments_methods_and_c_functions():
    class Scale:
        def __call__(self, a, by=2.0):
            return a * by

        def method(self, a):
            return a * 5

    assert gradient(lambda a, b: a * b)(b=3.0, a=2.0) == (3.0, 6.0)
    assert gradient(lambda a, b: a * b)(2.0, b=3.0) == (3.0, 6.0)
    assert gradient(lambda *, b, a: a * b**2)(a=2.0, b=3.0) == (12.0, 18.0)
    assert gradient(Scale())(3.0) == (2.0, 6.0)
    assert gradient(Scale().method)(3.0) == (5.0, 15.0)
    assert gradient(torch.sin)(0.5) == (math.cos(0.5), math.sin(0.5))
    module = nn.Linear(3, 1, bias=False).double()
    slope, _ = gradient(module)(torch.ones(3, dtype=F64))
    torch.testing.assert_close(slope, module.weight[0].detach())
    assert gradient(branch).__name__ == "branch"


def test_the_parameters_of_a_network():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
    x = torch.randn(6, 3)

    def loss(weights):
        return torch.func.functional_call(network, weights, (x,)).square().mean()

    weights = dict(network.named_parameters())
    slope, value = gradient(loss)(weights)
    assert all(weight.grad is None and weight.requires_grad for weight in weights.values())
    expected = network(x).square().mean()
    torch.testing.assert_close(value, expected.detach())
    expected.backward()
    for name, weight in weights.items():
        torch.testing.assert_close(slope[name], weight.grad, rtol=0, atol=0)


# --- second derivatives ---


def test_derivatives_of_derivatives():
    cube = lambda a: a * a * a  # noqa: E731
    assert gradient(gradient(cube))(2.0) == (12.0, 12.0)
    assert gradient(gradient(gradient(cube)))(2.0) == (6.0, 12.0)
    assert gradient(lambda a: gradient(cube)(a)[0] * a)(2.0) == (36.0, 24.0)  # 3 a^3
    assert gradient(lambda a: gradient(cube)(a)[1])(2.0) == (12.0, 8.0)


def test_the_inner_gradient_stays_traced_through_what_it_closes_over():
    assert gradient(lambda a: gradient(lambda b: a * a * b)(5.0)[0])(3.0) == (6.0, 9.0)
    assert gradient(lambda a: gradient(lambda b: a * a * b)(5.0)[1])(3.0) == (30.0, 45.0)

    def apart(a):
        inner = gradient(lambda b: b * b)(5.0)
        assert inner == (10.0, 25.0)
        assert [type(number) for number in inner] == [float, float]
        return a * inner[0]

    assert gradient(apart)(3.0) == (10.0, 30.0)


def test_a_gradient_penalty_differentiates_twice():
    x, w = torch.tensor([0.3, -0.7], dtype=F64), torch.tensor([1.1, 0.4], dtype=F64)

    def penalty(w):
        slope, _ = gradient(lambda x: torch.exp(w @ x))(x)
        return slope.square().sum()  # exp(2 w.x) |w|^2

    slope, value = gradient(penalty)(w)
    scale = torch.exp(2 * w @ x)
    torch.testing.assert_close(value, scale * w.square().sum())
    torch.testing.assert_close(slope, scale * (2 * x * w.square().sum() + 2 * w))


# --- custom functions ---


class Doubled(torch.autograd.Function):
    """x -> sin(x), computed in plain numbers, with a backward that is deliberately another one: 100."""

    @staticmethod
    def forward(ctx, x):
        return x.new_tensor(math.sin(x.item()))

    @staticmethod
    def backward(ctx, grad):
        return grad * 100


class Half(torch.autograd.Function):
    """(x, y) -> x + y, which denies that it depends on y."""

    @staticmethod
    def forward(ctx, x, y):
        return x + y

    @staticmethod
    def backward(ctx, grad):
        return grad, None


def test_a_custom_function_uses_its_own_backward():
    assert gradient(lambda a: Doubled.apply(a) * 2)(0.5) == (200.0, 2 * math.sin(0.5))
    with pytest.raises(NoDependencyError, match=r"not depend on p\['y'\]$"):
        gradient(lambda p: Half.apply(p["x"], p["y"]))({"x": 1.0, "y": 2.0})


# --- numbers behave like numbers, tensors like tensors ---


def test_augmented_assignment_changes_the_value_as_in_torch():
    def f(a):
        a += 1
        a *= 3
        a -= 2
        a /= 4
        a **= 2
        return a

    slope, value = gradient(f)(2.0)
    assert value == ((3 * 3 - 2) / 4) ** 2
    assert slope == 2 * ((3 * 3 - 2) / 4) * 3 / 4
    second, _ = gradient(lambda a: gradient(f)(a)[0])(2.0)
    assert second == 2 * (3 / 4) ** 2


def test_newtons_iteration_is_differentiated():
    def root(a):
        x = a
        while True:
            before = x
            x = x - (x * x - a) / (2 * x)
            if abs(x - before) < 1e-12:
                return x

    slope, value = gradient(root)(2.0)
    assert value == pytest.approx(math.sqrt(2), rel=1e-15)
    assert slope == pytest.approx(0.5 / math.sqrt(2), rel=1e-12)


def test_methods_that_change_in_place_still_do():
    def f(a):
        total = torch.zeros((), dtype=F64)
        total.add_(a)
        total.add_(a * a)
        return total

    assert gradient(f)(3.0) == (7.0, 12.0)

    def g(x):
        y = x * 1
        z = y
        y += 1
        return (y * z).sum()

    torch.testing.assert_close(gradient(g)(torch.ones(2))[0], torch.full((2,), 4.0))  # (x + 1)^2
    torch.testing.assert_close(gradient(g)(torch.tensor(1.0))[0], torch.tensor(4.0))
    assert gradient(lambda a: g(a * torch.ones(2)))(1.0)[0] == 8.0
    assert gradient(g)(1.0) == (4.0, 4.0)


def test_the_users_tensor_cannot_be_changed_in_place():
    x = torch.ones(2)
    with pytest.raises(RuntimeError, match="leaf Variable that requires grad"):
        gradient(lambda x: x.mul_(2).sum())(x)
    torch.testing.assert_close(x, torch.ones(2))


# --- nothing is left behind ---


def test_the_arguments_stay_as_they_are():
    x, frozen = torch.ones(3, requires_grad=True), torch.ones(3)
    closed_over = torch.full((3,), 2.0, requires_grad=True)
    x.grad = torch.full((3,), 7.0)
    tree = {"x": x, "frozen": frozen, "n": 2.0}
    slope, value = gradient(lambda t: (t["x"] * t["frozen"] * closed_over * t["n"]).sum())(tree)
    assert (x.requires_grad, frozen.requires_grad, closed_over.grad) == (True, False, None)
    torch.testing.assert_close(x.grad, torch.full((3,), 7.0))
    assert tree == {"x": x, "frozen": frozen, "n": 2.0}
    assert not value.requires_grad
    assert not slope["x"].requires_grad


def test_results_share_no_memory():
    x, y = torch.tensor([1.0]), torch.tensor([1.0])
    slope, value = gradient(lambda p: p[0] + p[1])([x, y])
    slope[0].mul_(5)
    torch.testing.assert_close(slope[1], torch.ones(1))
    _, value = gradient(lambda x: x)(x)
    value.mul_(5)
    torch.testing.assert_close(x, torch.ones(1))
    slope, _ = gradient(lambda x: x.sum())(torch.ones(4))
    slope[0] = 9  # a sum's gradient would be one number seen four times
    torch.testing.assert_close(slope, torch.tensor([9.0, 1, 1, 1]))


def test_the_watch_ends_with_an_exception():
    kept = []

    def fails(a):
        kept.append(a)
        raise KeyError("inside")

    with pytest.raises(KeyError, match="inside"):
        gradient(lambda a: gradient(fails)(a)[0])(1.5)
    assert kept[0].item() == 1.5  # refused while it was traced


@pytest.mark.parametrize("context", [torch.no_grad, torch.inference_mode])
def test_it_works_where_gradients_are_off(context):
    x = torch.ones(2)
    with context():
        slope, value = gradient(lambda x: (x * x).sum())(x)
        assert not torch.is_grad_enabled()
    torch.testing.assert_close((slope, value), (torch.full((2,), 2.0), torch.tensor(2.0)))


# --- the page about it ---


def test_the_page_says_what_happens():
    """Each python block runs after the ones before it, and prints what the block under it shows."""
    page = (Path(__file__).parents[2] / "docs" / "autograd.md").read_text()
    blocks = re.findall(r"```python\n(.*?)```\n(?:\n```text\n(.*?)```)?", page, flags=re.DOTALL)
    assert len(blocks) >= 4
    names: dict[str, Any] = {}
    for source, shown in blocks:
        written = io.StringIO()
        with contextlib.redirect_stdout(written):
            exec(source, names)
        assert written.getvalue() == shown
