"""One training step of WGAN-GP at 32 px: its authors' order of work in plain PyTorch beside gansmith's engine.

What the authors do was read in their gan_cifar_resnet.py (igul222/improved_wgan_training). Five times: a batch of
fakes, three calls of the discriminator (real, fake, and between the two), the slopes there by automatic
differentiation, one backward pass to the discriminator's weights alone, Adam. Then once the generator. Images are
channels first, and a convolution and the pooling behind it, or the doubling before it, are two operations; a shortcut
that is halved or doubled is convolved on the larger grid but in the first block of the discriminator, as theirs are.

It is written anew here. Both sides begin with equal weights and see equal images, latents and points between, and their
losses must agree. One step is five updates of the discriminator and one of the generator.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.report import Figure, main, native, operations
from gansmith.data.prior import Prior
from gansmith.data.stream import Batches
from gansmith.experiment.assemble import Assembly
from gansmith.models.layers.residual import DownBlock, UpBlock
from gansmith.models.resnet import Discriminator, Generator
from gansmith.runs.train import experiment_from
from gansmith.speed.interleave import TOLERANCE, Ours, equal, interleaved, synthetic
from gansmith.system import hardware
from gansmith.system.device import Precision
from gansmith.system.seeding import mix

AT_LEAST: dict[Precision, float] = {"float32": 1.25, "bfloat16": 2.2}  # times as fast as the authors', in float32
RATE, BETAS, WEIGHT, UPDATES = 2e-4, (0.0, 0.9), 10.0, 5

Losses = list[float]


def parts_of(
    *,
    width: int = 128,
    batch: int = 16,
    size: int = 32,
    precision: str = "float32",
    device: str = "cpu",
    memory_format: str = "auto",
) -> Assembly:
    """Our engine with the pair of that width, on random images."""
    adam = {"name": "adam", "lr": RATE, "betas": list(BETAS)}
    experiment, _ = experiment_from(
        generator={"name": "resnet", "width": width},
        discriminator={"name": "resnet", "width": width},
        objective={"name": "wgan_gp", "weight": WEIGHT, "discriminator_steps": UPDATES},
        optimizer={"generator": adam, "discriminator": adam},
        prior={"kind": "normal", "size": 128},
        size=size,
        channels=3,
        batch=batch,
        precision=precision,
        device=device,
        memory_format=memory_format,
        threads=1,
        environment={},
    )
    return synthetic(experiment)


class Mine:
    """Our engine, and the loss of each of a step's turns."""

    def __init__(self, parts: Assembly) -> None:
        self.ours = Ours(parts)

    def play(self, steps: int) -> None:
        self.ours.play(steps)

    def step(self) -> Losses:
        self.play(1)
        output: Any = self.ours.parts.engine.state.output
        return [
            float(sum(terms[name] for name in ("loss", "gradient_penalty") if name in terms)) for _, terms in output
        ]


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
        experiment = parts.experiment
        self.batches = Batches(parts.data.train, batch=experiment.batch, seed=experiment.seed)
        self.prior = Prior("normal", experiment.prior.size)
        self.batch, self.seed, self.device = experiment.batch, experiment.seed, parts.device
        self.drawn = self.steps = 0

    def play(self, steps: int) -> None:
        for _ in range(steps):
            self.losses()

    def step(self) -> Losses:
        return [float(loss) for loss in self.losses()]

    def losses(self) -> list[Tensor]:
        """One step; nothing waits for the device."""
        losses = [self.discriminate(repeat) for repeat in range(UPDATES)]
        losses.append(self.generate())
        self.steps += 1
        return losses

    def discriminate(self, repeat: int) -> Tensor:
        real = torch.from_numpy(self.batches.one(self.drawn).image).to(self.device).permute(0, 3, 1, 2).contiguous()
        real = real.to(torch.float32) / 127.5 - 1
        self.drawn += 1
        rng = torch.Generator(self.device).manual_seed(mix(self.seed, self.steps, 0, repeat, 0))
        with torch.no_grad():
            fake = self.make(self.prior.latents(self.batch, rng))
        loss = self.judge(fake).mean() - self.judge(real).mean()
        share = torch.rand(self.batch, 1, 1, 1, generator=rng, device=self.device)
        between = (real + share * (fake - real)).requires_grad_()
        (gradient,) = torch.autograd.grad(self.judge(between).sum(), between, create_graph=True)
        slopes = gradient.square().sum([1, 2, 3]).sqrt()
        loss = loss + WEIGHT * (slopes - 1).square().mean()
        self.learn("discriminator", loss, self.discriminator)
        return loss.detach()

    def generate(self) -> Tensor:
        rng = torch.Generator(self.device).manual_seed(mix(self.seed, self.steps, 1, 0, 0))
        loss = -self.judge(self.make(self.prior.latents(self.batch, rng))).mean()
        self.learn("generator", loss, self.generator)
        return loss.detach()

    def learn(self, name: str, loss: Tensor, player: nn.Module) -> None:
        weights = list(player.parameters())
        self.adam[name].zero_grad(set_to_none=True)
        for weight, gradient in zip(weights, torch.autograd.grad(loss, weights), strict=True):
            weight.grad = gradient
        self.adam[name].step()

    def make(self, z: Tensor) -> Tensor:
        network = self.generator
        x = network.first(z).unflatten(1, (-1, *network.first_grid))
        for block in network.blocks:
            assert isinstance(block, UpBlock)
            y = convolved(block.first, doubled(F.relu(block.first_norm(x, None))))
            y = convolved(block.second, F.relu(block.second_norm(y, None)))
            x = y + convolved(block.shortcut, doubled(x))
        return torch.tanh(convolved(network.last, F.relu(network.last_norm(x))))

    def judge(self, image: Tensor) -> Tensor:
        x = image
        for block in self.discriminator.blocks:
            assert isinstance(block, DownBlock)
            y = convolved(block.first, F.relu(x) if block.rectified else x)
            y = convolved(block.second, F.relu(y))
            if block.halved:
                y = F.avg_pool2d(y, 2)
            if block.shortcut is None:
                x = y + x
            elif block.rectified:
                x = y + F.avg_pool2d(convolved(block.shortcut, x), 2)
            else:  # the first block pools before
                x = y + convolved(block.shortcut, F.avg_pool2d(x, 2))
        scores: Tensor = self.discriminator.head.score(F.relu(x).mean((2, 3)))
        return scores.squeeze(1)


