"""Evaluation protocol: everything that makes two numbers comparable, as a record and as one line of text.

The FID of one generator is 29 in one paper and 48 in another only because their protocols differ. Two numbers are put
side by side only if their protocols agree in all but whose images were judged.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from gansmith import __version__
from gansmith.errors import GansmithError


@dataclass(frozen=True)
class Protocol:
    """The protocol of a number.

    metric      its name with every option: `kid(degree=3)`
    features    extractor, digest of its weights and how images are brought to it; "" where none is used
    real        the images judged against: name, side of the split, digest of their content
    real_count, fake_count
    size        HxWxC of the images compared, and how they were brought to it
    averaging   "averaged" or "raw" weights; "files" for images that came as files
    fake, seeds whose images were judged, and the seeds that they were generated from: the two that may differ
    """

    metric: str
    features: str
    real: str
    real_count: int
    fake_count: int
    size: str
    averaging: str
    fake: str = ""
    seeds: str = ""
    version: str = __version__

    def __str__(self) -> str:
        return (
            f"{self.metric}; {self.features or 'no features'}; {self.fake_count:,} of {self.fake or 'unnamed'} "
            f"({self.averaging}{', seeds ' + self.seeds if self.seeds else ''}) against {self.real_count:,} of "
            f"{self.real}; {self.size}; gansmith {self.version}"
        )

    def record(self) -> dict[str, Any]:
        """Plain values for JSON, with the one line as `text`."""
        return {**asdict(self), "text": str(self)}

    def of(self, metric: str, **changes: Any) -> Protocol:
        """This protocol with another metric, and `changes`."""
        return replace(self, metric=metric, **changes)


_WHOSE = ("fake", "seeds")


def differences(one: Protocol, other: Protocol) -> list[str]:
    """`field: this | that` for all that must agree and does not."""
    return [
        f"{field.name}: {getattr(one, field.name)} | {getattr(other, field.name)}"
        for field in fields(Protocol)
        if field.name not in _WHOSE and getattr(one, field.name) != getattr(other, field.name)
    ]


def require_same(protocols: Iterable[Protocol]) -> None:
    """Raises GansmithError naming what differs when two of them are not comparable."""
    first, *others = protocols
    for other in others:
        unequal = differences(first, other)
        if unequal:
            raise GansmithError(
                f"these numbers were not measured the same way and are not put side by side: {'; '.join(unequal)}. "
                f"Measure both with the same options"
            )
