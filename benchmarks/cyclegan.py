"""One training step of CycleGAN at 256 px, batch 1: its authors' order of work in plain PyTorch beside our engine.

What the authors do was read in their cycle_gan_model.py, base_model.py and image_pool.py (junyanz): translate both ways
and back, freeze the discriminators, add up six terms, one backward pass and one Adam for both translators; unfreeze the
discriminators, show each the real image and what a pool of 50 gives for the fake one, two backward passes and one Adam
for both. Networks are sequences with torch's own instance normalisation, images are channels first, all is float32.

It is written anew here. Both sides begin with equal weights and see equal images, and all their terms must agree:
those of two steps, but at toy size in bfloat16 those of the first step alone. There a term is a mean over few values:
rounding differs by up to 3 % between the two orders of work before any update, and by up to 10 % after Adam's first,
which moves each weight by the learning rate in the direction of its gradient's sign (at 256 px: 0.1 % and 0.3 %).
"""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterable, Sequence
from itertools import chain

import torch
from torch import Tensor, nn

from benchmarks import report
from benchmarks.report import Figure
from gansmith import catalog
from gansmith.adversarial import Dimensions, Game, Sample
from gansmith.data.prior import Prior
from gansmith.models.layers.instance import InstanceNorm
from gansmith.speed.interleave import COMPARED, TOLERANCE, equal, interleaved
from gansmith.system import hardware
from gansmith.system.device import Precision
from gansmith.system.seeding import seeded
from gansmith.training import optimizers
from gansmith.training.engine import Engine, build_engine, play_until

AT_LEAST: dict[Precision, float] = {"float32": 1.0, "bfloat16": 1.7}  # times as fast as the authors', in float32
ADAM = {"lr": 2e-4, "betas": (0.5, 0.999)}
SIZE, WIDTH = 256, 64
CPU = torch.device("cpu")
ROLES = {"to_b": "translator", "to_a": "translator", "discriminator_a": "discriminator"}
ROLES["discriminator_b"] = "discriminator"

Players = dict[str, nn.Module]
Terms = list[float]


def built(size: int, width: int) -> Players:
    """The four networks, the same in every call."""
    players: Players = {}
    for name, role in ROLES.items():
        with seeded("benchmark", name):
            players[name] = catalog.build("models", "cyclegan", Dimensions(3, size, size), factory=role, width=width)
    return players


class Source:
    """Random images, one of each domain a step, the same in every stream."""

    def __init__(self, size: int, device: torch.device) -> None:
        self.size, self.device, self.drawn = size, device, 0

    def __next__(self) -> dict[str, Sample]:
        rng = torch.Generator().manual_seed(self.drawn)
        self.drawn += 1
        a, b = (torch.rand(1, 3, self.size, self.size, generator=rng) * 2 - 1 for _ in range(2))
        return {"a": Sample(a.to(self.device)), "b": Sample(b.to(self.device))}


class Ours:
    """Our engine with the game `cycle`, as the recipe has it."""

    def __init__(self, size: int, width: int, precision: Precision, device: torch.device = CPU) -> None:
        players = {name: player.to(device) for name, player in built(size, width).items()}
        objective = catalog.build("objectives", "lsgan", generator_factor=1.0)
        self.game: Game = catalog.build("games", "cycle", players, objective, Prior())
        self.optimizers = {n: optimizers.build("adam", player.parameters(), ADAM) for n, player in players.items()}
        self.source = Source(size, device)
        self.engine: Engine = build_engine(self.game, self.source, self.optimizers, precision=precision, device=device)

    def play(self, steps: int) -> None:
        play_until(self.engine, self.source.drawn + steps, step=self.source.drawn)

    def step(self) -> Terms:
        self.play(1)
        output = self.engine.state.output
        assert isinstance(output, list)
        (_, made), (_, of_a), (_, of_b) = output
        names = [f"{term}_{domain}" for term in ("adversarial", "cycle", "identity") for domain in "ab"]
        return [float(term) for term in (*(made[name] for name in names), of_a["loss"], of_b["loss"])]


