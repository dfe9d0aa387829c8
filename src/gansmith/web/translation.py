"""A translation as the file that `gansmith translate` writes."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np

from gansmith.data.decode import conform
from gansmith.data.stream import normalised
from gansmith.errors import OptionError
from gansmith.models import saved
from gansmith.records.images import draw_sheet, write_image
from gansmith.web.digests import model_files

if TYPE_CHECKING:
    from gansmith.data.decode import Pixels
    from gansmith.latent.translate import Translator
    from gansmith.runs.run import Run

_MOST = 2048 * 2048  # pixels that are translated: a layer holds up to 64 numbers for each


def translated(run: Run, translator: Translator, image: Pixels, *, style: int, fit: bool) -> bytes:
    """The PNG of an image uint8 [H, W, 1..4] in the style of a seed. Raises OptionError for a style where there is
    none, and for an image that is too large to be translated at its own size."""
    import torch

    data = run.data
    if fit:
        size = (translator.dimensions.height, translator.dimensions.width)
        channels = translator.dimensions.channels
        image = conform(image, size=size, channels=channels, fit=data.fit, background=data.background)
    if image.shape[0] * image.shape[1] > _MOST:
        raise OptionError(
            f"an image of {image.shape[1]:,} x {image.shape[0]:,} pixels is too large to be translated here: make it "
            f"smaller, or ask for fit=true"
        )
    styles = [translator.style(style)] if translator.styled or style else []
    made = translator.translations(image, styles, background=data.background)
    drawn = draw_sheet(normalised(torch.from_numpy(np.stack(made))), padding=0, scale=1)
    file = BytesIO()
    write_image(drawn, file, ".png")
    return file.getvalue()


def card_images(run: Run) -> int:
    """Images that the run's networks had seen."""
    return max((saved.read_card(file).images for file in model_files(run.model)), default=0)
