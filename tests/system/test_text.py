"""A user's text on a terminal."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gansmith.system.text import printable, printable_lines, whole_number


@given(st.text(st.characters(), max_size=40))
def test_nothing_that_a_terminal_obeys_is_left(text: str) -> None:
    shown = printable(text)
    assert not any(ord(sign) < 32 or 127 <= ord(sign) < 160 or 0xD800 <= ord(sign) < 0xE000 for sign in shown)
    shown.encode("utf-8")


@given(st.binary(max_size=20).filter(lambda name: b"\0" not in name))
def test_every_file_name_can_be_encoded(name: bytes) -> None:
    printable(os.fsdecode(name)).encode("utf-8")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[2Jb", r"a\x1b[2Jb"),
        ("two\nlines\r\tand", r"two\nlines\r\tand"),
        (os.fsdecode(b"caf\xe9.png"), r"caf\xe9.png"),
        ("gpj.\u202exe", r"gpj.\u202exe"),
        ("\x9b31m", r"\x9b31m"),
        ("日本 ü 👩‍👩‍👧.png", "日本 ü 👩‍👩‍👧.png"),
    ],
)
def test_what_is_shown(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_lines_of_a_message_stay_lines() -> None:
    assert printable_lines("a\nb\x1b") == "a\nb\\x1b"


def test_whole_numbers() -> None:
    assert [whole_number(text) for text in ("0", "00012", "-1", " 1", "1_0", "²", "٣", "9" * 19)] == [
        0, 12, None, None, None, None, None, None,
    ]  # fmt: skip
