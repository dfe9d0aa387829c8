"""The gradient of any Python function: printed values, closed forms, finite differences, and every message."""

from __future__ import annotations

import cmath
import contextlib
import copy
import io
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.overrides import _get_current_function_mode_stack

from gansmith import autograd
from gansmith.autograd import gradient, layer, unused_inputs
from gansmith.errors import GansmithError, LostGraphError, NoDependencyError

F64 = torch.float64


@pytest.fixture(autouse=True)
def _nothing_left_behind():
    yield
    assert _get_current_function_mode_stack() == []
    assert autograd._active.get() == ()


def sum_while(a, b, c):
    total = 0
    while b > c:
        total = total + a * math.sin(b)
        b = b - 0.1
    return total


def branch(a, b, c):
    return a * math.sin(b) if b > c else a + b * c


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
    message = "the output does not depend on a: it is the plain number 0"
    with pytest.raises(NoDependencyError, match=f"^{message}$"):
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
    with pytest.raises(NoDependencyError, match=r"^the output does not depend on p\['y'\]$"):
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


# --- no dependency ---


@pytest.mark.parametrize(
    ("function", "argument", "names"),
    [
        (lambda a: torch.tensor(2.0), 1.0, "a"),
        (lambda a: a.detach() * 2, 1.0, "a"),
        (lambda weights: weights["w"] * 2, {"w": 1.0, "bias": [2.0]}, r"weights\['bias'\]\[0\]"),
        (lambda w: w[1] * 2, (1.0, 2.0, torch.ones(2)), r"w\[0\], w\[2\]"),
        (lambda *these: torch.ones(()), 1.0, r"these\[0\]"),
        (lambda w: w[0], [1.0] * 12, r"w\[1\], w\[2\], .*, w\[8\] and 3 more"),
    ],
)
def test_what_the_output_does_not_depend_on_is_named(function, argument, names):
    with pytest.raises(NoDependencyError, match=f"^the output does not depend on {names}$"):
        gradient(function)(argument)


def test_a_constant_names_every_part():
    message = "the output does not depend on w['a'], w['b'][1]: it is the plain number 3.5"
    with pytest.raises(NoDependencyError, match=f"^{re.escape(message)}$"):
        gradient(lambda w: 3.5)({"a": 1.0, "b": {1: 2.0}})


def test_a_gradient_of_zero_is_a_dependency():
    assert gradient(lambda a: a * 0 + 1)(3.0) == (0.0, 1.0)


# --- losing the graph ---

LOST: list[tuple[Callable[[Any], Any], str]] = [
    (lambda a: math.sin(a) + a, "float(), or a function of the math module, was given"),
    (lambda a: math.floor(a) + a, "float(), or a function of the math module, was given"),
    (lambda a: float(a) + a, "float(), or a function of the math module, was given"),
    (lambda a: np.float64(a) + a, "numpy, which makes arrays of what it is given, was given"),
    (lambda a: torch.Tensor([a])[0] + a, "float(), or a function of the math module, was given"),
    (lambda a: int(a) + a, "int() was given"),
    (lambda a: cmath.sin(complex(a)).real + a, "complex(), or a function of the cmath module, was given"),
    (lambda a: a.item() + a, "item() was given"),
    (lambda a: (a * 2).exp().item() + a, "item() was given"),
    (lambda a: a.tolist() + a, "tolist() was given"),
    (lambda a: a.numpy() + a, "numpy() was given"),
    (lambda a: np.asarray(a) + 1, "numpy, which makes arrays of what it is given, was given"),
    (lambda a: np.asarray([a, a]).sum(), "numpy, which makes arrays of what it is given, was given"),
    (lambda a: np.sin(a) + a, "numpy, which makes arrays of what it is given, was given"),
    (lambda a: a * len(range(a)), "use as an index or a count (range, __index__) was given"),
    (lambda a: a * [1, 2, 3][a], "use as an index or a count (range, __index__) was given"),
    (lambda a: torch.tensor(a) + a, "torch.tensor() was given"),
    (lambda a: torch.tensor([1.0, a]).sum() + a, "torch.tensor() was given"),
    (lambda a: torch.tensor(data=a) + a, "torch.tensor() was given"),
    (lambda a: torch.as_tensor([a, a]).sum() + a, "torch.as_tensor() of a list was given"),
    (lambda a: torch.asarray([a, a]).sum() + a, "torch.asarray() of a list was given"),
    (lambda a: torch.ones(2).new_tensor([a]).sum() + a, "new_tensor() was given"),
    (lambda a: copy.deepcopy(a) + a, "copy.deepcopy() was given"),
    (lambda a: torch.linspace(0, a, 3).sum() + a, "torch.linspace() was given"),
    (lambda a: torch.logspace(0, a, 3).sum() + a, "torch.logspace() was given"),
]


