"""An experiment: the complete, typed description of one run, and the layers it is put together from.

Later layers win: the defaults below, the recipe, a YAML file, the environment (`GANSMITH_OBJECTIVE__NAME=minimax`, two
underscores for each dot), the command line. Every value remembers which layer it came from.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gansmith import catalog
from gansmith.data.settings import DataSettings
from gansmith.errors import ExperimentError, GansmithError, OptionError, nearest, unknown
from gansmith.schedules import Count
from gansmith.settings import AtLeastOne, AveragingSettings, Images, MetricsSettings, Part, PriorSettings, StopSettings

# Fields that say how or how long a run is worked on, not what it computes: a resumed run may change them. The images
# may have moved; that they are the same ones is known by their digest.
MAY_CHANGE = frozenset(
    [
        *("images", "device", "workers", "out", "tensorboard", "data.path", "stop.metric", "stop.patience"),
        *("record_every", "samples_every", "checkpoint_every", "keep_every"),
    ]
)
# of the networks; a model's file has a factory of that name
ROLES = ("generator", "discriminator", "classifier", "translator", "autoencoder")
NOT_FIELDS = frozenset(("GANSMITH_DATASETS", "GANSMITH_CACHE", "GANSMITH_TEST_DATA"))


def _adam() -> dict[str, Part]:
    """Radford, Metz, Chintala 2016, section 4: Adam, 0.0002, momentum 0.5."""
    adam = {"name": "adam", "lr": 2e-4, "betas": [0.5, 0.999]}
    return {role: Part(**adam) for role in ("generator", "discriminator", "translator", "autoencoder")}


class Experiment(BaseModel):
    """One run, completely described. Unknown fields are errors."""

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
    augment: Part | None = Field(None, description="what the discriminator is shown instead of the images themselves")
    prior: PriorSettings = PriorSettings()
    optimizer: dict[str, Part] = Field(default_factory=_adam, description="one for each role")
    averaging: AveragingSettings = AveragingSettings()
    images: Images = Field(1_000_000, description="how long to train, in real images drawn")
    batch: AtLeastOne = 64
    accumulate: AtLeastOne = Field(1, description="play the batch in this many parts; saves memory")
    seed: int = 0
    device: str = "auto"
    precision: Literal["auto", "float32", "bfloat16"] = Field("auto", description="auto: bfloat16 on CUDA")
    memory_format: Literal["auto", "channels_last", "contiguous"] = "auto"
    threads: AtLeastOne | None = Field(None, description="of the CPU; torch's choice when not given")
    workers: Annotated[int, Field(ge=0)] | None = Field(
        None, description="processes that decode images; none when they are cached"
    )
    out: str | None = Field(None, description="the run folder; runs/DATA-RECIPE when not given")
    start_from: str | None = Field(None, description="another run, whose weights to begin with where they fit")
    sheet: AtLeastOne = Field(64, description="images on a sample sheet")
    record_every: Images = 2_000
    samples_every: Images = 20_000
    checkpoint_every: Images = 50_000
    keep_every: Count = Field(0, description="keep a checkpoint for good each so many images; 0 keeps none")
    tensorboard: bool = False
    metrics: MetricsSettings = MetricsSettings()
    stop: StopSettings = StopSettings()

    def plain(self) -> dict[str, Any]:
        """As plain dictionaries, lists, numbers and words, ready for YAML or JSON."""
        return self.model_dump(mode="json")

    def to_yaml(self) -> str:
        return yaml.safe_dump(self.plain(), sort_keys=False)


@dataclass(frozen=True)
class Layer:
    """Values from one source, as a nested dictionary."""

    source: str
    values: Mapping[str, Any]


def resolve(layers: Iterable[Layer], *, parts: bool = True) -> tuple[Experiment, dict[str, str]]:
    """The experiment that the layers make, and {dotted field: source} for every field a layer set.

    parts: begin with the default parts and their options; not where a layer is complete, as a run's own file is.

    A layer that names another entry for a part (`objective: minimax`) drops the options that earlier layers gave it.
    Raises ExperimentError saying for each bad field what was given, where, and the nearest name.
    """
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    for layer in (Layer("default", _part_defaults() if parts else {}), *layers):
        for path, value in _flat(layer.values):
            owner, _, last = path.rpartition(".")
            renamed = last == "name" and values.get(path) not in (None, value)
            for other in list(values):
                replaced = other.startswith(f"{path}.") or path.startswith(f"{other}.")
                if replaced or (renamed and other.startswith(f"{owner}.")):
                    del values[other], sources[other]
            values[path] = value
            sources[path] = layer.source
    try:
        experiment = Experiment.model_validate(_nested(values))
    except ValidationError as error:
        raise ExperimentError("\n".join(_explained(error, values, sources))) from None
    return experiment, {path: source for path, source in sources.items() if source != "default"}


def from_file(path: Path) -> Layer:
    """A YAML file of settings. Raises ExperimentError when it is absent or not a mapping."""
    try:
        values = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ExperimentError(f"could not read {path}: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ExperimentError(f"{path} is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(values or {}, dict):
        raise ExperimentError(f"{path} must hold a mapping of fields to values, not {type(values).__name__}")
    return Layer(str(path), values or {})


def from_recipe(name: str) -> Layer:
    """A recipe of the catalog, or a recipe file of one's own (a path ending in .yaml)."""
    if name.endswith((".yaml", ".yml")):
        return Layer(f"recipe {name}", {**from_file(Path(name)).values, "recipe": Path(name).stem})
    path = catalog.path_of("recipes", name)
    return Layer(f"recipe {path.stem}", {**from_file(path).values, "recipe": path.stem})


