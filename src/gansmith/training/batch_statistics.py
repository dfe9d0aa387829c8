"""Layers that read a whole batch, where several processes share one: exchanged for those that read it all.

global   batch normalisation is over the global batch: the same training at every number of processes
local    each process normalises its own rows, as DistributedDataParallel does: fewer collectives, another training. The
         running statistics, by which the network is evaluated, are averaged over processes after each step

Dropout drops in both what it would drop in one process.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import torch
from torch import nn

from gansmith.models.layers import global_batch_norm, shared_dropout
from gansmith.system import collectives, sharing
from gansmith.training.engine import Engine, Events

BatchStatistics = Literal["global", "local"]


def share_layers(players: Mapping[str, nn.Module], statistics: BatchStatistics) -> None:
    """Exchange the layers of all players in place; alone nothing changes.

    >>> share_layers({"generator": nn.BatchNorm1d(2)}, "global")
    """
    if sharing.share().world == 1:
        return
    for player in players.values():
        shared_dropout.shared(player)
        if statistics == "global":
            global_batch_norm.shared(player)


def keep_together(engine: Engine, players: Mapping[str, nn.Module], statistics: BatchStatistics) -> None:
    """Average the running statistics after each step where they are local. To be called before other handlers are
    attached, which read them."""
    if statistics == "local" and sharing.share().world > 1:
        engine.add_event_handler(Events.ITERATION_COMPLETED, lambda _: _average(players))


@torch.no_grad()
def _average(players: Mapping[str, nn.Module]) -> None:
    """Running means and variances of the layers in training mode: their means over processes."""
    tensors = [
        statistic
        for player in players.values()
        for layer in player.modules()
        if isinstance(layer, nn.modules.batchnorm._BatchNorm) and layer.training
        for statistic in (layer.running_mean, layer.running_var)
        if statistic is not None
    ]
    if tensors:
        torch._foreach_div_(tensors, float(sharing.share().world))
        collectives.sum_in_place(tensors)
