"""A run: the folder a training leaves behind, and the object that opens it.

    experiment.yaml   complete and resolved                    events.jsonl   one record per line
    samples/          sheets, named by the images clock        progress.webp  the film of them
    checkpoints/      the whole state                          model/         the networks, for use

A folder or file of models alone opens too, for what needs no more than a generator.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gansmith import experiment as layers
from gansmith.errors import CheckpointError, ExperimentError, RunError
from gansmith.experiment import Experiment, Layer, from_assignments, from_environment, from_file, from_recipe
from gansmith.models import saved
from gansmith.models.saved import Card
from gansmith.records import jsonl
from gansmith.training.checkpoint import Checkpoints, State
from gansmith.training.precision import choose_device

if TYPE_CHECKING:
    from torch import Tensor, nn

    from gansmith.latent.renderer import Renderer
    from gansmith.latent.sample import Pictures

# Shortcuts: fields of the data that may be given without the `data.` before them.
DATA_FIELDS = (
    *("size", "channels", "fit", "fraction", "holdout", "holdout_by"),
    *("flip", "skip_unreadable", "cache", "format"),
)


class Run:
    """The run in the folder `path`. Raises RunError when there is none. With `trust`, code that its files name from
    outside gansmith is imported."""

    def __init__(self, path: str | Path, *, trust: bool = False) -> None:
        self.path, self.trust = Path(path), trust
        self.model = self.path / "model"
        if not self.is_run(self.path):
            if self.path.suffix == ".safetensors" or any(self.path.glob("*.safetensors")):
                self.model = self.path
            elif not self.path.exists():
                near = sorted(str(other.parent) for other in self.path.parent.glob("*/experiment.yaml"))
                raise RunError(f"there is no run {self.path}. Runs beside it: {', '.join(near[:8]) or 'none'}")
            else:
                raise RunError(f"{self.path} is not a run: it holds neither experiment.yaml nor model files")
        self.checkpoints = Checkpoints(self.path / "checkpoints")

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r})"

    @staticmethod
    def is_run(path: Path) -> bool:
        return (path / "experiment.yaml").is_file()

    @property
    def experiment(self) -> Experiment:
        """What was run. Raises ExperimentError when the file was changed to something that is none."""
        return layers.resolve([self._stored()], parts=False)[0]

    @property
    def records(self) -> list[dict[str, Any]]:
        """The records of the training, oldest first."""
        return jsonl.read(self.path / "events.jsonl")

    @property
    def players(self) -> list[str]:
        """The networks it holds: generator, discriminator ..."""
        if self.model.is_file():
            return [saved.read_card(self.model).player]
        return sorted(file.stem for file in self.model.glob("*.safetensors"))

    def checkpoint(self, name: str | None = None) -> State:
        """The state called `name`, or the newest that is whole."""
        return self.checkpoints.load(name)[0]

    def network(
        self, player: str = "generator", *, raw: bool = False, checkpoint: str | None = None
    ) -> tuple[nn.Module, Card]:
        """A player in evaluation mode on the CPU, and its card: averaged weights where an average is kept, else, or
        with `raw`, its own; from the model files or from a checkpoint. Raises RunError or CheckpointError."""
        network, card = saved.load(self.model, player, trust=self.trust)
        if raw or checkpoint is not None:
            if self.model == self.path:
                raise CheckpointError(f"{self.path} holds models only; --raw and --checkpoint need the whole run")
            state = self.checkpoint(checkpoint)
            averaged = not raw and player in state["averaging"]
            network.load_state_dict(state["averaging" if averaged else "players"][player])
        return network, card

    def weights(self, player: str) -> dict[str, Tensor]:
        """A player's weights as trained where a checkpoint is kept, else those of its model file. Builds no network,
        so that nothing is imported. Raises RunError."""
        if self.checkpoints.names():
            state: dict[str, Tensor] = self.checkpoint()["players"][player]
            return state
        return saved.read_state(self.model if self.model.is_file() else self.model / f"{player}.safetensors")

    def renderer(self, *, raw: bool = False, checkpoint: str | None = None, device: str = "auto") -> Renderer:
        """The generator, ready to turn latents into images."""
        from gansmith.latent.renderer import Renderer

        generator, card = self.network("generator", raw=raw, checkpoint=checkpoint)
        return Renderer(generator, card.prior, device=choose_device(device))

    def sample(
        self,
        seeds: Iterable[int] = range(64),
        *,
        raw: bool = False,
        checkpoint: str | None = None,
        canvas: tuple[int, int] | None = None,
        device: str = "auto",
    ) -> Pictures:
        """One image for each seed; image i depends on seed i alone, to the bit."""
        return self.renderer(raw=raw, checkpoint=checkpoint, device=device).images(seeds, grid=canvas)

    def resume(self, *, images: int | str | None = None, **changes: Any) -> Run:
        """Train on, to `images` in all; `changes` may be any field of `experiment.MAY_CHANGE`."""
        from gansmith.session import work

        if not self.is_run(self.path):
            raise RunError(
                f"{self.path} holds models only, so there is nothing to continue. "
                f"To begin a run with their weights: gansmith train ... --from {self.path}"
            )
        given = changes if images is None else {**changes, "images": images}
        wanted, _ = layers.resolve([self._stored(), Layer("arguments", {**given, "out": str(self.path)})], parts=False)
        changed = layers.difference(self.experiment, wanted)
        if changed:
            raise RunError(f"a resumed run cannot change {'; '.join(changed)}. Start another run with another --out")
        return work(wanted, trust=self.trust)

    def _stored(self) -> Layer:
        path = self.path / "experiment.yaml"
        try:
            stored = from_file(path)
            layers.resolve([stored], parts=False)
            if stored.values:
                return stored
            problem = f"{path} is empty"
        except ExperimentError as error:
            problem = str(error)
        raise ExperimentError(f"{problem}. The command that began the run, given again, writes the file anew")


def train(
    path: str | Path | None = None,
    *,
    recipe: str | None = None,
    config: str | Path | None = None,
    assignments: Iterable[str] = (),
    start_from: str | Path | None = None,
    trust: bool = False,
    **fields: Any,
) -> Run:
    """Train on the images at `path` (or a built-in dataset's name); a run that is already there is continued.

    `fields` are an experiment's: `images=100_000`, `batch=32`, `objective="minimax"`, `generator={"width": 32}`; those
    of the data may stand alone: `size=64`, `channels=1`. Raises GansmithError, TrainingInterrupted on Ctrl-C.
    """
    from gansmith.session import work

    experiment, sources = describe(
        path, recipe=recipe, config=config, assignments=assignments, start_from=start_from, **fields
    )
    return work(experiment, trust=trust or layers.by_hand(experiment, sources))


def describe(
    path: str | Path | None = None,
    *,
    recipe: str | None = None,
    config: str | Path | None = None,
    assignments: Iterable[str] = (),
    start_from: str | Path | None = None,
    environment: Mapping[str, str] | None = None,
    **fields: Any,
) -> tuple[Experiment, dict[str, str]]:
    """The experiment that `train` would run, and where each of its values came from. Fields that are None are unset."""
    chosen = {name: value for name, value in fields.items() if value is not None}
    data = {name: chosen.pop(name) for name in DATA_FIELDS if name in chosen}
    if path is not None:
        data["path"] = str(path)
    if start_from is not None:
        chosen["start_from"] = str(start_from)
    if data:
        chosen["data"] = {**chosen.get("data", {}), **data}
    stack = [from_recipe(recipe)] if recipe is not None else []
    if config is not None:
        stack.append(from_file(Path(config)))
    stack.append(from_environment(os.environ if environment is None else environment))
    stack += [Layer("arguments", chosen), from_assignments(assignments)]
    return layers.resolve(stack)
