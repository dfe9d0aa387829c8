"""How seeds are written."""

from __future__ import annotations

import pytest

from gansmith.errors import OptionError
from gansmith.latent.seeds import parse


@pytest.mark.parametrize(
    ("text", "seeds"),
    [
        ("7", [7]),
        ("0-3", [0, 1, 2, 3]),
        ("1,4,9", [1, 4, 9]),
        ("9,1", [9, 1]),
        ("0-2,70, 5 - 6", [0, 1, 2, 70, 5, 6]),
        ("3-3", [3]),
        ("4294967296", [4294967296]),
    ],
)
def test_parse(text: str, seeds: list[int]) -> None:
    assert parse(text) == seeds


@pytest.mark.parametrize("text", ["", "a", "1,,2", "-3", "1.5", "0..63", "1-2-3", "٣"])
def test_what_is_no_seed(text: str) -> None:
    with pytest.raises(OptionError, match=r"^seeds are whole numbers and ranges, such as 0-63 or 1,4,9, not "):
        parse(text)


def test_a_range_that_runs_backwards() -> None:
    with pytest.raises(OptionError, match=r"^the range of seeds '63-0' runs backwards: write 0-63$"):
        parse("1,63-0")


def test_too_many() -> None:
    assert len(parse("0-999999")) == 1_000_000
    with pytest.raises(OptionError, match=r"is more than 1,000,000 seeds; ask for fewer at a time$"):
        parse("0-999999,7")
