"""Run facts: what a run knows of itself that an audit's reader needs: how long it trained, its health, its settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from gansmith.evaluation.number_format import counted, duration, number

HEALTH: Mapping[str, str] = {  # the words of `records.health`, for someone who never saw them
    "balanced": "neither network beats the other for good",
    "discriminator winning": "the discriminator tells nearly all samples from real images; as long as the samples get "
    "better this is no failure",
    "discriminator losing": "the discriminator hardly tells samples from real images, and so teaches little",
    "collapsing": "the samples are far more alike than they were, or than real images are",
    "memorising": "the discriminator knows its training images by heart: it scores them above held-out ones",
    "oscillating": "first the one network wins, then the other, again and again",
    "diverging": "scores or losses grow without bound",
    "starved loader": "much of the time is spent waiting for images",
}


@dataclass(frozen=True)
class RunFacts:
    """What a run knows of itself, for the top of a report and for its advice. Fields that are not known are None.

    path, data         the run's folder and its images, as a command line takes them
    images, asked      real images drawn when the judged weights were saved, and how many the run is to draw
    distinct           images that it trains on, of which the drawn ones are repetitions
    seconds            of training, over all resumes, for `images`
    health, accuracy   words and pairwise accuracy of the discriminator in its last records
    best_recipe        the recipe that measured best on sets of this size
    time               seconds that were asked for, where the run was begun with `--time`
    upsample, width    of the generator;  augment, flip  of the images that the discriminator reads
    improving          whether a metric that the run measured was still getting better at the end
    settled            whether its checks ended it (`stop.settled`), which a longer run must switch off
    checkpoint, raw    the judged weights: those of a checkpoint, None for the last; as trained, without averaging
    own_networks       extractors whose features its training read
    zoo                a model that a new run can begin with; None where this one began with something
    options            of `gansmith evaluate` that the next evaluation needs too: name, value, name, value ...
    """

    path: str
    data: str
    images: int
    asked: int | None = None
    distinct: int | None = None
    seconds: float | None = None
    health: str = ""
    accuracy: float | None = None
    recipe: str | None = None
    best_recipe: str | None = None
    time: float | None = None
    size: str = ""
    upsample: str | None = None
    width: int | None = None
    augment: str | None = None
    flip: bool = False
    improving: bool | None = None
    settled: bool = False
    raw: bool = False
    checkpoint: str | None = None
    own_networks: tuple[str, ...] = ()
    zoo: str | None = None
    options: tuple[str, ...] = ()

    def record(self) -> dict[str, Any]:
        """Plain values for JSON.

        >>> RunFacts("runs/a", "photos", 640).record()["images"]
        640
        """
        return asdict(self)

    @property
    def at_the_end(self) -> bool:
        """Whether the run drew all images that it was asked for."""
        return self.asked is None or self.images >= self.asked

    def time_for(self, images: float) -> float | None:
        """Seconds that so many more images take at the run's own pace; None where it is not known.

        >>> RunFacts("runs/a", "photos", 1000, seconds=50).time_for(2000)
        100.0
        """
        return None if self.seconds is None or self.images <= 0 else images * self.seconds / self.images

    def rows(self) -> list[tuple[str, str]]:
        """(name, value) of each fact that stands at the top of a report."""
        asked = "" if self.asked is None or self.at_the_end else f" of {number(self.asked)} asked"
        rows = [("trained on", f"{number(self.images)}{asked} images")]
        if self.distinct:
            rows.append(("each image seen", counted(max(1, round(self.images / self.distinct)), "time")))
        if self.seconds:
            rows.append(("time of training", duration(self.seconds)))
        if self.recipe:
            rows.append(("recipe", self.recipe))
        if self.accuracy is not None:
            rows.append(("accuracy of the discriminator", f"{self.accuracy:.2f}"))
        return rows

    def health_words(self) -> list[tuple[str, str]]:
        """(word, what it means) of the health of the last records."""
        return [(word, HEALTH.get(word, "")) for word in self.health.split(", ") if word]


def read_run_facts(record: Mapping[str, Any]) -> RunFacts:
    """The facts in a record of audit.json; fields of later versions are left out.

    >>> read_run_facts({"path": "runs/a", "data": "photos", "images": 640, "of_a_later_version": 1}).images
    640
    """
    known = {one.name for one in fields(RunFacts)}
    values = {name: value for name, value in record.items() if name in known}
    tuples = {name: tuple(values.get(name, ())) for name in ("own_networks", "options")}
    return RunFacts(**{**values, **tuples})
