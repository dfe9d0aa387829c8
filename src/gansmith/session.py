"""One sitting of work on a run: from the lock to the last picture.

Whatever ends it (the last image, Ctrl-C, SIGTERM, an error), what was saved before stays whole; a sitting that comes
after continues at the last checkpoint and computes, to the bit, what an uninterrupted one would have.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from filelock import FileLock, Timeout
from torch import Tensor, nn

from gansmith import __version__
from gansmith import experiment as experiments
from gansmith.assemble import Assembly, assemble, resolved
from gansmith.errors import (
    CheckpointError,
    ExperimentError,
    GansmithError,
    NotFiniteError,
    RunError,
    TrainingInterrupted,
)
from gansmith.experiment import Experiment
from gansmith.files import write_text
from gansmith.latent.renderer import Renderer
from gansmith.models import saved
from gansmith.models.saved import Card
from gansmith.records import jsonl, pictures
from gansmith.records.recorder import Recorder
from gansmith.records.terminal import Terminal
from gansmith.run import Run
from gansmith.training.checkpoint import Checkpoints, State
from gansmith.training.engine import Engine, Events, clock, play_until
from gansmith.training.forecast import forecast
from gansmith.training.memory import explained
from gansmith.training.wiring import check_wiring

_FORMAT = 1


def work(experiment: Experiment, *, trust: bool = False) -> Run:
    """Begin or continue the run that `experiment` describes, to its last image.

    Raises RunError when the folder belongs to another process or another experiment, TrainingInterrupted on Ctrl-C or
    SIGTERM, and whatever stops the training.
    """
    folder = run_folder(experiment)
    with _locked(folder):
        if not Run.is_run(folder):
            _refuse_strangers(folder)
            if experiment.start_from is not None:
                Run(experiment.start_from)  # before the images are prepared, which can take long
        experiment, data = resolved(experiment, trust=trust)
        experiment = _same_experiment(folder, experiment)
        for warning in data.warnings:
            _say(f"warning: {warning}")
        return Session(folder, assemble(experiment, data, trust=trust), trust=trust).work()


def run_folder(experiment: Experiment) -> Path:
    """`out`, or runs/DATA-RECIPE."""
    if experiment.out is not None:
        return Path(experiment.out)
    data = Path(experiment.data.path)
    name = data.stem if data.suffix.lower() in (".zip", ".npy", ".csv", ".gz") else data.name
    return Path("runs") / f"{name or data.resolve().name}-{experiment.recipe or 'dcgan'}"


class Session:
    """The handlers of one sitting, and what they share."""

    def __init__(self, folder: Path, assembly: Assembly, *, trust: bool = False) -> None:
        self.folder, self.parts = folder, assembly
        self.experiment = assembly.experiment
        self.trust = trust
        self.checkpoints = Checkpoints(folder / "checkpoints")
        self.step = 0
        self.saved: int | None = None  # the step of the newest checkpoint of this sitting
        self.stopped_by: int | None = None

    def work(self) -> Run:
        experiment, engine = self.experiment, self.parts.engine
        seconds = self._continue()
        done = self.parts.stream.drawn
        if done >= experiment.images:
            _say(f"{self.folder} is complete at {done:,} images; to train on: gansmith resume {self.folder} --images N")
            self.parts.stream.close()
            return Run(self.folder, trust=self.trust)
        write_text(self.folder / "experiment.yaml", experiment.to_yaml())
        jsonl.cut(self.folder / "events.jsonl", self.step)
        if not done:
            self._sheet(0)
        terminal = Terminal(images=experiment.images, done=done)
        views: list[Any] = [jsonl.JsonLines(self.folder / "events.jsonl"), terminal]
        if experiment.tensorboard:
            from gansmith.records.tensorboard import TensorBoard

            views.append(TensorBoard(self.folder / "tensorboard"))
        self.recorder = Recorder(views, every=experiment.record_every, seconds=seconds)
        self._attach(engine, terminal)
        try:
            with self._signals(engine):
                self.recorder.start(done)
                play_until(engine, experiment.images, step=self.step)
                if self.stopped_by is None:
                    self._sheet(clock(engine))
                self._save(engine)
                self._film()
        except KeyboardInterrupt:
            raise TrainingInterrupted(
                f"stopped at once; what came after the last checkpoint is lost. "
                f"Continue with: gansmith resume {self.folder}",
                signal=signal.SIGINT,
            ) from None
        finally:
            self.recorder.close()
            self.parts.stream.close()
        if self.stopped_by is not None:
            raise TrainingInterrupted(
                f"stopped at {clock(engine):,} of {experiment.images:,} images; everything is saved. "
                f"Continue with: gansmith resume {self.folder}",
                signal=self.stopped_by,
            )
        return Run(self.folder, trust=self.trust)

    def _continue(self) -> float:
        """Take up the newest checkpoint, or begin. Returns the seconds trained before."""
        if not self.checkpoints.names():
            if (self.folder / "model").exists():
                raise CheckpointError(
                    f"{self.folder} was trained but its checkpoints are gone, so it cannot be continued. "
                    f"Its model still samples; to train on from its weights: --from {self.folder} --out ANOTHER"
                )
            self._begin()
            return 0.0
        state, warnings = self.checkpoints.load()
        for warning in warnings:
            _say(f"warning: {warning}")
        if warnings:
            self.checkpoints.set_aside()
        self._restore(state)
        if self.parts.stream.drawn < self.experiment.images:
            _say(f"continuing {self.folder} at {self.parts.stream.drawn:,} images (step {self.step:,})")
        return float(state["seconds"])

    def _begin(self) -> None:
        parts = self.parts
        if self.experiment.start_from is not None:
            for line in borrow(parts, Run(self.experiment.start_from)):
                _say(line)
        position = parts.stream.state_dict()
        batch = next(parts.stream)
        parts.stream.load_state_dict(position)
        with explained(batch):
            check_wiring(parts.game, batch, device=parts.device, precision=self.experiment.precision)
            made = forecast(parts.game, batch, parts.device, self.experiment)
        for warning in made.warnings(parts.device):
            _say(f"warning: {warning}")

    def _attach(self, engine: Engine, terminal: Terminal) -> None:
        state: Any = engine.state
        state.images = self.parts.stream.drawn

        def after_step(engine: Engine) -> None:
            state: Any = engine.state
            before, images = state.images - state.drawn, state.images
            self.parts.averaging.update(state.drawn, images)
            self.step = state.iteration
            self.recorder.add(state.output, step=self.step, images=images, drawn=state.drawn, waited=state.waited)
            terminal.step(state.drawn)
            if _passed(before, images, self.experiment.samples_every):
                self._sheet(images)
                self.recorder.pause()
            keep = _passed(before, images, self.experiment.keep_every)
            if keep or _passed(before, images, self.experiment.checkpoint_every):
                self._save(engine, keep=keep)
                self._film()
                self.recorder.pause()

        engine.add_event_handler(Events.ITERATION_COMPLETED, after_step)

    def _save(self, engine: Engine, *, keep: bool = False) -> None:
        """Checkpoint and model files, after the pending terms and the weights were found finite."""
        if self.saved == self.step:
            return
        images = clock(engine)
        self.recorder.flush(step=self.step, images=images)
        self._check_finite()
        self.checkpoints.save(self._state(images), keep_as=f"{images:09}" if keep else None)
        saved.save(self.folder / "model", self._cards(images))
        self.saved = self.step

    def _state(self, images: int) -> State:
        parts = self.parts
        return {
            "format": _FORMAT,
            "versions": {"gansmith": __version__, "torch": str(torch.__version__)},
            "experiment": self.experiment.plain(),
            "data": parts.data.digest,
            "step": self.step,
            "images": images,
            "seconds": self.recorder.seconds,
            "stream": parts.stream.state_dict(),
            "players": {name: player.state_dict() for name, player in parts.game.players.items()},
            "optimizers": {name: scheduled.optimizer.state_dict() for name, scheduled in parts.optimizers.items()},
            "averaging": parts.averaging.state_dict(),
            "game": {name: state.state_dict() for name, state in parts.game.state.items()},
            "threads": torch.get_num_threads(),
            "device": str(parts.device),
        }

    def _restore(self, state: State) -> None:
        parts = self.parts
        if state["data"] != parts.data.digest:
            raise RunError(
                f"{self.folder} was trained on other images than {self.experiment.data.path} holds now. "
                f"Bring them back, or start another run with another --out"
            )
        changed = experiments.difference(Experiment.model_validate(state["experiment"]), self.experiment)
        if changed:
            raise RunError(
                f"{self.folder}/experiment.yaml was changed since the checkpoint was written: {'; '.join(changed)}. "
                f"Change it back, or start another run with another --out"
            )
        if state["device"] != str(parts.device):
            _say(
                f"note: begun on {state['device']}, continued on {parts.device}: close to the same run, not exactly it"
            )
        torch.set_num_threads(state["threads"])
        for name, player in parts.game.players.items():
            player.load_state_dict(state["players"][name])
        for name, scheduled in parts.optimizers.items():
            scheduled.optimizer.load_state_dict(state["optimizers"][name])
        parts.averaging.load_state_dict(state["averaging"])
        for name, remembered in parts.game.state.items():
            remembered.load_state_dict(state["game"][name])
        parts.stream.load_state_dict(state["stream"])
        self.step = state["step"]

    def _check_finite(self) -> None:
        for player, network in self.parts.game.players.items():
            named = [(name, value) for name, value in network.state_dict().items() if value.is_floating_point()]
            finite = torch.stack([torch.isfinite(value).all() for _, value in named]).tolist()
            bad = [name for (name, _), good in zip(named, finite, strict=True) if not good]
            if bad:
                raise NotFiniteError(
                    f"weights of the {player} are no longer finite: {', '.join(bad[:4])}. "
                    f"The last good checkpoint is kept"
                )

    def _shown(self) -> dict[str, nn.Module]:
        return {**self.parts.game.players, **self.parts.averaging.players}

    def _cards(self, images: int) -> dict[str, tuple[Card, dict[str, Tensor]]]:
        cards = {}
        for name, network in self._shown().items():
            role = self.parts.roles[name]
            part = getattr(self.experiment, role)
            card = Card(
                player=name,
                role=role,
                model=part.name,
                options=part.options,
                dimensions=self.parts.dimensions,
                prior=self.parts.prior,
                classes=tuple(self.parts.data.classes or ()),
                images=images,
                averaged=name in self.parts.averaging.players,
                origin={"recipe": self.experiment.recipe, "data": self.parts.data.name, "gansmith": __version__},
            )
            cards[name] = (card, network.state_dict())
        return cards

    @torch.no_grad()
    def _sheet(self, images: int) -> None:
        """The same latents every time: those of seeds 0, 1, 2 ..."""
        show = self.parts.game.show
        if show is None:
            return
        players = self._shown()
        modes = {name: player.training for name, player in players.items()}
        for player in players.values():
            player.eval()
        renderer = Renderer(nn.Identity(), self.parts.prior)
        latents = renderer.latents(range(self.experiment.sheet)).to(self.parts.device)
        sheet = pictures.sheet(show(players, latents).float().cpu())
        for name, player in players.items():
            player.train(modes[name])
        pictures.save(sheet, self.folder / "samples" / f"{images:09}.png")

    def _film(self) -> None:
        sheets = sorted(path for path in (self.folder / "samples").glob("*.png") if path.stem.isdigit())
        if len(sheets) > 1:
            try:
                pictures.film(sheets, self.folder / "progress.webp")
            except (OSError, GansmithError) as error:  # a sheet that somebody damaged must not stop the training
                _say(f"warning: no film of the sheets was made: {error}")

    @contextmanager
    def _signals(self, engine: Engine) -> Iterator[None]:
        """The first Ctrl-C or SIGTERM ends the training after the step; a second Ctrl-C ends it at once."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def stop(number: int, frame: FrameType | None) -> None:
            if self.stopped_by is not None:
                raise KeyboardInterrupt
            self.stopped_by = number
            _say("\nstopping after this step; once more to stop at once")
            engine.terminate()

        before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def borrow(parts: Assembly, other: Run) -> list[str]:
    """Begin with another run's weights: each tensor that has the same name and shape. Returns what to tell the user."""
    lines = []
    known = other.players
    for name, player in parts.game.players.items():
        if name not in known:
            lines.append(f"{name}: {other.path} has none; it begins anew")
            continue
        theirs = other.weights(name)
        mine = player.state_dict()
        fitting = {key: value for key, value in theirs.items() if key in mine and mine[key].shape == value.shape}
        player.load_state_dict({**mine, **fitting})
        left = [key for key in mine if key not in fitting]
        rest = f"; new: {', '.join(left)}" if left else ""
        lines.append(f"{name}: {len(fitting)} of {len(mine)} tensors from {other.path}{rest}")
    for name, average in parts.averaging.players.items():
        average.load_state_dict(parts.game.players[name].state_dict())
    return lines


