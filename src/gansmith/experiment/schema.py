"""Experiment: the complete, typed description of one run.

Unknown fields are errors; every field has a default. `layers` puts an experiment together from its sources,
`completion` fills in the options of its parts, `assemble` builds what it describes.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

from gansmith.catalog import ROLES
from gansmith.data.settings import DataSettings
from gansmith.experiment.settings import (
    AveragingSettings,
    ChecksSettings,
    ElasticSettings,
    FreezeSettings,
    Images,
    MetricsSettings,
    Part,
    PriorSettings,
    StopSettings,
)
from gansmith.schedules import Count
from gansmith.system.durations import Duration
from gansmith.system.option_types import MOST_WORKERS, PositiveInt

# Fields that say how or how long a run is worked on, not what it computes: a resumed run may change them. The images
# may have moved, or be read by other options of their format; that they are the same ones is known by their digest.
MAY_CHANGE = frozenset(
    [
        *("images", "time", "device", "workers", "out", "tensorboard", "data.path", "data.options"),
        *("stop.metric", "stop.patience", "stop.target", "stop.settled"),
        *("checks.every", "record_every", "samples_every", "checkpoint_every", "keep_every"),
    ]
)
PARTS = ("game", "objective", "augment", *ROLES)  # the fields that hold a name with options


def _adam() -> dict[str, Part]:
    """Radford, Metz, Chintala 2016, section 4: Adam, 0.0002, momentum 0.5."""
    adam = {"name": "adam", "lr": 2e-4, "betas": [0.5, 0.999]}
    return {role: Part(**adam) for role in ("generator", "discriminator", "translator", "autoencoder")}


class Experiment(BaseModel):
    """One run, completely described. Unknown fields are errors.

    >>> experiment = Experiment.model_validate({"images": "50k", "objective": "hinge"})
    >>> experiment.images, experiment.objective.name, experiment.batch
    (50000, 'hinge', 64)
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    recipe: str | None = Field(None, description="where the settings came from; has no effect of its own")
    data: DataSettings = DataSettings()
    game: Part = Part(name="two_player")
    generator: Part | None = Part(name="dcgan")
    discriminator: Part | None = Part(name="dcgan")
    classifier: Part | None = None
    translator: Part | None = None
    autoencoder: Part | None = None
    objective: Part | None = Field(Part(name="nonsaturating"), description="none for a game without a discriminator")
    penalties: dict[str, dict[str, Any]] = Field(
        default_factory=dict, description="on top of the objective's own: {r1: {weight: 10, every: 16}}"
    )
    augment: Part | None = Field(None, description="augmentation of all images that the discriminator reads")
    prior: PriorSettings = PriorSettings()
    optimizer: dict[str, Part] = Field(default_factory=_adam, description="one for each role")
    averaging: AveragingSettings = AveragingSettings()
    images: Images = Field(1_000_000, description="how long to train, in real images drawn")
    time: Duration | None = Field(
        None, description="how long to train on this machine: 15m, 1h30m; `images` follows from the first 30 seconds"
    )
    batch: Annotated[int, Field(ge=1, le=1_000_000)] = 64
    accumulate: PositiveInt = Field(1, description="play the batch in this many parts; saves memory")
    batch_statistics: Literal["global", "local"] = Field(
        "global", description="of batch normalisation in several processes: over the whole batch, or each over its own"
    )
    engine: Literal["all_reduce", "elastic"] = Field(
        "all_reduce", description="several processes sum their gradients; or each trains weights of its own: elastic"
    )
    elastic: ElasticSettings = ElasticSettings()
    seed: int = 0
    device: str = "auto"
    precision: Literal["auto", "float32", "bfloat16"] = Field("auto", description="auto: bfloat16 on CUDA")
    memory_format: Literal["auto", "channels_last", "contiguous"] = "auto"
    reproducible: bool = Field(
        True, description="false: on CUDA the fastest kernels, chosen by trying; no two runs are equal to the bit"
    )
    threads: Annotated[int, Field(ge=1, le=1024)] | None = Field(
        None, description="of the CPU; torch's choice when null"
    )
    workers: Annotated[int, Field(ge=0, le=MOST_WORKERS)] | None = Field(
        None, description="processes that decode images; none when they are cached"
    )
    out: str | None = Field(None, description="the run folder; runs/DATA-RECIPE when null")
    start_from: str | None = Field(
        None, description="a run, a folder of models or a model of the zoo, whose weights to begin with where they fit"
    )
    start_raw: bool = Field(False, description="begin with that run's weights as trained, not averaged")
    freeze: dict[str, FreezeSettings] = Field(
        default_factory=dict, description="layers of a role that are not trained: {discriminator: {first: 3}}"
    )
    sheet: Annotated[int, Field(ge=1, le=10_000)] = Field(64, description="images on a sample sheet")
    record_every: Images = 2_000
    samples_every: Images = 20_000
    checkpoint_every: Images = 50_000
    keep_every: Count | Literal["epoch"] = Field(
        0,
        description="keep a checkpoint for good each so many images, or each epoch; 0 keeps none",
    )
    tensorboard: bool = False
    metrics: MetricsSettings = MetricsSettings()
    checks: ChecksSettings = ChecksSettings()
    stop: StopSettings = StopSettings()

    def plain(self) -> dict[str, Any]:
        """As plain dictionaries, lists, numbers and words, ready for YAML or JSON."""
        return self.model_dump(mode="json")

    def to_yaml(self) -> str:
        return yaml.safe_dump(self.plain(), sort_keys=False)
