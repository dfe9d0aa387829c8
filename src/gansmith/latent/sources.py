"""Where the latents of images come from, as text: seeds, and in their place latent files and PNG files of gansmith.

`0-3,mine.safetensors,9,grid.png` is the seeds 0, 1, 2 and 3, the latents of a file, the seed 9, and those of a sheet.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from gansmith.latent.latent_file import SUFFIX, load_latents
from gansmith.latent.latents import Seed, name_of
from gansmith.latent.origin import Origin
from gansmith.latent.provenance import read_provenance
from gansmith.latent.provenance_seeds import seeds_of
from gansmith.latent.renderer import Renderer
from gansmith.latent.seeds import parse_seeds
from gansmith.system.text import printable

_FILES = (SUFFIX, ".png")


@dataclass(frozen=True)
class Source:
    """Some seeds, or those of a file; names: of their images, seeds: for the renderer that makes them."""

    names: tuple[str, ...]
    seeds: Callable[[Renderer], Sequence[Seed]]
    origin: Origin | None = None  # of a file
    file: Path | None = None


@dataclass(frozen=True)
class Sources:
    """What a text of seeds and files names, in the order written.

    >>> read_sources("0-2,9").names
    ('0', '1', '2', '9')
    """

    parts: tuple[Source, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Of the images, one each."""
        return tuple(name for part in self.parts for name in part.names)

    @property
    def files(self) -> tuple[Path, ...]:
        """That are read."""
        return tuple(part.file for part in self.parts if part.file is not None)

    def seeds(self, renderer: Renderer) -> list[Seed]:
        """Seeds and latents, one for each image."""
        return [seed for part in self.parts for seed in part.seeds(renderer)]

    def warnings(self, renderer: Renderer) -> list[str]:
        """A line for each file whose latents were made for other weights than the renderer's."""
        return [
            f"{part.file} belongs to {part.origin}, and this is {renderer.origin}: it makes another image"
            for part in self.parts
            if part.origin is not None and part.origin.model != renderer.digest
        ]


def read_sources(*texts: str) -> Sources:
    """The sources that texts name, as above. Raises OptionError for what is neither a seed nor a file of latents.

    >>> read_sources("3", "8-9").names
    ('3', '8', '9')
    """
    parts: list[Source] = []
    for text in texts:
        words = [text] if _is_file(text) else text.split(",")
        if not any(map(_is_file, words)):
            parts.append(_of_seeds(parse_seeds(text)))
            continue
        parts += [_of_file(Path(word.strip())) if _is_file(word) else _of_seeds(parse_seeds(word)) for word in words]
    return Sources(tuple(parts))


def _is_file(word: str) -> bool:
    return Path(word.strip()).suffix.lower() in _FILES and ("," not in word or Path(word.strip()).is_file())


def _of_seeds(numbers: Sequence[int]) -> Source:
    return Source(tuple(map(str, numbers)), lambda renderer: numbers)


def _of_file(path: Path) -> Source:
    if path.suffix.lower() != SUFFIX:
        made, stem = read_provenance(path), printable(path.stem)
        return Source(made.names(stem), lambda renderer: seeds_of(made, renderer, stem), made.origin, path)
    stored = load_latents(path)
    return Source(tuple(map(name_of, stored.latents)), lambda renderer: stored.latents, stored.origin, path)
