"""Supervised training of a classifier on the labels of the real images: a game of one player.

Cross-entropy on random crops, as residual networks are trained on small images (He, Zhang, Ren, Sun 2016, "Deep
Residual Learning for Image Recognition", section 4.2). Label smoothing: Szegedy, Vanhoucke, Ioffe, Shlens, Wojna 2016,
"Rethinking the Inception Architecture for Computer Vision", section 7.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch.nn.functional as F
from torch import Tensor, nn

from gansmith.adversarial import Batch, Game, Moment, Objective, Sample, Terms, Turn, exact
from gansmith.data.prior import Prior
from gansmith.errors import DataError, ExperimentError
from gansmith.games.parts.crop import crop
from gansmith.system.option_types import FractionBelowOne, NonNegativeSmallInt

ROLES = {"classifier": "classifier"}
WHOLE_SET = ("padding", "flip")  # a step can evaluate its loss again; without these, which draw other images each time

_TOP = 5


def build(
    players: Mapping[str, nn.Module],
    objective: Objective | None,
    prior: Prior,
    *,
    padding: NonNegativeSmallInt = 4,
    flip: bool = False,
    smoothing: FractionBelowOne = 0.0,
) -> Game:
    """The game of a classifier (images -> logits [B, K]); batches are {"real": Sample} with labels. Objective and
    prior are not used.

    padding: pixels of reflection padding before a random crop of the image's size; 0 crops nothing. flip: mirror half
    of the images, not for letters and digits. smoothing: label smoothing, the share of each label that is spread over
    all classes. Crops and flips belong to training: the network has none.

    >>> import torch
    >>> game = build({"classifier": nn.Flatten()}, None, Prior(), padding=0)
    >>> batch = {"real": Sample(torch.eye(3).view(3, 3, 1, 1), torch.arange(3))}
    >>> game.turns[0].play(batch, Moment(0, 0, 0, torch.Generator())).seen
    {'error': tensor(0.)}
    """
    classifier = players["classifier"]

    def classify(batch: Batch, at: Moment) -> Terms:
        image, label = labelled(batch["real"])
        if padding or flip:
            image = crop(image, padding=padding, flip=flip, rng=at.rng)
        logits = exact(classifier(image))
        if at.step == 0:  # once: reading the labels waits for the device
            check_scores(logits, label)
        loss = F.cross_entropy(logits, label, label_smoothing=smoothing)
        return Terms({"loss": loss}, errors(logits.detach(), label))

    return Game(players=players, turns=(Turn("classifier", ("classifier",), classify),))


def errors(logits: Tensor, label: Tensor) -> dict[str, Tensor]:
    """Top-1 error of logits [B, K] and labels [B]; with more than five classes also the top-5 error."""
    seen = {"error": (logits.argmax(1) != label).float().mean()}
    if logits.shape[1] > _TOP:
        among = (logits.topk(_TOP, dim=1).indices == label[:, None]).any(1)
        seen["top5_error"] = 1 - among.float().mean()
    return seen


def labelled(sample: Sample) -> tuple[Tensor, Tensor]:
    """Images [B, C, H, W] and labels [B] of a sample. Raises DataError without labels."""
    if sample.label is None:
        raise DataError(
            "unlabelled data where labels are needed: the game classify learns them. Sort the images into one folder "
            "for each class, or name a CSV file or an array that holds labels beside the images"
        )
    return sample.image, sample.label


def check_scores(logits: Tensor, label: Tensor) -> None:
    """Raises ExperimentError unless each label has a logit: the network was built for fewer classes."""
    highest = int(label.max())
    if logits.dim() != 2 or not 0 <= int(label.min()) <= highest < logits.shape[1]:
        raise ExperimentError(
            f"the classifier gives scores of shape {list(logits.shape[1:])} for an image, and the labels go up to "
            f"{highest}: it must give one score for each class, [B, {highest + 1}] at least"
        )
