"""Latents and images of trained networks: sampling, interpolation, vector arithmetic and image translation.

    from gansmith.latent import Renderer, interpolate
    interpolate(Renderer(generator, prior), [1, 4, 9]).save("strip.png")

Importing this package does not import torch; the names below do, when they are first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gansmith.latent.arithmetic import Term, latent_arithmetic, mean_latent, sum_of_means
    from gansmith.latent.image_series import ImageSeries
    from gansmith.latent.interpolation import interpolate, interpolation_path, lerp, slerp
    from gansmith.latent.latent_file import load_latents, save_latents
    from gansmith.latent.latents import Latent
    from gansmith.latent.origin import Origin
    from gansmith.latent.renderer import Renderer
    from gansmith.latent.seeds import parse_seeds
    from gansmith.latent.translate import Translator, load_translator

_HOMES = {
    "ImageSeries": "gansmith.latent.image_series",
    "Latent": "gansmith.latent.latents",
    "Origin": "gansmith.latent.origin",
    "Renderer": "gansmith.latent.renderer",
    "Term": "gansmith.latent.arithmetic",
    "Translator": "gansmith.latent.translate",
    "interpolate": "gansmith.latent.interpolation",
    "interpolation_path": "gansmith.latent.interpolation",
    "latent_arithmetic": "gansmith.latent.arithmetic",
    "lerp": "gansmith.latent.interpolation",
    "load_latents": "gansmith.latent.latent_file",
    "load_translator": "gansmith.latent.translate",
    "mean_latent": "gansmith.latent.arithmetic",
    "parse_seeds": "gansmith.latent.seeds",
    "save_latents": "gansmith.latent.latent_file",
    "slerp": "gansmith.latent.interpolation",
    "sum_of_means": "gansmith.latent.arithmetic",
}
__all__ = [
    "ImageSeries",
    "Latent",
    "Origin",
    "Renderer",
    "Term",
    "Translator",
    "interpolate",
    "interpolation_path",
    "latent_arithmetic",
    "lerp",
    "load_latents",
    "load_translator",
    "mean_latent",
    "parse_seeds",
    "save_latents",
    "slerp",
    "sum_of_means",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'gansmith.latent' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
