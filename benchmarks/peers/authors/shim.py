"""What lets a package that insists on CUDA train on a processor: its import, its `.cuda()`, its devices, its writing.

`lightweight_gan` 1.2.1 and `stylegan2_pytorch` 1.9.0 assert CUDA when they are imported, call `.cuda(rank)` on tensors
and modules, and name devices `cuda:0`. Nothing of theirs is changed on disk.
"""

from __future__ import annotations

import importlib.util
import sys
import types
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from benchmarks.peers.authors.task import DivergedError

EXTENSION = "png"  # of the files of the images: no loss, and both packages read it


class OnProcessor:
    """Stands for the module torch inside a package: `device` names the processor whatever is asked for."""

    def __getattr__(self, name: str) -> Any:
        return getattr(torch, name)

    def device(self, *_: object) -> torch.device:
        return torch.device("cpu")


@contextmanager
def pretended_cuda() -> Iterator[None]:
    """`torch.cuda.is_available()` is true inside, for an assertion at import."""
    with mock.patch.object(torch.cuda, "is_available", return_value=True):
        yield


def stay_on_processor() -> None:
    """`.cuda(...)` of tensors and of modules returns what it was called on, from now on in this process."""
    torch.Tensor.cuda = _itself  # type: ignore[method-assign]  # that is the shim
    torch.nn.Module.cuda = _itself  # type: ignore[method-assign]


def load(package: str, module: str, absent: tuple[str, ...] = ()) -> Any:
    """The module `package`.`module` of a peer, on the processor. absent: modules that it imports for what is not used
    here (a tracker of experiments), replaced by empty ones where they are not installed."""
    for name in absent:
        if name not in sys.modules and importlib.util.find_spec(name) is None:
            sys.modules[name] = types.ModuleType(name)
    stay_on_processor()
    with pretended_cuda():
        loaded = importlib.import_module(f"{package}.{module}")
    loaded.torch = OnProcessor()  # type: ignore[attr-defined]  # a module takes any name
    return loaded


def silence(trainer: Any) -> None:
    """No sheets and no checkpoints during the training: gansmith's cells write none either."""
    trainer.evaluate = _nothing
    trainer.save = _nothing


def folder_of(images: NDArray[np.uint8], folder: Path) -> Path:
    """uint8 [N, H, W, C] as PNG files in a new folder, which both packages train from."""
    folder.mkdir(parents=True)
    for number, image in enumerate(images):
        Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image).save(folder / f"{number:06d}.{EXTENSION}")
    return folder


def play(trainer: Any, nan: type[Exception], tries: int = 3) -> None:
    """One step of a trainer, tried again after a NaN as the packages' own commands do. Raises DivergedError."""
    for _ in range(tries):
        try:
            trainer.train()
            return
        except nan:
            continue
    raise DivergedError(f"a NaN in {tries} tries of step {trainer.steps}")


def _itself(self: Any, *_: object, **__: object) -> Any:
    return self


def _nothing(*_: object, **__: object) -> None:
    return None
