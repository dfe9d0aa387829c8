"""Page of a blind test: one HTML file with its images, style and script inside, that loads nothing and sends nothing.

Its content security policy allows its own script and style by their digests, and images that are inside it; nothing
else. The truth of each look is in the page, mixed with a stream of bytes: it cannot be read at a glance, and anyone
who wants to find it can.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
from dataclasses import dataclass
from importlib.resources import files

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup
from PIL import Image

from gansmith.errors import DataError, OptionError
from gansmith.evaluation import intervals
from gansmith.evaluation.blind.code import FEWEST, KINDS, MOST, Kind, letters_of, number_of
from gansmith.evaluation.types import Images


@dataclass(frozen=True)
class BlindTest:
    """What a page shows.

    shown   of each look its image, or its left and its right one: uint8 [L, 1 or 2, H, W, C]
    truth   of each look: is the image made, or is the left one of the first run
    names   of the run, or of the first and the second
    reals   where real images come from, in words; empty for two runs
    seed    of what was drawn, and of its order
    """

    kind: Kind
    shown: Images
    truth: tuple[bool, ...]
    names: tuple[str, ...]
    reals: str
    seed: int

    def __post_init__(self) -> None:
        if not FEWEST <= len(self.truth) <= MOST:
            raise OptionError(f"looks = {len(self.truth)} is not allowed: at least {FEWEST}, at most {MOST}")
        beside = 1 if self.kind == "real or made" else 2
        if self.shown.ndim != 5 or self.shown.shape[:2] != (len(self.truth), beside):
            raise DataError(f"images {list(self.shown.shape)} do not fit {len(self.truth)} looks at {beside}")

    @property
    def test(self) -> str:
        """Eight letters: a digest of the images, their order, the truth and the seed."""
        digest = hashlib.blake2b(f"{self.kind} {self.seed} {list(self.shown.shape)};".encode(), digest_size=5)
        digest.update(bytes(self.truth))
        digest.update(self.shown.tobytes())
        return letters_of(digest.digest())


def page(blind: BlindTest) -> str:
    """The whole HTML document; the same test gives the same page, to the byte."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    home = files(__package__)
    script, style, text = (home.joinpath(f"page.{kind}").read_text(encoding="utf-8") for kind in ("js", "css", "html"))
    data = json.dumps(_data(blind)).replace("<", "\\u003c")
    return environment.from_string(text).render(
        policy=(
            f"default-src 'none'; img-src data:; script-src '{_digest(script)}'; style-src '{_digest(style)}'; "
            f"base-uri 'none'; form-action 'none'"
        ),
        script=Markup(script),
        style=Markup(style),
        data=Markup(data),
        alone=blind.kind == "real or made",
        looks=len(blind.truth),
        reals=blind.reals,
        names=blind.names,
        test=blind.test,
    )


def _data(blind: BlindTest) -> dict[str, object]:
    count = len(blind.truth)
    hidden = [mask ^ truth for mask, truth in zip(_stream(blind.test, count), blind.truth, strict=True)]
    return {
        "kind": KINDS.index(blind.kind),
        "test": blind.test,
        "names": list(blind.names),
        "size": [blind.shown.shape[3], blind.shown.shape[2]],
        "looks": [[_stored(image) for image in look] for look in blind.shown],
        "key": base64.b64encode(bytes(hidden)).decode(),
        "intervals": [[round(end, 4) for end in intervals.share(each, count)] for each in range(count + 1)],
    }


def _stream(test: str, count: int) -> list[int]:
    """Bytes that hide the truth, by the generator of Marsaglia 2003, "Xorshift RNGs" (13, 17, 5), from the test."""
    state, stream = number_of(test) % 2**32 or 1, []
    for _ in range(count):
        state ^= state << 13 & 0xFFFFFFFF
        state ^= state >> 17
        state ^= state << 5 & 0xFFFFFFFF
        stream.append(state & 255)
    return stream


def _stored(image: Images) -> str:
    """uint8 [H, W, C] -> the base 64 of its PNG, pixel by pixel."""
    buffer = io.BytesIO()
    Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image).save(buffer, "PNG", optimize=True)
    return base64.b64encode(buffer.getvalue()).decode("ascii")


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