class Theirs:
    """The authors' order of work on networks of the same weights."""

    def __init__(self, size: int, width: int, device: torch.device = CPU) -> None:
        players = {name: plain(player).to(device) for name, player in built(size, width).items()}
        self.to = {"a": players["to_a"], "b": players["to_b"]}
        self.judge = {"a": players["discriminator_a"], "b": players["discriminator_b"]}
        self.adam = [
            torch.optim.Adam(chain(pair["b"].parameters(), pair["a"].parameters()), **ADAM)  # type: ignore[arg-type]
            for pair in (self.to, self.judge)
        ]
        self.pools: dict[str, list[Tensor]] = {"a": [], "b": []}
        self.source = Source(size, device)

    def play(self, steps: int) -> None:
        for _ in range(steps):
            self.terms()

    def step(self) -> Terms:
        return [float(term) for term in self.terms()]

    def terms(self) -> list[Tensor]:
        """One step; nothing waits for the device."""
        batch = next(self.source)
        real = {name: sample.image for name, sample in batch.items()}
        fake, back = {}, {}
        for name, other in (("b", "a"), ("a", "b")):
            fake[name] = self.to[name](real[other])
            back[other] = self.to[other](fake[name])

        self.freeze(True)
        self.adam[0].zero_grad()
        far, square = nn.L1Loss(), nn.MSELoss()
        identity = {name: far(self.to[name](real[name]), real[name]) * 10 * 0.5 for name in "ba"}
        adversarial = {}
        for name in "ba":
            scores = self.judge[name](fake[name])
            adversarial[name] = square(scores, torch.ones_like(scores))
        cycle = {name: far(back[name], real[name]) * 10 for name in "ab"}
        made = [adversarial["b"], adversarial["a"], cycle["a"], cycle["b"], identity["b"], identity["a"]]
        sum(made[1:], start=made[0]).backward()
        self.adam[0].step()

        self.freeze(False)
        self.adam[1].zero_grad()
        judged = {}
        for name in "ba":
            shown = self.shown(name, fake[name])
            of_real, of_fake = self.judge[name](real[name]), self.judge[name](shown.detach())
            judged[name] = (
                square(of_real, torch.ones_like(of_real)) + square(of_fake, torch.zeros_like(of_fake))
            ) * 0.5
            judged[name].backward()
        self.adam[1].step()
        return [term[name].detach() for term in (adversarial, cycle, identity, judged) for name in "ab"]

    def freeze(self, frozen: bool) -> None:
        for parameter in chain(self.judge["a"].parameters(), self.judge["b"].parameters()):
            parameter.requires_grad = not frozen

    def shown(self, name: str, fake: Tensor) -> Tensor:
        pool = self.pools[name]
        if len(pool) < 50:
            pool.append(fake.detach())
            return fake
        if random.random() < 0.5:
            return fake
        place = random.randrange(len(pool))
        old, pool[place] = pool[place], fake.detach()
        return old


def plain(network: nn.Module) -> nn.Module:
    """A copy with torch's instance normalisation in the place of ours; neither has weights."""
    network = copy.deepcopy(network)
    for module in list(network.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, InstanceNorm):
                setattr(module, name, nn.InstanceNorm2d(child.num_features))
    return network


def compare(
    size: int, width: int, *, seconds: float, precisions: Iterable[Precision] = tuple(AT_LEAST), toy: bool = False
) -> dict[str, list[float]]:
    """Seconds of a step of each, in interleaved rounds. Raises SystemExit when their first terms differ.

    toy: in bfloat16 compare the terms of the first step alone.
    """
    theirs = Theirs(size, width)
    ours: dict[Precision, Ours] = {precision: Ours(size, width, precision) for precision in precisions}
    expected = [theirs.step() for _ in range(COMPARED)]
    for precision, loop in ours.items():
        terms = [loop.step() for _ in range(COMPARED)]
        steps = 1 if toy and precision == "bfloat16" else COMPARED
        if not equal({"authors' order": expected[:steps], "gansmith": terms[:steps]}, TOLERANCE[precision]):
            raise SystemExit(
                f"the terms differ by more than {TOLERANCE[precision]:.1%} in {precision}, so the times do not "
                f"compare: {expected[:steps]} and {terms[:steps]}"
            )
    plays: dict[str, Callable[[int], object]] = {"authors' order": theirs.play}
    plays |= {precision: loop.play for precision, loop in ours.items()}
    return interleaved(plays, torch.device("cpu"), steps=1, seconds=seconds)


def measure(quick: bool = False, *, size: int = SIZE, width: int = WIDTH) -> list[Figure]:
    """Float32 and bfloat16, on the threads that torch has."""
    if quick:
        size, width = min(size, 32), min(width, 8)
    floors = report.native(AT_LEAST, quick=quick)
    rounds = compare(size, width, seconds=0 if quick else 120, precisions=floors, toy=quick)
    work = report.operations(Ours(size, width, "float32").play)
    what, theirs = f"CycleGAN {size} px", rounds["authors' order"]
    figures = [Figure("cyclegan", f"{what}: authors' order (float32)", "ms", milliseconds(theirs), digits=0)]
    for precision, floor in floors.items():
        ours = rounds[precision]
        ratio = [a / b for a, b in zip(theirs, ours, strict=True)]
        peak = max(hardware.peak_rate(torch.device("cpu"), precision, seconds=0.2 if quick else 2).values())
        shares = [100 * work / second / peak for second in ours]
        named = f"{what}, {precision}"
        figures += [
            Figure("cyclegan", f"{named}: gansmith", "ms", milliseconds(ours), digits=0),
            Figure("cyclegan", f"{named}: authors' order / gansmith", "", ratio, at_least=floor),
            Figure("cyclegan", f"{named}: share of the machine's peak", "%", shares, digits=0),
        ]
    return figures


def milliseconds(seconds: Sequence[float]) -> list[float]:
    return [1e3 * second for second in seconds]


def main() -> None:
    parser = report.arguments(__doc__)
    parser.add_argument("--size", type=int, default=SIZE, metavar="PIXELS", help="of the images")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    report.give_out(measure(chosen.quick, size=chosen.size), chosen.json)


if __name__ == "__main__":
    main()
