"""Off-diagonal orthogonal regularisation: squared inner products of different filters of a layer.

Brock, Donahue, Simonyan 2019, "Large Scale GAN Training for High Fidelity Natural Image Synthesis", Eq. 3. The shared
embedding of the classes is left out, as in the authors' PyTorch code; here every embedding is.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from gansmith.adversarial import OnWeights, Side, Weighted, exact
from gansmith.errors import ExperimentError
from gansmith.schedules import Weight, schedule
from gansmith.system.option_types import PositiveInt

_TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)  # their weights are [in, out, ...]


def build(*, weight: Weight = 1e-4, every: PositiveInt = 1, side: Side = "generator") -> OnWeights:
    """weight: beta, a number or a schedule. every: steps from one to the next, which also multiply the weight.
    side: the one whose weights are penalised.

    >>> penalty(nn.Linear(2, 2, bias=False).requires_grad_()).shape
    torch.Size([])
    """
    return OnWeights(Weighted(penalty, schedule(weight), every, per_sample=False), side)


def penalty(network: nn.Module) -> Tensor:
    """The sum of |W^T W * (1 - I)|_F^2 over the weight matrices, one column for each filter: a scalar.

    Raises ExperimentError for a network without weight matrices.
    """
    parts = [_off_diagonal(filters) for filters in _matrices(network)]
    if not parts:
        raise ExperimentError(
            f"the penalty orthogonal needs weight matrices, and {type(network).__name__} has none that are trained: "
            f"take it away, or put it on the other side (penalties.orthogonal.side)"
        )
    return torch.stack(parts).sum()


def _matrices(network: nn.Module) -> Iterator[Tensor]:
    """[filters, D] for each trained weight but vectors and embeddings; the raw weights, where these are normalised."""
    left_out = {id(p) for m in network.modules() if isinstance(m, nn.Embedding) for p in m.parameters()}
    turned = {id(p) for m in network.modules() if isinstance(m, _TRANSPOSED) for p in m.parameters()}
    for weight in network.parameters():
        if weight.dim() > 1 and weight.requires_grad and id(weight) not in left_out:
            yield (weight.transpose(0, 1) if id(weight) in turned else weight).flatten(1)


def _off_diagonal(filters: Tensor) -> Tensor:
    """Filters [N, D] -> the sum of the squared inner products of all pairs of different ones."""
    with torch.autocast(filters.device.type, enabled=False):  # it would multiply in a shorter format
        filters = exact(filters)
        if len(filters) <= filters.shape[1]:
            products = filters @ filters.T
            return (products - products.diag().diag()).square().sum()
        # More filters than dimensions: |W^T W|_F = |W W^T|_F, and the latter is the smaller matrix. The difference is
        # not lost in rounding, for so many filters are far from orthogonal.
        return (filters.T @ filters).square().sum() - filters.square().sum(1).square().sum()
