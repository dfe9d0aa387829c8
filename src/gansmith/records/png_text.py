"""Text chunks of PNG files (ISO/IEC 15948:2004, 5.3 and 11.3.4.3): read without decoding, or unpacking, anything.

A PNG from a stranger may say that a chunk is 2 GiB long, or hold one that unpacks to that. Only plain text (tEXt) of
one keyword is read, of bounded length; compressed and international text (zTXt, iTXt) is passed over, like all else.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from PIL import PngImagePlugin

from gansmith.errors import OptionError
from gansmith.system.files import unreadable

MOST = 2**20  # bytes of a text
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_MOST_CHUNKS = 2**20
_KEYWORD = 80  # bytes of a keyword and the zero behind it, at most


def text_chunks(text: Mapping[str, str]) -> PngImagePlugin.PngInfo:
    """Chunks (tEXt) of texts by keyword, as Pillow's `pnginfo`.

    >>> text_chunks({"gansmith": "{}"}).chunks
    [(b'tEXt', b'gansmith\\x00{}', False)]
    """
    chunks = PngImagePlugin.PngInfo()
    for keyword, value in text.items():
        chunks.add_text(keyword, value)
    return chunks


def read_text(path: Path, keyword: str) -> str | None:
    """The text of a keyword in the PNG at `path`, printable ASCII; None where it has none.

    Raises OptionError for a file that is no PNG, or is damaged, or holds such a text twice, too long, or with other
    characters.
    """
    reason = unreadable(path)
    if reason is not None or not path.is_file():
        raise OptionError(f"{path} cannot be read: {reason or 'there is no such file'}")
    with path.open("rb") as file:
        if file.read(len(_SIGNATURE)) != _SIGNATURE:
            raise OptionError(f"{path} is no PNG file")
        try:
            texts = _texts(file, keyword.encode(), path.stat().st_size)
        except ValueError as error:
            raise OptionError(f"the PNG file {path} is damaged: {error}") from None
    if len(texts) > 1:
        raise OptionError(f"the PNG file {path} is damaged: it holds {len(texts)} texts {keyword}, one is allowed")
    if not texts:
        return None
    if not re.fullmatch(rb"[\x20-\x7e]*", texts[0]):
        raise OptionError(f"the PNG file {path} is damaged: its text {keyword} holds other than printable ASCII")
    return texts[0].decode("ascii")


def _texts(file: IO[bytes], keyword: bytes, size: int) -> list[bytes]:
    """The texts of a keyword, from behind the signature to the end. Raises ValueError for what is no PNG."""
    texts: list[bytes] = []
    for _ in range(_MOST_CHUNKS):
        head = file.read(8)
        if len(head) < 8:
            raise ValueError("it ends before its last chunk")
        length, kind = struct.unpack(">I4s", head)
        if not re.fullmatch(rb"[A-Za-z]{4}", kind):
            raise ValueError("a chunk has no type")
        if length >= 2**31 or file.tell() + length + 4 > size:
            raise ValueError(f"a chunk is said to have {length:,} bytes, which are not there")
        if kind == b"IEND":
            return texts
        read = file.read(min(length, _KEYWORD)) if kind == b"tEXt" else b""
        if read.partition(b"\0")[:2] != (keyword, b"\0"):
            file.seek(length - len(read) + 4, 1)
            continue
        if length > MOST + _KEYWORD:
            raise ValueError(f"a text has {length:,} bytes, at most {MOST:,} are allowed")
        read += file.read(length - len(read))
        if struct.unpack(">I", file.read(4))[0] != zlib.crc32(kind + read):
            raise ValueError("the checksum of a text is wrong")
        texts.append(read.partition(b"\0")[2])
    raise ValueError(f"it has more than {_MOST_CHUNKS:,} chunks")
