"""The table of batch statistics: each row computes one on this process's rows of a batch, and names the reduction over
processes in it, with what stands in its place when it is left out."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from gansmith import adversarial
from gansmith.adversarial import Batch, Dimensions, Objective, Sample, Scores, Terms
from gansmith.augment import ada
from gansmith.augment.parts.augment import augmented
from gansmith.data.prior import Prior
from gansmith.games import two_player
from gansmith.games.parts import pool
from gansmith.models import stylegan2
from gansmith.models.layers import global_batch_norm, minibatch_std, shared_dropout
from gansmith.models.layers.conditional_norm import ConditionalBatchNorm
from gansmith.objectives import hinge, nonsaturating
from gansmith.penalties import dragan, lecam, path_length
from gansmith.system import collectives, ranking, sharing
from gansmith.training import batch_statistics, optimizers, shared_sums
from gansmith.training.engine import Engine, Events, build_engine, play_until

COUNT = 7  # images: shares of 4 and 3, or of 3, 2 and 2
SLOW = 300.0  # seconds, on a machine with other work
Results = dict[str, Tensor]  # `rows ...` of this process, `sum ...` of which all processes have a share, `same ...`


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def own(*shape: int, seed: int = 0) -> Tensor:
    """This process's rows of random values for the whole batch, that require a gradient."""
    return sharing.rows_of(normal(COUNT, *shape, seed=seed)).clone().requires_grad_()


def backward(values: Tensor) -> None:
    """From the mean over the batch: this process's share of it."""
    (values.mean() * (len(values) / sharing.whole(len(values)))).backward()


def gradients(network: nn.Module, *rows: Tensor) -> Results:
    by_rows = {f"rows {number}": values.grad for number, values in enumerate(rows)}
    by_weights = {f"sum {name}": weight.grad for name, weight in network.named_parameters()}
    return {name: gradient for name, gradient in (by_rows | by_weights).items() if gradient is not None}


def buffers(network: nn.Module) -> Results:
    return {f"same {name}": buffer.clone() for name, buffer in network.named_buffers()}


def normalised() -> Results:
    """Batch normalisation, with R1 through it."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(3, 5, bias=False), nn.BatchNorm1d(5), nn.Tanh(), nn.Linear(5, 1)).double()
    return _through(network, own(3))


def conditioned() -> Results:
    torch.manual_seed(0)
    network = ConditionalBatchNorm(3, nn.Linear(3, 3), nn.Linear(3, 3)).double()
    global_batch_norm.shared(network)
    x = own(3, 4, 4)
    backward(network(x, x.mean((2, 3))).tanh())
    return gradients(network, x) | buffers(network)


def _through(network: nn.Module, x: Tensor) -> Results:
    global_batch_norm.shared(network)
    scores = network(x)
    (slope,) = torch.autograd.grad(scores.sum(), x, create_graph=True)
    backward(scores.square() + slope.square().sum(1, keepdim=True))
    return gradients(network, x) | buffers(network)


def running_of_local_norms() -> Results:
    """What `local` keeps equal everywhere: with equal shares the running mean of one process, as it is linear."""
    layer = nn.BatchNorm1d(3).double()
    everywhere = normal(6, 3)
    with sharing.part_of(6):
        layer(sharing.rows_of(everywhere))
    if sharing.share().world > 1:
        batch_statistics._average({"generator": layer})
    assert layer.running_mean is not None
    return {"same mean": layer.running_mean}


def dropped() -> Results:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Dropout(0.4), nn.Linear(3, 4), nn.Dropout(0.2, inplace=True)).double()
    shared_dropout.shared(network)
    x = own(3)
    backward(network(x).square())
    return gradients(network, x)


def deviating() -> Results:
    """Minibatch standard deviation, in groups of 3."""
    layer = minibatch_std.MinibatchDeviation(3).double()
    x = own(2, 3, 3)
    out = layer(x)
    backward(out.pow(3))
    return {"rows deviation": out.detach()[:, 2, 0, 0], **gradients(layer, x), **buffers(layer)}


def ranked() -> Results:
    """Accuracy, and the share above a threshold: of patches [B, 5, 5]."""
    real, fake = (own(5, 5, seed=seed).detach() for seed in (1, 2))
    seen = adversarial.seen_of(real, fake, 0.2)
    return {"same accuracy": seen["accuracy"], "same share": seen["held_real"]}


def regularised() -> Results:
    """LeCam: penalised by averages that already hold this turn's scores."""
    averages = lecam.Averages(0.9)
    averages.real, averages.fake, averages.turns = torch.tensor(0.3).double(), torch.tensor(-0.1).double(), 4
    real, fake = own(2, seed=1), own(2, seed=2)
    scores = Scores(Sample(real), Sample(fake), real, fake)
    backward(lecam.penalty(nn.Identity(), scores, torch.Generator(), averages=averages, rectified=True))
    return gradients(nn.Identity(), real, fake)


