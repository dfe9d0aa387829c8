"""Does the whole step hold in one CUDA graph? A trial outside the engine, beside it, with equal losses.

One graph holds every turn with all its repeats: passes, gradients (those of penalties too), capturable Adam. What
changes from step to step is copied in before it is replayed: the images, and the seeds of registered generators, one
for each play, so that a replayed step draws what the engine's step draws. Schedules are constants of the graph here,
and what Python counts (lazy penalties, an image pool that still grows) would have to be recorded anew.
On a CPU the same function is called instead of replayed.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from benchmarks import cyclegan, r3gan, wgan_gp
from benchmarks.device import cases
from benchmarks.device.fast import FULL, QUICK
from benchmarks.device.part import Part, main
from benchmarks.device.rounds import figures, interleaved
from gansmith.adversarial import Batch, Game, Moment, Sample
from gansmith.data.stream import Stream
from gansmith.speed.interleave import Ours
from gansmith.system.device import Precision
from gansmith.system.seeding import mix
from gansmith.training.engine import Source, trained_parameters, unfreeze_only
from gansmith.training.optimizers import Scheduled
from gansmith.training.precision import autocast

_COMPARED = 3  # steps


class Captured:
    """A game's step, captured. Its networks, and optimizers of its own with the options of those that are given."""

    def __init__(
        self,
        game: Game,
        stream: Source,
        optimizers: Mapping[str, Scheduled],
        *,
        device: torch.device,
        precision: Precision,
        seed: int,
    ) -> None:
        self.game, self.stream, self.device, self.precision, self.seed = game, stream, device, precision, seed
        self.trained = trained_parameters(game)
        on_card = {"capturable": True} if device.type == "cuda" else {}
        self.adam = {
            name: torch.optim.Adam(
                self.trained[name], lr=g["lr"], betas=g["betas"], eps=g["eps"], fused=True, **on_card
            )
            for name, g in ((name, scheduled.optimizer.param_groups[0]) for name, scheduled in optimizers.items())
        }
        self.plays: list[tuple[int, int, int]] = []  # place of the turn, repeat, batch
        batches = 0
        for place, turn in enumerate(game.turns):
            for repeat in range(turn.repeats(1001)):
                batches += turn.draws or not batches
                self.plays.append((place, repeat, batches - 1))
        self.batches = [self._copy(next(stream)) for _ in range(batches)]
        if isinstance(stream, Stream):
            stream.load_state_dict({"drawn": 0})
        stream.drawn = 0
        self.generators = [torch.Generator(device) for _ in self.plays]
        self.steps = 0
        self.losses: list[Tensor] = []
        self.graph = self._capture() if device.type == "cuda" else None

    @staticmethod
    def _copy(batch: Batch) -> Batch:
        return {
            name: Sample(image.clone(), None if label is None else label.clone())
            for name, (image, label) in batch.items()
        }

    def _capture(self) -> torch.cuda.CUDAGraph:
        """Three steps to warm up on a stream of their own, the capture, and everything as it was before."""
        before = {name: {k: v.clone() for k, v in p.state_dict().items()} for name, p in self.game.players.items()}
        pools = {
            name: {key: value.clone() for key, value in vars(state).items() if isinstance(value, Tensor)}
            for name, state in self.game.state.items()
        }
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(3):
                self.body()
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        for generator in self.generators:
            graph.register_generator_state(generator)
        with torch.cuda.graph(graph):
            self.body()
        with torch.no_grad():
            for name, player in self.game.players.items():
                for key, value in player.state_dict().items():
                    value.copy_(before[name][key])
            for name, kept in pools.items():
                for key, value in kept.items():  # in place: the graph knows where they lie
                    getattr(self.game.state[name], key).copy_(value)
            for optimizer in self.adam.values():
                for moments in optimizer.state.values():
                    for number in moments.values():
                        number.zero_()
        return graph

    def body(self) -> None:
        """One step on the static batches, with the generators as they stand."""
        self.losses = []
        for (place, repeat, which), generator in zip(self.plays, self.generators, strict=True):
            turn = self.game.turns[place]
            unfreeze_only(self.trained, turn.players)
            weights = [weight for player in turn.players for weight in self.trained[player]]
            for weight in weights:
                weight.grad = None
            with autocast(self.device, self.precision):
                terms = turn.play(self.batches[which], Moment(0, 0, repeat, generator)).checked()
            terms.total().backward(inputs=weights if len(terms.loss) > 1 else None)
            for player in turn.players:
                self.adam[player].step()
            self.losses += [value.detach() for value in terms.loss.values()]

    def play(self, steps: int) -> None:
        for _ in range(steps):
            for static in self.batches:
                for name, sample in next(self.stream).items():
                    static[name].image.copy_(sample.image)
            for (place, repeat, _), generator in zip(self.plays, self.generators, strict=True):
                generator.manual_seed(mix(self.seed, self.steps, place, repeat, 0))
            if self.graph is None:
                self.body()
            else:
                self.graph.replay()
            self.steps += 1

    def step(self) -> list[float]:
        self.play(1)
        return [float(loss) for loss in self.losses]


