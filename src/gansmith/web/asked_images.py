"""Images that a request asks for: seeds, and latents of the run by their ids; and how a shell names them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gansmith.errors import OptionError
from gansmith.latent.latents import Seed
from gansmith.latent.seeds import seeds_as_text
from gansmith.runs.stars import Star, star_of
from gansmith.web.asked import LatentGiven, point


@dataclass(frozen=True)
class AskedImages:
    """Seeds and latents; names: of their files;  words: what --seeds takes for them."""

    seeds: tuple[Seed, ...]
    names: tuple[str, ...]
    words: str


def asked_images(folder: Path, of: Sequence[Any], *, most: int) -> AskedImages:
    """What `of`, a list of {"seed": N} and {"latent": "ID"}, names in the run at `folder`, each once.

    Raises OptionError for none, for more than `most`, or for what names no image; NotFoundError for a latent that is
    not there.
    """
    if not 1 <= len(of) <= most:
        raise OptionError(f"{len(of):,} images were asked for: from 1 to {most:,} at a time")
    return of_stars(folder, list(dict.fromkeys(map(star_of, of))))


def of_stars(folder: Path, stars: Sequence[Star]) -> AskedImages:
    """The same of seeds and ids."""
    seeds: list[Seed] = []
    words: list[str | list[int]] = []
    for star in stars:
        if isinstance(star, int):
            seeds.append(star)
            if words and isinstance(words[-1], list):
                words[-1].append(star)
            else:
                words.append([star])
            continue
        latent = point(folder, LatentGiven(latent=star))
        seeds.append(latent.seed)
        words.append(latent.word)
    texts = [seeds_as_text(word) if isinstance(word, list) else word for word in words]
    return AskedImages(tuple(seeds), tuple(map(str, stars)), ",".join(texts))
