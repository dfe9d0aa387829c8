"""The table of defaults: which recipe, settings and size for which images, machine and time. `defaults.yaml` says how a
row is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Annotated, Any, NamedTuple, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from gansmith.errors import ExperimentError
from gansmith.experiment.yaml_reader import read_file
from gansmith.schedules import Amount

TABLE = Path(__file__).with_name("defaults.yaml")


class Facts(NamedTuple):
    """What a default is chosen by.

    device: its type;  images: of the set;  size: the longer side in pixels, None while it is open;  minutes: of
    training;  weights: extractors whose weights are here;  bfloat16: computed natively
    """

    device: str = "cpu"
    images: int = 2_000
    size: int | None = None
    minutes: float | None = None
    labelled: bool = False
    grey: bool = False
    weights: frozenset[str] = frozenset()
    bfloat16: bool = False


class Span(BaseModel):
    """The numbers from `from` on and below `below`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    start: Amount = Field(0.0, alias="from")
    below: Amount = 1e18

    def holds(self, value: float) -> bool:
        return self.start <= value < self.below


def _names(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


class Condition(BaseModel):
    """What must hold for a row to fit."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    device: Annotated[tuple[str, ...], BeforeValidator(_names)] = ()
    images: Span = Span()
    size: Span = Span()
    minutes: Span = Span()
    labelled: bool | None = None
    grey: bool | None = None
    weights: Annotated[tuple[str, ...], BeforeValidator(_names)] = ()
    bfloat16: bool | None = None

    def fits(self, facts: Facts, minutes: float) -> bool:
        """Does it hold? minutes: taken where the facts have none; a size that is open fits anything."""
        return (
            (not self.device or facts.device in self.device)
            and self.images.holds(facts.images)
            and (facts.size is None or self.size.holds(facts.size))
            and self.minutes.holds(minutes if facts.minutes is None else facts.minutes)
            and self.labelled in (None, facts.labelled)
            and self.grey in (None, facts.grey)
            and facts.weights.issuperset(self.weights)
            and self.bfloat16 in (None, facts.bfloat16)
        )


class Row(BaseModel):
    """A default: recipe, settings over it, and the evidence."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    when: Condition = Condition()
    recipe: str
    settings: dict[str, Any] = Field(default_factory=dict)
    why: str

    def settings_for(self, facts: Facts) -> dict[str, Any]:
        """The settings; without bfloat16 on a processor that only emulates it."""
        emulated = facts.device == "cpu" and not facts.bfloat16 and self.settings.get("precision") == "bfloat16"
        return {name: value for name, value in self.settings.items() if name != "precision" or not emulated}

    def reason(self, facts: Facts) -> str:
        return self.why.format(count=f"{facts.images:,}", size=facts.size, device=facts.device)


class Sizes(BaseModel):
    """Sizes in pixels to choose from where none is asked for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    when: Condition = Condition()
    of: tuple[Annotated[int, Field(ge=8)], ...] = Field(min_length=1)

    def filled(self, shorter: float) -> int:
        """The largest that images with a shorter side of `shorter` pixels fill, else the smallest.

        >>> Sizes(of=(32, 64)).filled(50), Sizes(of=(32, 64)).filled(500), Sizes(of=(32, 64)).filled(9)
        (32, 64, 32)
        """
        return max((size for size in self.of if size <= shorter), default=min(self.of))


_T = TypeVar("_T", Row, Sizes)


class Defaults(BaseModel):
    """The whole table."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    minutes: Amount
    earlier: tuple[str, ...] = ()
    sizes: tuple[Sizes, ...] = Field(min_length=1)
    rows: tuple[Row, ...] = Field(min_length=1)

    def row(self, facts: Facts) -> Row:
        """The first row that fits. Raises ExperimentError where none does."""
        return _first(self.rows, facts, self.minutes)

    def sizes_for(self, facts: Facts) -> Sizes:
        return _first(self.sizes, facts, self.minutes)

    @property
    def weights(self) -> frozenset[str]:
        """The extractors whose weights a row asks for."""
        return frozenset(name for row in self.rows for name in row.when.weights)

    @property
    def recipes(self) -> tuple[str, ...]:
        """Every recipe that is, or once was, a default."""
        return tuple(dict.fromkeys([*(row.recipe for row in self.rows), *self.earlier]))


def _first(rows: Sequence[_T], facts: Facts, minutes: float) -> _T:
    for row in rows:
        if row.when.fits(facts, minutes):
            return row
    raise ExperimentError(f"no row of the table of defaults fits {facts}: name a --recipe")


def read_table(path: Path = TABLE) -> Defaults:
    """The table in a file. Raises ExperimentError for one that is none.

    >>> table = read_table()
    >>> table.row(Facts(images=2_000)).recipe in table.recipes
    True
    """
    values: Mapping[str, Any] = read_file(path)
    try:
        return Defaults.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ExperimentError(f"{path}: {where}: {first['msg']}") from None


@cache
def defaults() -> Defaults:
    """The table that the package brings."""
    return read_table()
