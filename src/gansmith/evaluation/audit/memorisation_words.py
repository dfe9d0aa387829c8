"""The answer on memorisation in words and numbers: sentence, details, advice."""

from __future__ import annotations

from gansmith.evaluation import copy_search
from gansmith.evaluation.audit.memorisation_findings import Findings
from gansmith.evaluation.memorisation_tests import LEVEL
from gansmith.evaluation.number_format import number, percent
from gansmith.evaluation.types import Number, Verdict

ASKED = 0.05  # the share of copies that must have been noticed before "good" is said
ROUGH = 0.2  # the share of rough copies, as flawed as the samples, that must have been noticed as well
ENOUGH = 0.8  # with this probability
_NEVER = 0.005  # a probability that is said in a word below this
APART = 2.5  # times as far from the training images as they are from each other: images of another kind
TWINS = 0.01  # of the held-out images: more twins than that are told


def sentence(verdict: Verdict, findings: Findings) -> str:
    """The verdict in one sentence, with how likely copies would have been noticed."""
    tail, noticed, rough = findings.tail, findings.power[ASKED], findings.rough[ROUGH]
    samples, held_out = len(findings.samples.source), len(findings.held_out.source)
    if findings.apart > APART:
        return (
            f"The held-out images lie {findings.apart:.1f} times as far from the training images as these from each "
            f"other: they are of another kind, and do not show how near images come that are no copies."
        )
    if verdict == "bad":
        return (
            f"Some are: {tail.below:,} of {samples:,} samples lie nearer to one training image than almost any image "
            f"that was never trained on, where chance gives {number(round(tail.expected, 1))}."
        )
    if findings.p[1] <= LEVEL:
        return (
            "No single copies stand out, but all samples together lie nearer to single training images than images "
            "that were never trained on."
        )
    if verdict == "good":
        return (
            f"No copies were found, mirrored or moved by two pixels either; {percent(ASKED)} of copies would have "
            f"been noticed with probability {noticed:.2f}, and {percent(ROUGH)} of rough ones, as flawed as these "
            f"samples are, with {rough:.2f}."
        )
    if noticed >= ENOUGH:
        return (
            f"No clean copies were found ({percent(ASKED)} would have been noticed with probability {noticed:.2f}), "
            f"but rough copies, as flawed as these samples are, cannot be told from the other samples, even if they "
            f"were {percent(ROUGH)} of them."
        )
    many = f"{samples:,} different images"
    different = f"the samples are {'one image, repeated' if samples == 1 else many}"
    chance = f"only with probability {noticed:.2f}" if noticed >= _NEVER else "practically never"
    return (
        f"No copies were found, but few would have been: {different}, and beside {held_out:,} held-out images "
        f"{percent(ASKED)} of copies among so few would be noticed {chance}."
    )


def numbers(findings: Findings) -> dict[str, Number]:
    """The measured numbers, under their keys in audit.json."""
    tail = findings.tail
    table = {
        "copies": Number(
            tail.share,
            tail.low,
            _most(findings),
            "share of the samples that are copies: at most, what would be noticed",
        ),
        "p_value_lower_tail": Number(findings.p[0], means="chance of so many near samples, were none a copy"),
        "c_t": Number(findings.rank.value, means="all samples against held-out images: far below 0 when nearer"),
        "p_value_c_t": Number(findings.p[1], means="chance of such a shift of all samples, were none a copy"),
        "authentic_samples": Number(1 - findings.authenticity.value, means="share of the samples that are authentic"),
        "authentic_held_out": Number(1 - findings.authenticity.usual, means="the same of images never trained on"),
        "p_value_authenticity": Number(findings.p[2], means="chance of so few authentic samples, were none a copy"),
        "held_out_twins": Number(findings.twins, means="held-out images as near to a training image as a planted copy"),
    }
    for share, noticed in findings.power.items():
        name = f"power_at_{100 * share:g}_percent"
        table[name] = Number(noticed, means=f"probability of noticing {100 * share:g} % of clean copies")
        means = f"probability of noticing {100 * share:g} % of copies as flawed as the samples"
        table[f"{name}_if_rough"] = Number(findings.rough[share], means=means)
    return table


def details(findings: Findings) -> tuple[str, ...]:
    """Plain sentences: how the nearness of samples compares, and what could not have been seen."""
    tail, samples, held_out = findings.tail, len(findings.samples.source), len(findings.held_out.source)
    visible = [share for share, noticed in findings.power.items() if noticed >= ENOUGH]
    clean, rough = (
        ", ".join(f"{percent(share)} with {noticed:.2f}" for share, noticed in power.items())
        for power in (findings.power, findings.rough)
    )
    lines = [
        f"Nearness is the distance to the nearest training image over that to the {copy_search.RANK}th nearest: 0 is a "
        f"copy, 1 is no nearer to one than to others. Below {tail.limit:.2f} lie {tail.place:,} of "
        f"{held_out:,} held-out images and {tail.below:,} of {samples:,} samples.",
        f"Copies are about {percent(tail.share)} of the samples ({percent(tail.low)} to {percent(_most(findings))}).",
        f"Tried on copies planted on purpose (mirrored, moved, re-compressed, relit), it would have noticed {clean}.",
        f"Of copies that are as flawed as these samples it would have noticed {rough}.",
        f"{held_out:,} held-out images and {samples:,} samples are too few to see less than about "
        f"{percent(min(visible))} of copies."
        if visible
        else "So few images, or such ones, cannot show even one copy in five samples.",
    ]
    if findings.twins > TWINS * held_out:
        lines.append(
            f"{findings.twins:,} of {held_out:,} held-out images are as near to a training image as a copy: "
            f"the same images lie on both sides, and copies hide among them."
        )
    if findings.p[2] <= LEVEL and findings.p[0] > LEVEL:
        lines.append(
            "Fewer samples than held-out images are authentic. Smooth or noisy images do that without any copying, so "
            "the verdict does not rest on it."
        )
    lines.append("Copies of parts of images, of their style, or moved by more than two pixels cannot be seen here.")
    return tuple(lines)


def advice(verdict: Verdict, findings: Findings) -> tuple[str, ...]:
    """Next steps, most useful first."""
    if verdict == "bad":
        return (
            "look at the nearest pairs: are these the same images?",
            "train on more images, or mirror them (--flip)",
            "stop earlier, or take an earlier checkpoint: copies come late",
            "do not publish the samples if the training images are private",
        )
    if verdict == "good":
        return ()
    steps = ["look at the nearest pairs: are these the same images?"]
    if findings.twins > TWINS * len(findings.held_out.source):
        steps.append("hold out whole groups of similar images, so that none has a twin that is trained on")
    if findings.power[ASKED] >= ENOUGH > findings.rough[ROUGH]:
        steps.append("train on until the samples are cleaner, then ask again: rough copies are hard to tell")
    return (*steps, "give more samples (--samples 2000)", "hold more images out (--holdout), and train again")


def _most(findings: Findings) -> float:
    """The largest share of copies there may be: what the tail allows, and never less than what would be noticed."""
    noticed = [share for share, probability in findings.power.items() if probability >= 0.95]
    return max(findings.tail.high, min(noticed, default=1.0))
