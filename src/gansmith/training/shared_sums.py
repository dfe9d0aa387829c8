"""Sums over the processes that play one batch together: gradients, the terms of a turn, and what else travels along.

Each process back-propagates the mean over its own rows times its share of the batch, so that the sum over processes is
the gradient of the mean over the whole batch, also where shares are unequal. One sum a play carries everything.
Differs: not torch's DistributedDataParallel, which does not work with torch.autograd.grad and leaves processes with
different gradients where only a penalty is back-propagated (docs/decisions/processes.md).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from ignite.engine import Engine
from torch import Tensor, nn

from gansmith.adversarial import Terms
from gansmith.system import collectives, sharing


def share_of(total: int) -> float:
    """The share of `total` images that is here: 1 in one process."""
    if sharing.share().world == 1:
        return 1.0
    first, last = sharing.bounds(total)
    return (last - first) / total


def beside(engine: Engine) -> list[Tensor]:
    """What a handler wants summed beside the gradients: `engine.state.beside()`, where there are other processes."""
    ask = getattr(engine.state, "beside", None)
    return [] if ask is None or sharing.share().world == 1 else [ask()]


def summed(weights: Sequence[nn.Parameter], terms: Terms, share: float, others: Sequence[Tensor]) -> Terms:
    """Replace the gradient of each of the weights, and each of `others`, by its sum over processes; return the terms
    over the whole batch, from those of this process's rows, which are `share` of it.

    A gradient that is None on every process stays None: an optimizer leaves such a weight alone.
    """
    missing = [number for number, weight in enumerate(weights) if weight.grad is None]
    gradients = [torch.zeros_like(weight) if weight.grad is None else weight.grad for weight in weights]
    named = {**terms.loss, **terms.seen}
    # in float64, so that a term that is the same number on every process comes out as that number
    values = share * torch.stack([term.detach().double() for term in named.values()])
    there = values.new_tensor([weight.grad is not None for weight in weights])
    numbers = torch.cat([values, there])
    orders = [_order(weight) for weight in weights]  # of the weights, which lie alike on all processes
    in_order = [gradient.permute(order) for gradient, order in zip(gradients, orders, strict=True)]
    collectives.sum_in_place([*in_order, numbers, *others])
    if missing:
        counts = numbers[len(named) :].tolist()
        for number in missing:
            weights[number].grad = gradients[number] if counts[number] else None
    whole = {name: value.to(term.dtype) for (name, term), value in zip(named.items(), numbers.unbind(), strict=False)}
    return Terms(*({name: whole[name] for name in some} for some in (terms.loss, terms.seen)))


def _order(weight: Tensor) -> list[int]:
    """The dimensions as they lie in memory, the slowest first: a gradient that lies so too is read without a gap.

    >>> _order(torch.zeros(8, 3, 4, 4).to(memory_format=torch.channels_last))
    [0, 2, 3, 1]
    """
    return sorted(range(weight.dim()), key=weight.stride, reverse=True)


def averaged(
    played: Sequence[tuple[str, Mapping[str, Tensor]]], share: float, others: Sequence[Tensor]
) -> list[tuple[str, dict[str, Tensor]]]:
    """The terms of each play over the whole batch, of which `share` is here, where the processes played apart; each of
    `others` is replaced by its sum over processes."""
    terms = [term for _, play in played for term in play.values()]
    values = share * torch.stack([term.double() for term in terms])
    collectives.sum_in_place([values, *others])
    whole = iter(value.to(term.dtype) for value, term in zip(values.unbind(), terms, strict=True))
    return [(name, {term: next(whole) for term in play}) for name, play in played]
