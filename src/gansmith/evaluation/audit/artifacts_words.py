"""The answer on artifacts in words: sentence, advice."""

from __future__ import annotations

from typing import NamedTuple

from gansmith.evaluation.types import Verdict

_RESIZE = (
    "train with --set generator.upsample=resize: enlarging by nearest neighbours and a convolution leaves no "
    "checkerboard, a transposed convolution can"
)


class Traces(NamedTuple):
    """Traces of the network: decibels of a checkerboard and its period in pixels, decibels of fine detail, a grain that
    all samples share; None where there is no such trace."""

    checkerboard: float | None
    period: int
    fine: float | None
    grain: bool

    def __bool__(self) -> bool:
        return self.checkerboard is not None or self.fine is not None or self.grain


def sentence(verdict: Verdict, traces: Traces, faint: str) -> str:
    """The verdict in one sentence. faint: what is beyond chance and too weak to be called a trace."""
    if verdict == "cannot tell":
        return "No clear trace of the network was found, but there are too few images to see any but a strong one."
    if verdict == "good" and faint:
        return f"Only a faint trace of the network was found ({faint}), too weak to matter."
    if verdict == "good":
        return "No trace of the network was found: patterns and fine detail are as in the real images."
    parts = []
    if traces.checkerboard is not None:
        parts.append(
            f"a checkerboard lies over the images: a pattern that repeats every {traces.period} pixels is "
            f"{_times(traces.checkerboard)} times as strong as in the real ones"
        )
    if traces.grain:
        parts.append(
            "the samples share one fine grain: either a few images come again and again, or the network lays "
            "the same noise over all"
        )
    if traces.fine is not None:
        parts.append(
            f"the images are too {'smooth' if traces.fine < 0 else 'rough'}: "
            f"fine detail has {100 * 10 ** (traces.fine / 10):,.0f} % of the strength it has in the real ones"
        )
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}."


def no_frequency_off_the_grid(height: int, width: int) -> str:
    """The reason why a checkerboard cannot be told from an irregular spectrum in images of this size."""
    return (
        f"At {height}x{width} pixels every frequency of the spectrum is one at which a checkerboard shows, so that "
        f"none is left to compare with: images of at least {height + 1} pixels a side can be tested."
    )


def advice(traces: Traces, verdict: Verdict) -> tuple[str, ...]:
    """Next steps, most useful first."""
    steps = [_RESIZE] if traces.checkerboard is not None else []
    if traces.grain:
        steps.append("look at the answer on collapse: if the images do not repeat, train longer")
    if traces.fine is not None and traces.fine < 0:
        steps.append("train longer, or with a wider generator (--set generator.width=128): fine detail comes last")
    if traces.fine is not None and traces.fine > 0:
        steps.append("train longer, and judge the averaged weights rather than the raw ones: a young network is noisy")
    if verdict == "cannot tell":
        steps.append("give more images (--samples)")
    return tuple(steps)


def _times(decibels: float) -> str:
    return f"{10 ** (decibels / 10):,.0f}" if decibels >= 10 else f"{10 ** (decibels / 10):.2g}"