def from_environment(environment: Mapping[str, str]) -> Layer:
    """`GANSMITH_BATCH=32`, `GANSMITH_DATA__SIZE=48x64`. Raises ExperimentError for a name that is no field."""
    given = {key: value for key, value in environment.items() if key.startswith("GANSMITH_") and key not in NOT_FIELDS}
    values = {}
    for key, text in given.items():
        path = key.removeprefix("GANSMITH_").lower().replace("__", ".")
        if path.partition(".")[0] not in Experiment.model_fields:
            names = {f"gansmith_{field}": f"GANSMITH_{field.upper()}" for field in Experiment.model_fields}
            names |= {name.lower(): name for name in NOT_FIELDS}
            close = difflib.get_close_matches(key.lower(), names, n=1)
            hint = f"Did you mean {names[close[0]]}? " if close else ""
            raise ExperimentError(
                f"the environment variable {key} is no field of an experiment. {hint}Fields are written "
                f"GANSMITH_BATCH or, inside a part, GANSMITH_OBJECTIVE__NAME; unset it if it is not meant"
            )
        values[path] = parse_value(text, path)
    return Layer("environment", _nested(values))


def from_assignments(assignments: Iterable[str]) -> Layer:
    """`["objective.name=minimax", "generator.width=32"]`, as `--set` takes them."""
    values = {}
    for text in assignments:
        path, equals, value = text.partition("=")
        if not equals or not path.strip():
            raise ExperimentError(f"--set {text}: write it as field=value, for example --set generator.width=32")
        values[path.strip()] = parse_value(value, path.strip())
    return Layer("--set", _nested(values))


def parse_value(text: str, path: str = "") -> Any:
    """A value as YAML reads it: numbers, true/false, null, lists, words; a word where a field wants one (`out=007`)."""
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        return text
    owner, _, last = path.rpartition(".")
    fields = DataSettings.model_fields if owner == "data" else {} if owner else Experiment.model_fields
    wants_word = last in fields and fields[last].annotation in (str, str | None)
    return text if isinstance(value, date) or (wants_word and value is not None) else value


