"""Encoder of images into a generator's latents, and its file: safetensors, with the digest of the generator.

    tensors    those of `EncoderNetwork`, float32 and int64
    metadata   "gansmith_encoder": JSON of `EncoderHeader`

An encoder belongs to one generator's weights: for others it is stale, which is refused with the command that trains it.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import safetensors
import safetensors.torch
import torch
from pydantic import Field, ValidationError
from torch import Tensor

from gansmith.adversarial import Dimensions
from gansmith.errors import OptionError
from gansmith.latent.encoder_network import EncoderNetwork
from gansmith.latent.latents import Space
from gansmith.latent.origin import Count, Digest, Origin, Word
from gansmith.latent.renderer import Renderer
from gansmith.models.saved import digest_of
from gansmith.system.allocation import build_in_memory
from gansmith.system.files import atomic, unreadable
from gansmith.system.option_types import LARGEST, SMALL
from gansmith.system.option_words import shown

_KEY = "gansmith_encoder"
_FOLDER = "encoders"
_MOST_BYTES, _MOST_HEADER = 2**31, 2**16

_Side = Annotated[int, Field(ge=1, le=2**14)]
_Size = Annotated[int, Field(ge=1, le=2**16)]
_Error = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class EncoderHeader(Origin):
    """What the metadata of an encoder's file says: the generator that it belongs to, its shape, how it was trained."""

    format: Literal[1] = 1
    space: Space
    channels: Annotated[int, Field(ge=1, le=4)]
    height: _Side
    width: _Side
    size: _Size  # numbers of a latent
    classes: Annotated[int, Field(ge=0, le=LARGEST)] = 0
    filters: Annotated[int, Field(ge=1, le=SMALL)]  # channels of its first layer
    examples: Count  # own samples of the generator that it was trained on
    seed: Count = 0
    losses: tuple[Word, ...] = ()
    error: _Error = 0.0  # mean squared difference of fresh samples from their reconstructions
    apart: _Error = 0.0  # of two random samples
    sha256: Digest = "0" * 64  # of the tensors

    def network(self) -> EncoderNetwork:
        """The network of this shape, untrained. Raises OptionError where it does not fit in memory."""
        dimensions = Dimensions(self.channels, self.height, self.width)

        def build() -> EncoderNetwork:
            return EncoderNetwork(dimensions, self.size, self.classes, self.filters)

        network = build_in_memory(build, "the encoder of a file", "use a machine with more", error=OptionError)
        assert isinstance(network, EncoderNetwork)
        return network


@dataclass(frozen=True, eq=False)
class Encoder:
    """Images [B, C, H, W] in [-1, 1] -> coordinates u [B, n] of their latents, and their classes [B] (None without)."""

    network: EncoderNetwork
    header: EncoderHeader

    @torch.no_grad()
    def __call__(self, images: Tensor) -> tuple[Tensor, Tensor | None]:
        u, scores = self.network.to(images.device).eval()(images)
        return u, scores.argmax(1) if self.header.classes else None


def encoder_file(run: Path, space: Space) -> Path:
    """Where the encoder of a run, or of a folder or file of models, lies.

    >>> encoder_file(Path("runs/hands"), "z").as_posix()
    'runs/hands/encoders/z.safetensors'
    """
    return (run.parent if run.suffix == ".safetensors" else run) / _FOLDER / f"{space}.safetensors"


def save_encoder(path: Path, encoder: Encoder) -> Path:
    """Write an encoder, whole or not at all; replaces the one that is there. Returns the path."""
    tensors = {name: value.detach().cpu().contiguous() for name, value in encoder.network.state_dict().items()}
    header = encoder.header.model_copy(update={"sha256": digest_of(tensors)})
    with atomic(path) as file:
        file.write(safetensors.torch.save(tensors, metadata={_KEY: header.model_dump_json()}))
    return path


def load_encoder(path: Path, renderer: Renderer, space: Space, *, command: str) -> Encoder:
    """The encoder in a file, of this renderer's generator. command: that trains it, for messages.

    Raises OptionError where there is none, for one of other weights or another space, and for a damaged one.
    """
    if unreadable(path) is None and not path.is_file():
        raise OptionError(f"there is no encoder of this generator yet ({path}): train it once with {command}")
    try:
        header, data = _read(path)
        if header.model != renderer.digest or header.space != space:
            raise OptionError(
                f"the encoder {path} is stale: it belongs to {header} in the space {header.space}, and "
                f"this is {renderer.origin} in the space {space}. Train it anew with {command}"
            )
        tensors = safetensors.torch.load(data)
        if digest_of(tensors) != header.sha256:
            raise ValueError("its sha256 is another than when it was written")
        network = header.network()
        network.load_state_dict(tensors)
    except ValidationError as error:
        first = error.errors()[0]
        what = f"{'.'.join(map(str, first['loc']))} = {shown(first['input'])}: {first['msg']}"
        raise OptionError(f"{path} is damaged, or no encoder of gansmith: {what}. Train it anew: {command}") from error
    except (OSError, KeyError, RecursionError, RuntimeError, TypeError, ValueError,
            safetensors.SafetensorError) as error:  # fmt: skip
        raise OptionError(f"{path} is damaged, or no encoder of gansmith: {error}. Train it anew: {command}") from error
    return Encoder(network.eval().requires_grad_(False), header)


def _read(path: Path) -> tuple[EncoderHeader, bytes]:
    """Header, checked, and the bytes of a file. Raises ValueError and others for what is none."""
    size = path.stat().st_size
    if not 8 < size <= _MOST_BYTES:
        raise ValueError(f"it has {size:,} bytes, and an encoder 9 to {_MOST_BYTES:,}")
    data = path.read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    if length > min(_MOST_HEADER, len(data) - 8):
        raise ValueError(f"its header has {length:,} bytes, at most {_MOST_HEADER:,} are allowed")
    plain = json.loads(data[8 : 8 + length])
    return EncoderHeader.model_validate_json(plain["__metadata__"][_KEY], strict=True), data
