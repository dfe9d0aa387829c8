"""Reader of float32 arrays in a pickle file that never executes anything the file holds.

Some published weights exist only as pickles, and unpickling is executing. But a dictionary of arrays uses a handful
of the format's instructions, and `pickletools` (which lists instructions, and runs none) is enough to read these. The
array protocol is NumPy's: `_reconstruct(ndarray, (0,), b"b")`, then a state (1, shape, dtype, order, bytes).

Whatever else a file contains, another instruction or another name, is refused by DataError.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gansmith.errors import DataError

_RECONSTRUCT, _NDARRAY, _DTYPE = "numpy.core.multiarray _reconstruct", "numpy ndarray", "numpy dtype"
_NAMES = {
    name.replace("numpy.core", core): name
    for name in (_RECONSTRUCT, _NDARRAY, _DTYPE)
    for core in ("numpy.core", "numpy._core")
}
_TYPE_STATE = (3, "<", None, None, None, -1, -1, 0)  # little-endian, no fields
_PLAIN = ("BININT", "BININT1", "BININT2", "BINUNICODE", "SHORT_BINUNICODE", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8")
_MARK = object()


@dataclass(frozen=True)
class _Name:
    text: str


@dataclass
class _Float32:
    """A dtype being built."""

    ready: bool = False


@dataclass
class _Array:
    """An array being built."""

    value: NDArray[np.float32] | None = None


def read(content: bytes) -> dict[str, Any]:
    """The bytes of a pickle -> the dictionary it holds: names to float32 arrays, or to further such dictionaries.

    Raises DataError for anything but that.
    """
    machine = _Machine()
    try:
        for opcode, argument, _ in pickletools.genops(content):
            if opcode.name == "STOP":
                break
            machine.step(opcode.name, argument)
        (tree,) = machine.stack
    except (ValueError, IndexError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"this is not a pickle of float32 arrays: {error!r}") from error
    return _plain(tree)


class _Machine:
    """The stack and the memory of the format, and the few instructions that arrays need."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.memory: dict[int, Any] = {}
        self.instructions: Mapping[str, Callable[[Any], None]] = {
            "PROTO": lambda _: None,
            "FRAME": lambda _: None,
            "MARK": lambda _: self.stack.append(_MARK),
            "NONE": lambda _: self.stack.append(None),
            "NEWTRUE": lambda _: self.stack.append(True),
            "NEWFALSE": lambda _: self.stack.append(False),
            "EMPTY_DICT": lambda _: self.stack.append({}),
            "EMPTY_TUPLE": lambda _: self.stack.append(()),
            "TUPLE": lambda _: self.stack.append(tuple(self.marked())),
            "TUPLE1": lambda _: self.stack.append(self.last(1)),
            "TUPLE2": lambda _: self.stack.append(self.last(2)),
            "TUPLE3": lambda _: self.stack.append(self.last(3)),
            "MEMOIZE": lambda _: self.put(len(self.memory)),
            "GLOBAL": self.name,
            "STACK_GLOBAL": lambda _: self.name(" ".join(self.last(2))),
            "REDUCE": lambda _: self.reduce(),
            "BUILD": lambda _: self.build(),
            "SETITEM": lambda _: self.fill(list(self.last(2))),
            "SETITEMS": lambda _: self.fill(self.marked()),
            **dict.fromkeys(("BINPUT", "LONG_BINPUT"), self.put),
            **dict.fromkeys(("BINGET", "LONG_BINGET"), self.get),
            **dict.fromkeys(_PLAIN, self.stack.append),
        }

    def step(self, name: str, argument: Any) -> None:
        """Carry out one instruction. Raises DataError for one that arrays do not need."""
        if name not in self.instructions:
            raise DataError(
                f"this pickle holds the instruction {name}, which a dictionary of arrays does not need: it is refused, "
                f"and nothing of it was executed"
            )
        self.instructions[name](argument)

    def last(self, count: int) -> tuple[Any, ...]:
        """Pop the last `count` values."""
        if len(self.stack) < count:
            raise IndexError("it ends too early")
        taken = tuple(self.stack[-count:])
        del self.stack[-count:]
        return taken

    def marked(self) -> list[Any]:
        """Pop the values above the last mark, and the mark."""
        place = max(index for index, value in enumerate(self.stack) if value is _MARK)
        taken = self.stack[place + 1 :]
        del self.stack[place:]
        return taken

    def put(self, place: int) -> None:
        """Remember the last value."""
        self.memory[place] = self.stack[-1]

    def get(self, place: int) -> None:
        """Push a remembered value."""
        self.stack.append(self.memory[place])

    def name(self, text: str) -> None:
        """Push one of the three names that arrays need. Raises DataError for another."""
        if text not in _NAMES:
            raise DataError(
                f"this pickle names {text.replace(' ', '.')}, which a dictionary of arrays does not need: it is "
                f"refused, and nothing of it was executed"
            )
        self.stack.append(_Name(_NAMES[text]))

    def reduce(self) -> None:
        """The only two calls there are: an empty array, and the type float32."""
        called, arguments = self.last(2)
        if called == _Name(_RECONSTRUCT) and arguments == (_Name(_NDARRAY), (0,), b"b"):
            self.stack.append(_Array())
        elif called == _Name(_DTYPE) and arguments[0] == "f4" and arguments[1:] in ((False, True), (0, 1)):
            self.stack.append(_Float32())
        else:
            raise DataError(
                f"this pickle calls {called} with {str(arguments)[:80]}, which is refused and was not executed"
            )

    def build(self) -> None:
        """The state of an array, or of its type."""
        target, state = self.last(2)
        if isinstance(target, _Float32) and state == _TYPE_STATE:
            target.ready = True
        elif isinstance(target, _Array) and len(state) == 5 and state[0] == 1:
            _, shape, kind, columns_first, data = state
            if not (isinstance(kind, _Float32) and kind.ready):
                raise ValueError("an array of another type than float32")
            order = "F" if columns_first else "C"
            target.value = np.frombuffer(data, dtype="<f4").reshape(shape, order=order)  # type: ignore[call-overload]
        else:
            raise DataError(f"this pickle sets a state on {target}, which is refused and was not executed")
        self.stack.append(target)

    def fill(self, items: list[Any]) -> None:
        """Put keys and values into the dictionary on the stack."""
        target = self.stack[-1]
        if not isinstance(target, dict) or len(items) % 2:
            raise TypeError("items for what is no dictionary")
        target.update(zip(items[::2], items[1::2], strict=True))


def _plain(tree: Any) -> dict[str, Any]:
    if not isinstance(tree, dict):
        raise DataError(f"this pickle holds a {type(tree).__name__}, where a dictionary of arrays was expected")
    arrays: dict[str, Any] = {}
    for name, value in tree.items():
        if isinstance(value, _Array) and value.value is not None:
            arrays[str(name)] = value.value
        else:
            arrays[str(name)] = _plain(value)
    return arrays
