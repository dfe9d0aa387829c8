"""A run as an object: open it, sample from it, train it on. What lies where is `layout`'s to say."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gansmith import catalog
from gansmith.data.settings import DataSettings
from gansmith.errors import CheckpointError, ExperimentError, RunError
from gansmith.experiment import layers, outside_code
from gansmith.experiment.layers import Layer, from_assignments, from_environment, from_file, from_recipe
from gansmith.experiment.schema import Experiment
from gansmith.models import saved
from gansmith.models.saved import Card
from gansmith.records import jsonl
from gansmith.runs import folder as run_folder
from gansmith.runs.default_recipe import advise
from gansmith.system.device import choose_device
from gansmith.training.checkpoint import State

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor, nn

    from gansmith.latent.renderer import Renderer
    from gansmith.latent.sample import ImageSeries
    from gansmith.latent.translate import Translator

# Shortcuts: fields of the data that may be given without the `data.` before them.
DATA_FIELDS = tuple(name for name in DataSettings.model_fields if name not in ("path", "options"))


class Run:
    """The run in the folder `path`, or a folder or file of models. Raises RunError when there is none.

    trust: the code from outside gansmith that its files name, as they are now, may be imported.
    """

    def __init__(self, path: str | Path, *, trust: bool = False) -> None:
        self.path = Path(path)
        self.model = run_folder.models(self.path)
        self.checkpoints = run_folder.checkpoints(self.path)
        if trust:
            self._vouch()

    def _vouch(self) -> None:
        catalog.vouch(saved.models_named_in(self.model))
        if run_folder.is_run(self.path):
            with suppress(ExperimentError):  # a damaged file names nothing; whoever reads it is told
                outside_code.vouch(self.experiment, trust=True)

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r})"

    @property
    def experiment(self) -> Experiment:
        """What was run. Raises ExperimentError when the file was changed to something that is none."""
        return run_folder.experiment(self.path)

    @property
    def records(self) -> list[dict[str, Any]]:
        """The records of the training, oldest first."""
        return jsonl.read(self.path / "events.jsonl")

    @property
    def players(self) -> list[str]:
        """The networks it holds: generator, discriminator ..."""
        return run_folder.players(self.path)

    def checkpoint(self, name: str | None = None) -> State:
        """The state called `name`, or the newest that is whole."""
        return self.checkpoints.load(name)[0]

    def network(
        self, player: str = "generator", *, raw: bool = False, checkpoint: str | None = None
    ) -> tuple[nn.Module, Card]:
        """A player in evaluation mode on the CPU, and its card: averaged weights where an average is kept, else, or
        with `raw`, its own; from the model files or from a checkpoint. Raises RunError or CheckpointError."""
        network, card = saved.load(self.model, player)
        if raw or checkpoint is not None:
            if self.model == self.path:
                raise CheckpointError(f"{self.path} holds models only; --raw and --checkpoint need the whole run")
            state = self.checkpoint(checkpoint)
            averaged = not raw and player in state["averaging"]
            network.load_state_dict(state["averaging" if averaged else "players"][player])
        return network, card

    def renderer(self, *, raw: bool = False, checkpoint: str | None = None, device: str = "auto") -> Renderer:
        """The generator, ready to turn latents into images."""
        from gansmith.latent.renderer import Renderer

        if "generator" not in self.players and {"to_b", "b"} & {*self.players}:
            raise RunError(
                f"{self.path} translates images and makes none of its own: "
                f"gansmith translate {self.path} --to b IN OUT. A folder of translations can be judged: "
                f"gansmith evaluate OUT --against REAL"
            )
        generator, card = self.network("generator", raw=raw, checkpoint=checkpoint)
        if card.role != "generator":
            raise RunError(f"{self.path} holds a {card.role}, which makes no images: give the run or its generator")
        return Renderer(generator, card.prior, classes=card.classes, device=choose_device(device))

    def sample(
        self,
        seeds: Iterable[int] = range(64),
        *,
        raw: bool = False,
        checkpoint: str | None = None,
        canvas: tuple[int, int] | None = None,
        label: int | str | None = None,
        truncation: float | None = None,
        device: str = "auto",
    ) -> ImageSeries:
        """One image for each seed; image i depends on seed i alone, to the bit."""
        renderer = self.renderer(raw=raw, checkpoint=checkpoint, device=device)
        return renderer.images(seeds, grid=canvas, label=label, truncation=truncation)

    def translator(
        self, *, to: str | None = None, raw: bool = False, checkpoint: str | None = None, device: str = "auto"
    ) -> Translator:
        """What translates images to domain `to`, a or b; it may be left out where the run knows one direction.

        Raises RunError for a run that does not translate, OptionError for a direction that is not there or left open.
        """
        from gansmith.latent.translate import roles_in, translator_of

        return translator_of(
            roles_in(self.model),
            lambda player: self.network(player, raw=raw, checkpoint=checkpoint),
            to=to,
            where=self.path,
            device=choose_device(device),
        )

    def translate(
        self,
        image: NDArray[Any] | Tensor,
        *,
        to: str | None = None,
        seed: int = 0,
        raw: bool = False,
        checkpoint: str | None = None,
        device: str = "auto",
    ) -> Any:
        """Image uint8 [H, W, 1..4] -> uint8 [H, W, C], or float32 [1, C, H, W] in [-1, 1] -> the same, as domain `to`
        would show it. seed: which translation, where there are several; transparent pixels show the run's background.

        For many images, take `translator` once.
        """
        trained = self.experiment.data if run_folder.is_run(self.path) else DataSettings()
        translator = self.translator(to=to, raw=raw, checkpoint=checkpoint, device=device)
        return translator.translate(image, seed=seed, background=trained.background)

    def resume(self, *, images: int | str | None = None, assignments: Iterable[str] = (), **changes: Any) -> Run:
        """Train on, to `images` in all; `changes`, or `assignments` as --set takes them, may be any field of
        `experiment.MAY_CHANGE`."""
        from gansmith.runs.trainer import work

        if not run_folder.is_run(self.path):
            raise RunError(
                f"{self.path} holds models only, so there is nothing to continue. "
                f"To begin a run with their weights: gansmith train ... --from {self.path}"
            )
        given = changes if images is None else {**changes, "images": images}
        arguments = Layer("arguments", {**given, "out": str(self.path)})
        wanted, _ = layers.resolve(
            [run_folder.stored(self.path), from_assignments(assignments), arguments], parts=False
        )
        where = Path(wanted.data.path).expanduser()
        if not where.exists() and wanted.data.path.replace("-", "_") not in catalog.names("datasets"):
            raise RunError(f"the images of {self.path} are no longer at {where}. Say where they are: --data PATH")
        changed = layers.difference(self.experiment, wanted)
        if changed:
            raise RunError(f"a resumed run cannot change {'; '.join(changed)}. Start another run with another --out")
        work(wanted)
        return self


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
    of the data may stand alone: `size=64`, `channels=1`. trust: code from outside gansmith may be imported that
    `config` or a recipe's file names; what `fields` and `assignments` name always may.
    Raises GansmithError, TrainingInterrupted on Ctrl-C.
    """
    from gansmith.runs.trainer import work

    experiment, _ = describe(
        path,
        recipe=recipe,
        config=config,
        assignments=assignments,
        start_from=start_from,
        advised=True,
        trust=trust,
        **fields,
    )
    work(experiment)
    return Run(run_folder.folder_of(experiment))


