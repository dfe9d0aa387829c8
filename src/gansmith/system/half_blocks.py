"""An image as characters of a terminal of 24-bit colours: each cell is an upper half block, two pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from rich.text import Text

BLOCK = "▀"  # its foreground is the upper pixel, its background the lower
_VIEWED = 32  # pixels a side that small images are enlarged to, where there is room


def half_blocks(pixels: NDArray[np.uint8], columns: int, rows: int) -> Text:
    """Pixels uint8 [H, W, 3] as text of at most `columns` x `rows` cells; reduced by means, or enlarged.

    >>> print(half_blocks(np.zeros((64, 64, 3), np.uint8), columns=80, rows=2))
    ▀▀▀▀
    ▀▀▀▀
    """
    from rich.color import Color
    from rich.style import Style
    from rich.text import Text

    fitted = fit(pixels, columns, 2 * rows)
    text = Text(no_wrap=True, overflow="crop")
    for number in range(0, len(fitted), 2):
        if number:
            text.append("\n")
        lower = fitted[min(number + 1, len(fitted) - 1)]
        for above, below in zip(fitted[number].tolist(), lower.tolist(), strict=True):
            text.append(BLOCK, Style(color=Color.from_rgb(*above), bgcolor=Color.from_rgb(*below)))
    return text


def fit(pixels: NDArray[Any], width: int, height: int) -> NDArray[np.uint8]:
    """Pixels [H, W, 3] within height x width: means of squares of k x k, the last ones filled up at the edge; or each
    pixel k x k times, to at most 32 a side.

    >>> fit(np.array([[[0], [200]], [[100], [100]]]).repeat(3, 2), 1, 1).tolist()
    [[[100, 100, 100]]]
    """
    tall, wide = pixels.shape[:2]
    times = max(-(-wide // max(width, 1)), -(-tall // max(height, 1)))
    if times <= 1:
        larger = max(1, min(width // wide, height // tall, _VIEWED // tall))
        return pixels.repeat(larger, 0).repeat(larger, 1).astype(np.uint8)
    filled = np.pad(pixels, ((0, -tall % times), (0, -wide % times), (0, 0)), "edge").astype(np.float64)
    squares = filled.reshape(filled.shape[0] // times, times, filled.shape[1] // times, times, 3)
    reduced: NDArray[np.uint8] = squares.mean((1, 3)).round().astype(np.uint8)
    return reduced
