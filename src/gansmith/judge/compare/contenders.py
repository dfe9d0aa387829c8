"""The contenders of a comparison: a generator with its discriminator, from a run, a checkpoint or a folder of models;
the images it generates and the scores it gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from gansmith.errors import OptionError, RunError
from gansmith.evaluation.activations import to_input
from gansmith.evaluation.generated_images import generated_images
from gansmith.evaluation.weights import content_of
from gansmith.judge.opened import Opened, open_for_judging
from gansmith.latent.renderer import Renderer
from gansmith.runs.run import Run
from gansmith.system.paths import resolved
from gansmith.system.progress import bar

Images = NDArray[Any]  # uint8 [N, H, W, C], or float32 points [N, 1, 1, 2]
_BATCH = 64  # images in a discriminator's batch


@dataclass(frozen=True)
class Contender:
    """One generator with its discriminator, both opened from one run."""

    name: str
    generator: Opened
    discriminator: Opened
    renderer: Renderer

    @property
    def path(self) -> Path:
        """The folder it was opened from."""
        return self.generator.run.path

    @property
    def digest(self) -> str:
        """The digest of the discriminator's weights: equal for equal ones."""
        return content_of(self.discriminator.network)


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
    short = [_named(resolved(path).name, checkpoint) for path, checkpoint in places]
    long = [_named(str(path), checkpoint) for path, checkpoint in places]
    names = [one if short.count(one) == 1 else other for one, other in zip(short, long, strict=True)]
    opened = [
        _contender(name, *place, raw=raw, device=device, trust=trust) for name, place in zip(names, places, strict=True)
    ]
    for other in opened[1:]:
        sizes = [one.discriminator.size for one in (opened[0], other)]
        if sizes[0] != sizes[1]:
            raise RunError(
                f"{opened[0].name} makes images of {sizes[0]} and {other.name} of {sizes[1]}: "
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
    with bar(f"samples of {contender.name}", count) as advance:
        return generated_images(contender.renderer, range(count), advance=advance)


def scores(discriminator: nn.Module, images: Images, device: torch.device) -> NDArray[np.float32]:
    """A discriminator's raw scores of images [N, ...], in float32."""
    rows = []
    exactly = torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False)
    with torch.no_grad(), exactly:
        for start in range(0, len(images), _BATCH):
            part = images[start : start + _BATCH]
            rows.append(discriminator(to_input(part).contiguous().to(device)).float().cpu().numpy())
    return np.concatenate(rows)


def _contender(name: str, path: Path, checkpoint: str | None, *, raw: bool, device: str, trust: bool) -> Contender:
    """Raises RunError where generator or discriminator is missing, or reads labels."""
    run = Run(path, trust=trust)
    missing = [player for player in ("generator", "discriminator") if player not in run.players]
    if missing:
        raise RunError(
            f"{path} has no {missing[0]}, it has: {', '.join(run.players)}. To be compared, a run needs a generator "
            f"and a discriminator"
        )
    generator = open_for_judging(run, "generator", raw=raw, checkpoint=checkpoint, device=device)
    discriminator = open_for_judging(run, "discriminator", checkpoint=checkpoint, device=device)
    conditional = [one.card.player for one in (generator, discriminator) if _conditional(one.network)]
    if conditional:
        raise RunError(
            f"the {conditional[0]} of {path} reads labels, and runs are compared on images without any. Compare their "
            f"samples by metrics instead: gansmith evaluate {path}"
        )
    return Contender(name, generator, discriminator, generator.renderer())


def _conditional(network: nn.Module) -> bool:
    return bool(getattr(network, "conditional", False))


def _named(name: str, checkpoint: str | None) -> str:
    return name if checkpoint is None else f"{name}@{checkpoint}"
