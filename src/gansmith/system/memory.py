"""Memory that is free, and the refusal of what would need more, before it is allocated."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from gansmith.errors import GansmithError, OptionError

_GROUP = Path("/sys/fs/cgroup")  # of Linux, version 2: the limit of a container


def available() -> int:
    """Bytes of memory that can still be allocated: of the machine, or of the container where that is less."""
    import psutil

    return min(int(psutil.virtual_memory().available), _left_to_container())


def total() -> int:
    """Bytes of memory that the machine has, in use or not; swap space is not counted."""
    import psutil

    return int(psutil.virtual_memory().total)


def require_memory(
    needed: float, what: str, instead: str, *, room: int | None = None, error: type[GansmithError] = OptionError
) -> None:
    """Raises `error` where `needed` bytes are more than there is room for (the available memory).

    The message is `WHAT needs 3.1 GiB of memory, and 2.0 GiB are free: INSTEAD`.

    >>> require_memory(1000, "a sheet of 4 images", "ask for fewer")
    """
    free = available() if room is None else room
    if needed > free:
        raise error(f"{what} needs {gibibytes(needed)} of memory, and {gibibytes(free)} are free: {instead}")


def gibibytes(amount: float) -> str:
    """Bytes as GiB with one decimal, of huge numbers the power of ten.

    >>> gibibytes(3 << 30), gibibytes(10.0**30)
    ('3.0 GiB', '9e+20 GiB')
    """
    gib = amount / 2**30
    return f"{gib:.0e} GiB" if gib >= 1e6 else f"{gib:,.1f} GiB"


def _left_to_container() -> int:
    with suppress(OSError, ValueError):
        limit = int((_GROUP / "memory.max").read_text())  # "max" where there is none
        used = int((_GROUP / "memory.current").read_text())
        files = next(
            int(line.split()[1])
            for line in (_GROUP / "memory.stat").read_text().splitlines()
            if line.startswith("inactive_file ")
        )
        return max(0, limit - used + files)
    return 1 << 62
