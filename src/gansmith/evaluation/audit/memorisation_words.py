"""The answer on memorisation in words and numbers: sentence, details."""

from __future__ import annotations

from gansmith.evaluation.audit.memorisation_control import Control, Same
from gansmith.evaluation.audit.memorisation_findings import Findings, Power
from gansmith.evaluation.memorisation_tests import LEVEL
from gansmith.evaluation.number_format import counted, number, percent
from gansmith.evaluation.types import Number, Verdict

ASKED = 0.05  # the share of copies that should have been noticed
MOST = 0.2  # the largest share that "good" may rest on: with few held-out images it names what it can see
ROUGH = 0.2  # the share of rough copies, as flawed as the samples, that must have been noticed as well
ENOUGH = 0.8  # with this probability
_NEVER = 0.005  # a probability that is said in a word below this
MOSTLY = 0.5  # of the held-out images
TWINS = 0.01  # of the held-out images: more twins than that are told


def visible(power: Power) -> float | None:
    """The smallest share of copies, ASKED at least, that would have been noticed; None where even MOST would not."""
    return next(
        (share for share, noticed in sorted(power.items()) if ASKED <= share <= MOST and noticed >= ENOUGH), None
    )


def accused(findings: Findings) -> tuple[bool, bool]:
    """Whether single samples, and repeated ones, are nearer to training images than held-out images are."""
    return findings.p[0] <= LEVEL, findings.repeats.p <= LEVEL


def sentence(verdict: Verdict, findings: Findings) -> str:
    """The verdict in one sentence, with how likely copies would have been noticed."""
    single, repeated = accused(findings)
    if findings.control.different:
        return f"{_another_kind(findings.control)} They do not show how near images come that are no copies."
    if verdict == "bad":
        return _some_are(findings)
    if single or repeated:
        return (
            "Some samples lie nearer to one training image than almost any held-out image, but no nearer than training "
            "images lie to each other: these may be as many copies as real likenesses."
        )
    if findings.repeats.suspect:
        return (
            f"One image is made {findings.repeats.suspect:,} times and lies near to a training image, as only "
            f"{percent(LEVEL)} of the held-out images do: it may be a copy."
        )
    if findings.p[1] <= LEVEL:
        return (
            "No single copies stand out, but all samples together lie nearer to single training images than images "
            "that were never trained on."
        )
    return _none_found(verdict, findings)


def _some_are(findings: Findings) -> str:
    """What is wrong: repeated copies, single ones, blends."""
    tail, groups, blended = findings.tail, findings.repeats, findings.blended
    single, repeated = accused(findings)
    parts = []
    if repeated and findings.confirmed[1]:
        count, images = groups.copies, int(groups.on_train.sum())
        many = "one image" if images == 1 else f"{images:,} images"
        parts.append(
            f"{count:,} of {len(groups.leader):,} samples are {many}, made again and again, nearer to one training "
            f"image than almost any image that was never trained on"
        )
    if single and findings.confirmed[0]:
        parts.append(
            f"{tail.below:,} of {len(findings.samples.source):,} {'different ' * bool(parts)}samples lie nearer to one "
            f"training image than almost any image that was never trained on, where chance gives "
            f"{number(round(tail.expected, 1))}"
        )
    if findings.p[2] <= LEVEL:
        parts.append(
            f"{blended.below:,} of {len(findings.samples.source):,} samples are blends: they lie between two training "
            f"images, far nearer to a mean of both than to any single one"
        )
    return f"Some are: {'; '.join(parts)}."


def _none_found(verdict: Verdict, findings: Findings) -> str:
    samples, held_out = len(findings.samples.source), len(findings.held_out.source)
    share, worst = visible(findings.power), findings.worst
    seen = ASKED if share is None else share
    noticed, rough = findings.power[seen], findings.rough[ROUGH]
    if verdict == "good":
        only = "" if share == ASKED else f" ({samples:,} samples and {held_out:,} held-out images cannot show fewer)"
        return (
            f"No copies were found, mirrored or moved by two pixels either. {percent(seen)} of copies would have been "
            f"noticed with probability {noticed:.2f}{only}, {percent(ROUGH)} of rough ones, as flawed as these samples "
            f"are, with {rough:.2f}; worst seen are {worst} copies: {percent(seen)} of them "
            f"{_chance(findings.kinds[worst][seen])}."
        )
    if share is not None:
        return (
            f"No clean copies were found ({percent(seen)} would have been noticed with probability {noticed:.2f}), "
            f"but rough copies, as flawed as these samples are, cannot be told from the other samples, even if they "
            f"were {percent(ROUGH)} of them."
        )
    many = f"{samples:,} different images"
    different = f"the samples are {'one image, repeated' if samples == 1 else many}"
    return (
        f"No copies were found, but few would have been: {different}, and beside {held_out:,} held-out images "
        f"{percent(seen)} of copies among so few would be noticed {_chance(noticed)}."
    )