def difference(old: Experiment, new: Experiment) -> list[str]:
    """`field: old -> new` for every field that a resumed run may not change and that differs."""
    before, after = dict(_flat(old.plain())), dict(_flat(new.plain()))
    return [
        f"{path}: {before.get(path)} -> {after.get(path)}"
        for path in dict.fromkeys([*before, *after])
        if not {path, path.partition(".")[0]} & MAY_CHANGE and before.get(path) != after.get(path)
    ]


def _part_defaults() -> dict[str, Any]:
    plain = Experiment().plain()
    return {key: plain[key] for key in (*_PARTS, "optimizer")}


_PARTS = ("game", "objective", "augment", *ROLES)
_FEATURES = "metrics.features"


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, Any]]:
    for key, value in values.items():
        path = f"{prefix}{key}"
        if _is_part(path) and isinstance(value, str):
            yield f"{path}.name", value
        elif isinstance(value, Mapping) and value and not _is_value(value) and path != "data.options":
            # the name goes first: it drops the options of another entry before its own are set
            ordered = sorted(value.items(), key=lambda item: item[0] != "name")
            yield from _flat(dict(ordered), f"{path}.")
        else:
            yield path, value


def _is_part(path: str) -> bool:
    """Does the field hold a name with options?"""
    return path in (*_PARTS, _FEATURES) or path.rpartition(".")[0] == "optimizer"


def _is_value(value: Mapping[str, Any]) -> bool:
    """Is this mapping one value (a schedule) and not a group of fields?"""
    return bool({"start", "phases", "points"} & value.keys())


