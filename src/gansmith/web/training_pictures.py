"""Images that a run was trained on, one at a time, and the search for those nearest to a sample."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from gansmith.data.stream import normalised
from gansmith.errors import GansmithError, RunError
from gansmith.records.images import draw_sheet, write_image
from gansmith.runs.run import Run
from gansmith.system.text import printable
from gansmith.web.errors import NotFoundError
from gansmith.web.kept import Kept
from gansmith.web.own_images import own_images, shape_of
from gansmith.web.settings import Settings

if TYPE_CHECKING:
    from gansmith.judge.nearest_images import Comparison

Side = Literal["train", "held_out"]
MOST_BYTES = 2 << 30  # of all training images at once, in the memory


def picture(kept: Kept, run: Run, settings: Settings, side: Side, number: int) -> bytes:
    """A PNG of a training image, or of one held out, as the networks saw it. Raises NotFoundError."""
    import torch

    known, _ = own_images(kept, run, settings)
    images = known.train if side == "train" else known.holdout
    count = 0 if images is None else len(images)
    if images is None or not 0 <= number < count:
        raise NotFoundError(f"there is no image {number:,} of {count:,} {side.replace('_', ' ')}")
    image = np.asarray(images[np.array([number])].image)
    file = BytesIO()
    write_image(draw_sheet(normalised(torch.from_numpy(image)), padding=0, scale=1), file, ".png")
    return file.getvalue()


def nearest_of(kept: Kept, run: Run, settings: Settings, image: Any) -> dict[str, Any]:
    """{distance, limit, verdict, copy, index, name, chance, audit} of an image uint8 [1, H, W, C] of the run.

    limit: the distance below which this image would be called a copy; None where no distance would do.
    """
    found = _comparison(kept, run, settings).of(image, count=1)
    index = int(found.by[0].indices[0, 0])
    word = found.words[0]
    distance, nearness = float(found.by[0].distances[0, 0]), float(found.nearness[0])
    limit = distance / nearness * found.control.below if nearness > 0 else 0.0
    return {
        "distance": distance,
        "limit": limit if limit > 0 else None,
        "verdict": word,
        "copy": word in ("the same image", "a copy"),
        "index": index,
        "name": found.train.name(index),
        "chance": float(found.control.chances(found.nearness)[0]),
        "audit": audit_words(run.path),
    }


def audit_words(folder: Path) -> str | None:
    """What the run's own audit said of copies; None where there is none, or a damaged one."""
    from gansmith.evaluation.audit import audit

    try:
        answer = audit.read(folder / "audit").answers.get("memorisation")
    except (GansmithError, TypeError, KeyError, AttributeError, ValueError, RecursionError):
        return None
    return None if answer is None else printable(f"{answer.verdict}. {answer.sentence}")


def _comparison(kept: Kept, run: Run, settings: Settings) -> Comparison:
    from gansmith.judge.nearest_images import comparison, require_images
    from gansmith.judge.training_images import training_images

    require_images(run)
    (known, against), shape = own_images(kept, run, settings), shape_of(run)

    def compute() -> Comparison:
        size = len(known.train) * int(np.prod(shape))
        if size > MOST_BYTES:
            raise RunError(
                f"the {len(known.train):,} training images would take {size / 2**30:.1f} GiB of memory here: use "
                f"gansmith nearest"
            )
        return comparison(training_images(run, shape, against=against))

    return kept.of(("comparison", str(run.path), known.digest), compute)
