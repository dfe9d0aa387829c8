"""Path length regularisation: the generator's slope in W, along random images, is drawn to its running mean.

Karras, Laine, Aittala, Hellsten, Lehtinen, Aila 2020, "Analyzing and Improving the Image Quality of StyleGAN",
section 3.2, Eq. 4: E (|J' y| - a)^2, J the Jacobian of the images by w, y images of normal noise, a the running mean of
the lengths |J' y|. J' y is the gradient of the sum of g(w) y by w.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from gansmith.adversarial import OnLatents, Terms, Weighted, exact
from gansmith.errors import ExperimentError
from gansmith.schedules import Weight, schedule
from gansmith.system import collectives
from gansmith.system.collectives import gathered, own_rows
from gansmith.system.option_types import FractionBelowOne, PositiveInt
from gansmith.system.sharing import drawn, part_of, shared, whole


def build(
    *, weight: Weight = 2.0, every: PositiveInt = 1, decay: FractionBelowOne = 0.99, shrink: PositiveInt = 2
) -> OnLatents:
    """weight: a number or a schedule. every: steps from one to the next, which also multiply the weight (4 in the
    paper). decay: of the running mean, per penalty. shrink: it takes the first 1 / shrink of the turn's latents.

    >>> build(every=4).term.due(4), build().term.state.state_dict()["mean"]
    (True, tensor(0.))
    """
    mean = MeanLength(decay)
    term = Weighted(partial(penalty, mean=mean, shrink=shrink), schedule(weight), every, per_sample=False, state=mean)
    return OnLatents(term)


class MeanLength:
    """Running mean of path lengths, which begins at 0, as in the authors' code."""

    def __init__(self, decay: float) -> None:
        self.decay = decay
        self.mean = torch.zeros(())
        self._measured: list[Tensor] = []  # mean lengths in the parts of the turn being played

    def ahead(self, lengths: Tensor) -> Tensor:
        """The mean after an update with these lengths [B]; they are noted for `observe`."""
        self._measured.append(collectives.mean(lengths.detach(), None))
        return self._next(self._measured[-1])

    def observe(self, terms: Terms) -> None:
        """Update the mean with the lengths noted in this turn, if there are any."""
        if self._measured:
            self.mean = self._next(torch.stack(self._measured).mean())
            self._measured = []

    def seen(self) -> dict[str, Tensor]:
        return {"mean_path_length": self.mean}

    def state_dict(self) -> dict[str, Any]:
        return {"mean": self.mean}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.mean, self._measured = state["mean"], []

    def _next(self, length: Tensor) -> Tensor:
        return torch.lerp(length, self.mean.to(length), self.decay)


def penalty(
    generator: nn.Module,
    z: Tensor,
    label: Tensor | None,
    rng: torch.Generator,
    *,
    mean: MeanLength,
    shrink: int,
) -> Tensor:
    """(|J' y| - a)^2 at the first of the latents z [B, Z]: [ceil(B / shrink)]. The generator is called once more.

    Raises ExperimentError for a generator without the methods `styles` (z, label -> w [B, L, W]) and `synthesize`, and
    for fewer of these latents than processes.
    """
    styles: Callable[..., Tensor] | None = getattr(generator, "styles", None)
    synthesize: Callable[..., Tensor] | None = getattr(generator, "synthesize", None)
    if styles is None or synthesize is None:
        raise ExperimentError(
            "the penalty path_length needs a generator with a space W (stylegan2), and this one has none: "
            "take it away, or --set generator.name=stylegan2"
        )
    count = -(-whole(len(z)) // shrink)
    # Differs: the authors draw further latents for it; the turn's own have the same distribution.
    first = gathered(z)[:count], None if label is None else gathered(label)[:count]
    share = len(z) / whole(len(z))
    with part_of(count):  # the first of the global batch, shared out anew
        w = styles(*(None if values is None else own_rows(values) for values in first))
        lengths = _lengths(w, synthesize, rng)
        # Differs: a is a constant, as in Eq. 4; in the authors' code a hundredth of the gradient passes through it.
        each = (lengths - mean.ahead(lengths)).square()
    # the mean of what is here counts by the share of the whole batch, and is of another share of its first images
    return each * (len(each) / count / share) if shared() else each


def _lengths(w: Tensor, synthesize: Callable[[Tensor], Tensor], rng: torch.Generator) -> Tensor:
    """|J' y| [B] at w [B, L, W], y drawn anew for each image."""
    images = exact(synthesize(w))
    shape = images.shape[1:]
    noise = drawn(lambda n: torch.randn(n, *shape, generator=rng, device=rng.device), len(images)).to(images)
    along = (images * noise).sum() / math.sqrt(shape[1] * shape[2])  # lengths do not grow with the size
    (slopes,) = torch.autograd.grad(along, w, create_graph=True)
    # as the authors' code: w of each layer by itself, squares summed over W and averaged over layers
    lengths: Tensor = torch.linalg.vector_norm(exact(slopes), dim=(1, 2)) / math.sqrt(w.shape[1])
    return lengths
