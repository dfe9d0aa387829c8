"""How seeds are written."""

from __future__ import annotations

import pytest

from gansmith.errors import OptionError
from gansmith.latent.seeds import parse_seeds
from refusals import refused


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
    assert parse_seeds(text) == seeds


@pytest.mark.parametrize("text", ["", "a", "1,,2", "-3", "1.5", "0..63", "1-2-3", "٣", "²", "9" * 4400])
def test_what_is_no_seed(text: str) -> None:
    with refused(repr(text), "0-63", "1,4,9", error=OptionError):
        parse_seeds(text)


def test_a_range_that_runs_backwards() -> None:
    with refused("'63-0'", "write 0-63", error=OptionError):
        parse_seeds("1,63-0")


def test_too_many() -> None:
    assert len(parse_seeds("0-999999")) == 1_000_000
    with pytest.raises(OptionError, match=r"is more than 1,000,000 seeds; ask for fewer at a time$"):
        parse_seeds("0-999999,7")
