"""The contenders of a comparison: a generator with its discriminator, from a run, a checkpoint or a folder of models;
the images it generates and the scores it gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from gansmith.errors import OptionError, RunError
from gansmith.evaluation.activations import to_input
from gansmith.evaluation.generated_images import PART, generated_images
from gansmith.judge.opened import Opened, open_for_judging
from gansmith.latent.renderer import Renderer
from gansmith.pretrained.weights import content_of
from gansmith.runs.own_networks import own_networks_at
from gansmith.runs.run import Run
from gansmith.system.paths import resolved, shell_word
from gansmith.system.progress import bar

Images = NDArray[Any]  # uint8 [N, H, W, C], or float32 points [N, 1, 1, 2]
Labels = NDArray[np.int64]
_BATCH = 64  # images in a discriminator's batch


class Labelled(NamedTuple):
    """Images [N, ...] and their classes [N], where these are known."""

    images: Images
    labels: Labels | None = None


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
    def conditional(self) -> bool:
        """Whether its discriminator reads labels."""
        return bool(getattr(self.discriminator.network, "conditional", False))

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
    _require_same_classes(opened)
    return opened


def _require_same_classes(opened: Sequence[Contender]) -> None:
    """Raises RunError where a discriminator reads labels and another generator makes images of no class, or of other
    classes."""
    reader = next((one for one in opened if one.conditional), None)
    if reader is None:
        return
    for one in opened:
        if not one.renderer.conditional:
            raise RunError(
                f"the discriminator of {reader.name} reads labels, and the generator of {one.name} makes images of no "
                f"class: it cannot judge them. Compare conditional runs with each other, or their samples by metrics: "
                f"gansmith evaluate {shell_word(one.path)}"
            )
        known = [_classes(role) for role in (reader.discriminator, one.generator, one.discriminator)]
        if known.count(known[0]) < len(known):
            raise RunError(
                f"{reader.name} and {one.name} were trained with other classes, {_words(known[0])} and "
                f"{_words(known[1])}: a label of one means nothing to the other"
            )


def _classes(role: Opened) -> tuple[str, ...]:
    return role.card.classes or tuple(map(str, range(role.card.prior.classes)))


def _words(classes: tuple[str, ...]) -> str:
    return f"{len(classes)} ({', '.join(classes[:5])}{', ...' if len(classes) > 5 else ''})"


def own_networks(contenders: Sequence[Contender]) -> tuple[str, ...]:
    """The networks that any of them was trained on: they judge none, so that all are judged alike."""
    return tuple(sorted({name for one in contenders for name in own_networks_at(one.path)}))


def parse(run: str | Path) -> tuple[Path, str | None]:
    """`runs/photos@000050000` -> (path, checkpoint's name); a path that exists is taken whole."""
    path = Path(run)
    if path.exists() or "@" not in str(run):
        return path, None
    folder, _, checkpoint = str(run).rpartition("@")
    if not folder or not checkpoint:
        raise OptionError(f"{run}: write RUN@CHECKPOINT, such as runs/photos@000050000 or runs/photos@latest")
    return Path(folder), checkpoint


def sampled(contender: Contender, count: int) -> Labelled:
    """The images of seeds 0 .. count - 1, with the classes that a conditional generator makes them for."""
    labels = contender.renderer.labels(range(count))
    with bar(f"samples of {contender.name}", count) as advance:
        images = generated_images(contender.renderer, range(count), advance=advance)
    return Labelled(images, None if labels is None else labels.numpy())


def scores(discriminator: nn.Module, side: Labelled, device: torch.device) -> NDArray[np.float32]:
    """A discriminator's raw scores of images [N, ...], with their labels if it reads any, in float32."""
    images, conditional = side.images, bool(getattr(discriminator, "conditional", False))
    rows = []
    exactly = torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False)
    with torch.no_grad(), exactly:
        for start in range(0, len(images), _BATCH):
            part = to_input(images[start : start + _BATCH]).contiguous().to(device)
            labels = []
            if conditional:
                assert side.labels is not None  # open_all and reals saw to it
                labels = [torch.from_numpy(side.labels[start : start + _BATCH]).to(device)]
            rows.append(discriminator(part, *labels).float().cpu().numpy())
    return np.concatenate(rows)


def _contender(name: str, path: Path, checkpoint: str | None, *, raw: bool, device: str, trust: bool) -> Contender:
    """Raises RunError where generator or discriminator is missing."""
    run = Run(path, trust=trust)
    missing = [player for player in ("generator", "discriminator") if player not in run.players]
    if missing:
        raise RunError(
            f"{path} has no {missing[0]}, it has: {', '.join(run.players)}. To be compared, a run needs a generator "
            f"and a discriminator"
        )
    generator = open_for_judging(run, "generator", raw=raw, checkpoint=checkpoint, device=device)
    discriminator = open_for_judging(run, "discriminator", checkpoint=checkpoint, device=device)
    return Contender(name, generator, discriminator, generator.renderer(chunk=PART))


def _named(name: str, checkpoint: str | None) -> str:
    return name if checkpoint is None else f"{name}@{checkpoint}"
