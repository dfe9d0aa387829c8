"""A latent that no seed drew: values in the space of the prior (z) or in that of the styles (w), beside seeds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import torch
from torch import Tensor

from gansmith.errors import OptionError
from gansmith.system.option_types import LARGEST

Space: TypeAlias = Literal["z", "w"]


@dataclass(frozen=True, eq=False)
class Latent:
    """A latent [Z] (or [Z, h, w] of a canvas) of the prior's space, or [W] of the space of styles; float32, finite.

    label: number of the class of its image, for a conditional generator; None where it is not known. name: written on
    its image. Raises OptionError for other shapes, and for values that are not finite.

    >>> Latent(torch.zeros(4), name="mine")
    Latent(z of 4 numbers, 'mine')
    """

    values: Tensor
    space: Space = "z"
    label: int | None = None
    name: str = "latent"

    def __post_init__(self) -> None:
        if self.space not in ("z", "w"):
            raise OptionError(f"a latent is of the space z or w, not {self.space!r}")
        kind, shape = self.values.dtype, list(self.values.shape)
        if kind != torch.float32 or len(shape) not in ((1, 3) if self.space == "z" else (1,)):
            raise OptionError(
                f"a latent is float32 [Z], [Z, h, w] for a canvas, or [W] of the space w, not {kind} {shape}"
            )
        if self.label is not None and not 0 <= self.label <= LARGEST:
            raise OptionError(f"the latent {self.name} is of class {self.label}: a class is a number from 0")
        if not self.values.numel() or not bool(torch.isfinite(self.values).all()):
            raise OptionError(f"the latent {self.name} holds no numbers, or a NaN or an infinity among them")

    def __repr__(self) -> str:
        return f"Latent({self.space} of {self.values.numel()} numbers, {self.name!r})"


Seed: TypeAlias = int | Latent  # one image's: the number that draws its latent, or the latent


def space_of(seeds: Iterable[Seed]) -> Space:
    """The space in which seeds meet: w where one of them is there, because z can be mapped to it and not back.

    >>> space_of([3, Latent(torch.zeros(4), "w")])
    'w'
    """
    return "w" if any(isinstance(seed, Latent) and seed.space == "w" for seed in seeds) else "z"


def name_of(seed: Seed) -> str:
    """What is written on the image of a seed.

    >>> name_of(3), name_of(Latent(torch.zeros(4), name="mine"))
    ('3', 'mine')
    """
    return seed.name if isinstance(seed, Latent) else str(seed)
