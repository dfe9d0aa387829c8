"""The gradient of any Python function: no dependency, a lost graph, and wrong arguments."""

from __future__ import annotations

import cmath
import contextlib
import copy
import io
import math
import pickle
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from traced_functions import branch

from gansmith.autograd import gradient, unused_inputs
from gansmith.errors import GansmithError, LostGraphError, NoDependencyError

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
    with pytest.raises(NoDependencyError, match=f"not depend on {names}"):
        gradient(function)(argument)


def test_a_constant_names_every_part():
    with pytest.raises(NoDependencyError, match=r"w\['a'\], w\['b'\]\[1\].*3\.5"):
        gradient(lambda w: 3.5)({"a": 1.0, "b": {1: 2.0}})


def test_a_gradient_of_zero_is_a_dependency():
    assert gradient(lambda a: a * 0 + 1)(3.0) == (0.0, 1.0)


# --- losing the graph ---

LOST: list[tuple[Callable[[Any], Any], str]] = [
    (lambda a: math.sin(a) + a, "float(), or a function of the math module,"),
    (lambda a: math.floor(a) + a, "float(), or a function of the math module,"),
    (lambda a: float(a) + a, "float(), or a function of the math module,"),
    (lambda a: np.float64(a) + a, "numpy,"),
    (lambda a: torch.Tensor([a])[0] + a, "float(), or a function of the math module,"),
    (lambda a: int(a) + a, "int()"),
    (lambda a: cmath.sin(complex(a)).real + a, "complex(), or a function of the cmath module,"),
    (lambda a: a.item() + a, "item()"),
    (lambda a: (a * 2).exp().item() + a, "item()"),
    (lambda a: a.tolist() + a, "tolist()"),
    (lambda a: a.numpy() + a, "numpy()"),
    (lambda a: np.asarray(a) + 1, "numpy,"),
    (lambda a: np.asarray([a, a]).sum(), "numpy,"),
    (lambda a: np.sin(a) + a, "numpy,"),
    (lambda a: a * len(range(a)), "use as an index or a count (range, __index__)"),
    (lambda a: a * [1, 2, 3][a], "use as an index or a count (range, __index__)"),
    (lambda a: torch.tensor(a) + a, "torch.tensor()"),
    (lambda a: torch.tensor([1.0, a]).sum() + a, "torch.tensor()"),
    (lambda a: torch.tensor(data=a) + a, "torch.tensor()"),
    (lambda a: torch.as_tensor([a, a]).sum() + a, "torch.as_tensor() of a list"),
    (lambda a: torch.asarray([a, a]).sum() + a, "torch.asarray() of a list"),
    (lambda a: torch.ones(2).new_tensor([a]).sum() + a, "new_tensor()"),
    (lambda a: copy.deepcopy(a) + a, "copy.deepcopy()"),
    (lambda a: torch.linspace(0, a, 3).sum() + a, "torch.linspace()"),
    (lambda a: torch.logspace(0, a, 3).sum() + a, "torch.logspace()"),
    (lambda a: a.data * a, ".data"),
    (lambda a: (a * 2).data * a, ".data"),
    (lambda a: copy.copy(a * 1) * a, "the tensor's storage, which pickle and copy.copy() read,"),
    (lambda a: pickle.loads(pickle.dumps(a * 1)) * a, "the tensor's storage, which pickle and copy.copy() read,"),
]


@pytest.mark.parametrize(("function", "operation"), LOST)
def test_losing_the_graph_names_the_operation_and_the_argument(function, operation):
    instead = r"torch\.sin for math\.sin.*torch\.stack for torch\.tensor.*detach\(\)"
    with pytest.raises(LostGraphError, match=rf"{re.escape(operation)}.* depends on a\b.*{instead}"):
        gradient(function)(1.5)


def test_round_loses_the_graph():
    with pytest.raises(LostGraphError, match=r"round\(\).*torch\.round for round"):
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
    allowed = r"number.*floating tensor \(x\.float\(\), torch\.from_numpy\).*dicts, lists, tuples"
    with pytest.raises(GansmithError, match=rf"{re.escape(message)}.*{allowed}"):
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
    with pytest.raises(GansmithError, match=rf"{re.escape(message)}.*one floating number.*mean\(\) or sum\(\)"):
        gradient(function)(torch.ones(2, 3))


def test_wrong_calls():
    with pytest.raises(GansmithError, match=r"function.*type float"):
        gradient(3.5)
    with pytest.raises(GansmithError, match=r"branch.* without a\b"):
        gradient(branch)()
    with pytest.raises(GansmithError, match=r"without the first argument"):
        gradient(lambda: 1.0)()


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
