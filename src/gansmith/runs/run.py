"""A run as an object: open it, sample from it, translate with it, resume it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gansmith import catalog
from gansmith.data.open import builtin_name
from gansmith.data.settings import DataSettings
from gansmith.errors import CheckpointError, ExperimentError, RunError
from gansmith.experiment import outside_code
from gansmith.experiment.layers import Layer, difference, resolve
from gansmith.experiment.length import with_one_length
from gansmith.experiment.schema import Experiment
from gansmith.experiment.sources import from_assignments
from gansmith.models import saved
from gansmith.models.saved import Card
from gansmith.records import jsonl
from gansmith.runs.folder import (
    checkpoints_of,
    directions_file,
    experiment_of,
    is_run,
    models_of,
    players_of,
    stored_settings,
)
from gansmith.system.device import choose_device
from gansmith.system.paths import expanded, shell_word
from gansmith.training.checkpoint import State

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor, nn

    from gansmith.latent.directions.direction import Directions
    from gansmith.latent.image_series import ImageSeries
    from gansmith.latent.invert import Inversion
    from gansmith.latent.latents import Seed
    from gansmith.latent.renderer import Renderer
    from gansmith.latent.translate import Translator


class Run:
    """The run in the folder `path`, or a folder or file of models. Raises RunError when there is none.

    trust: the code from outside gansmith that its files name, as they are now, may be imported.

    >>> from gansmith import Run, train
    >>> small = {"size": 8, "images": 32, "batch": 16, "generator": {"width": 4}, "discriminator": {"width": 4}}
    >>> folder = train("digits", recipe="dcgan", out="run", **small).path
    >>> Run(folder).sample(range(3)).images.shape
    torch.Size([3, 1, 8, 8])
    """

    def __init__(self, path: str | Path, *, trust: bool = False) -> None:
        self.path = Path(path)
        self.model = models_of(self.path)
        self.checkpoints = checkpoints_of(self.path)
        if trust:
            self._vouch()

    def _vouch(self) -> None:
        catalog.vouch(saved.models_named_in(self.model))
        if is_run(self.path):
            with suppress(ExperimentError, CheckpointError):  # a damaged file names nothing; whoever reads it is told
                outside_code.vouch(self.experiment, trust=True)

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r})"

    @property
    def experiment(self) -> Experiment:
        """What was run. Raises ExperimentError when the file was changed to something that is none."""
        return experiment_of(self.path)

    @property
    def data(self) -> DataSettings:
        """How images are brought to what its networks read; the defaults where the folder holds models only."""
        return self.experiment.data if is_run(self.path) else DataSettings()

    @property
    def records(self) -> list[dict[str, Any]]:
        """The records of the training, oldest first."""
        return jsonl.read(self.path / "events.jsonl")

    @property
    def players(self) -> list[str]:
        """The networks it holds: generator, discriminator ..."""
        return players_of(self.path)

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
            try:
                network.load_state_dict(state["averaging" if averaged else "players"][player])
                card = replace(card, images=int(state["images"]))
            except (RuntimeError, KeyError) as error:
                name = checkpoint or "latest"
                first = " ".join(str(error).split())[:200]  # torch has a line for each tensor
                raise CheckpointError(
                    f"the checkpoint {name} of {self.path} does not hold the {player} of its model files, it may be of "
                    f"another run: {first}"
                ) from error
        return network, card

    def renderer(self, *, raw: bool = False, checkpoint: str | None = None, device: str = "auto") -> Renderer:
        """The generator, ready to turn latents into images."""
        from gansmith.latent.renderer import Renderer

        if "generator" not in self.players and {"to_b", "b"} & {*self.players}:
            raise RunError(
                f"{self.path} translates images and makes none of its own: "
                f"gansmith translate {shell_word(self.path)} --to b IN OUT. A folder of translations can be evaluated: "
                f"gansmith evaluate OUT --against REAL"
            )
        generator, card = self.network("generator", raw=raw, checkpoint=checkpoint)
        if card.role != "generator":
            raise RunError(f"{self.path} holds a {card.role}, which makes no images: give the run or its generator")
        return Renderer(
            generator,
            card.prior,
            classes=card.classes,
            device=choose_device(device),
            images=card.images,
            recipe=card.origin.get("recipe"),
        )

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

    @property
    def directions(self) -> Directions:
        """The directions in the latent space that `gansmith directions` made. Raises RunError where there are none."""
        from gansmith.latent.directions.direction_file import load_directions

        file = directions_file(self.path)
        if not file.exists():
            raise RunError(f"{self.path} has no directions yet: gansmith directions {shell_word(self.path)}")
        return load_directions(file)

    def edit(
        self,
        seeds: Iterable[Seed],
        along: Mapping[str, float],
        *,
        raw: bool = False,
        checkpoint: str | None = None,
        label: int | str | None = None,
        device: str = "auto",
    ) -> ImageSeries:
        """The images of seeds or latents, moved by so many steps along directions: `run.edit([7], {"smile": 2})`.

        Raises UnknownNameError for a direction that is not there, OptionError where they belong to other weights.
        """
        from gansmith.latent.directions.direction_file import load_directions
        from gansmith.latent.directions.edit import edited_images

        directions, renderer = self.directions, self.renderer(raw=raw, checkpoint=checkpoint, device=device)
        if directions.origin.model != renderer.digest:
            load_directions(directions_file(self.path), digest=renderer.digest)  # raises, and says which weights
        moves = [(directions.find(name), amount) for name, amount in along.items()]
        return edited_images(renderer, list(seeds), moves, label=label)

    def invert(
        self,
        image: str | Path | Tensor,
        *,
        raw: bool = False,
        checkpoint: str | None = None,
        device: str = "auto",
        **options: Any,
    ) -> Inversion:
        """The latent whose image is nearest to one of the user's: a file, which is brought to the run's size and
        channels as its training images were, or float32 [1, C, H, W] in [-1, 1]. options: of `latent.invert.invert`.

        Raises DataError for a file that cannot be read, OptionError for a wrong option.
        """
        from gansmith.latent.invert import invert
        from gansmith.runs.own_image import own_target

        renderer = self.renderer(raw=raw, checkpoint=checkpoint, device=device)
        if isinstance(image, str | Path):
            channels, height, width = renderer.images([0], label=options.get("label")).images.shape[1:]
            options.setdefault("name", Path(image).stem)
            image = own_target(self.data, Path(image), (height, width, channels))
        return invert(renderer, image, **options)

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
        translator = self.translator(to=to, raw=raw, checkpoint=checkpoint, device=device)
        return translator.translate(image, seed=seed, background=self.data.background)

    def resume(self, *, images: int | str | None = None, assignments: Iterable[str] = (), **changes: Any) -> Run:
        """Train on, to `images` in all; `changes`, or `assignments` as --set takes them, may be any field of
        `experiment.MAY_CHANGE`."""
        from gansmith.runs.training import train_run

        if not is_run(self.path):
            raise RunError(
                f"{self.path} holds models only, so there is nothing to continue. "
                f"To begin a run with their weights: gansmith train ... --from {shell_word(self.path)}"
            )
        settings = changes if images is None else {**changes, "images": images}
        arguments = Layer("arguments", {**settings, "out": str(self.path)})
        layers = [stored_settings(self.path), from_assignments(assignments), arguments]
        wanted = with_one_length(resolve(layers, parts=False)[0], layers)
        where = expanded(wanted.data.path)
        if not where.exists() and builtin_name(wanted.data.path) is None:
            raise RunError(f"the images of {self.path} are no longer at {where}. Say where they are: --data PATH")
        changed = difference(self.experiment, wanted)
        if changed:
            raise RunError(f"a resumed run cannot change {'; '.join(changed)}. Start another run with another --out")
        train_run(wanted)
        return self
