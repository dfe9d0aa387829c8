"""Where the latents of images come from, as text: seeds, and files of latents in the place of seeds.

`0-3,mine.safetensors,9` is the seeds 0, 1, 2 and 3, the latents of a file, and the seed 9.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from gansmith.latent.latent_file import SUFFIX, Origin, load_latents
from gansmith.latent.latents import Seed, name_of
from gansmith.latent.renderer import Renderer
from gansmith.latent.seeds import parse_seeds

_DIGITS = 16  # of a digest, in a message


@dataclass(frozen=True)
class Source:
    """Some seeds, or the latents of a file; names: of their images, seeds: for the renderer that makes them."""

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
            f"{part.file} belongs to the model {part.origin.model[:_DIGITS]}"
            f"{after(part.origin)}, and this is {renderer.digest[:_DIGITS]}: the image is another one"
            for part in self.parts
            if part.origin is not None and part.origin.model != renderer.digest
        ]


def after(origin: Origin) -> str:
    """Of a model: ` (dcgan_small, after 300,000 images)`, as far as it is known.

    >>> after(Origin(version="1.0", model="0" * 64, images=500))
    ' (after 500 images)'
    """
    words = [word for word in (origin.recipe, origin.images and f"after {origin.images:,} images") if word]
    return f" ({', '.join(words)})" if words else ""


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
    return Path(word.strip()).suffix.lower() == SUFFIX and ("," not in word or Path(word.strip()).is_file())


def _of_seeds(numbers: Sequence[int]) -> Source:
    return Source(tuple(map(str, numbers)), lambda renderer: numbers)


def _of_file(path: Path) -> Source:
    stored = load_latents(path)
    return Source(tuple(map(name_of, stored.latents)), lambda renderer: stored.latents, stored.origin, path)
