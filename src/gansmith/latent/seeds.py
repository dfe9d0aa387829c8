"""Seeds as text: `0-63`, `1,4,9`, `0-15,40`."""

from __future__ import annotations

import re
from collections.abc import Sequence

from gansmith.errors import OptionError

_MOST = 1_000_000


def seeds_as_text(seeds: Sequence[int]) -> str:
    """Seeds as `parse_seeds` reads them, runs of three and more as ranges.

    >>> seeds_as_text([0, 1, 2, 3, 9, 8])
    '0-3,9,8'
    """
    parts: list[list[int]] = []
    for seed in seeds:
        if parts and seed == parts[-1][-1] + 1:
            parts[-1].append(seed)
        else:
            parts.append([seed])
    words = [f"{part[0]}-{part[-1]}" if len(part) > 2 else ",".join(map(str, part)) for part in parts]
    return ",".join(words)


def parse_seeds(text: str) -> list[int]:
    """Seeds and ranges of seeds, in the order written. Raises OptionError for anything else.

    >>> parse_seeds("0-3,9")
    [0, 1, 2, 3, 9]
    """
    seeds: list[int] = []
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d{1,300})(?:\s*-\s*(\d{1,300}))?\s*", part, re.ASCII)
        if not match:
            raise OptionError(
                f"seeds are whole numbers and ranges, such as 0-63 or 1,4,9, not {text!r} ({part.strip()!r} is neither)"
            )
        first, last = int(match[1]), int(match[2] or match[1])
        if last < first:
            raise OptionError(f"the range of seeds {part.strip()!r} runs backwards: write {last}-{first}")
        if len(seeds) + last - first >= _MOST:
            raise OptionError(f"{text!r} is more than {_MOST:,} seeds; ask for fewer at a time")
        seeds.extend(range(first, last + 1))
    return seeds
