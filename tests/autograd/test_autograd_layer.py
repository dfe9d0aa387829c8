"""A function as a layer."""

from __future__ import annotations

import copy
import re

import pytest
import torch
from torch import nn
from traced_functions import F64

from gansmith.autograd import layer
from gansmith.errors import GansmithError

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
        ({"forward": torch.ones(1)}, "'forward'"),
        ({"training": torch.ones(1)}, "'training'"),
        ({"_function": torch.ones(1)}, "'_function'"),
        ({"a.b": torch.ones(1)}, "'a.b'"),
        ({"slope": 0.2}, "slope is a value of type float"),
        ({"slope": torch.ones(1, dtype=torch.int64)}, "slope is a tensor of int64, shape [1]"),
    ],
)
def test_wrong_parameters_of_a_layer(parameters, message):
    with pytest.raises(GansmithError, match=re.escape(message)):
        layer(lambda x, **more: x, **parameters)


def test_a_parameter_that_the_function_does_not_take():
    with pytest.raises(GansmithError, match=r"'bais'.*'bias'.*x, weight, bias"):
        layer(affine, weight=torch.ones(1), bais=torch.ones(1))
