"""How people write seeds: `0-63`, `1,4,9`, `0-15,40`."""

from __future__ import annotations

import re

from gansmith.errors import OptionError

_MOST = 1_000_000


def parse(text: str) -> list[int]:
    """`0-3,9` -> [0, 1, 2, 3, 9], in the order written. Raises OptionError for anything else."""
    seeds: list[int] = []
    for part in text.split(","):
        found = re.fullmatch(r"\s*(\d+)(?:\s*-\s*(\d+))?\s*", part, re.ASCII)
        if not found:
            raise OptionError(
                f"seeds are whole numbers and ranges, such as 0-63 or 1,4,9, not {text!r} (look at {part.strip()!r})"
            )
        first, last = int(found[1]), int(found[2] or found[1])
        if last < first:
            raise OptionError(f"the range of seeds {part.strip()!r} runs backwards: write {last}-{first}")
        if len(seeds) + last - first >= _MOST:
            raise OptionError(f"{text!r} is more than {_MOST:,} seeds; ask for fewer at a time")
        seeds.extend(range(first, last + 1))
    return seeds
