"""One generator with its discriminator, opened from a run, a checkpoint of it, or a folder of models; what it makes and
what it says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from gansmith.adversarial import Dimensions
from gansmith.data.settings import DataSettings
from gansmith.errors import OptionError, RunError
from gansmith.evaluation.activations import to_input
from gansmith.evaluation.weights import content_of
from gansmith.latent.renderer import Renderer
from gansmith.records.pictures import to_uint8
from gansmith.runs import folder as run_folder
from gansmith.runs.run import Run
from gansmith.system.device import choose_device
from gansmith.system.progress import bar

Images = NDArray[Any]  # uint8 [N, H, W, C], or float32 points [N, 1, 1, 2]
_AT_ONCE = 64  # images between two advances of a bar, and in a discriminator's batch


@dataclass(frozen=True)
class Contender:
    """One generator with its discriminator. averaging: "averaged" or "raw"; settings: of its data, where it has any."""

    name: str
    path: Path
    checkpoint: str | None
    renderer: Renderer
    discriminator: nn.Module
    dimensions: Dimensions
    averaging: str
    settings: DataSettings | None

    @property
    def size(self) -> str:
        """height x width x channels"""
        channels, height, width = self.dimensions[:3]
        return f"{height}x{width}x{channels}"

    @property
    def digest(self) -> str:
        """Of the discriminator's weights: equal for equal ones."""
        return content_of(self.discriminator)


def open_all(runs: Sequence[str | Path], *, raw: bool, device: str, trust: bool) -> list[Contender]:
    """The contenders, each under the shortest name that tells it from the others."""
    if len(runs) < 2:
        raise OptionError(
            f"{len(runs)} run{'' if len(runs) == 1 else 's'} given and at least two are needed: "
            f"each generator is judged by the discriminators of the others. A run may be given at two "
            f"checkpoints: RUN@000050000 RUN@latest"
        )
    places = [parse(run) for run in runs]
    twice = [str(run) for run, place in zip(runs, places, strict=True) if places.count(place) > 1]
    if twice:
        raise OptionError(f"{twice[0]} was given twice; give another run, or another checkpoint of it: RUN@CHECKPOINT")
    short = [_named(path.resolve().name, checkpoint) for path, checkpoint in places]
    long = [_named(str(path), checkpoint) for path, checkpoint in places]
    names = [one if short.count(one) == 1 else other for one, other in zip(short, long, strict=True)]
    opened = [
        _opened(name, *place, raw=raw, device=device, trust=trust) for name, place in zip(names, places, strict=True)
    ]
    for other in opened[1:]:
        if other.dimensions[:3] != opened[0].dimensions[:3]:
            raise RunError(
                f"{opened[0].name} makes images of {opened[0].size} and {other.name} of {other.size}: "
                f"no discriminator can judge both. Compare runs of one size and one number of channels"
            )
    return opened


def parse(run: str | Path) -> tuple[Path, str | None]:
    """`runs/photos@000050000` -> (path, checkpoint's name); a path that exists is taken whole."""
    path = Path(run)
    if path.exists() or "@" not in str(run):
        return path, None
    folder, _, checkpoint = str(run).rpartition("@")
    if not folder or not checkpoint:
        raise OptionError(f"{run}: write RUN@CHECKPOINT, such as runs/photos@000050000 or runs/photos@latest")
    return Path(folder), checkpoint


def sampled(contender: Contender, count: int) -> Images:
    """The images of seeds 0 .. count - 1."""
    made: list[Images] = []
    with bar(f"samples of {contender.name}", count) as advance:
        for start in range(0, count, _AT_ONCE):
            seeds = range(start, min(start + _AT_ONCE, count))
            images = contender.renderer.images(seeds).images
            points = tuple(images.shape[1:]) == (2, 1, 1)
            made.append(images.movedim(1, -1).numpy() if points else to_uint8(images))
            advance(len(seeds))
    return np.concatenate(made)


def scores(discriminator: nn.Module, images: Images, device: torch.device) -> NDArray[np.float32]:
    """What a discriminator says of images: [N, ...]. It is run in float32, as it is saved."""
    found = []
    exactly = torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False)
    with torch.no_grad(), exactly:
        for start in range(0, len(images), _AT_ONCE):
            part = images[start : start + _AT_ONCE]
            found.append(discriminator(to_input(part).contiguous().to(device)).float().cpu().numpy())
    return np.concatenate(found)


def _opened(name: str, path: Path, checkpoint: str | None, *, raw: bool, device: str, trust: bool) -> Contender:
    run = Run(path, trust=trust)
    missing = [player for player in ("generator", "discriminator") if player not in run.players]
    if missing:
        raise RunError(
            f"{path} has no {missing[0]}, it has: {', '.join(run.players)}. To be compared, a run needs a generator "
            f"and a discriminator"
        )
    generator, card = run.network("generator", raw=raw, checkpoint=checkpoint)
    discriminator, judge = run.network("discriminator", checkpoint=checkpoint)
    reading = [name for name, one in (("generator", generator), ("discriminator", discriminator)) if _conditional(one)]
    if reading:
        raise RunError(
            f"the {reading[0]} of {path} reads labels, and runs are compared on images without any. Compare their "
            f"samples by metrics instead: gansmith evaluate {path}"
        )
    where = choose_device(device)
    return Contender(
        name=name,
        path=path,
        checkpoint=checkpoint,
        renderer=Renderer(generator, card.prior, device=where),
        discriminator=discriminator.to(device=where, dtype=torch.float32).eval().requires_grad_(False),
        dimensions=judge.dimensions,
        averaging="averaged" if card.averaged and not raw else "raw",
        settings=run.experiment.data if run_folder.is_run(path) else None,
    )


def _conditional(network: nn.Module) -> bool:
    return bool(getattr(network, "conditional", False))


def _named(name: str, checkpoint: str | None) -> str:
    return name if checkpoint is None else f"{name}@{checkpoint}"
