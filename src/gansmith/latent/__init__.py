"""Latents and images of trained networks: sampling, interpolation, vector arithmetic, directions and image translation.

    from gansmith.latent import Renderer, interpolate
    interpolate(Renderer(generator, prior), [1, 4, 9]).save("strip.png")

Importing this package does not import torch; the names below do, when they are first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gansmith.latent.arithmetic import Term, arithmetic_result, latent_arithmetic, mean_latent, sum_of_means
    from gansmith.latent.directions.direction import Direction, Directions, orthogonal
    from gansmith.latent.directions.direction_file import load_directions, save_directions
    from gansmith.latent.directions.edit import edit, edited_images, strips
    from gansmith.latent.directions.make import make_directions
    from gansmith.latent.directions.principal import principal_directions
    from gansmith.latent.directions.ranking import rank
    from gansmith.latent.directions.separators import separators
    from gansmith.latent.directions.singular import singular_directions
    from gansmith.latent.image_series import ImageSeries
    from gansmith.latent.interpolation import interpolation_path, lerp, slerp
    from gansmith.latent.latent_file import load_latents, save_latents
    from gansmith.latent.latents import Latent
    from gansmith.latent.origin import Origin
    from gansmith.latent.panning import pan
    from gansmith.latent.path_images import interpolate
    from gansmith.latent.renderer import Renderer
    from gansmith.latent.seeds import parse_seeds
    from gansmith.latent.translate import Translator, load_translator

_HOMES = {
    "Direction": "gansmith.latent.directions.direction",
    "Directions": "gansmith.latent.directions.direction",
    "ImageSeries": "gansmith.latent.image_series",
    "Latent": "gansmith.latent.latents",
    "Origin": "gansmith.latent.origin",
    "Renderer": "gansmith.latent.renderer",
    "Term": "gansmith.latent.arithmetic",
    "Translator": "gansmith.latent.translate",
    "arithmetic_result": "gansmith.latent.arithmetic",
    "edit": "gansmith.latent.directions.edit",
    "edited_images": "gansmith.latent.directions.edit",
    "interpolate": "gansmith.latent.path_images",
    "interpolation_path": "gansmith.latent.interpolation",
    "latent_arithmetic": "gansmith.latent.arithmetic",
    "lerp": "gansmith.latent.interpolation",
    "load_directions": "gansmith.latent.directions.direction_file",
    "load_latents": "gansmith.latent.latent_file",
    "load_translator": "gansmith.latent.translate",
    "make_directions": "gansmith.latent.directions.make",
    "mean_latent": "gansmith.latent.arithmetic",
    "orthogonal": "gansmith.latent.directions.direction",
    "pan": "gansmith.latent.panning",
    "parse_seeds": "gansmith.latent.seeds",
    "principal_directions": "gansmith.latent.directions.principal",
    "rank": "gansmith.latent.directions.ranking",
    "save_directions": "gansmith.latent.directions.direction_file",
    "save_latents": "gansmith.latent.latent_file",
    "separators": "gansmith.latent.directions.separators",
    "singular_directions": "gansmith.latent.directions.singular",
    "slerp": "gansmith.latent.interpolation",
    "strips": "gansmith.latent.directions.edit",
    "sum_of_means": "gansmith.latent.arithmetic",
}
__all__ = [
    "Direction",
    "Directions",
    "ImageSeries",
    "Latent",
    "Origin",
    "Renderer",
    "Term",
    "Translator",
    "arithmetic_result",
    "edit",
    "edited_images",
    "interpolate",
    "interpolation_path",
    "latent_arithmetic",
    "lerp",
    "load_directions",
    "load_latents",
    "load_translator",
    "make_directions",
    "mean_latent",
    "orthogonal",
    "pan",
    "parse_seeds",
    "principal_directions",
    "rank",
    "save_directions",
    "save_latents",
    "separators",
    "singular_directions",
    "slerp",
    "strips",
    "sum_of_means",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'gansmith.latent' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
