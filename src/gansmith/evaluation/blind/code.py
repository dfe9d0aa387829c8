"""Code of one person's answers in a blind test: short text that is copied from the page and read on the command line.

Bytes, big-endian: format and kind (1), test (5), person (2), number of looks (1), truth and choice of each look (one
bit each, first look first, both filled up to whole bytes), CRC-32 of all before (4); as Crockford's base 32 in groups
of five, after `GS`. page.js writes the same. The checksum finds slips of the hand; it is no proof against forgery.
"""

from __future__ import annotations

import binascii
import re
import textwrap
from dataclasses import dataclass
from typing import Literal, get_args

from gansmith.errors import OptionError

Kind = Literal["real or made", "a or b"]
KINDS: tuple[Kind, ...] = get_args(Kind)
LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's: no I, L, O, U
FORMAT = 1
FEWEST, MOST = 10, 200  # looks
_HEAD, _CHECK = 9, 4  # bytes before and after the looks


@dataclass(frozen=True)
class Sitting:
    """One person's answers to one test.

    test    digest of the page's images, their order and its seed: eight letters
    person  a random number below 65,536, so that two people who answer alike count as two
    truth   of each look: is the image made, or is the left one of the first run
    chosen  what the person said, likewise
    """

    kind: Kind
    test: str
    person: int
    truth: tuple[bool, ...]
    chosen: tuple[bool, ...]

    @property
    def agreeing(self) -> int:
        """Looks in which the choice is the truth: answers that are right, or for the first run."""
        return sum(one == other for one, other in zip(self.truth, self.chosen, strict=True))


def encode(sitting: Sitting) -> str:
    """The code of a sitting.

    >>> encode(Sitting("real or made", "00000001", 7, (True,) * 10, (False,) * 10))
    'GS-20000-000A0-00E2Z-YG000-0KNGS-7Y'
    """
    count = len(sitting.truth)
    head = bytes([FORMAT << 4 | KINDS.index(sitting.kind)]) + number_of(sitting.test).to_bytes(5, "big")
    data = head + sitting.person.to_bytes(2, "big") + bytes([count]) + _packed(sitting.truth) + _packed(sitting.chosen)
    data += binascii.crc32(data).to_bytes(_CHECK, "big")
    return "-".join(["GS", *textwrap.wrap(letters_of(data), 5)])


def decode(text: str) -> Sitting:
    """The sitting of a code; small letters, other spaces and O, I, L for 0, 1, 1 are understood.

    Raises OptionError for what is no code, one in which a letter was changed or lost, and one of no such test.

    >>> decode("gs-20000-000a0-00e2z-yg000-0knGS-7Y").agreeing
    0
    """
    plain = re.sub(r"[\s\-]+", "", text).upper().translate(str.maketrans("OIL", "011"))
    if not plain.startswith("GS") or len(plain) < 3 or set(plain[2:]) - set(LETTERS):
        raise OptionError(
            f"{text!r} is no code of a blind test: it begins with GS and has groups of five letters and digits, "
            f"as the page shows it at the end"
        )
    data = _bytes_of(plain[2:])
    if len(data) < _HEAD + _CHECK or binascii.crc32(data[:-_CHECK]) != int.from_bytes(data[-_CHECK:], "big"):
        raise OptionError(f"the code {text!r} is not whole: a letter was lost or changed. Copy it once more")
    version, kind, count = data[0] >> 4, data[0] & 15, data[8]
    looks = data[_HEAD:-_CHECK]
    half = -(-count // 8)
    if version != FORMAT or kind >= len(KINDS) or len(looks) != 2 * half:
        raise OptionError(
            f"the code {text!r} is of format {version}, and this version of gansmith reads format {FORMAT}"
        )
    if not FEWEST <= count <= MOST:
        raise OptionError(f"the code {text!r} is of {count} images, and a blind test has {FEWEST} to {MOST}")
    test = letters_of(data[1:6])
    person = int.from_bytes(data[6:8], "big")
    return Sitting(KINDS[kind], test, person, _bits(looks[:half], count), _bits(looks[half:], count))


def letters_of(data: bytes) -> str:
    """Bytes -> five bits a letter, the last one filled up with zeros."""
    bits = "".join(f"{byte:08b}" for byte in data)
    return "".join(LETTERS[int(bits[at : at + 5].ljust(5, "0"), 2)] for at in range(0, len(bits), 5))


def number_of(test: str) -> int:
    """The eight letters of a test as a number below 2^40."""
    return int("".join(f"{LETTERS.index(letter):05b}" for letter in test), 2)


def _bytes_of(letters: str) -> bytes:
    bits = "".join(f"{LETTERS.index(letter):05b}" for letter in letters)
    return bytes(int(bits[at : at + 8], 2) for at in range(0, len(bits) - 7, 8))


def _packed(values: tuple[bool, ...]) -> bytes:
    bits = "".join(str(int(value)) for value in values)
    return bytes(int(bits[at : at + 8].ljust(8, "0"), 2) for at in range(0, len(bits), 8))


def _bits(data: bytes, count: int) -> tuple[bool, ...]:
    return tuple(bit == "1" for bit in "".join(f"{byte:08b}" for byte in data)[:count])