def noisy() -> Results:
    """DRAGAN: noise by the deviation of the whole batch."""
    torch.manual_seed(0)
    network = _Scoring()
    images = own(3, 4, 4)
    scores = Scores(Sample(images), Sample(images), images, images)
    rng = torch.Generator().manual_seed(3)
    values = dragan.penalty(network, scores, rng, spread=0.5, target=1.0, one_sided=False)
    backward(values)
    return {"rows penalty": values.detach(), **gradients(network)}


class _Scoring(nn.Module):
    def __init__(self, pixels: int = 48) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(pixels, 4), nn.Tanh(), nn.Linear(4, 1, bias=False)).double()

    def forward(self, image: Tensor, label: Tensor | None = None) -> Tensor:
        scores: Tensor = self.layers(image)
        return scores


def lengths() -> Results:
    """Path length regularisation by the first half of the latents, and the running mean of lengths."""
    network, mean = _stylegan(mixing=0.5), path_length.MeanLength(0.9)
    z = own(5).detach()
    each = path_length.penalty(network, z, None, torch.Generator().manual_seed(4), mean=mean, shrink=2)
    (each.mean() * (len(z) / sharing.whole(len(z)))).backward()
    mean.observe(Terms({}))
    return {"same mean": mean.mean, **gradients(network)}


def _stylegan(mixing: float) -> nn.Module:
    torch.manual_seed(0)
    network = stylegan2.generator(Dimensions(1, 8, 8, 5), width=6, channel_base=16, depth=2, mixing=mixing).double()
    torch.manual_seed(6)  # of the noise maps
    return network


def styled() -> Results:
    """StyleGAN2's mean w."""
    network = _stylegan(mixing=0.0)
    with torch.no_grad():
        network(own(5).detach())
    return {"same mean": network.w_mean}


def pooled() -> Results:
    """An image pool of 5 that 14 images pass."""
    images, rng = pool.Pool(5), torch.Generator().manual_seed(0)
    mixed = [images.mixed(own(1, 2, 2, seed=seed), rng) for seed in (1, 2)]
    return {"rows first": mixed[0], "rows second": mixed[1], "same pool": images.images}


class Shares:
    """Batches of COUNT images, of which this process gets its rows."""

    drawn = 0

    def __next__(self) -> Batch:
        with sharing.part_of(COUNT):
            real = own(1, 4, 4, seed=self.drawn).detach().tanh()
        self.drawn += COUNT
        return {"real": Sample(real)}


def trained(objective: Objective, augment: ada.Ada | None = None) -> Results:
    """Six steps of a generator and a discriminator: their weights, and what is recorded."""
    torch.manual_seed(0)
    players = {
        "generator": _Drawing().double(),
        "discriminator": _Scoring(16),
    }
    game = two_player.build(players, objective, Prior(size=5))
    if augment is not None:
        game = augmented(game, augment, ["discriminator"])
    chosen = {player: optimizers.build("sgd", network.parameters(), {"lr": 0.3}) for player, network in players.items()}
    engine = build_engine(game, Shares(), chosen, seed=3)
    results: Results = {}

    def record(engine: Engine) -> None:
        state: Any = engine.state
        for turn, terms in state.output:
            results.update({f"same {state.iteration} {turn} {name}": value for name, value in terms.items()})

    engine.add_event_handler(Events.ITERATION_COMPLETED, record)
    play_until(engine, 6 * COUNT)
    for player, network in players.items():
        results |= {f"same {player} {name}": weight.detach() for name, weight in network.named_parameters()}
    return results


