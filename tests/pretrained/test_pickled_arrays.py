"""Arrays are read out of pickles, and nothing else that a pickle can say is done."""

from __future__ import annotations

import io
import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gansmith.errors import DataError
from gansmith.pretrained.pickled_arrays import read

RNG = np.random.default_rng(0)
TREE = {
    "net": {"layer": {"kernel": RNG.normal(size=(3, 3, 2, 4)).astype(np.float32), "bias": np.zeros(4, np.float32)}},
    "head": {"kernel": RNG.normal(size=(1, 1, 4, 1)).astype(np.float32)},
    "empty": {},
}


@pytest.mark.parametrize("protocol", [3, 4])
@pytest.mark.parametrize("pickler", [pickle._Pickler, pickle.Pickler])
def test_a_tree_of_arrays_comes_back_to_the_bit(protocol: int, pickler: Any) -> None:
    file = io.BytesIO()
    pickler(file, protocol).dump(TREE)
    found = read(file.getvalue())
    assert list(found) == list(TREE)
    assert found["empty"] == {}
    for name in ("kernel", "bias"):
        np.testing.assert_array_equal(found["net"]["layer"][name], TREE["net"]["layer"][name])
    assert found["head"]["kernel"].dtype == np.float32


def test_the_order_of_columns_is_kept() -> None:
    columns_first = np.asfortranarray(np.arange(6, dtype=np.float32).reshape(2, 3))
    np.testing.assert_array_equal(read(pickle.dumps({"a": columns_first}, 3))["a"], [[0, 1, 2], [3, 4, 5]])


class Calls:
    """A pickle of it calls `function(*given)` when it is read as pickles are."""

    def __init__(self, function: Any, *given: Any) -> None:
        self.function, self.given = function, given

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return self.function, self.given


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
@pytest.mark.parametrize("function", ["mkdir", "system", "eval"])
def test_code_is_refused_and_not_run(protocol: int, function: str, tmp_path: Path) -> None:
    place = tmp_path / "ran"
    given = {
        "mkdir": (os.mkdir, str(place)),
        "system": (os.system, f"mkdir {place}"),
        "eval": (eval, f"__import__('os').mkdir({str(place)!r})"),
    }[function]
    content = pickle.dumps({"a": Calls(*given)}, protocol)
    with pytest.raises(DataError, match="is refused, and nothing of it was executed"):
        read(content)
    assert not place.exists()
    pickle.loads(content)  # it would have
    assert place.exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (pickle.dumps({"a": Calls(np.dtype, "O")}, 3), "is refused"),
        (pickle.dumps({"a": Calls(np.dtype, "f4", True, True)}, 3), "is refused"),
        (pickle.dumps({"a": np.array([object()])}, 3), "is refused"),
        (pickle.dumps({"a": np.zeros(3)}, 3), "is refused"),  # float64
        (pickle.dumps({"a": np.zeros(3, dtype=">f4")}, 3), "is refused"),
        (pickle.dumps([1, 2], 3), "the instruction EMPTY_LIST"),
        (pickle.dumps(np.zeros(3, np.float32), 3), "dictionary of arrays"),
        (pickle.dumps({"a": 3}, 3), "holds a int"),
        (b"", "is not a pickle of float32 arrays"),
        (b"not a pickle", "is"),
        (pickle.dumps(TREE, 3)[:200], "is not a pickle of float32 arrays"),
        (b"\x80\x03.", "is not a pickle"),
        (b"\x80\x030.", "the instruction POP"),
        (b"\x80\x03h\x07.", "is not a pickle"),  # a place in the memory that nothing was put into
        (b"\x80\x03u.", "is not a pickle"),  # items without a mark
        (b"\x80\x03}N\x85b.", "is not a pickle|is refused"),  # a state for a dictionary
    ],
)
def test_what_is_no_dictionary_of_arrays(content: bytes, said: str) -> None:
    with pytest.raises(DataError, match=said):
        read(content)


def test_an_array_with_too_little_data_is_refused() -> None:
    whole = pickle.dumps({"a": np.arange(4, dtype=np.float32)}, 3)
    place = whole.index(b"K\x04\x85")  # its shape, (4,)
    with pytest.raises(DataError, match="is not a pickle of float32 arrays"):
        read(whole[: place + 1] + b"\x05" + whole[place + 2 :])
