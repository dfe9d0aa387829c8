"""State of a training at one moment: captured for a checkpoint, restored from one, written as model files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from gansmith import __version__
from gansmith.errors import CheckpointError, DamagedCheckpointError, GansmithError, NotFiniteError, RunError
from gansmith.experiment import completion
from gansmith.experiment.assemble import Assembly
from gansmith.experiment.layers import difference
from gansmith.experiment.retired import renamed
from gansmith.experiment.schema import Experiment
from gansmith.models.saved import Card
from gansmith.runs.checkpoint_structure import require_fitting, require_state, require_workers
from gansmith.runs.own_networks import own_networks
from gansmith.training.checkpoint import State

_FORMAT = 1


def capture(parts: Assembly, *, step: int, seconds: float, processes: int = 1) -> State:
    """The whole state after `step` steps and `seconds` of training by `processes`, as tensors and plain values."""
    several: State = {"processes": processes} if processes > 1 else {}
    workers = parts.workers()
    if workers:
        several["workers"] = workers
    return {
        **several,
        "format": _FORMAT,
        "versions": versions(),
        "experiment": parts.experiment.plain(),
        "data": parts.data.digest,
        "step": step,
        "images": parts.stream.drawn,
        "seconds": seconds,
        "stream": parts.stream.state_dict(),
        "players": {name: player.state_dict() for name, player in parts.game.players.items()},
        "optimizers": {name: scheduled.optimizer.state_dict() for name, scheduled in parts.optimizers.items()},
        "averaging": parts.averaging.state_dict(),
        "game": {name: state.state_dict() for name, state in parts.game.state.items()},
        "threads": torch.get_num_threads(),
        "device": str(parts.device),
    }


def versions() -> dict[str, str]:
    """What must be equal for a resumed run to be exactly the same."""
    return {"gansmith": __version__, "torch": str(torch.__version__), "numpy": np.__version__}


def restore(state: State, parts: Assembly, folder: Path, *, processes: int = 1) -> list[str]:
    """Make `parts` what they were when `state` was taken, in the run at `folder`, to be trained on by `processes`.
    Returns what the user should know.

    Raises RunError when the images or the experiment are others than then, DamagedCheckpointError for a state that
    does not fit; `parts` may then be restored from another one.
    """
    if isinstance(state.get("format"), int) and state["format"] > _FORMAT:
        raise CheckpointError(f"the checkpoint in {folder} was written by a newer gansmith; update to read it")
    require_state(state)
    if state["data"] != parts.data.digest:
        raise RunError(
            f"{folder} was trained on other images than {parts.experiment.data.path} holds now, or held out "
            f"others of them. Bring them back, or start another run with another --out. (A run begun before folders "
            f"train, val and test were told from classes goes on with --set data.options.split=none)"
        )
    changed = difference(_experiment_in(state), parts.experiment)
    if changed:
        raise RunError(
            f"{folder}/experiment.yaml was changed since the checkpoint was written: {'; '.join(changed)}. "
            f"Change it back, or start another run with another --out"
        )
    optimizers = {name: scheduled.optimizer for name, scheduled in parts.optimizers.items()}
    like = capture(parts, step=0, seconds=0.0)
    require_fitting(state, like, optimizers)
    if parts.elastic is not None and state["step"]:
        require_workers(state, like, optimizers)
        before = len(state["workers"])
        if before != processes:
            raise RunError(
                f"{folder} was trained by {_count(before)} with engine=elastic, each with weights of its own, and goes "
                f"on with that number alone, not by {_count(processes)}: gansmith resume --processes {before}"
            )
    try:
        load_state(state, parts, processes=processes)
    except Exception as error:  # of whatever a game's part, which may be code from outside, makes of its state
        raise DamagedCheckpointError(str(error).partition("\n")[0] or type(error).__name__) from error
    then = {**state["versions"], "device": state["device"]}
    now = {**versions(), "device": str(parts.device)}
    notes = [
        f"note: begun on {name} {then.get(name, '(unknown)')}, continued on {now[name]}: "
        "close to the same run, not exactly it"
        for name in now
        if name != "gansmith" and then.get(name) != now[name]
    ]
    begun = state.get("processes", 1)
    if begun != processes:
        notes.append(
            f"note: begun by {_count(begun)}, continued by {_count(processes)}: close to the same run, not exactly it"
        )
    if not parts.experiment.reproducible:
        notes.append("note: reproducible is false: continued close to the same run, not exactly it")
    return notes


def _experiment_in(state: State) -> Experiment:
    try:
        return completion.renewed(Experiment.model_validate(renamed(state["experiment"])))
    except (ValueError, GansmithError) as error:
        raise DamagedCheckpointError(f"experiment: {str(error).partition(chr(10))[0]}") from error


def _count(processes: Any) -> str:
    return f"{processes} process{'es' * (processes != 1)}"


def load_state(state: State, parts: Assembly, *, processes: int = 1) -> int:
    """Make `parts` what they were when `state` was taken. Returns its step. The number of threads is that of each
    process: another number of processes keeps its own."""
    if state.get("processes", 1) == processes:
        torch.set_num_threads(state["threads"])
    for name, player in parts.game.players.items():
        player.load_state_dict(state["players"][name])
    for name, scheduled in parts.optimizers.items():
        scheduled.optimizer.load_state_dict(state["optimizers"][name])
    parts.averaging.load_state_dict(state["averaging"])
    for name, remembered in parts.game.state.items():
        remembered.load_state_dict(state["game"][name])
    if parts.elastic is not None:
        parts.elastic.load(state.get("workers", []))
    parts.stream.load_state_dict(state["stream"])
    return int(state["step"])


def require_finite(parts: Assembly) -> None:
    """Raises NotFiniteError naming the weights that are not."""
    for player, network in parts.game.players.items():
        named = [(name, value) for name, value in network.state_dict().items() if value.is_floating_point()]
        finite = torch.stack([torch.isfinite(value).all() for _, value in named]).tolist()
        bad = [name for (name, _), good in zip(named, finite, strict=True) if not good]
        if bad:
            raise NotFiniteError(
                f"weights of the {player} are no longer finite: {', '.join(bad[:4])}. Checkpoints saved before are kept"
            )


def players_in_use(parts: Assembly) -> dict[str, nn.Module]:
    """The players that samples are made with: averaged where an average is kept, else as trained."""
    return {**parts.game.players, **parts.averaging.players}


def model_files(parts: Assembly) -> dict[str, tuple[Card, dict[str, Tensor]]]:
    """What `saved.save` writes: each player's card and weights."""
    experiment = parts.experiment
    files = {}
    own = own_networks(experiment)
    origin = {"recipe": experiment.recipe, "data": parts.data.name, "gansmith": __version__}
    for name, network in players_in_use(parts).items():
        role = parts.roles[name]
        part = getattr(experiment, role)
        card = Card(
            player=name,
            role=role,
            model=part.name,
            options=part.options,
            dimensions=parts.dimensions,
            prior=parts.prior,
            classes=tuple(parts.data.classes or ()),
            images=parts.stream.drawn,
            averaged=name in parts.averaging.players,
            origin={**origin, "networks": list(own)} if own else origin,
        )
        files[name] = (card, network.state_dict())
    return files