def describe(
    path: str | Path | None = None,
    *,
    recipe: str | None = None,
    config: str | Path | None = None,
    assignments: Iterable[str] = (),
    start_from: str | Path | None = None,
    environment: Mapping[str, str] | None = None,
    advised: bool = False,
    trust: bool = False,
    **fields: Any,
) -> tuple[Experiment, dict[str, str]]:
    """The experiment that these settings make, and where each of its values came from. Fields that are None are unset.

    advised: as `train` does it, where nothing says how to train, choose a recipe by the images and tell why.
    Names of code from outside gansmith that are given by hand, or with `trust` in a file, may be imported from here on.
    """
    chosen = {name: value for name, value in fields.items() if value is not None}
    data = {name: chosen.pop(name) for name in DATA_FIELDS if name in chosen}
    if path is not None:
        data["path"] = str(path)
    if start_from is not None:
        chosen["start_from"] = str(start_from)
    if data:
        chosen["data"] = {**chosen.get("data", {}), **data}
    file = None if config is None else from_file(Path(config))
    around = from_environment(os.environ if environment is None else environment)
    recipe = recipe or around.values.get("recipe") or _recipe_of(file)
    stack = [from_recipe(recipe)] if recipe is not None else []
    stack += [*([] if file is None else [file]), around]
    stack += [Layer("arguments", chosen), from_assignments(assignments)]
    found = layers.resolve(stack)
    advice = advise(*found) if advised and recipe is None else None
    if advice is not None:
        print(f"recipe {advice.recipe}: {advice.why}. For another one: --recipe NAME", file=sys.stderr, flush=True)
        found = layers.resolve([from_recipe(advice.recipe), *stack])
    outside_code.vouch(*found, trust=trust)
    return found


def _recipe_of(file: Layer | None) -> str | None:
    """The recipe that a file of settings begins with. A run's own file may bear the name of one that is not known here:
    it is complete without."""
    name = None if file is None else file.values.get("recipe")
    return name if name in catalog.names("recipes") else None