def _same_experiment(folder: Path, experiment: Experiment) -> Experiment:
    """`experiment`, with the memory layout that the run in `folder` recorded: it is not chosen again.

    Raises RunError when the folder holds another experiment, unless that one had nothing to show yet.
    """
    if not Run.is_run(folder):
        return experiment
    try:
        recorded = Run(folder).experiment
    except ExperimentError as error:
        _say(f"warning: {error}")
        return experiment
    if experiment.memory_format == "auto":
        experiment = experiment.model_copy(update={"memory_format": recorded.memory_format})
    changed = experiments.difference(recorded, experiment)
    if changed and not any((folder / name).exists() for name in ("checkpoints", "model")) and not Run(folder).records:
        _say(f"note: nothing was trained in {folder} yet; its experiment is replaced")
        return experiment
    if changed:
        listed = "\n  ".join(changed)
        raise RunError(
            f"{folder} holds another experiment; it is left alone. What differs:\n  {listed}\n"
            f"Choose another --out, or continue the old one with: gansmith resume {folder}"
        )
    return experiment


def _refuse_strangers(folder: Path) -> None:
    strangers = [path.name for path in folder.iterdir() if path.name != ".lock"]
    if strangers:
        raise RunError(
            f"{folder} exists and is not a run (it holds {', '.join(sorted(strangers)[:3])}); choose another --out"
        )


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Alone in `folder`, which is made if it is absent, and removed if nothing came of it."""
    lock = FileLock(folder / ".lock")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout:
        raise RunError(f"another process is working on {folder}; wait for it, or choose another --out") from None
    except (FileExistsError, NotADirectoryError):
        raise RunError(f"{folder} cannot be a run folder: there is a file in its place. Choose another --out") from None
    except OSError as error:
        raise RunError(f"{folder} cannot be written: {error.strerror}. Choose another --out") from error
    try:
        yield
    finally:
        if [path.name for path in folder.iterdir()] == [".lock"]:
            (folder / ".lock").unlink()
            folder.rmdir()
        lock.release()


def _passed(before: int, now: int, every: int) -> bool:
    """Did the clock pass a multiple of `every`? Never when `every` is 0."""
    return bool(every) and before // every < now // every


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
