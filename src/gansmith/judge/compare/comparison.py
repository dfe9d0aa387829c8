"""The result of `gansmith compare` as a record, and the notes that limit what it shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gansmith import __version__
from gansmith.evaluation.cross_play import CrossPlay
from gansmith.evaluation.protocol import Protocol
from gansmith.evaluation.types import Number
from gansmith.judge.compare.contenders import Contender, Labelled
from gansmith.judge.compare.real_images import Reals
from gansmith.system.paths import resolved

FEW = 100  # real images; fewer give wide intervals, and a note says so


@dataclass(frozen=True)
class Measured:
    """One metric on every contender: numbers[contender][quantity]. better: {quantity: "lower" or "higher"}."""

    better: Mapping[str, str]
    numbers: Mapping[str, Mapping[str, Number]]
    protocol: Protocol


@dataclass(frozen=True)
class Material:
    """What was compared: the generators, the real images, and each generator's samples of seeds 0, 1, 2 ..."""

    contenders: Sequence[Contender]
    real: Reals
    generated: Mapping[str, Labelled]


@dataclass(frozen=True)
class Comparison:
    """The result of `compare`. notes: plain sentences on the limits of the numbers; material: not recorded."""

    play: CrossPlay
    metrics: Mapping[str, Measured]
    protocol: Protocol
    notes: tuple[str, ...]
    material: Material | None = field(default=None, compare=False, repr=False)

    def record(self) -> dict[str, Any]:
        """The content of `compare.json`; the matrix has a row for each discriminator."""
        play = self.play
        return {
            "gansmith": __version__,
            "compared": list(play.names),
            "ranking": [
                {
                    "name": one.name,
                    "told_apart": one.told_apart.record(),
                    "mean_unadjusted": one.mean,
                    "discriminators": one.judges,
                }
                for one in play.standings
            ],
            "adjusted_for_discriminators": play.adjusted,
            "pairs": [
                {
                    "better": pair.better,
                    "worse": pair.worse,
                    "difference": pair.difference.record(),
                    "separated": pair.separated,
                    "agreeing_discriminators": pair.agree,
                    "common_discriminators": pair.common,
                }
                for pair in play.pairs
            ],
            "accuracy": {
                discriminator: {
                    name: {**number.record(), "own": play.own(j, i)}
                    for i, (name, number) in enumerate(zip(play.names, row, strict=True))
                }
                for j, (discriminator, row) in enumerate(zip(play.names, play.accuracy, strict=True))
            },
            "notes": list(self.notes),
            "protocol": self.protocol.record(),
            "metrics": {
                name: {
                    "better": dict(measured.better),
                    "protocol": measured.protocol.record(),
                    "numbers": {
                        contender: {quantity: number.record() for quantity, number in numbers.items()}
                        for contender, numbers in measured.numbers.items()
                    },
                }
                for name, measured in self.metrics.items()
            },
        }


def notes(play: CrossPlay, contenders: Sequence[Contender], real: Reals) -> tuple[str, ...]:
    """The limits of the ranking, one sentence each."""
    lines = [
        "The intervals are over images. They do not say how another training of the same runs would turn out.",
        "Discriminators see one image at a time: they do not notice a generator that repeats itself. Metrics do.",
    ]
    if any(one.conditional for one in contenders):
        lines.append("Each sample was scored with the class that it was made for, each real image with its own.")
    if not play.adjusted:
        lines.append(
            "The discriminators cannot be compared with each other, as each judges other generators than the rest: a "
            "lax one flatters the generators that it judges. A third run, or another checkpoint of one, mends that."
        )
    for first in sorted(set(play.kin)):
        equal = [name for name, one in zip(play.names, play.kin, strict=True) if one == first]
        if len(equal) > 1:
            lines.append(f"{', '.join(equal)} have one and the same discriminator: it judges none of them.")
    for name in play.blind:
        lines.append(
            f"The discriminator of {name} tells no other run's samples from real images (accuracy about 0.5 on all): "
            f"it cannot judge them, or they are that good."
        )
    for discriminator in play.names:
        above = [name for owner, name in play.inverted if owner == discriminator]
        if above:
            lines.append(
                f"The discriminator of {discriminator} scores samples of {', '.join(above)} "
                f"above real images that it never saw. A perfect generator would get 0.5: this counts as told apart. "
                f"It is common for collapsed generators and for artifacts that the discriminator never met."
            )
    if len({resolved(one.path) for one in contenders}) < len(contenders):
        lines.append(
            "Some are checkpoints of one run: a discriminator has met earlier samples of the generator it grew up with."
        )
    if len(real.images) < FEW:
        lines.append(f"Only {len(real.images)} real images were held out: more would narrow the intervals.")
    return tuple(lines)
