"""One training step of R3GAN at 32 px: its authors' order of work in plain PyTorch beside gansmith's engine.

What the authors do was read in their Trainer, training loop and networks (brownvc/R3GAN). The discriminator's phase
makes fakes, scores reals and fakes in two calls, takes R1 and R2 by two calls of autograd.grad with a graph, and runs
one backward pass; the generator's phase makes fakes anew and scores fakes and reals. The idle network is frozen.
Adam is torch's, not fused. Channels first, bias and activation apart from the convolution, resampling by convolutions
with a fixed kernel. In bfloat16 all stages but the coarsest are computed in it, with weights cast where they are used,
and the coarsest in float32.

Everything here is written anew in ordinary operators. Both sides begin with equal weights and see equal images and
latents, and their losses must agree. Resampling is a depthwise convolution, many times faster on a CPU than what their
GPU kernels fall back to there.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.report import Figure, main, native, operations
from gansmith.data.prior import Prior
from gansmith.data.stream import Batches
from gansmith.experiment.assemble import Assembly
from gansmith.models.r3gan import Block, Convolution, Discriminator, Generator
from gansmith.runs.train import experiment_from
from gansmith.speed.interleave import TOLERANCE, Loop, Ours, equal, first_losses, interleaved, repeated, synthetic
from gansmith.system import hardware
from gansmith.system.device import Precision
from gansmith.system.seeding import mix

AT_LEAST: dict[Precision, float] = {"float32": 1.0, "bfloat16": 1.05}  # times as fast as the authors' order of work
RATE, BETAS, GAMMA = 2e-4, (0.0, 0.9), 0.05  # of the authors' CIFAR-10 at its beginning


def parts_of(
    *,
    width: int = 96,
    batch: int = 16,
    size: int = 32,
    precision: str = "float32",
    device: str = "cpu",
    memory_format: str = "auto",
) -> Assembly:
    """Our engine with the pair of that width, on random images."""
    network: dict[str, Any] = {"name": "r3gan", "width": width}
    adam = {"name": "adam", "lr": RATE, "betas": list(BETAS)}
    experiment, _ = experiment_from(
        generator=network,
        discriminator=network,
        objective={"name": "r3gan", "gamma": GAMMA},
        optimizer={"generator": adam, "discriminator": adam},
        prior={"kind": "normal", "size": 64},
        size=size,
        channels=3,
        batch=batch,
        precision=precision,
        device=device,
        memory_format=memory_format,
        threads=1,
        environment={},
    )
    parts = synthetic(experiment)
    awaken(parts.game.players.values())
    return parts


def awaken(players: Iterable[nn.Module]) -> None:
    """Give the convolutions that begin as zero some weight: else most gradients are zero, and agree too easily."""
    rng = torch.Generator().manual_seed(0)
    for player in players:
        for module in player.modules():
            if isinstance(module, Block):
                weight = module.narrow.weight
                with torch.no_grad():
                    draws = torch.randn(weight.shape, generator=rng).to(weight.device)
                    weight.copy_(draws * weight.shape[1] ** -0.5 / 4)


class Theirs:
    """The authors' order of work on copies of our networks' weights."""

    def __init__(self, parts: Assembly) -> None:
        players = {name: copy.deepcopy(player) for name, player in parts.game.players.items()}
        for player in players.values():
            player.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
        generator, discriminator = players["generator"], players["discriminator"]
        assert isinstance(generator, Generator)
        assert isinstance(discriminator, Discriminator)
        self.generator, self.discriminator = generator, discriminator
        self.adam = {name: torch.optim.Adam(player.parameters(), RATE, BETAS) for name, player in players.items()}
        for player in players.values():
            player.requires_grad_(False)
        experiment = parts.experiment
        self.short = torch.bfloat16 if experiment.precision == "bfloat16" else torch.float32
        self.batches = Batches(parts.data.train, batch=experiment.batch, seed=experiment.seed)
        self.prior = Prior("normal", experiment.prior.size)
        self.batch, self.seed, self.device = experiment.batch, experiment.seed, parts.device
        self.steps = 0

    def step(self) -> tuple[Tensor, Tensor]:
        real = torch.from_numpy(self.batches.one(self.steps).image).to(self.device).permute(0, 3, 1, 2).contiguous()
        real = real.to(torch.float32) / 127.5 - 1

        self.begin("discriminator", self.discriminator)
        shown_real = real.detach().requires_grad_()
        shown_fake = self.make(self.latents(0)).detach().float().requires_grad_()
        of_real, of_fake = self.judge(shown_real), self.judge(shown_fake)
        penalties = [self.penalty(shown_real, of_real), self.penalty(shown_fake, of_fake)]
        adversarial = F.softplus(of_fake - of_real)
        (adversarial + GAMMA / 2 * (penalties[0] + penalties[1])).mean().backward()
        self.finish("discriminator", self.discriminator)

        self.begin("generator", self.generator)
        fake = self.make(self.latents(1))
        of_fake, of_real = self.judge(fake), self.judge(real)
        loss = F.softplus(of_real - of_fake).mean()
        loss.backward()
        self.finish("generator", self.generator)
        self.steps += 1
        return adversarial.mean().detach(), loss.detach()

    def latents(self, turn: int) -> Tensor:
        rng = torch.Generator(self.device).manual_seed(mix(self.seed, self.steps, turn, 0, 0))
        return self.prior.latents(self.batch, rng)

    @staticmethod
    def penalty(images: Tensor, scores: Tensor) -> Tensor:
        (gradient,) = torch.autograd.grad(scores.sum(), images, create_graph=True)
        return gradient.square().sum([1, 2, 3])

    def begin(self, name: str, player: nn.Module) -> None:
        self.adam[name].zero_grad(set_to_none=True)
        player.requires_grad_(True)

    def finish(self, name: str, player: nn.Module) -> None:
        player.requires_grad_(False)
        self.adam[name].step()

    def make(self, z: Tensor) -> Tensor:
        network = self.generator
        x = network.basis * F.linear(z, network.style.weight.flatten(1))[:, :, None, None]
        for number, stage in enumerate(network.stages):
            if number:
                x = x.to(self.short)
                x = plain(network.transitions[number - 1], x)
                x = F.conv_transpose2d(x, kernel(x, 16), stride=2, padding=1, groups=x.shape[1])
            x = residual(stage, x)
        return plain(network.end, x)

    def judge(self, image: Tensor) -> Tensor:
        network = self.discriminator
        x = plain(network.begin, image.to(self.short))
        for number in reversed(range(len(network.stages))):
            x = residual(network.stages[number], x if number else x.float())
            if number:
                x = F.conv2d(x, kernel(x, 64), stride=2, padding=1, groups=x.shape[1])
                x = plain(network.transitions[number - 1], x)
        x = F.conv2d(x, network.basis.transpose(0, 1), groups=x.shape[1]).flatten(1)
        return F.linear(x, network.features.weight.flatten(1)).flatten()


def plain(layer: nn.Module, x: Tensor) -> Tensor:
    """The convolution of a layer, without its bias; nothing where it has none."""
    if not isinstance(layer, Convolution):
        return x
    return F.conv2d(x, layer.weight.to(x.dtype), padding=layer.geometry.padding, groups=layer.geometry.groups)


def residual(blocks: nn.Module, x: Tensor) -> Tensor:
    for block in blocks.children():
        assert isinstance(block, Block)
        y = x
        for layer in (block.widen, block.mix):
            assert layer.bias is not None
            y = F.leaky_relu(plain(layer, y) + layer.bias.to(x.dtype)[:, None, None], 0.2)
        x = x + plain(block.narrow, y)
    return x


def kernel(x: Tensor, total: int) -> Tensor:
    """[1, 3, 3, 1] in both directions, for each channel of x."""
    line = x.new_tensor([1.0, 3.0, 3.0, 1.0])
    return (line[:, None] * line / total).expand(x.shape[1], 1, 4, 4)


def compare(parts: Assembly, *, seconds: float) -> dict[str, list[float]]:
    """Seconds of a step of both, in interleaved rounds. Raises SystemExit when their first losses differ."""
    theirs, ours = Theirs(parts), Ours(parts)
    loops: dict[str, Loop] = {"authors' order": theirs, "gansmith": ours}
    losses = {name: first_losses(loop) for name, loop in loops.items()}
    tolerance = TOLERANCE[parts.experiment.precision]
    if not equal(losses, tolerance):
        raise SystemExit(f"the losses differ by more than {tolerance:.1%}, so the times do not compare: {losses}")
    plays: dict[str, Callable[[int], object]] = {"authors' order": repeated(theirs), "gansmith": ours.play}
    return interleaved(plays, parts.device, steps=1, seconds=seconds)


def measure(quick: bool = False) -> list[Figure]:
    """Float32 and bfloat16, one thread."""
    figures: list[Figure] = []
    for precision, floor in native(AT_LEAST, quick=quick).items():
        size: dict[str, Any] = {"width": 16, "batch": 4} if quick else {}
        rounds = compare(parts_of(precision=precision, **size), seconds=1 if quick else 40)
        figures += shown(precision, rounds, floor)
        work = operations(Ours(parts_of(precision=precision, **size)).play)
        rate = work / min(rounds["gansmith"])
        peak = hardware.peak_rate(torch.device("cpu"), precision)
        name = f"{precision}: share of the machine's peak"
        figures.append(Figure("r3gan", name, "%", [100 * rate / max(peak.values())], digits=0))
    return figures


def shown(precision: str, rounds: dict[str, list[float]], floor: float) -> list[Figure]:
    theirs: Sequence[float] = rounds["authors' order"]
    ours: Sequence[float] = rounds["gansmith"]
    ratio = [a / b for a, b in zip(theirs, ours, strict=True)]
    return [
        Figure("r3gan", f"R3GAN, {precision}: gansmith", "ms", [1e3 * value for value in ours], digits=0),
        Figure("r3gan", f"R3GAN, {precision}: authors' order", "ms", [1e3 * value for value in theirs], digits=0),
        Figure("r3gan", f"R3GAN, {precision}: authors' order / gansmith", "", ratio, at_least=floor),
    ]


if __name__ == "__main__":
    main(measure, __doc__)
