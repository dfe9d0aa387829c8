"""The layers of a network in the order in which its input passes them: what "the first three layers" means.

A layer is a convolution, a linear layer or a residual block, with the normalisation behind it; layers that stand side
by side (the scales of a discriminator) count as one. The order is read from the graph of one pass, so that it holds
for every network, whatever its modules are called and however they are stored.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from gansmith.adversarial import Dimensions

_CONTAINERS = (nn.Sequential, nn.ModuleList, nn.ModuleDict)


def example_input(role: str, dimensions: Dimensions) -> Tensor:
    """What a network of `role` reads, twice: latents [2, Z] for a generator, else images [2, C, H, W]."""
    return torch.zeros(2, dimensions.latent) if role == "generator" else torch.zeros(2, *dimensions[:3])


def layers_of(network: nn.Module, example: Tensor) -> list[list[str]]:
    """Names of the trained parameters of each layer, from the one that reads the input on.

    A parameter on which the output does not depend is in none. The pass leaves no trace.

    >>> layers_of(nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.ReLU(), nn.Linear(3, 1)), torch.zeros(2, 2))
    [['0.weight', '0.bias', '1.weight', '1.bias'], ['3.weight', '3.bias']]
    """
    parameters = {name: p for name, p in network.named_parameters() if p.requires_grad}
    owners = {name: _layer_at(network, name) for name in parameters}
    flat = dict.fromkeys(owners.values(), True)  # a layer of scales and shifts alone: a normalisation
    for name, owner in owners.items():
        flat[owner] &= owner == name or parameters[name].dim() < 2
    depths: dict[str, int] = {}
    named = {id(parameter): owners[name] for name, parameter in parameters.items()}
    for layer, before in _touched(_output(network, example), named):
        place = max((depths[other] for other in before), default=0)
        depths[layer] = max(depths.get(layer, 1), place + (not flat[layer]))
    layers: dict[int, list[str]] = {}
    for name, owner in owners.items():
        if owner in depths:
            layers.setdefault(depths[owner], []).append(name)
    return [layers[depth] for depth in sorted(layers)]


def _layer_at(network: nn.Module, parameter: str) -> str:
    """The outermost module on the way to a parameter that is one layer; the parameter itself where there is none."""
    module, steps = network, parameter.split(".")
    for place, step in enumerate(steps[:-1], start=1):
        module = getattr(module, step)
        if not _is_opened(module):
            return ".".join(steps[:place])
    return parameter


def _is_opened(module: nn.Module) -> bool:
    """Does a module hold layers, rather than being one? A container does, and what holds residual blocks."""
    return isinstance(module, _CONTAINERS) or any(_convolutions(part) > 1 for part in _parts(module))


def _parts(module: nn.Module) -> Iterator[nn.Module]:
    for child in module.children():
        yield from _parts(child) if isinstance(child, _CONTAINERS) else (child,)


def _convolutions(module: nn.Module) -> int:
    return sum(parameter.dim() > 2 for parameter in module.parameters())


def _output(network: nn.Module, example: Tensor) -> Any:
    """The node of the graph at the end of a pass."""
    device = next(network.parameters()).device
    was = {module: module.training for module in network.modules()}
    label = torch.zeros(len(example), dtype=torch.long, device=device)
    given = (label,) if getattr(network, "conditional", False) else ()
    try:
        with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []), torch.enable_grad():
            output: Tensor = network.eval()(example.to(device).requires_grad_(), *given)
    finally:
        for module, training in was.items():
            module.training = training
    return output.grad_fn


def _touched(end: Any, layers: dict[int, str]) -> Iterator[tuple[str, set[str]]]:
    """(layer, the layers before it) for each operation that joins parameters of a layer with what the input became.

    layers: {id of a parameter: its layer}.
    """
    weights: dict[Any, set[str]] = {}  # of a node that depends on parameters alone: their layers
    behind: dict[Any, set[str]] = {}  # of a node that depends on the input: the last layers before it
    for node in _inputs_first(end):
        before = [other for other, _ in node.next_functions if other is not None]
        own = {layer for other in before for layer in weights.get(other, ())}
        if hasattr(node, "variable"):
            layer = layers.get(id(node.variable))
            if layer is not None:
                weights[node] = {layer}
            elif node.variable.requires_grad:
                behind[node] = set()
        elif any(other in behind for other in before):
            last = {layer for other in before for layer in behind.get(other, ())}
            for layer in sorted(own):
                yield layer, last - {layer}
            behind[node] = own or last
        else:
            weights[node] = own


def _inputs_first(end: Any) -> Iterator[Any]:
    """The nodes of a graph, each behind all that it is computed from."""
    waiting, seen = [(end, False)], set()
    while waiting:
        node, ready = waiting.pop()
        if ready:
            yield node
        elif node not in seen:
            seen.add(node)
            waiting += [(node, True), *((other, False) for other, _ in node.next_functions if other is not None)]
