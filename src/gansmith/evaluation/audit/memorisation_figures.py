"""The figures of the answer on memorisation: nearest pairs, the distribution of nearness, the power of the test."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gansmith.evaluation.audit import plots
from gansmith.evaluation.audit.memorisation_findings import Findings
from gansmith.evaluation.audit.sheets import picture
from gansmith.evaluation.blends import Blends
from gansmith.evaluation.copy_search import Nearest
from gansmith.evaluation.memorisation_tests import LEVEL
from gansmith.evaluation.types import Figure, Images

_SHOWN = 12  # pairs on a sheet
_LEGIBLE = 64  # pixels a side of each, about: smaller ones are enlarged by a whole factor


def figures(findings: Findings, samples: Images, held_out: Images, train: Images) -> tuple[Figure, ...]:
    """Two sheets of pairs and two plots."""
    groups = {
        "samples": findings.near.nearness.tolist(),
        "held-out images": findings.held_out.nearness.tolist(),
        "planted copies": findings.planted.nearness.tolist(),
    }
    curves = {
        name: [(100 * share, noticed) for share, noticed in power.items()]
        for name, power in (
            ("clean copies", findings.power),
            (f"{findings.worst} copies, the worst kind", findings.kinds[findings.worst]),
            ("as flawed as the samples", findings.rough),
        )
    }
    blended = [
        Figure(
            "The samples that are blends (above), and below each the two training images between which it lies.",
            image=parents(findings.blends, samples, train),
        )
    ]
    return (
        Figure(
            "The samples that come nearest to a training image (above), nearest first and each different one once, and "
            "below each that training image. A copy may be mirrored or moved.",
            image=pairs(findings.samples, samples[findings.repeats.different], train),
        ),
        Figure(
            "For comparison, the same of real images that were never trained on: how near images come that are "
            "certainly no copies.",
            image=pairs(findings.held_out, held_out, train),
        ),
        *(blended if findings.p[2] <= LEVEL else ()),
        Figure(
            "How near to a single training image: 0 is a copy, 1 no nearer to one than to five. Samples that copy "
            "nothing lie where the held-out images lie, or to the right of them.",
            svg=plots.histogram(groups, x="nearness", marks={"the limit of the test": findings.tail.limit}),
        ),
        Figure(
            "How likely copies would have been noticed, by how many of the samples are copies.",
            svg=plots.lines(curves, x="copies among the samples (%)", y="probability of noticing them", log_x=True),
        ),
    )


def pairs(near: Nearest, queries: Images, train: Images) -> Image.Image:
    """The queries nearest to a training image in the upper row, these training images below."""
    order: NDArray[np.int64] = np.lexsort((near.distance, near.nearness))[:_SHOWN]
    return _rows(queries[order], train[near.source[order]])


def parents(blends: Blends, queries: Images, train: Images) -> Image.Image:
    """The queries nearest to a mean of two training images in the upper row, these two below."""
    order = np.argsort(blends.nearness, kind="stable")[:_SHOWN]
    both = np.concatenate([train, train[:, :, ::-1]])
    return _rows(queries[order], *(both[blends.pair[order, place]] for place in (0, 1)))


def _rows(*rows: Images) -> Image.Image:
    """Rows of equally many images, enlarged to be legible."""
    images = np.concatenate(rows)
    times = max(1, _LEGIBLE // images.shape[1])
    return picture(images.repeat(times, axis=1).repeat(times, axis=2), columns=len(rows[0]))