@pytest.mark.parametrize(("function", "operation"), LOST)
def test_losing_the_graph_names_the_operation_and_the_argument(function, operation):
    instead = (
        "the result would be plain, without a gradient. Use torch's functions on the value itself (torch.sin for "
        "math.sin and numpy.sin, torch.round for round, torch.stack for torch.tensor), or value.detach() where no "
        "gradient is wanted"
    )
    with pytest.raises(LostGraphError, match=f"^{re.escape(f'{operation} a value that depends on a: {instead}')}$"):
        gradient(function)(1.5)


def test_round_loses_the_graph():
    with pytest.raises(LostGraphError, match=r"^round\(\) was given a tensor: .*torch.round for round"):
        gradient(lambda a: round(a) + a)(1.5)
    assert gradient(lambda a: a * torch.round(a))(1.6) == (2.0, 3.2)


def test_another_type_error_is_left_alone():
    with pytest.raises(TypeError, match="unsupported operand"):
        gradient(lambda a: a + "1")(1.5)


def test_losing_names_the_part_also_from_an_inner_trace():
    with pytest.raises(LostGraphError, match=r"depends on w\['v'\]\[1\]:"):
        gradient(lambda w: w["u"] * float(w["v"][1].exp()))({"u": 1.0, "v": [2.0, 3.0]})
    with pytest.raises(LostGraphError, match="depends on outer:"):
        gradient(lambda outer: gradient(lambda inner: inner * math.sin(outer))(2.0)[0])(1.5)


def test_what_does_not_depend_on_the_argument_may_become_a_number():
    scale = torch.tensor(3.0, requires_grad=True)

    def f(a, b):
        plain = (scale * 2).detach().item() + math.sin(b) + scale.item()  # a trained value, but not a traced one
        with torch.no_grad():
            plain += a.item()
        return a * (plain + a.detach().item() + len(torch.tensor([b, 2])))

    slope, value = gradient(f)(1.5, 0.5)
    assert slope == pytest.approx(6 + math.sin(0.5) + 3 + 1.5 + 1.5 + 2, rel=1e-14)
    assert value == pytest.approx(1.5 * slope, rel=1e-14)
    assert scale.grad is None


def test_tensors_pass_as_tensor_and_asarray():
    assert gradient(lambda a: torch.as_tensor(a) * 2)(1.5) == (2.0, 3.0)
    assert gradient(lambda a: torch.as_tensor(a, dtype=torch.float32) * 2)(1.5) == (2.0, 3.0)


def test_printing_a_traced_value():
    written = io.StringIO()

    def f(a):
        with contextlib.redirect_stdout(written):
            print(a, f"{a:.3f}", repr(a * 1), str(torch.stack([a, a])))
        return a * 2

    assert gradient(f)(1.5) == (2.0, 3.0)
    assert written.getvalue().startswith(
        "tensor(1.5000, dtype=torch.float64, grad_fn=<CloneBackward0>) 1.500 tensor(1.5000"
    )


# --- wrong arguments ---


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        (True, "w is a value of type bool"),
        (None, "w is None"),
        ("3.5", "w is a value of type str"),
        (1j, "w is a value of type complex"),
        (np.ones(2), "w is a value of type ndarray"),
        ({"a": 1.0, "b": [2.0, False]}, "w['b'][1] is a value of type bool"),
        (torch.tensor([1, 2]), "w is a tensor of int64, shape [2]"),
        ((torch.ones(2), torch.ones(1, 2, dtype=torch.bool)), "w[1] is a tensor of bool, shape [1, 2]"),
        (torch.ones(2, dtype=torch.complex64), "w is a tensor of complex64, shape [2]"),
        ({}, "w is empty"),
        ([(), {}], "w is empty"),
    ],
)
def test_what_cannot_be_differentiated_is_named(argument, message):
    allowed = (
        "gradient() takes a number, a floating tensor (x.float(), torch.from_numpy), or dicts, lists, tuples of them"
    )
    with pytest.raises(GansmithError, match=f"^{re.escape(f'{message}: {allowed}')}$"):
        gradient(lambda w: 0)(argument)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda x: None, "the function returned None"),
        (lambda x: "1", "the function returned a value of type str"),
        (lambda x: bool(x.sum() > 0), "the function returned a value of type bool"),
        (lambda x: (x.sum(), 1), "the function returned a value of type tuple"),
        (lambda x: x, "the function returned a tensor of float32, shape [2, 3]"),
        (lambda x: (x > 0).sum(), "the function returned a tensor of int64, shape []"),
        (lambda x: x[:0], "the function returned a tensor of float32, shape [0, 3]"),
        (gradient(lambda x: x.sum()), "the function returned a tensor of float32, shape [2, 3]"),
    ],
)
def test_what_is_no_scalar_is_described(function, message):
    needed = "gradient() needs one floating number; reduce a tensor with mean() or sum()"
    with pytest.raises(GansmithError, match=f"^{re.escape(f'{message}: {needed}')}$"):
        gradient(function)(torch.ones(2, 3))


def test_wrong_calls():
    with pytest.raises(GansmithError, match=r"^gradient\(\) takes a function, not a value of type float$"):
        gradient(3.5)
    with pytest.raises(GansmithError, match=r"^branch was called without a, by which the gradient is taken$"):
        gradient(branch)()
    with pytest.raises(GansmithError, match=r"^the function was called without the first argument, by which"):
        gradient(lambda: 1.0)()


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


