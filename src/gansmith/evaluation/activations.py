"""Hidden activations of any network as features: one row for each image, all layers max-pooled and concatenated.

Radford, Metz, Chintala 2016, "Unsupervised Representation Learning with Deep Convolutional Generative Adversarial
Networks", section 5.1: the activations of all convolutional layers, max-pooled to a grid of 4 x 4, flattened and
concatenated. The last layer, which gives the score or the classes, is left out; a network without convolutions gives
the outputs of its linear layers.

Activations are taken after the nonlinearity, which is identified by following the data, not the modules: every call of
a torch function is observed, and from a convolution's output the trail goes on through normalisations, dropout and
biases to the first activation function, be it a module's or called as a function. Where the trail ends before one (a
residual sum, a nonlinearity made of other operations), the last tensor reached counts.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from gansmith.data.stream import normalised
from gansmith.errors import GansmithError, NotFiniteError
from gansmith.system.progress import bar

GRID = 4  # cells a side
MOST = 30_000  # numbers an image; the paper's discriminator gives 28,672
_LAYERS = {"conv2d": "convolution", "linear": "linear"}
_CARRY = ("batch_norm", "instance_norm", "group_norm", "layer_norm", "dropout", "dropout2d", "feature_dropout")
_ACTIVATIONS = (
    *("relu", "leaky_relu", "rrelu", "relu6", "prelu", "threshold", "elu", "selu", "celu", "gelu", "silu", "mish"),
    *("softplus", "softsign", "tanh", "sigmoid", "logsigmoid", "hardtanh", "hardswish", "hardsigmoid"),
)


class _Watch(TorchFunctionMode):
    """A torch function mode that follows each layer's output to the activation after it."""

    def __init__(self) -> None:
        super().__init__()
        self.outputs: list[
            tuple[str, Tensor]
        ] = []  # (kind of layer, the furthest output reached), in order of the calls
        self.trail: dict[int, int] = {}  # id of a tensor that `outputs` keeps alive -> the layer it comes from

    def __torch_function__(self, function: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None) -> Any:
        options = kwargs or {}
        name = getattr(function, "__name__", "").removesuffix("_")
        source = args[0] if args else options.get("input")
        output = function(*args, **options)
        if not isinstance(output, Tensor):
            return output
        if name in _LAYERS:
            self.trail[id(output)] = len(self.outputs)
            self.outputs.append((_LAYERS[name], output))
        elif name in _ACTIVATIONS and id(source) in self.trail:
            # a copy, because what comes next may write into it (a residual sum in place)
            self._reached(self.trail.pop(id(source)), output.clone())
        elif id(source) in self.trail and (name in _CARRY or _is_bias(name, args, output)):
            layer = self.trail.pop(id(source))
            self._reached(layer, output)
            self.trail[id(output)] = layer
        return output

    def _reached(self, layer: int, output: Tensor) -> None:
        self.outputs[layer] = (self.outputs[layer][0], output)


def activations(
    network: nn.Module,
    images: NDArray[np.uint8],
    *,
    grid: int = GRID,
    most: int = MOST,
    device: torch.device | str = "cpu",
    batch: int = 64,
    what: str | None = "features",
) -> NDArray[np.float32]:
    """Images uint8 [N, H, W, C] -> float32 [N, D]: every layer's maps pooled to at most grid x grid.

    A copy of the network runs in evaluation mode and float32. Maps smaller than the grid keep their size. Where an
    image would give more than `most` numbers, the grid is halved until it does not. what: of a progress bar.
    Raises GansmithError for a network without a hidden layer, NotFiniteError for a NaN.
    """
    network = copy.deepcopy(network).to(device=device, dtype=torch.float32).eval()
    hidden = layers(network, _batch(images[:1], device))
    while grid > 1 and _width(hidden, grid) > most:
        grid //= 2
    rows = np.empty((len(images), _width(hidden, grid)), dtype=np.float32)
    with nullcontext(lambda amount: None) if what is None else bar(what, len(images)) as advance:
        for start in range(0, len(images), batch):
            part = _batch(images[start : start + batch], device)
            pooled = [_pooled(maps, grid).flatten(1) for maps in layers(network, part)]
            rows[start : start + len(part)] = torch.cat(pooled, dim=1).float().cpu().numpy()
            advance(len(part))
    if not np.isfinite(rows).all():
        whose = what or "features"
        raise NotFiniteError(f"{whose}: the network's activations hold a NaN or an infinity; its weights have diverged")
    return rows


@torch.no_grad()
def layers(network: nn.Module, images: Tensor) -> list[Tensor]:
    """Images [B, C, H, W] in [-1, 1] -> the activations of each hidden layer, [B, C, h, w] or [B, D], in order."""
    with _Watch() as watch:
        _forward(network, images)
    called = watch.outputs
    kind = "convolution" if any(kind == "convolution" for kind, _ in called) else "linear"
    hidden = [maps for kind_of, maps in called[:-1] if kind_of == kind]
    if not hidden:
        raise GansmithError(
            f"this network has {len(called)} layer{'' if len(called) == 1 else 's'} and none of them hidden: "
            f"there are no features to take"
        )
    return hidden


def _forward(network: nn.Module, images: Tensor) -> None:
    """One forward pass. A network that reads labels gets the same one for every image, so that it learns of none."""
    label = torch.zeros(len(images), dtype=torch.int64, device=images.device)
    network(images, *([label] if getattr(network, "conditional", False) else []))


@torch.no_grad()
def settle(network: nn.Module, images: NDArray[np.uint8], *, batch: int = 64) -> nn.Module:
    """A copy whose batch normalisations have the statistics of `images`, as after training on them.

    For networks with random weights that serve as controls: these statistics need no training, and without them the
    comparison would be unfair.
    """
    network = copy.deepcopy(network).eval()
    normalisations = [module for module in network.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)]
    for module in normalisations:
        module.reset_running_stats()
        module.momentum = None  # the mean over all batches
        module.train()
    if normalisations:
        for start in range(0, len(images) - len(images) % batch or len(images), batch):
            _forward(network, _batch(images[start : start + batch], "cpu"))
    return network.eval()


def to_input(images: NDArray[Any]) -> Tensor:
    """uint8 [N, H, W, C] -> float32 [N, C, H, W] in [-1, 1], a discriminator's input in training; float32 points keep
    their values."""
    return normalised(torch.from_numpy(np.ascontiguousarray(images)))


def pooled_pixels(images: NDArray[np.uint8], grid: int = GRID) -> NDArray[np.float32]:
    """Pixels pooled as a layer's maps are: uint8 [N, H, W, C] -> [N, C * grid * grid]."""
    rows: NDArray[np.float32] = _pooled(to_input(images), grid).flatten(1).numpy()
    return rows


def _batch(images: NDArray[np.uint8], device: torch.device | str) -> Tensor:
    return to_input(images).contiguous().to(device)


def _pooled(maps: Tensor, grid: int) -> Tensor:
    if maps.dim() < 4:
        return maps
    return F.adaptive_max_pool2d(maps, (min(grid, maps.shape[2]), min(grid, maps.shape[3])))


def _width(hidden: Iterable[Tensor], grid: int) -> int:
    return sum(_pooled(maps, grid)[0].numel() for maps in hidden)


def _is_bias(name: str, args: Any, output: Tensor) -> bool:
    """Whether the call adds a tensor without a batch dimension: a bias that is written out."""
    if name not in ("add", "__add__", "__radd__", "__iadd__") or len(args) < 2:
        return False
    other = args[1]
    return not isinstance(other, Tensor) or other.dim() < output.dim() or other.shape[0] != output.shape[0]
