"""Films as MP4: H.264 in 4:2:0 (yuv420p), which every browser plays, by PyAV.

H.264 codes colours for squares of 2 x 2 pixels, so both sides must be even: an odd one gets a line of white more.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import IO, Any

from PIL import Image

from gansmith.system.extras import missing_extra

_QUALITY = "15"  # crf: of 0 (exact) to 51; nothing is seen of it
LAST = 1500  # milliseconds that the last frame stays at least, of a film that does not go round


def require_video() -> Any:
    """PyAV. Raises MissingExtraError where it is not installed."""
    try:
        import av
    except ImportError:
        raise missing_extra("films as .mp4 are written by PyAV", "film", "Or write a .webp or .gif") from None
    return av


def write_mp4(file: IO[bytes], frames: Sequence[Image.Image], *, each: int, loop: bool = False) -> None:
    """RGB frames of one size, `each` milliseconds each, into an open file. The last one stays for a while longer, by
    being repeated, unless the film is a `loop`. The bytes depend on the frames alone, for one version of PyAV.

    Raises MissingExtraError without PyAV.
    """
    av = require_video()
    size = tuple(side + side % 2 for side in frames[0].size)
    more = 0 if loop or len(frames) == 1 else max(0, -(-LAST // each) - 1)
    with av.open(file, "w", format="mp4", options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream("libx264", rate=Fraction(1000, each))
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.codec_context.thread_count = 1  # the same bytes on every machine
        stream.options = {"crf": _QUALITY, "flags": "+bitexact"}
        for number, image in enumerate([*frames, *([frames[-1]] * more)]):
            frame = av.VideoFrame.from_image(_even(image, size))
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def _even(image: Image.Image, size: tuple[int, ...]) -> Image.Image:
    if image.size == size:
        return image
    wider = Image.new("RGB", (size[0], size[1]), "white")
    wider.paste(image, (0, 0))
    return wider
