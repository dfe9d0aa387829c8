"""Separators: for each class of images the direction in which latents go over to it.

Shen, Gu, Tang, Zhou 2020, "Interpreting the Latent Space of GANs for Semantic Face Editing", section 3.1: samples are
put into classes by a classifier of images, and a linear boundary between their latents is fitted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import KFold
from torch import Tensor

from gansmith.errors import OptionError
from gansmith.latent.directions.direction import Direction
from gansmith.latent.directions.inner import deviation
from gansmith.latent.renderer import Renderer
from gansmith.system.text import whole_number

LEAST_AUC = 0.7
_LEAST = 10  # samples inside and outside of a class
_FOLDS = 5
_PRIOR = 100.0  # half of it times the squared weights is added to the sum of cross-entropies (1 / C of other programs)


@dataclass(frozen=True, eq=False)
class Separator:
    """A class's direction [n] of length 1, and how well it separates: count samples of the class, auc cross-validated
    (None with too few samples inside or outside of the class)."""

    name: str
    vector: Tensor
    count: int
    auc: float | None

    @property
    def usable(self) -> bool:
        """Is the AUC at least .7?"""
        return self.auc is not None and self.auc >= LEAST_AUC


def separators(latents: Tensor, probabilities: Tensor, names: Sequence[str]) -> list[Separator]:
    """Latents [N, n] and their images' class probabilities [N, K] -> a separator for each class.

    One linear softmax is fitted to the probabilities, on latents whose covariance was brought to 1; a class's score is
    its weights less the mean of all. The direction is the way of least distance, in deviations of the latents, that
    raises the score: covariance^1/2 times the weights. Raises OptionError for shapes that do not fit.

    >>> z = torch.randn(400, 3, generator=torch.Generator().manual_seed(0))
    >>> first = torch.sigmoid(9 * z[:, :1])
    >>> right, left = separators(z, torch.cat([first, 1 - first], 1), ["right", "left"])
    >>> bool(right.vector[0] > 0.98), bool(right.auc > 0.98)
    (True, True)
    """
    if latents.dim() != 2 or probabilities.shape != (len(latents), len(names)) or len(names) < 2:
        raise OptionError(
            f"latents {list(latents.shape)} and probabilities {list(probabilities.shape)} of {len(names)} classes do "
            f"not fit: [N, n] and [N, K] of 2 classes or more are needed"
        )
    # Differs: the boundary of a linear SVM on the most certain samples; probabilities lose no sample
    white, root = _whitened(latents.double())
    wanted = probabilities.double() / probabilities.double().sum(1, keepdim=True)
    chosen = wanted.argmax(1)
    held_out = torch.zeros_like(wanted)
    for train, test in KFold(_FOLDS, shuffle=True, random_state=0).split(white.numpy()):
        held_out[test] = white[test] @ softmax_weights(white[train], wanted[train])
    # Differs: along the boundary's normal; equal where the latents are N(0, 1), and in W no image leaves what W holds
    vectors = (softmax_weights(white, wanted).t() @ root.t()).float()
    made = []
    for number, name in enumerate(names):
        inside = (chosen == number).numpy()
        count = int(inside.sum())
        enough = _LEAST <= count <= len(inside) - _LEAST
        auc = float(roc_auc_score(inside, held_out[:, number].numpy())) if enough else None
        vector = vectors[number] / vectors[number].norm().clamp_min(1e-30)
        made.append(Separator(name, vector, count, auc))
    return made


def softmax_weights(inputs: Tensor, wanted: Tensor, prior: float = _PRIOR) -> Tensor:
    """Inputs [N, n] and probabilities [N, K], float64 -> weights [n, K], their mean over the classes 0: the least of
    sum of cross-entropies + prior / 2 sum of squared weights, with a free bias."""
    weights = torch.zeros(inputs.shape[1], wanted.shape[1], dtype=inputs.dtype, requires_grad=True)
    bias = torch.zeros(wanted.shape[1], dtype=inputs.dtype, requires_grad=True)
    optimizer = torch.optim.LBFGS([weights, bias], max_iter=200, tolerance_grad=1e-6, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        entropy = -(wanted * torch.log_softmax(inputs @ weights + bias, 1)).sum() / len(inputs)
        total = entropy + prior / (2 * len(inputs)) * weights.square().sum()
        total.backward()
        return total

    optimizer.step(loss)
    fitted = weights.detach()
    return fitted - fitted.mean(1, keepdim=True)


def separator_directions(
    renderer: Renderer, found: Sequence[Separator], latents: Tensor, *, taken: Sequence[str] = ()
) -> list[Direction]:
    """The directions of the separators that are usable, named by their classes. taken: names that are not given."""
    usable = [one for one in found if one.usable]
    if not usable:
        return []
    steps = deviation(renderer, latents, torch.stack([one.vector for one in usable]))
    named: list[Direction] = []
    for one, step in zip(usable, steps, strict=True):
        name = class_direction_name(one.name)
        while name in (*taken, *(d.name for d in named)):
            name += "'"
        named.append(Direction(one.vector, name, "labels", float(step), auc=one.auc))
    return named


def class_direction_name(name: str) -> str:
    """A class's name as a direction can have it.

    >>> class_direction_name("Ankle boot"), class_direction_name("7")
    ('Ankle_boot', 'class_7')
    """
    word = "".join(letter if letter.isalnum() or letter in "-.&'()/+" else "_" for letter in name.strip())[:30]
    return f"class_{word}" if not word or whole_number(word) is not None or word.startswith("-") else word


def _whitened(latents: Tensor) -> tuple[Tensor, Tensor]:
    """Latents [N, n] with covariance 1 [N, r], and the root [n, r] that brings them back."""
    centred = latents - latents.mean(0)
    values, axes = torch.linalg.eigh(centred.t() @ centred / max(1, len(latents) - 1))
    kept = values > 1e-6 * values[-1]
    scale = values[kept].sqrt()
    return centred @ (axes[:, kept] / scale), axes[:, kept] * scale
