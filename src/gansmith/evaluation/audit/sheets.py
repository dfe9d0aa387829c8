"""Sheets of images for the report: many in one, row by row, as they are."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image

from gansmith.data.stream import normalised
from gansmith.evaluation.types import Images
from gansmith.records.images import draw_sheet


def picture(images: Images, *, columns: int) -> Image.Image:
    """uint8 [N, H, W, C], N at least 1 -> a sheet of them, at most `columns` across."""
    return draw_sheet(normalised(torch.from_numpy(np.array(images))), columns=columns, padding=1)
