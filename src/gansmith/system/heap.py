"""Freed memory, kept by the process while large arrays come and go.

glibc returns an array of a few megabytes to the system when it is freed, and the system clears every page of the next
one: of a network that is run on small batches this takes half of the time.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_TRIM, _MAP = -1, -3  # M_TRIM_THRESHOLD and M_MMAP_THRESHOLD of <malloc.h>
_KEPT = {_MAP: 1 << 30, _TRIM: (1 << 31) - 1}  # bytes
_USUAL = {_MAP: 32 << 20, _TRIM: 64 << 20}  # where glibc's own rule ends after large arrays were freed


@contextmanager
def freed_memory_kept() -> Iterator[None]:
    """Within the block, freed memory is used again; after it, it goes back to the system. Only with glibc.

    >>> with freed_memory_kept():
    ...     len(bytes(1000))
    1000
    """
    library = ctypes.CDLL(None) if sys.platform == "linux" else None
    if library is None or not (hasattr(library, "mallopt") and hasattr(library, "malloc_trim")):
        yield
        return
    for option, value in _KEPT.items():
        library.mallopt(option, value)
    try:
        yield
    finally:
        for option, value in _USUAL.items():
            library.mallopt(option, value)
        library.malloc_trim(0)
