"""A photograph of the user's, searched for in a run's latent space, and kept in the run as by `gansmith invert`."""

from __future__ import annotations

import base64
import hashlib
import io
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from PIL import Image

from gansmith.data.decode import conform
from gansmith.data.stream import normalised
from gansmith.errors import GansmithError
from gansmith.latent.latent_file import SUFFIX, save_latents
from gansmith.records.images import draw_sheet, save_image, to_uint8
from gansmith.system.files import write_json
from gansmith.system.progress import hidden_bars
from gansmith.web.latent_store import FOLDER, photograph_path, read_notes
from gansmith.web.pictures import command_line
from gansmith.web.work import Ended

if TYPE_CHECKING:
    from torch import Tensor

    from gansmith.data.decode import Pixels
    from gansmith.latent.latents import Seed
    from gansmith.latent.renderer import Renderer
    from gansmith.runs.run import Run

_EVERY = 0.25  # seconds between two previews
Preview = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class Search:
    """How an inversion searches, as `gansmith invert` takes it."""

    method: Literal["adam", "lbfgs", "cmaes"] = "adam"
    restarts: int = 8
    steps: int = 200
    label: str | None = None

    def words(self) -> list[str]:
        """The options that differ from the command line's defaults."""
        usual = Search()
        return [
            word
            for name in ("method", "restarts", "steps", "label")
            if (value := getattr(self, name)) != getattr(usual, name)
            for word in (f"--{name}", str(value))
        ]


class EndedError(GansmithError):
    """Nobody waits for the result any more."""


def photograph(
    run: Run,
    renderer: Renderer,
    data: bytes,
    image: Pixels,
    *,
    how: Search,
    ended: Ended,
    preview: Preview,
    file: str | None = None,
) -> dict[str, Any]:
    """The latent of an image uint8 [H, W, C], `data` its file called `file`: saved in the run, and what is answered.

    An inversion that was done before is read again. Raises EndedError where `ended()` says that nobody waits.
    """
    from gansmith.latent.invert import invert

    words = repr((renderer.digest, how)).encode()
    name = f"photo-{hashlib.sha256(words + data).hexdigest()[:12]}"
    path = run.path / FOLDER / f"{name}{SUFFIX}"
    target = _target(run, renderer, image, how.label)
    shown = base64_png(target)
    if path.is_file() and (notes := read_notes(path)):
        if file:
            notes["from"] = file
            write_json(path.with_suffix(".json"), notes)
        photograph_path(path).write_bytes(base64.b64decode(shown))
        return {"latent": name, **notes, "image": shown}
    last = 0.0

    def watch(done: int, of: int, distance: float, pixels: Callable[[], Any]) -> None:
        nonlocal last
        if ended():
            raise EndedError("the search was ended: nobody waits for it")
        if time.monotonic() - last >= _EVERY:
            last = time.monotonic()
            nearest = pixels()[:, target.shape[3] + 2 :]
            preview({"image": base64_image(nearest), "step": done, "of": of, "distance": distance})

    with hidden_bars():
        result = invert(
            renderer, target, method=how.method, restarts=how.restarts, steps=how.steps, label=how.label, name=name,
            watch=watch,
        )  # fmt: skip
    command = command_line("invert", str(run.path), "IMAGE", *how.words(), "--out", str(path))
    notes = {
        "distance": result.loss,
        "random": result.random_loss,
        "better": result.better,
        "reached": result.reached,
        "command": command,
    }
    save_latents(path, [result.latent], renderer.origin, force=True)
    series = renderer.images([result.latent])
    sheet = draw_sheet(_three(target, result.image, result.random_image), columns=3, scale=None)
    save_image(sheet, path.with_suffix(".png"), text=series.text())
    photograph_path(path).write_bytes(base64.b64decode(shown))
    write_json(path.with_suffix(".json"), {**notes, "from": file or "photograph"})
    return {"latent": name, **notes, "image": shown}


def keep_seeds(run: Path, renderer: Renderer, seeds: list[Seed], data: bytes) -> list[str]:
    """The names of latents, saved in the run, of a file `data` that holds them."""
    from gansmith.latent.latents import Latent

    stem = f"png-{hashlib.sha256(data).hexdigest()[:12]}"
    names = []
    for number, seed in enumerate(seeds):
        assert isinstance(seed, Latent)
        name = stem if len(seeds) == 1 else f"{stem}-{number}"
        save_latents(run / FOLDER / f"{name}{SUFFIX}", [seed], renderer.origin, force=True)
        names.append(name)
    return names


def base64_png(image: Tensor) -> str:
    """An image [1, C, H, W] in [-1, 1] as a PNG in base64."""
    return base64_image(to_uint8(image)[0])


def base64_image(pixels: Any) -> str:
    """uint8 [H, W, C] as a PNG in base64."""
    file = io.BytesIO()
    Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def _target(run: Run, renderer: Renderer, image: Pixels, label: str | None) -> Tensor:
    """[1, C, H, W] in [-1, 1], brought to the generator's size as the training images were."""
    import torch

    channels, height, width = renderer.images([0], label=label).images.shape[1:]
    data = run.data
    fitted = conform(image, size=(height, width), channels=channels, fit=data.fit, background=data.background)
    return normalised(torch.from_numpy(np.ascontiguousarray(fitted))[None])


def _three(target: Tensor, image: Tensor, other: Tensor) -> Tensor:
    import torch

    return torch.stack([target[0].cpu(), image, other])
