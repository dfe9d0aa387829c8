"""The start of a run from what is known: another run, a folder of models, or a model of the zoo.

Its settings are the recipe of a run that names none, and its weights begin the networks where they fit.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from torch import Tensor

from gansmith import catalog, zoo
from gansmith.errors import DamagedCheckpointError, RunError, nearest
from gansmith.experiment.assemble import Assembly
from gansmith.experiment.layers import Layer
from gansmith.experiment.networks import dimensions_of
from gansmith.experiment.schema import PARTS, Experiment
from gansmith.experiment.sources import from_recipe
from gansmith.models import saved
from gansmith.models.saved import Card
from gansmith.runs.folder import checkpoints_of, folder_of, is_run, models_of, players_of, stored_settings
from gansmith.system.console import say
from gansmith.system.paths import expanded
from gansmith.training.transfer import Change, Transfer, transfer

# What a run takes over from the one that it begins with: the game, its parts, and how they are trained
_TAKEN = ("recipe", *PARTS, "penalties", "prior", "optimizer", "averaging", "batch", "accumulate")

_RECIPES = ("images", "samples_every", "checkpoint_every")  # of its recipe, not of that run


class Known(NamedTuple):
    """A network's weights, their description where it is kept, and whether they are averaged."""

    state: Mapping[str, Tensor]
    card: Card | None
    averaged: bool


def place_of(start_from: str) -> Path:
    """The folder or file that a start names: a path, else a model of the zoo. Raises RunError naming what is known."""
    path = expanded(start_from)
    place = zoo.place(path)
    try:
        models_of(place)
    except RunError as error:
        if path.exists():
            raise
        near = nearest(start_from, zoo.names())
        raise RunError(f"{error}. {near}Models of the zoo: {', '.join(zoo.names()) or 'none'}") from None
    return place


def start_for(experiment: Experiment) -> str | None:
    """A model of the zoo, grey for grey images, that such a run could begin with; None where it has a start."""
    if experiment.start_from is not None:
        return None
    grey = experiment.data.channels == 1
    return next((name for name in zoo.names() if (zoo.channels(name) == 1) == grey), None)


def settings_of(experiment: Experiment) -> Layer:
    """The settings that a run without a recipe takes from its start: the game, its parts and how they were trained.

    A run that is already there keeps those that it began with. Raises GansmithError for a start that cannot be read.
    """
    assert experiment.start_from is not None
    folder = folder_of(experiment)
    if is_run(folder):
        recorded = stored_settings(folder)
        if recorded.values.get("start_from") == experiment.start_from:
            return _taken(recorded)
    place = place_of(experiment.start_from)
    if is_run(place):
        return _taken(stored_settings(place))
    return _settings_of_models(place)


def _taken(layer: Layer) -> Layer:
    """What a run takes over; no part that is code from outside: it is for its user to name."""
    values = {key: value for key, value in layer.values.items() if key in _TAKEN and value is not None}
    for part in PARTS:
        named = values.get(part)
        if "." in str(named.get("name") if isinstance(named, Mapping) else named):
            del values[part]
    recipe = values.get("recipe")
    if recipe in catalog.names("recipes"):
        values = {key: value for key, value in from_recipe(recipe).values.items() if key in _RECIPES} | values
    return Layer(layer.source, values)


def _settings_of_models(place: Path) -> Layer:
    """By the cards of model files: the recipe that they come from, with their own networks and prior."""
    files = [place] if place.is_file() else sorted(place.glob("*.safetensors"))
    cards = [saved.read_card(file) for file in files]
    recipe = next((card.origin.get("recipe") for card in cards), None)
    values: dict[str, Any] = {}
    if recipe in catalog.names("recipes"):
        values |= from_recipe(str(recipe)).values
    for card in cards:
        values[card.role] = {"name": card.model, **card.options}
        values["prior"] = {"kind": card.prior.kind, "size": card.prior.size, "labels": card.prior.labels}
    return _taken(Layer(str(place), values))


