"""Model files: one self-describing PLAYER.safetensors for each network.

The only module that reads or writes them. A file loads without its run, without any pickle and, unless it names code
from outside this package, without executing anything but gansmith. `model.json` beside them repeats the cards for
people and other programs. A card holds the sha256 of itself and of its tensors.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from pydantic import TypeAdapter, ValidationError
from torch import Tensor, nn

from gansmith import catalog
from gansmith.adversarial import Dimensions
from gansmith.data.prior import Prior
from gansmith.errors import GansmithError, RunError, unknown
from gansmith.system.allocation import build_in_memory
from gansmith.system.files import atomic, require_folder, unreadable, write_json
from gansmith.system.option_types import LARGEST
from gansmith.system.option_words import shown

_FORMAT = 1
_WAY_OUT = "Take another copy of it; a run's own is written anew from its checkpoint by `gansmith resume`"


@dataclass(frozen=True)
class Card:
    """Description stored in a model file: enough to build the network, draw its latents and name its origin."""

    player: str
    role: str  # the factory in the model's file: generator, discriminator, ...
    model: str
    options: dict[str, Any]
    dimensions: Dimensions
    prior: Prior = Prior()  # noqa: RUF009  (frozen)
    classes: tuple[str, ...] = ()
    images: int = 0  # real images drawn when these weights were saved
    averaged: bool = False
    origin: dict[str, Any] = field(default_factory=dict)  # recipe, data, version: for people

    def build(self) -> nn.Module:
        """The network, untrained. Raises RunError where it does not fit in memory."""

        def build() -> nn.Module:
            network = catalog.build("models", self.model, self.dimensions, factory=self.role, **self.options)
            assert isinstance(network, nn.Module)
            return network

        what, instead = f"the {self.player} ({self.model}) of a model file", "use a machine with more"
        return build_in_memory(build, what, instead, error=RunError)


def save(folder: Path, players: Mapping[str, tuple[Card, Mapping[str, Tensor]]]) -> None:
    """Write one file for each player's state dict, and model.json. Each file is whole or absent.

    Raises GansmithError, also where the folder is removed meanwhile: it is not begun anew.
    """
    cards = {}
    require_folder(Path(folder))
    for name, (card, state) in players.items():
        plain = {"format": _FORMAT, **asdict(card), "dimensions": card.dimensions._asdict()}
        tensors = {key: value.detach().cpu().contiguous().clone() for key, value in state.items()}
        plain["sha256"] = _digest(json.loads(json.dumps(plain)), tensors)  # as it is read: lists for tuples
        with atomic(Path(folder) / f"{name}.safetensors", create_folder=False) as file:
            file.write(safetensors.torch.save(tensors, metadata={"gansmith": json.dumps(plain)}))
        cards[name] = plain
    write_json(Path(folder) / "model.json", cards, create_folder=False)


def load(folder: Path, player: str = "generator", *, trust: bool = False) -> tuple[nn.Module, Card]:
    """A player's network, on the CPU and in evaluation mode, and its card.

    `folder` is a run's `model/` or the file itself. trust: its model may be code from outside gansmith.
    Raises RunError when it is absent, damaged or not one of ours.
    """
    path = Path(folder)
    _require_readable(path)
    if path.is_dir():
        known = [file.stem for file in path.glob("*.safetensors")]
        if player not in known:
            raise RunError(f"{path}: {unknown('player', player, known)}")
        path = path / f"{player}.safetensors"
    if not path.is_file():
        raise RunError(f"there is no model file {path}")
    card, state = read_card(path), read_state(path)  # verified before anything is built from it
    if trust:
        catalog.vouch([card.model])
    network = card.build()
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        raise RunError(f"the model file {path} does not fit the network it names: {error}") from error
    return network.eval(), card


def models_named_in(place: Path) -> list[str]:
    """The models that the cards name in a folder of models, a run, or one model file; damaged files are passed over."""
    folder = place / "model" if (place / "model").is_dir() else place
    files = sorted(folder.glob("*.safetensors")) if folder.is_dir() else [folder]
    names = []
    for file in files:
        with suppress(RunError):  # whoever loads it is told
            names.append(read_card(file).model)
    return names


# Bytes of names that are no UTF-8 are lone surrogates to Python, which pydantic's JSON refuses: a private plane instead
_ASIDE = {0xDC80 + byte: 0x10FF80 + byte for byte in range(128)}
_BACK = {there: here for here, there in _ASIDE.items()}


@contextmanager
def _in_utf8(path: Path) -> Iterator[Path]:
    """A path that is UTF-8, which safetensors asks for: that of the open file where its own is not."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        with path.open("rb") as file:
            yield Path(f"/dev/fd/{file.fileno()}")
    else:
        yield path


