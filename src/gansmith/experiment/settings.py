"""The groups of fields that an experiment is made of: named parts with options, and settings that belong together."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from gansmith.schedules import MOST_IMAGES, Count, Weight, parse_count
from gansmith.system.option_types import AtLeastTwo, NonNegativeFloat, NonNegativeSmallInt, PositiveInt
from gansmith.system.option_words import Takes

Images = Annotated[
    int,
    Field(ge=1, le=MOST_IMAGES),
    BeforeValidator(parse_count),
    Takes("a number of images", ", such as 50000, 50k or 1.5M"),
]


class Part(BaseModel):
    """A named entry of the catalog with its options beside the name: `{name: dcgan, width: 64}`."""

    model_config = ConfigDict(frozen=True, extra="allow")

    name: str

    @model_validator(mode="before")
    @classmethod
    def _bare_name(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value

    @property
    def options(self) -> dict[str, Any]:
        return dict(self.model_extra or {})


class PriorSettings(BaseModel):
    """The distribution of latents."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["normal", "uniform", "sphere"] = "normal"
    size: PositiveInt = 100
    labels: Literal["paired", "independent"] = Field(
        "paired", description="of the fakes: those of the real images beside them, or drawn from all classes"
    )


class FreezeSettings(BaseModel):
    """The layers of one role's networks that training leaves as they begin."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    first: NonNegativeSmallInt = Field(0, description="so many layers, from the one that reads the input on")
    last: NonNegativeSmallInt = Field(0, description="so many layers, back from the one that makes the output")


class AveragingSettings(BaseModel):
    """The moving average of the generator's weights."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    half_life: Weight = Field(10_000, description="in images; a number or a schedule")
    rampup: NonNegativeFloat | None = Field(0.05, description="the half-life is at most this times the images seen")
    buffers: Literal["average", "copy"] = "average"


def _words(value: Any) -> Any:
    """`"kid, fid"` -> ["kid", "fid"]: one name, or several with commas, need no brackets."""
    return [word.strip() for word in value.split(",") if word.strip()] if isinstance(value, str) else value


class ElasticSettings(BaseModel):
    """How workers of `engine: elastic` are pulled to their centre."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    period: PositiveInt = Field(10, description="steps from one pull to the next")
    moving_rate: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] = Field(
        0.9, description="part of the way to the workers' mean that the centre moves; a worker moves this / processes"
    )


class MetricsSettings(BaseModel):
    """What is measured while training: metrics of the samples, or of a classifier's predictions for held-out images."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    names: Annotated[tuple[str, ...], BeforeValidator(_words)] = Field(
        (), description="of metrics; none are measured when empty"
    )
    features: Part = Part(name="pixels")
    samples: AtLeastTwo = Field(1000, description="images a side")
    every: Images = Field(100_000, description="in images")
    against: Literal["train", "holdout"] = Field("train", description="which real images")


class ChecksSettings(BaseModel):
    """How often a training says what goes wrong, what to do, and how far it came."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    every: Count = Field(25_000, description="in images; 0: never")


class StopSettings(BaseModel):
    """End the training before the last image: when a metric has not improved for long, or has reached a value."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    metric: str | None = Field(None, description="which of the metrics; none: train to the last image")
    patience: Images = Field(500_000, description="in images since the best measurement")
    target: float | None = Field(None, allow_inf_nan=False, description="end at a measurement at least this good")
    settled: Annotated[int, Field(ge=0, le=1_000_000)] = Field(
        0, description="end when the ruler of so many checks reached no lower; 0: never"
    )
