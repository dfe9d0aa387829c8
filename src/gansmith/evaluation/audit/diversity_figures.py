"""The figures of the answer on diversity: real images that are never made, and how often each class occurs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gansmith.evaluation.audit import plots
from gansmith.evaluation.audit.diversity_numbers import Classes
from gansmith.evaluation.audit.sheets import picture
from gansmith.evaluation.metrics import class_histogram
from gansmith.evaluation.pairwise_distances import nearest
from gansmith.evaluation.types import Features, Figure, Side

_SHOWN = 16
_MOST_BARS = 30


def never_generated(
    reference: tuple[Side, Features], samples: Features, balls: NDArray[np.float32]
) -> tuple[Figure, ...]:
    """The real images that the samples stay farthest from, measured by how far their own neighbours are.

    reference: the images and the places [N, D] that `balls` [N] are round; samples: places [M, D].
    """
    real, places = reference
    if real.images is None:
        return ()
    distances = nearest(places, samples, what="diversity: the sample nearest to each real image")[0]
    away = distances[:, 0] / np.maximum(balls, np.finfo(np.float32).tiny)
    farthest = np.argsort(-away, kind="stable")[: min(_SHOWN, int((away > 1).sum()))]
    if not len(farthest):
        return ()
    return (
        Figure(
            f"What it makes least: the {len(farthest)} of {len(real):,} real images that all samples stay "
            f"farthest from."
            if len(farthest) > 1
            else f"What it makes least: the one of {len(real):,} real images that no sample comes near.",
            image=picture(real.images[farthest], columns=_SHOWN // 2),
        ),
    )


def class_bars(classes: Classes) -> tuple[Figure, ...]:
    """Shares of the classes among real images and samples, where they are few enough to draw."""
    if not 0 < len(classes) <= _MOST_BARS:
        return ()
    real = {name: 100 * share for name, (share, _) in classes.items()}
    made = {name: 100 * share.value for name, (_, share) in classes.items()}
    ends = {name: (100 * (share.low or 0.0), 100 * (share.high or 0.0)) for name, (_, share) in classes.items()}
    caption = (
        "How often each class occurs: in the labels of the real images, and among the samples by a linear classifier "
        "of the features, its mistakes taken out."
    )
    return (Figure(caption, svg=plots.bars({"real": real, "made": made}, y="share (%)", intervals={"made": ends})),)


def histogram(names: Sequence[str] | None, probabilities: tuple[Features, Features] | None) -> tuple[Figure, ...]:
    """Shares of the classes by a classifier that saw real images and samples."""
    if probabilities is None or names is None or len(names) > _MOST_BARS:
        return ()
    shares = {}
    for name, rows in zip(("real", "made"), probabilities, strict=True):
        counts = class_histogram.histogram(rows)
        shares[name] = dict(zip(names, (100 * counts / counts.sum()).tolist(), strict=True))
    return (Figure("How often each class occurs, by the classifier.", svg=plots.bars(shares, y="share (%)")),)
