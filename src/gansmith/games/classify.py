"""A game for one: a classifier that learns the labels of the real images.

Cross-entropy on random crops, as residual networks are trained on small images (He, Zhang, Ren, Sun 2016, "Deep
Residual Learning for Image Recognition", section 4.2). Label smoothing: Szegedy, Vanhoucke, Ioffe, Shlens, Wojna 2016,
"Rethinking the Inception Architecture for Computer Vision", section 7.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from gansmith.adversarial import Batch, Game, Moment, Objective, Prior, Sample, Terms, Turn, exact
from gansmith.errors import DataError, ExperimentError
from gansmith.games.parts.crop import crop

ROLES = {"classifier": "classifier"}

Pixels = Annotated[int, Field(ge=0)]
Share = Annotated[float, Field(ge=0, lt=1)]

_TOP = 5


def build(
    players: Mapping[str, nn.Module],
    objective: Objective | None,
    prior: Prior,
    *,
    padding: Pixels = 4,
    flip: bool = False,
    smoothing: Share = 0.0,
) -> Game:
    """The game of a classifier (images -> logits [B, K]); batches are {"real": Sample} with labels. It has no use for
    an objective or a prior.

    padding: pixels of reflection round an image before a crop of its size is taken at random; 0 takes none. flip:
    mirror half of the images, which letters and digits do not bear. smoothing: the share of each label that is spread
    over all classes. Only training sees crops and flips: the network itself has none.
    """
    classifier = players["classifier"]

    def classify(batch: Batch, at: Moment) -> Terms:
        image, label = labelled(batch["real"])
        if padding or flip:
            image = crop(image, padding=padding, flip=flip, rng=at.rng)
        logits = exact(classifier(image))
        if at.step == 0:  # looking at the labels waits for the device, and they do not change in kind
            check_scores(logits, label)
        loss = F.cross_entropy(logits, label, label_smoothing=smoothing)
        return Terms({"loss": loss}, errors(logits.detach(), label))

    return Game(players=players, turns=(Turn("classifier", ("classifier",), classify),))


def errors(logits: Tensor, label: Tensor) -> dict[str, Tensor]:
    """Logits [B, K], labels [B] -> the share of wrong guesses; with more than five classes also of those where the
    label is not among the best five."""
    seen = {"error": (logits.argmax(1) != label).float().mean()}
    if logits.shape[1] > _TOP:
        among = (logits.topk(_TOP, dim=1).indices == label[:, None]).any(1)
        seen["top5_error"] = 1 - among.float().mean()
    return seen


def labelled(sample: Sample) -> tuple[Tensor, Tensor]:
    """The images and their labels. Raises DataError where there are none."""
    if sample.label is None:
        raise DataError(
            "unlabelled data where labels are needed: the game classify learns them. Sort the images into one folder "
            "for each class, or name a CSV file or an array that holds labels beside the images"
        )
    return sample.image, sample.label


def check_scores(logits: Tensor, label: Tensor) -> None:
    """Raises ExperimentError unless each label has a score: the network was built for other classes."""
    highest = int(label.max())
    if logits.dim() != 2 or not 0 <= int(label.min()) <= highest < logits.shape[1]:
        raise ExperimentError(
            f"the classifier gives scores of shape {list(logits.shape[1:])} for an image, and the labels go up to "
            f"{highest}: it must give one score for each class, [B, {highest + 1}] at least"
        )