def convolved(layer: nn.Conv2d, x: Tensor) -> Tensor:
    return F.conv2d(x, layer.weight, layer.bias, padding=layer.padding)


def doubled(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2.0, mode="nearest")


def compare(loops: dict[str, Mine | Theirs], *, tolerance: float, seconds: float) -> dict[str, list[float]]:
    """Seconds of a step of each, in interleaved rounds. Raises SystemExit when the losses of their first step differ,
    of which each but the first depends on the updates before it."""
    losses = {name: [loop.step()] for name, loop in loops.items()}
    if not equal(losses, tolerance):
        raise SystemExit(f"the losses differ by more than {tolerance:.1%}, so the times do not compare: {losses}")
    plays: dict[str, Callable[[int], object]] = {name: loop.play for name, loop in loops.items()}
    return interleaved(plays, torch.device("cpu"), steps=1, seconds=seconds)


def measure(quick: bool = False) -> list[Figure]:
    """Each precision that the processor has, one thread."""
    size: dict[str, Any] = {"width": 8, "batch": 4} if quick else {}
    figures: list[Figure] = []
    for precision, floor in native(AT_LEAST, quick=quick).items():
        theirs = Theirs(parts_of(**size))
        mine = Mine(parts_of(precision=precision, **size))
        loops: dict[str, Mine | Theirs] = {"authors' order": theirs, "gansmith": mine}
        rounds = compare(loops, tolerance=TOLERANCE[precision], seconds=1 if quick else 60)
        figures += shown(precision, rounds, floor)
        share = operations(Mine(parts_of(**size)).play) / min(rounds["gansmith"])
        peak = max(hardware.peak_rate(torch.device("cpu"), precision, seconds=0.2 if quick else 2).values())
        name = f"WGAN-GP, {precision}: share of the machine's peak"
        figures.append(Figure("wgan_gp", name, "%", [100 * share / peak], digits=0))
    return figures


def shown(precision: str, rounds: dict[str, list[float]], floor: float) -> list[Figure]:
    theirs: Sequence[float] = rounds["authors' order"]
    ours: Sequence[float] = rounds["gansmith"]
    ratio = [a / b for a, b in zip(theirs, ours, strict=True)]
    return [
        Figure("wgan_gp", f"WGAN-GP, {precision}: gansmith", "ms", [1e3 * value for value in ours], digits=0),
        Figure("wgan_gp", "WGAN-GP: authors' order (float32)", "ms", [1e3 * value for value in theirs], digits=0),
        Figure("wgan_gp", f"WGAN-GP, {precision}: authors' order / gansmith", "", ratio, at_least=floor),
    ]


if __name__ == "__main__":
    main(measure, __doc__)