def _nested(values: Mapping[str, Any]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for given, value in values.items():
        path = f"{given}.name" if isinstance(value, str) and _is_part(given) else given
        *groups, last = path.split(".")
        branch: Any = tree
        for group in groups:
            branch = branch.setdefault(group, {}) if isinstance(branch, dict) else None
        if not isinstance(branch, dict) or (
            last in branch and isinstance(branch[last], dict) != isinstance(value, dict)
        ):
            raise ExperimentError(f"{given} is given both as one value and as a group of fields")
        branch[last] = {**branch.get(last, {}), **value} if isinstance(value, dict) else value
    return tree


def _explained(errors: ValidationError, values: Mapping[str, Any], sources: Mapping[str, str]) -> list[str]:
    """One line for each field: a schedule that is none, for example, is several errors to pydantic."""
    lines: dict[str, str] = {}
    for error in errors.errors():
        path, given = ".".join(str(step) for step in error["loc"]), error["input"]
        for whole in (key for key in values if path.startswith(f"{key}.")):  # one side of a size, one of a list
            path, given = whole, values[whole]
        lines.setdefault(path, _explain(error, path, given, sources))
    return list(lines.values())


def _explain(error: Any, path: str, given: Any, sources: Mapping[str, str]) -> str:
    owner = path.rpartition(".")[0] if error["type"] == "missing" else path
    source = next(
        (f" ({source})" for key, source in sources.items() if key == path or key.startswith(f"{owner}.")),
        "",
    )
    if error["type"] == "missing":
        return f"{path} is missing; {owner} has options{source} but no name"
    if error["type"] == "extra_forbidden":
        model: Any = Experiment
        for step in error["loc"][:-1]:
            model = model.model_fields[step].annotation
        return f"there is no field {path!r}{source}. {nearest(str(error['loc'][-1]), model.model_fields)}".rstrip()
    return f"{path} = {given!r}{source} is not allowed: {error['msg'].removeprefix('Value error, ')}"


def by_hand(experiment: Experiment, sources: Mapping[str, str]) -> bool:
    """Was every dotted name, which imports code from outside, given on the command line or in Python, not in a file?"""
    parts = {path: getattr(experiment, path) for path in _PARTS}
    dotted = [f"{path}.name" for path, part in parts.items() if part is not None and "." in part.name]
    dotted += ["data.format"] if "." in (experiment.data.format or "") else []
    return bool(dotted) and all(sources.get(path) in ("arguments", "--set") for path in dotted)


def complete(experiment: Experiment, *, trust: bool = False) -> Experiment:
    """Every part's options checked against its file and written out with their defaults, so that the experiment says
    all there is to say; networks that the game does not play are left out.

    Raises UnknownNameError, OptionError or ExperimentError.
    """
    from gansmith.training import optimizers

    if experiment.batch % experiment.accumulate:
        raise ExperimentError(
            f"a batch of {experiment.batch} cannot be played in {experiment.accumulate} equal parts: "
            f"choose a batch that is a multiple of accumulate"
        )
    played = set(roles_of(experiment.game.name, trust=trust).values())
    update: dict[str, Any] = dict.fromkeys((*ROLES, "objective", "augment"))
    parts = [("game", "games", "build")]
    if "discriminator" in played:
        parts.append(("objective", "objectives", "build"))
        if experiment.augment is not None:
            parts.append(("augment", "augment", "build"))
    elif experiment.penalties or experiment.augment is not None:
        which = "penalties" if experiment.penalties else "augment"
        raise ExperimentError(f"the game {experiment.game.name} has no discriminator, so {which} would do nothing")
    for field, kind, factory in [*parts, *((role, "models", role) for role in ROLES if role in played)]:
        part: Part | None = getattr(experiment, field)
        if part is None:
            known = ", ".join(catalog.names(kind, factory))
            raise ExperimentError(
                f"the game {experiment.game.name} needs its {field}: --set {field}.name=NAME, of: {known}"
            )
        function = catalog.find(kind, part.name, factory, trust=trust)
        update[field] = Part(name=part.name, **catalog.complete(f"{kind}/{part.name}", function, part.options))
    update["penalties"] = {
        name: catalog.complete(f"penalties/{name}", catalog.find("penalties", name, trust=trust), options)
        for name, options in experiment.penalties.items()
    }
    chosen: dict[str, Part] = {}
    for role, part in experiment.optimizer.items():
        if role not in ROLES:
            raise OptionError(f"optimizer.{role}: {unknown('role', role, ROLES)}")
        chosen[role] = Part(name=part.name, **optimizers.plain(part.name, part.options))
    missing = sorted(played - experiment.optimizer.keys())
    if missing:
        raise ExperimentError(f"the {missing[0]} has no optimizer. Give it one: --set optimizer.{missing[0]}.name=adam")
    features = experiment.metrics.features
    extractor = catalog.find("features", features.name, trust=trust)
    options = catalog.complete(f"features/{features.name}", extractor, features.options)
    update["metrics"] = experiment.metrics.model_copy(update={"features": Part(name=features.name, **options)})
    for name in experiment.metrics.names:
        catalog.find("metrics", name, trust=trust)
    update["optimizer"] = {role: part for role, part in chosen.items() if role in played}
    return experiment.model_copy(update=update)


def renewed(recorded: Experiment) -> Experiment:
    """A recorded experiment with the defaults of the options that are newer than it; as it was where it cannot be
    completed, because it names code from outside."""
    with suppress(GansmithError):
        return complete(recorded)
    return recorded


def roles_of(game: str, *, trust: bool = False) -> Mapping[str, str]:
    """{player: the role it fills}, from the game's file."""
    roles: Any = catalog.find("games", game, "ROLES", trust=trust)
    return dict(roles)


def domains_of(game: str, *, trust: bool = False) -> tuple[str, ...]:
    """The names of the sets of images that a game is played on: ("real",), or ("a", "b") for translation."""
    domains: Any = catalog.stated("games", game, "DOMAINS", ("real",), trust=trust)
    return tuple(domains)


def paired(game: str, *, trust: bool = False) -> bool:
    """Does the game need pairs of images, one of each domain?"""
    return bool(catalog.stated("games", game, "PAIRED", False, trust=trust))
