"""Images in a memory-mapped file, which is looked at before each use.

Reading behind the end of a mapped file ends the process by a signal (SIGBUS, mmap(2)), so that a file that was cut
short under a running process must be noticed before: by one call of the system before each batch, some microseconds.
Once a second the file's time of change is compared, too.
"""

from __future__ import annotations

import mmap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from gansmith.data.dataset import Arrays, ImageItem, Indices
from gansmith.errors import DataError

_EVERY = 1.0  # seconds between two looks at the time of change


class MappedFile:
    """A .npy file and the map of it.

    array    read-only, over the map;  intact: whether the content is still the expected, asked when the file changed

    Raises OSError or ValueError for a file that is not a .npy file, or is shorter than its header says.
    """

    def __init__(self, path: Path, intact: Callable[[], bool] | None = None) -> None:
        self.path, self.intact = path, intact
        mapped = np.load(path, mmap_mode="r", allow_pickle=False)
        self.array: NDArray[Any] = np.asarray(mapped)  # numpy's memmap class is slower to index
        self._map = cast(mmap.mmap, mapped.base)
        self._end = mapped.offset + mapped.nbytes
        self._stamp, self._due = self._stamped(), 0.0

    def check(self) -> None:
        """Raise DataError when the file was cut short, or changed and is not `intact`."""
        if self._map.size() < self._end:
            raise DataError(self._changed("cut short"))
        if time.monotonic() < self._due:
            return
        self._due = time.monotonic() + _EVERY
        stamp = self._stamped()
        if stamp != self._stamp:
            replaced = stamp is None or self._stamp is None or stamp[0] != self._stamp[0]  # the map is of the old file
            if not replaced and not self._is_intact():
                raise DataError(self._changed("changed"))
            self._stamp = stamp

    def _is_intact(self) -> bool:
        try:
            return self.intact is None or self.intact()
        except (OSError, ValueError):  # a file beside it is gone or damaged
            return False

    def _stamped(self) -> tuple[int, int, int] | None:
        try:
            state = self.path.stat()
        except OSError:  # removed: the map stays
            return None
        return state.st_ino, state.st_size, state.st_mtime_ns

    def _changed(self, what: str) -> str:
        return (
            f"{self.path} was {what} by another program while this one was reading it. Nothing of what is there now "
            f"was used. Start again (a run goes on with `gansmith resume`): a cache is then built anew"
        )


class MappedArrays(Arrays):
    """Images of a mapped file, and labels [N] or None. A copy in another process maps the file again."""

    def __init__(self, file: MappedFile, labels: NDArray[np.int64] | None = None) -> None:
        super().__init__(file.array, labels)
        self.file = file

    def one(self, index: int) -> ImageItem:
        self.file.check()
        return super().one(index)

    def many(self, indices: Indices) -> ImageItem:
        self.file.check()
        return super().many(indices)

    def __reduce__(self) -> tuple[Any, ...]:
        return _mapped_again, (self.file.path, self.labels)


def _mapped_again(path: Path, labels: NDArray[np.int64] | None) -> MappedArrays:
    return MappedArrays(MappedFile(path), labels)