def begin_with(parts: Assembly) -> list[str]:
    """Begin with the weights that the experiment's start has and that fit. Returns what was taken, a line a player.

    Raises RunError when nothing fits.
    """
    experiment = parts.experiment
    assert experiment.start_from is not None
    place, lines, frozen, taken = place_of(experiment.start_from), [], [], 0
    known = players_of(place)
    for player, network in parts.game.players.items():
        new = [name for name, parameter in network.named_parameters() if not parameter.requires_grad]
        if player in known:
            theirs, mine = _weights(place, player, raw=experiment.start_raw), network.state_dict()
            result = transfer(mine, theirs.state, _change(parts, player, theirs.card))
            network.load_state_dict(result.state)
            taken += sum(mine[name].is_floating_point() for name in result.taken)
            new = [name for name in new if name not in result.taken]
            lines.append(f"{player}: {_told(result, theirs, experiment.start_from)}")
        else:
            lines.append(f"{player}: {experiment.start_from} has none; it begins anew")
        frozen += [f"{player}.{name}" for name in new]
    if not taken:
        raise RunError(
            f"nothing in {experiment.start_from} fits these networks: {'; '.join(lines)}. "
            f"Leave recipe and networks out: those of {experiment.start_from} are then taken"
        )
    for name, average in parts.averaging.players.items():
        average.load_state_dict(parts.game.players[name].state_dict())
    if frozen:
        lines.append(f"warning: frozen as drawn at random, because {experiment.start_from} has none: {_few(frozen)}")
    return lines


def _weights(place: Path, player: str, *, raw: bool) -> Known:
    """A player's weights: averaged where an average is kept, unless `raw`. Builds no network, so that nothing is
    imported. Raises RunError."""
    models = models_of(place)
    file = models if models.is_file() else models / f"{player}.safetensors"
    card = saved.read_card(file) if file.is_file() else None
    if checkpoints_of(place).names():
        try:
            state = checkpoints_of(place).load()[0]
            averaged = player in state["averaging"] and not raw
            return Known(state["averaging" if averaged else "players"][player], card, averaged)
        except (DamagedCheckpointError, KeyError) as error:
            reason = str(error) if isinstance(error, DamagedCheckpointError) else f"no checkpoint holds a {player}"
            say(f"warning: {reason}; the model file is taken instead")
    return Known(saved.read_state(file), card, bool(card and card.averaged))


def _change(parts: Assembly, player: str, card: Card | None) -> Change | None:
    role = parts.roles[player]
    if card is None or card.role != role:
        return None
    return Change(card.dimensions, dimensions_of(parts.experiment, role, parts.dimensions), role)


def _told(result: Transfer, theirs: Known, source: str) -> str:
    """`12 of 18 tensors (60 % of its weights) from runs/a, averaged; moved: layers; new: layers.0, layers.1`."""
    numbers = {name: value.numel() for name, value in result.state.items() if value.is_floating_point()}
    share = sum(numbers.get(name, 0) for name in result.taken) / max(sum(numbers.values()), 1)
    text = f"{len(result.taken)} of {len(result.state)} tensors ({share:.0%} of its weights) from {source}"
    text += ", averaged" if theirs.averaged else ""
    moved = [name for name, other in result.taken.items() if name != other]
    new = [name for name in result.state if name not in result.taken]
    for word, names in (("moved to fit the size", moved), ("changed to fit", result.changed), ("new", new)):
        if names:
            text += f"; {word}: {_few(names)}"
    return text


def _few(tensors: list[str]) -> str:
    """The modules of tensors, the first three by name.

    >>> _few(["layers.0.weight", "layers.0.bias", "layers.1.weight", "last.weight", "end.weight"])
    'layers.0, layers.1, last and 1 more'
    """
    modules = [*dict.fromkeys(name.rpartition(".")[0] or name for name in tensors)]
    more = f" and {len(modules) - 3} more" if len(modules) > 3 else ""
    return ", ".join(modules[:3]) + more