def _chance(probability: float) -> str:
    if probability >= ENOUGH:
        return f"with probability {probability:.2f}"
    return f"only with probability {probability:.2f}" if probability >= _NEVER else "practically never"


def _another_kind(control: Control) -> str:
    if control.equal >= MOSTLY:
        return f"{percent(control.equal)} of the held-out images are training images, some of them mirrored or moved."
    farther = control.apart >= 1
    times = number(round(control.apart if farther else 1 / control.apart, 2))
    how = f"lie {times} times as {'far from' if farther else 'near to'} the training images as these to each other"
    if number(round(max(control.apart, 1 / control.apart), 1)) == "1":
        how = "lie among the training images otherwise than these among themselves"
    return f"The held-out images are of another kind than the training images: they {how}, beyond chance."


def same_sets(equal: Same, count: int) -> str:
    """The sentence where one set of images is another one."""
    held = []
    if equal.trained_on:
        held.append("the held-out images are training images, pixel by pixel")
    if equal.judged_by_itself:
        held.append("the held-out images are the samples themselves")
    also = "; and ".join(held)
    if equal.copied:
        more = f" ({also})" if also else ""
        return f"The samples are the training images: {equal.copies:,} of {count:,} equal one, pixel by pixel{more}."
    return f"{also[:1].upper()}{also[1:]}: they do not show how near images come that are no copies."


def equal(same: Same) -> tuple[str, ...]:
    """Details about single images that are equal to those of another set."""
    lines = []
    if same.copies:
        lines.append(f"{counted(same.copies, 'sample is', 'samples are')} equal to a training image, pixel by pixel.")
    if same.held_out_train:
        lines.append(f"{percent(same.held_out_train)} of the held-out images are equal to a training image.")
    return tuple(lines)


def numbers(findings: Findings) -> dict[str, Number]:
    """The measured numbers, under their keys in audit.json."""
    share, low, _ = findings.copies
    worst = findings.worst
    unknown = findings.control.different
    means = "share of the samples that are copies: at most, what would be noticed"
    table = {
        "copies": Number(share, 0.0, 1.0, "share of the samples that are copies: unknown without a control")
        if unknown
        else Number(share, low, largest(findings), means),
        "p_value_lower_tail": Number(findings.p[0], means="chance of so many near samples, were none a copy"),
        "repeated_copies": Number(findings.repeats.copies, means="samples of repeated images on a training image"),
        "p_value_repeats": Number(findings.repeats.p, means="chance of repeated images so near, were none a copy"),
        "blends": Number(findings.blended.share, means="share of the samples that are blends of two training images"),
        "p_value_blends": Number(findings.p[2], means="chance of so many blends, were none a copy"),
        "c_t": Number(findings.rank.value, means="all samples against held-out images: far below 0 when nearer"),
        "p_value_c_t": Number(findings.p[1], means="chance of such a shift of all samples, were none a copy"),
        "authentic_samples": Number(1 - findings.authenticity.value, means="share of the samples that are authentic"),
        "authentic_held_out": Number(1 - findings.authenticity.usual, means="the same of images never trained on"),
        "p_value_authenticity": Number(findings.authenticity.p, means="chance of so few authentic, were none a copy"),
        "held_out_twins": Number(findings.twins, means="held-out images as near to a training image as a planted copy"),
        "p_value_control": Number(
            min(findings.control.p), means="chance of such distances, were held-out images like training images"
        ),
        "power_at_5_percent_worst_kind": Number(
            findings.kinds[worst][ASKED], means=f"probability of noticing 5 % of {worst} copies, the least noticed kind"
        ),
    }
    for share, noticed in findings.power.items():
        name = f"power_at_{100 * share:g}_percent"
        table[name] = Number(noticed, means=f"probability of noticing {100 * share:g} % of clean copies")
        means = f"probability of noticing {100 * share:g} % of copies as flawed as the samples"
        table[f"{name}_if_rough"] = Number(findings.rough[share], means=means)
    return table


def largest(findings: Findings) -> float:
    """The largest share of copies there may be: what the tail allows, and never less than what would be noticed."""
    noticed = [share for share, probability in findings.power.items() if probability >= 0.95]
    return max(findings.copies[2], min(noticed, default=1.0))