class _Drawing(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(5, 16), nn.Tanh(), nn.Unflatten(1, (1, 4, 4)))

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        images: Tensor = self.layers(z.double())
        return images


def adapted() -> Results:
    """ADA: the probability follows the whole batch's share of real scores above the threshold."""
    augment = ada.build(target=0.1, speed=30, every=2, groups=("blit", "cutout"))
    objective = nonsaturating.build()
    results = trained(objective, augment)
    assert sharing.share().world > 1 or 0 < float(augment.p) < 1
    return results | {"same p": torch.as_tensor(augment.p)}


def averaged() -> Results:
    """LeCam's averages, which learn from the terms of a turn."""
    term = lecam.build(weight=0.5, decay=0.8)
    results = trained(hinge.build().penalised({"lecam": term}))
    assert term.state is not None
    state = term.state.state_dict()
    return results | {"same real": state["real"], "same fake": state["fake"]}


def _of_own_rows(weights: Any, terms: Terms, share: float, others: Any) -> Terms:
    """The sum of gradients, without that of the terms."""
    _summed(weights, terms, share, others)
    return terms


_summed = shared_sums.summed


class Row(NamedTuple):
    """play: the statistic and what follows from it. without: (module, name, what stands there without a reduction)."""

    play: Callable[[], Results]
    without: tuple[tuple[Any, str, Any], ...]


def _same(values: Any) -> Any:
    return values


def _moments_alone(values: Tensor) -> Tensor:
    """Batch normalisation's sums of moments, and not those of its derivatives."""
    return _total(values) if values.dim() == 3 else values


def _derivatives_alone(values: Tensor) -> Tensor:
    """Batch normalisation's sums of derivatives; the moments of all are this process's own."""
    return _total(values) if values.dim() == 2 else values.sum(0, keepdim=True).expand_as(values)


_total = collectives.total
_MEANS = SimpleNamespace(mean=lambda rows, dim=0: rows.mean() if dim is None else rows.mean(0))
_ROWS = {"gathered": _same, "own_rows": _same}
TABLE = {
    "batch normalisation": Row(normalised, ((global_batch_norm, "total", _same),)),
    "conditional batch normalisation": Row(conditioned, ((global_batch_norm, "total", _same),)),
    "batch normalisation's moments": Row(conditioned, ((global_batch_norm, "total", _derivatives_alone),)),
    "batch normalisation's derivative": Row(conditioned, ((global_batch_norm, "total", _moments_alone),)),
    "batch normalisation's second derivative": Row(normalised, ((global_batch_norm, "total", _moments_alone),)),
    "running statistics of local normalisation": Row(
        running_of_local_norms,
        ((batch_statistics, "collectives", SimpleNamespace(sum_in_place=_same)),),
    ),
    "dropout": Row(dropped, ((shared_dropout, "sharing", SimpleNamespace(shared=lambda: False)),)),
    "minibatch standard deviation": Row(deviating, tuple((minibatch_std, *pair) for pair in _ROWS.items())),
    "accuracy": Row(ranked, ((ranking, "gathered", _same),)),
    "LeCam's averages": Row(regularised, ((lecam, "collectives", _MEANS),)),
    "DRAGAN's deviation": Row(noisy, ((dragan, "collectives", _MEANS),)),
    "path length's mean": Row(lengths, ((path_length, "collectives", _MEANS),)),
    "StyleGAN2's mean w": Row(styled, ((stylegan2, "collectives", _MEANS),)),
    "ADA's probability": Row(adapted, ((ranking, "gathered", _same), (shared_sums, "summed", _of_own_rows))),
    "LeCam's averages, as they are kept": Row(averaged, ((shared_sums, "summed", _of_own_rows),)),
    "image pool": Row(pooled, tuple((pool, *pair) for pair in _ROWS.items())),
}
