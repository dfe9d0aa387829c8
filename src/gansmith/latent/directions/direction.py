"""A direction in the latent space, and the numbered list of those that a model has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import torch
from torch import Tensor

from gansmith.errors import OptionError, UnknownNameError, unknown
from gansmith.latent.latents import Space
from gansmith.latent.origin import Origin
from gansmith.system.text import whole_number

Method: TypeAlias = Literal["pca", "svd", "labels"]
METHODS: tuple[Method, ...] = ("pca", "svd", "labels")

_LONGEST = 40  # letters of a name
_RESERVED = ",:="  # of the command line


@dataclass(frozen=True, eq=False)
class Direction:
    """A direction [n] of length 1; `step` is one standard deviation of the latents along it, as a length.

    change: mean change of the image by a step (root mean square of pixels in [-1, 1]); purity: share of it in one
    cluster of features; auc: cross-validated, of a class's separator; None where not measured.

    >>> Direction(torch.tensor([1.0, 0.0]), name="smile")
    Direction('smile' of 2 numbers, pca)
    """

    vector: Tensor
    name: str
    method: Method = "pca"
    step: float = 1.0
    change: float | None = None
    purity: float | None = None
    auc: float | None = None

    def __post_init__(self) -> None:
        require_name(self.name)
        length = float(self.vector.norm()) if self.vector.dim() == 1 else 0.0
        if self.vector.dtype != torch.float32 or not abs(length - 1) < 1e-3 or not 0 < self.step < float("inf"):
            raise OptionError(
                f"the direction {self.name} is {self.vector.dtype} {list(self.vector.shape)} of length {length:g} with "
                f"a step of {self.step:g}: float32 [n] of length 1 and a step above 0 are needed"
            )

    def __repr__(self) -> str:
        return f"Direction({self.name!r} of {len(self.vector)} numbers, {self.method})"


@dataclass(frozen=True, eq=False)
class Directions(Sequence[Direction]):
    """The directions of a model in one space, numbered from 1 on in this order. Raises OptionError for a name twice.

    >>> origin = Origin(version="1.0", model="0" * 64)
    >>> Directions((Direction(torch.tensor([1.0, 0.0]), "smile"),), "z", origin).find("1").name
    'smile'
    """

    items: tuple[Direction, ...]
    space: Space
    origin: Origin

    def __post_init__(self) -> None:
        names = [item.name for item in self.items]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise OptionError(f"two directions are called {twice[0]!r}: give one of them another name")

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index):  # type: ignore[no-untyped-def]  # a number or a slice, as of a tuple
        return self.items[index]

    def number(self, word: str) -> int:
        """The number of the direction that `word` names or numbers, from 1. Raises UnknownNameError."""
        names = [item.name for item in self.items]
        number = names.index(word) + 1 if word in names else whole_number(word)
        if number is None or not 1 <= number <= len(names):
            raise UnknownNameError(f"{unknown('direction', word, names)}; or a number from 1 to {len(names)}")
        return number

    def find(self, word: str) -> Direction:
        """The direction that `word` names or numbers. Raises UnknownNameError."""
        return self.items[self.number(word) - 1]

    def renamed(self, names: Mapping[str, str]) -> Directions:
        """{name or number: new name}. Raises UnknownNameError, and OptionError for a name that cannot be one."""
        changed = {self.number(word) - 1: name for word, name in names.items()}
        return replace(
            self, items=tuple(replace(d, name=changed.get(place, d.name)) for place, d in enumerate(self.items))
        )

    def with_method(self, made: Sequence[Direction]) -> Directions:
        """These, with `made` in the place of those of the same method, or behind all."""
        methods = {item.method for item in made}
        kept = [item for item in self.items if item.method not in methods]
        return replace(self, items=(*kept, *made))

    def cosines(self) -> Tensor:
        """Cosines between all pairs [K, K]."""
        rows = torch.stack([item.vector for item in self.items]).double()
        cosines: Tensor = rows @ rows.t()
        return cosines.clamp(-1, 1)


def require_name(name: str) -> str:
    """The name. Raises OptionError for one that a command line could not take apart, or that is a number."""
    if not 0 < len(name) <= _LONGEST or not name.isprintable() or name != name.strip() or set(name) & set(_RESERVED):
        raise OptionError(
            f"a direction cannot be called {name!r}: 1 to {_LONGEST} letters, none of {' '.join(_RESERVED)}"
        )
    if whole_number(name) is not None or name.startswith("-"):
        raise OptionError(f"a direction cannot be called {name!r}: it would be taken for a number or an option")
    return name


def orthogonal(directions: Iterable[Direction], to: Sequence[Direction]) -> list[Direction]:
    """Directions projected to be at right angles to all of `to` (Shen, Gu, Tang, Zhou 2020, "Interpreting the Latent
    Space of GANs for Semantic Face Editing", section 3.2), with what was measured of them forgotten; the step as long.

    Raises OptionError where nothing is left of one.

    >>> x, y = torch.eye(2)
    >>> [made] = orthogonal([Direction((x + y) / 2**0.5, "both")], [Direction(x, "first")])
    >>> made.vector
    tensor([0., 1.])
    """
    basis = torch.linalg.qr(torch.stack([d.vector for d in to]).double().t()).Q
    projected = []
    for direction in directions:
        vector = direction.vector.double()
        rest = vector - basis @ (basis.t() @ vector)
        if rest.norm() < 1e-3:
            names = ", ".join(d.name for d in to)
            raise OptionError(f"nothing of the direction {direction.name} is at right angles to {names}")
        projected.append(replace(direction, vector=(rest / rest.norm()).float(), change=None, purity=None))
    return projected