def read_state(path: Path) -> dict[str, Tensor]:
    """The tensors of the model file at `path`, verified by the sha256 in its card; builds no network.

    Files of earlier versions have no sha256 and are taken as they are. Raises RunError when it is damaged.
    """
    _require_readable(path)
    try:
        with _in_utf8(path) as name:
            state: dict[str, Tensor] = safetensors.torch.load_file(name)
        with _in_utf8(path) as name, safetensors.safe_open(name, framework="pt") as file:
            text = (file.metadata() or {}).get("gansmith", "{}")
        plain = json.loads(text)
        digest = plain.pop("sha256", None)
    except (OSError, safetensors.SafetensorError, RecursionError, ValueError, AttributeError, TypeError) as error:
        raise RunError(f"the model file {path} is damaged: {error}. {_WAY_OUT}") from error
    if digest is not None and digest != _digest(plain, state):
        raise RunError(f"the model file {path} is damaged: its sha256 is another than when it was written. {_WAY_OUT}")
    return state


def is_current(path: Path, images: int) -> bool:
    """Whether there is an undamaged model file at `path`, of a network that had seen so many images."""
    try:
        read_state(path)
        return read_card(path).images == images
    except RunError:
        return False


def _require_readable(path: Path) -> None:
    """Raises RunError for a file or folder that cannot be opened, which is no damage."""
    reason = unreadable(path)
    if reason is not None:
        raise RunError(f"{path} cannot be read: {reason}")


def _digest(plain: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> str:
    """The sha256 of a card and of its tensors, by name: type, shape and bytes."""
    return digest_of(tensors, json.dumps(plain, sort_keys=True))


def digest_of(tensors: Mapping[str, Tensor], text: str = "") -> str:
    """The sha256 of a text and of tensors, by name: type, shape and bytes; in hexadecimal."""
    digest = hashlib.sha256(text.encode())
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu().contiguous()
        digest.update(f"\n{name} {tensor.dtype} {list(tensor.shape)}\n".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def read_card(path: Path) -> Card:
    """The description in the model file at `path`. Raises RunError for a file that is damaged or of another kind."""
    _require_readable(path)
    try:
        with _in_utf8(path) as name, safetensors.safe_open(name, framework="pt") as file:
            text = (file.metadata() or {})["gansmith"]
        plain = json.loads(text)
        if not isinstance(plain, dict) or type(plain.get("format")) is not int:
            raise TypeError("its card is no mapping with a format")
        if plain["format"] > _FORMAT:
            raise RunError(f"the model file {path} was written by a newer gansmith; update to read it")
        card: Card = _cards().validate_json(json.dumps(plain, ensure_ascii=False).translate(_ASIDE), strict=True)
        card = replace(
            card,
            classes=tuple(name.translate(_BACK) for name in card.classes),
            origin={
                key: value.translate(_BACK) if isinstance(value, str) else value for key, value in card.origin.items()
            },
        )
    except GansmithError:
        raise
    except ValidationError as error:
        first = error.errors()[0]
        where, value = ".".join(map(str, first["loc"])), shown(first["input"])
        hint = f"; {unknown('role', str(first['input']), catalog.ROLES)}" if where == "role" else ""
        raise RunError(f"the model file {path} is damaged: {where} = {value}: {first['msg']}{hint}") from error
    except (
        safetensors.SafetensorError,
        OSError,
        MemoryError,
        RecursionError,
        KeyError,
        TypeError,
        ValueError,
    ) as error:
        raise RunError(f"{path} is damaged or not a model file of gansmith: {error!r}") from error
    if card.role not in catalog.ROLES:  # it names the function that is called
        raise RunError(f"the model file {path} is damaged: {unknown('role', card.role, catalog.ROLES)}")
    positive = (*card.dimensions[:3], card.prior.size)
    if max(positive) > LARGEST or min(*positive, 1 + min(*card.dimensions[3:], card.prior.classes, card.images)) < 1:
        raise RunError(f"the model file {path} is damaged: {card.dimensions}, {card.prior}, {card.images} images")
    return card


@functools.cache
def _cards() -> TypeAdapter[Card]:
    return TypeAdapter(Card)
