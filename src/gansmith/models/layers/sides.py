"""Heights and widths that a model declares, and the refusal of all others.

A model's file declares them for its options as they are by default: `SMALLEST`, the shortest side in pixels that all of
its networks have, and `MULTIPLE`, which divides both sides. A file that declares neither is for every size.
"""

from __future__ import annotations

from gansmith.adversarial import Dimensions
from gansmith.errors import ExperimentError


def check_sides(
    model: str,
    dimensions: Dimensions,
    *,
    smallest: int = 1,
    multiple: int = 1,
    fitting: int | None = None,
    verb: str = "make",
    reason: str = "",
    instead: str = "",
) -> None:
    """Check that height and width are at least `smallest` pixels and multiples of `multiple`.

    Raises ExperimentError, which names `model`, the sides, the `reason` (a clause, where there is one), the rule, the
    nearest sizes that hold it, and what could be set `instead`. verb: what the network does with images. fitting: what
    divides the sizes that are advised, where another network of the model asks for more than this one.
    """
    height, width = dimensions.height, dimensions.width
    if min(height, width) >= smallest and height % multiple == 0 and width % multiple == 0:
        return
    rule = " and ".join(
        [f"multiples of {multiple}"] * (multiple > 1) + [f"at least {smallest} pixels"] * (smallest > multiple)
    )
    sizes = " or ".join(f"--size {size}" for size in nearest_sizes(dimensions, smallest, fitting or multiple))
    raise ExperimentError(
        f"{model} cannot {verb} {height}x{width} images: {reason}both sides must be {rule}. Set {sizes}{instead}"
    )


def nearest_sizes(dimensions: Dimensions, smallest: int, multiple: int) -> list[str]:
    """The nearest sizes HEIGHTxWIDTH, rounded down and up to `multiple`, at least `smallest`; one where they agree."""
    least = -(-smallest // multiple) * multiple
    sides = dimensions.height, dimensions.width
    down = [max(least, side // multiple * multiple) for side in sides]
    up = [max(least, -(-side // multiple) * multiple) for side in sides]
    return list(dict.fromkeys(f"{height}x{width}" for height, width in (down, up)))
