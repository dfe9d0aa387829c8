"""The answer on artifacts in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from gansmith.evaluation.types import Number, Verdict

UNSEEN = "Spectra are of pixels: they see patterns and fineness, not what an image shows (a sixth finger)."


class Traces(NamedTuple):
    """Traces of the network: decibels of a checkerboard and its period in pixels, decibels of fine detail, a grain that
    all samples share; None where there is no such trace."""

    checkerboard: float | None
    period: int
    fine: float | None
    grain: bool

    def __bool__(self) -> bool:
        return self.checkerboard is not None or self.fine is not None or self.grain


class Weighed(NamedTuple):
    """traces: those that are left when the samples are compared with the real images most like them;  kinds: what was a
    trace beside all real images and belongs to the kind of image, in words;  untold: where that cannot be told;
    alike: because so few real images are nearest to any sample;  unseen: what is there and nobody can see, in words."""

    traces: Traces
    kinds: tuple[str, ...] = ()
    untold: tuple[str, ...] = ()
    alike: bool = False
    unseen: tuple[str, ...] = ()


def sentence(verdict: Verdict, weighed: Weighed, faint: str, numbers: Mapping[str, Number]) -> str:
    """The verdict in one sentence. faint: what is beyond chance and too weak to be called a trace."""
    traces = weighed.traces
    if verdict == "cannot tell":
        return _untold(weighed)
    if verdict == "good":
        return _invisible(weighed.unseen, numbers) if weighed.unseen else _clean(weighed.kinds, faint)
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
            f"fine detail has {_percent(traces.fine)} of the strength it has in the real ones"
        )
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}."


def _untold(weighed: Weighed) -> str:
    what = " and ".join(weighed.untold)
    if weighed.untold and weighed.alike:
        return (
            f"Few real images are the nearest to most samples, so that a trace of the network cannot be told from "
            f"what is peculiar to these few ({what})."
        )
    if weighed.untold:
        return (
            f"The samples differ from all real images together ({what}), and not surely from the real images most "
            f"like them: it may be a trace of the network, or a matter of which kinds of images are made."
        )
    return "No clear trace of the network was found, but there are too few images to see any but a strong one."


def _invisible(unseen: Sequence[str], numbers: Mapping[str, Number]) -> str:
    parts = []
    if "a checkerboard" in unseen:
        parts.append(
            f"a pattern of the grid is {_times(numbers['checkerboard'].value)} times as strong as in the real images, "
            f"and weaker than one of the 255 steps of grey"
        )
    if "fine detail" in unseen:
        parts.append(
            f"fine detail has {_percent(numbers['high_frequencies'].value)} of its strength in the real images, which "
            f"hold little of it, as enlarged ones do"
        )
    return f"No trace of the network that an eye would notice: {'; '.join(parts)}."


def _clean(kinds: Sequence[str], faint: str) -> str:
    if kinds:
        return (
            f"No trace of the network was found: the samples differ from all real images together "
            f"({' and '.join(kinds)}), and not from the real images most like them."
        )
    if faint:
        return f"Only a faint trace of the network was found ({faint}), too weak to matter."
    return "No trace of the network was found: patterns and fine detail differ from real images no more than by chance."


def _beside_the_nearest(numbers: Mapping[str, Number]) -> tuple[str, ...]:
    if "high_frequencies_matched" not in numbers:
        return ()
    names = ("checkerboard", "high_frequencies", "shared_grain")
    grid, fine, grain = (numbers[f"{name}_matched"].value for name in names)
    return (
        f"Beside the real images most like each sample (as if {numbers['nearest_real_images'].value:,.0f} were so "
        f"equally often), the pattern is {stronger(grid)}, the finest detail has {more(fine)}, and the "
        f"spectrum is irregular by {grain:.1f}: what is not there belongs to the kinds of images that are made.",
    )


def beside(numbers: Mapping[str, Number]) -> tuple[str, ...]:
    """Whether an eye would notice what was added, and whether the real images nearest to each sample have it too: where
    that was asked."""
    return (*_how_visible(numbers), *_beside_the_nearest(numbers))


def _how_visible(numbers: Mapping[str, Number]) -> tuple[str, ...]:
    lines = []
    if "fine_detail_noticeable" in numbers:
        value = numbers["fine_detail_noticeable"].value
        lines.append(
            f"The finest detail that was added amounts to {value:.2f} just noticeable differences of the eye: below 1 "
            f"it is no trace."
        )
    if "checkerboard_levels" in numbers:
        value = numbers["checkerboard_levels"].value
        lines.append(f"The pattern makes pixels {value:.1f} of 255 levels brighter and darker: below 1 it is no trace.")
    return tuple(lines)


def stronger(decibels: float) -> str:
    """`1.2 decibels stronger`, `1.2 decibels weaker`."""
    return f"{abs(decibels):.1f} decibels {'weaker' if decibels < 0 else 'stronger'}"


def more(decibels: float) -> str:
    """`1.2 decibels more`, `1.2 decibels less`."""
    return f"{abs(decibels):.1f} decibels {'less' if decibels < 0 else 'more'}"


def no_frequency_off_the_grid(height: int, width: int) -> str:
    """The reason why a checkerboard cannot be told from an irregular spectrum in images of this size."""
    return (
        f"At {height}x{width} pixels every frequency of the spectrum is one at which a checkerboard shows, so that "
        f"none is left to compare with: images of at least {height + 1} pixels a side can be tested."
    )


def _percent(decibels: float) -> str:
    return f"{100 * 10 ** (decibels / 10):,.0f} %"


def _times(decibels: float) -> str:
    return f"{10 ** (decibels / 10):,.0f}" if decibels >= 10 else f"{10 ** (decibels / 10):.2g}"