class Engine:
    """Our engine, and the losses of a step in the order in which `Captured` has them."""

    def __init__(self, ours: Any, engine: Any, game: Game) -> None:
        self.play, self.engine, self.game = ours.play, engine, game

    def step(self) -> list[float]:
        self.play(1)
        plain = {"score_real", "score_fake", "accuracy", "held_real"}
        return [
            float(value)
            for _, terms in self.engine.state.output
            for name, value in terms.items()
            if name.rpartition("_")[0] not in plain and name not in plain
        ]


def pair(name: str, device: torch.device, *, quick: bool) -> dict[str, Any]:
    """{"engine", "captured"} of equal weights, images and seeds."""
    if name == "CycleGAN":
        size, width = (32, 8) if quick else (256, 64)
        both = [cyclegan.Ours(size, width, "bfloat16", device) for _ in range(2)]
        for ours in both:  # pools that are full, alike on both sides
            rng = torch.Generator().manual_seed(1)
            for pool in ours.game.state.values():
                pool.load_state_dict({"images": torch.rand(50, 3, size, size, generator=rng).to(device) * 2 - 1})
        sides = [(ours.game, ours.source, ours.optimizers, 0) for ours in both]
        engine: Any = both[0]
        running = engine.engine
    else:
        parts = [_parts(name, device, quick=quick) for _ in range(2)]
        sides = [(p.game, p.stream, p.optimizers, p.experiment.seed) for p in parts]
        engine, running = Ours(parts[0]), parts[0].engine
    game, stream, optimizers, seed = sides[1]
    made = Captured(game, stream, optimizers, device=device, precision="bfloat16", seed=seed)
    return {"engine": Engine(engine, running, sides[0][0]), "captured": made}


def _parts(name: str, device: torch.device, *, quick: bool) -> Any:
    known: dict[str, tuple[Callable[..., Any], dict[str, int], dict[str, int]]] = {
        "DCGAN": (cases.dcgan_parts, {"batch": 64, "width": 64, "size": 64}, {"batch": 8, "width": 4, "size": 16}),
        "WGAN-GP": (wgan_gp.parts_of, {"batch": 64}, {"batch": 4, "width": 8, "size": 16}),
        "R3GAN": (r3gan.parts_of, {"batch": 64, "width": 768}, {"batch": 4, "width": 16, "size": 16}),
    }
    build, real, toy = known[name]
    return build(device=str(device), precision="bfloat16", **(toy if quick else real))


def measure(part: Part) -> None:
    names = ("DCGAN", "WGAN-GP", "R3GAN", "CycleGAN")
    for number, name in enumerate(names):
        if part.left() < 3:
            part.keep("left out", names[number:])
            return
        with part.attempt(name):
            part.keep(name, one(part, name, seconds=0.3 * part.left() / (len(names) - number)))
        gc.collect()
        if part.device.type == "cuda":
            torch.cuda.synchronize(part.device)
            torch.cuda.empty_cache()


def one(part: Part, name: str, *, seconds: float) -> dict[str, Any]:
    loops = pair(name, part.device, quick=part.quick)
    losses = {
        key: torch.tensor([loop.step() for _ in range(_COMPARED)], dtype=torch.float64) for key, loop in loops.items()
    }
    scale = losses["engine"].abs().max().clamp_min(1e-12)
    far = [float(step.abs().max() / scale) for step in losses["captured"] - losses["engine"]]
    plays: dict[str, Callable[[int], object]] = {key: loop.play for key, loop in loops.items()}
    times = interleaved(plays, part.device, seconds=seconds, **(QUICK if part.quick else FULL))
    return {"losses apart, by step": far, "steps": figures(times, "engine")}


if __name__ == "__main__":
    main(measure, __doc__)
