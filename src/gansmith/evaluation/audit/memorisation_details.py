"""Details of the answer on memorisation: how the nearness of samples compares, what could not be seen."""

from __future__ import annotations

from gansmith.evaluation import copy_search, planted_copies
from gansmith.evaluation.audit.memorisation_findings import Findings
from gansmith.evaluation.audit.memorisation_words import ASKED, ENOUGH, TWINS, largest
from gansmith.evaluation.memorisation_tests import LEVEL
from gansmith.evaluation.number_format import counted, percent


def details(findings: Findings) -> tuple[str, ...]:
    """Plain sentences."""
    tail, repeats = findings.tail, findings.repeats
    samples, held_out = len(findings.samples.source), len(findings.held_out.source)
    share, low, _ = findings.copies
    below = int((findings.held_out.nearness < tail.limit).sum())
    lines = [
        f"Nearness is the distance to the nearest training image over that to the {copy_search.RANK}th nearest: 0 is a "
        f"copy, 1 is no nearer to one than to others. Below {tail.limit:.2f} lie {below:,} of "
        f"{held_out:,} held-out images and {tail.below:,} of {counted(samples, 'sample')}.",
    ]
    if not findings.control.different:
        lines.append(
            f"Copies are about {percent(share)} of the samples ({percent(low)} to {percent(largest(findings))})."
        )
    if samples < len(repeats.leader):
        lines.append(
            f"Of {len(repeats.leader):,} samples {counted(samples, 'is a different image', 'are different images')}; "
            f"what is repeated counts once in the test, which is about independent images, and as often as it is made "
            f"in the share of copies."
        )
    lines += _power(findings)
    if findings.twins > TWINS * held_out:
        lines.append(
            f"{findings.twins:,} of {held_out:,} held-out images are as near to a training image as a copy: "
            f"the same images lie on both sides, and copies hide among them."
        )
    if findings.authenticity.p <= LEVEL and findings.p[0] > LEVEL:
        lines.append(
            "Fewer samples than held-out images are authentic. Smooth or noisy images do that without any copying, so "
            "the verdict does not rest on it."
        )
    lines.append(
        "Copies of parts of images, of their style, or moved by more than two pixels cannot be seen here; blends of "
        "two training images are, of three or more are not."
    )
    return tuple(lines)


def _power(findings: Findings) -> list[str]:
    """What the search would have noticed."""
    samples, held_out = len(findings.samples.source), len(findings.held_out.source)
    seen = [share for share, noticed in findings.power.items() if noticed >= ENOUGH]
    clean, rough = (
        ", ".join(f"{percent(share)} with {noticed:.2f}" for share, noticed in power.items())
        for power in (findings.power, findings.rough)
    )
    undone, others = (
        ", ".join(f"{kind} {power[ASKED]:.2f}" for kind, power in findings.kinds.items() if (kind in kinds) == wanted)
        for kinds, wanted in ((planted_copies.UNDONE, True), (planted_copies.UNDONE, False))
    )
    return [
        f"Tried on copies planted on purpose, {percent(ASKED)} of each kind would have been noticed with the "
        f"probability: {undone}; and of kinds that the search does not undo: {others}.",
        f"Of the worst of the first five kinds it would have noticed {clean}.",
        f"Of copies that are as flawed as these samples it would have noticed {rough}.",
        f"{held_out:,} held-out images and {counted(samples, 'sample')} are too few to see less than about "
        f"{percent(min(seen))} of copies."
        if seen
        else "So few images, or such ones, cannot show even one copy in five samples.",
    ]