# --- unused inputs ---


def test_unused_inputs_are_named_and_nothing_is_written():
    used, zero, apart, frozen = (torch.ones(2, requires_grad=True) for _ in range(4))
    frozen.requires_grad_(False)
    inputs = {"apart": apart, "used": used, "zero": zero, "frozen": frozen}
    output = (used * 3 + zero * 0 + frozen).square()
    assert unused_inputs(output, inputs) == ["apart", "frozen"]
    assert unused_inputs(output.sum(), {"used": used}) == []
    assert unused_inputs(frozen * 2, inputs) == ["apart", "used", "zero", "frozen"]
    assert unused_inputs(output, {"frozen": frozen}) == ["frozen"]
    assert unused_inputs(output, {}) == []
    assert all(tensor.grad is None for tensor in inputs.values())
    output.sum().backward()  # its graph is still there
    torch.testing.assert_close(used.grad, torch.full((2,), 24.0))


# --- a function as a layer ---


def affine(x, weight, bias):
    return x @ weight + bias


def test_a_layer_equals_linear_in_values_gradients_and_training():
    torch.manual_seed(0)
    reference = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)).double()
    first = layer(affine, weight=reference[0].weight.detach().T, bias=reference[0].bias.detach())
    ours = nn.Sequential(first, nn.ReLU(), copy.deepcopy(reference[2]))
    assert list(ours.state_dict()) == ["0.weight", "0.bias", "2.weight", "2.bias"]
    optimizers = [torch.optim.Adam(network.parameters(), lr=0.1) for network in (reference, ours)]
    x = torch.randn(8, 3, dtype=F64)
    for _ in range(3):
        for network, optimizer in zip((reference, ours), optimizers, strict=True):
            optimizer.zero_grad()
            network(x).square().mean().backward()
            optimizer.step()
        torch.testing.assert_close(ours(x), reference(x))
        torch.testing.assert_close(first.weight.grad.T, reference[0].weight.grad)
        torch.testing.assert_close(first.bias.grad, reference[0].bias.grad)


def test_a_layer_copies_tensors_and_shares_parameters():
    given, shared = torch.ones(2), nn.Parameter(torch.ones(2))
    one = layer(lambda x, scale, shift: x * scale + shift, scale=given, shift=shared)
    two = layer(lambda x, **more: x + more["shift"], shift=shared)
    assert one.shift is two.shift
    one.scale.data.mul_(5)
    torch.testing.assert_close(given, torch.ones(2))
    assert not given.requires_grad
    torch.testing.assert_close(one(torch.ones(2)), torch.full((2,), 6.0))
    torch.testing.assert_close(two(torch.ones(2)), torch.full((2,), 2.0))


def test_a_layer_loads_its_state_moves_and_takes_parametrizations():
    one, two = (layer(affine, weight=torch.randn(3, 2), bias=torch.randn(2)) for _ in range(2))
    two.load_state_dict(one.state_dict())
    x = torch.randn(4, 3)
    torch.testing.assert_close(one(x), two(x), rtol=0, atol=0)
    assert copy.deepcopy(one).double()(x.double()).dtype == F64
    nn.utils.parametrizations.spectral_norm(one, "weight")
    torch.testing.assert_close(one(x), x @ one.weight + one.bias)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"forward": torch.ones(1)}, "a layer's parameter cannot be called 'forward': take another name"),
        ({"training": torch.ones(1)}, "a layer's parameter cannot be called 'training': take another name"),
        ({"_function": torch.ones(1)}, "a layer's parameter cannot be called '_function': take another name"),
        ({"a.b": torch.ones(1)}, "a layer's parameter cannot be called 'a.b': take another name"),
        ({"slope": 0.2}, "slope is a value of type float: a layer takes floating tensors"),
        ({"slope": torch.ones(1, dtype=torch.int64)}, "slope is a tensor of int64, shape [1]: a layer takes"),
    ],
)
def test_wrong_parameters_of_a_layer(parameters, message):
    with pytest.raises(GansmithError, match=f"^{re.escape(message)}"):
        layer(lambda x, **more: x, **parameters)


def test_a_parameter_that_the_function_does_not_take():
    message = "the layer's function takes no 'bais'. Did you mean 'bias'? It takes: x, weight, bias"
    with pytest.raises(GansmithError, match=f"^{re.escape(message)}$"):
        layer(affine, weight=torch.ones(1), bais=torch.ones(1))


# --- the page about it ---


def test_the_page_says_what_happens():
    """Each python block runs after the ones before it, and prints what the block under it shows."""
    page = (Path(__file__).parent.parent / "docs" / "autograd.md").read_text()
    blocks = re.findall(r"```python\n(.*?)```\n(?:\n```text\n(.*?)```)?", page, flags=re.DOTALL)
    assert len(blocks) >= 4
    names: dict[str, Any] = {}
    for source, shown in blocks:
        written = io.StringIO()
        with contextlib.redirect_stdout(written):
            exec(source, names)
        assert written.getvalue() == shown
