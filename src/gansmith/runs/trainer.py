"""One sitting of work on a run: from the lock to the last picture.

Whatever ends it (the last image, Ctrl-C, SIGTERM, an error), what was saved before stays whole; a sitting that comes
after continues at the last checkpoint and computes, to the bit, what an uninterrupted one would have.
"""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from filelock import FileLock, Timeout

from gansmith.errors import CheckpointError, ExperimentError, GansmithError, RunError, TrainingInterrupted
from gansmith.experiment import completion, layers
from gansmith.experiment.assemble import Assembly, assemble, resolved
from gansmith.experiment.schema import Experiment
from gansmith.models import saved
from gansmith.records import jsonl
from gansmith.records.images import draw_sheet, save_film, save_image
from gansmith.records.recorder import Recorder
from gansmith.records.terminal import Terminal
from gansmith.runs import folder as run_folder
from gansmith.runs import training_state as snapshot
from gansmith.runs.monitor import Watch, at_rest
from gansmith.runs.periodic_metrics import Looks
from gansmith.runs.sample_inputs import columns, fixed
from gansmith.system.files import write_text
from gansmith.training.engine import Engine, Events, images_drawn, play_until
from gansmith.training.forecast import forecast
from gansmith.training.memory import explained
from gansmith.training.precision import warnings
from gansmith.training.wiring import check_wiring

_MODES = {1: "grey", 3: "RGB", 4: "RGBA"}
_FILM_EVERY = 60.0  # seconds: a film is made of all sheets anew


def work(experiment: Experiment) -> None:
    """Begin or continue the run that `experiment` describes, to its last image.

    Raises RunError when the folder belongs to another process or another experiment, TrainingInterrupted on Ctrl-C or
    SIGTERM, and whatever stops the training.
    """
    folder = run_folder.folder_of(experiment)
    with _locked(folder):
        if not run_folder.is_run(folder):
            _refuse_strangers(folder)
            if experiment.start_from is not None:
                run_folder.models(Path(experiment.start_from))  # before the images are prepared, which can take long
        experiment, data = resolved(experiment)
        experiment = _same_experiment(folder, experiment)
        for warning in data.warnings:
            _say(f"warning: {warning}")
        Session(folder, assemble(experiment, data)).work()


class Session:
    """The handlers of one sitting, and what they share."""

    def __init__(self, folder: Path, parts: Assembly) -> None:
        self.folder, self.parts, self.experiment = folder, parts, parts.experiment
        self.checkpoints = run_folder.checkpoints(folder)
        self.step = 0
        self.saved: int | None = None  # the step of the newest checkpoint of this sitting
        self.stopped_by: int | None = None
        self.enough: str | None = None  # why the stop rule ends the training
        self.filmed = time.monotonic()

    def work(self) -> None:
        """Train to the last image, or until something stops it."""
        experiment, engine = self.experiment, self.parts.engine
        seconds = self._continue()
        done = self.parts.stream.drawn
        if done >= experiment.images:
            self._mend(done)
            _say(f"{self.folder} is complete at {done:,} images; to train on: gansmith resume {self.folder} --images N")
            self.parts.stream.close()
            return
        past = [record for record in jsonl.read(self.folder / "events.jsonl") if record["step"] <= self.step]
        self.looks = Looks(self.parts, past)
        enough = self.looks.enough()
        if enough:
            self._mend(done)
            _say(
                f"{self.folder} was ended by its stop rule at {done:,} images: {enough}. "
                f"To train on: gansmith resume {self.folder} --set stop.metric=null"
            )
            self.parts.stream.close()
            return
        _say(self._opening())
        write_text(self.folder / "experiment.yaml", experiment.to_yaml())
        jsonl.cut(self.folder / "events.jsonl", self.step)
        if not done:
            self._sheet(0)
        views: list[Any] = [jsonl.JsonLines(self.folder / "events.jsonl")]
        if experiment.tensorboard:
            from gansmith.records.tensorboard import TensorBoard

            views.append(TensorBoard(self.folder / "tensorboard", begin=done))
        terminal = Terminal(images=experiment.images, done=done)
        views.append(terminal)
        watch = Watch(self.parts, past)
        self.recorder = Recorder(views, every=experiment.record_every, seconds=seconds, beside=watch)
        self._attach(engine, terminal)
        try:
            with self._signals(engine):
                self.recorder.start(done)
                play_until(engine, experiment.images, step=self.step)
                if self.stopped_by is None:
                    self._sheet(images_drawn(engine))
                self._save(engine)
                if self.stopped_by is None and self.looks.metrics:
                    self._look(engine, closing=True)
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
        for line in (self.looks.summary(), self.enough and f"ended by the stop rule: {self.enough}"):
            if line:
                _say(line)
        if self.stopped_by is not None:
            raise TrainingInterrupted(
                f"stopped at {images_drawn(engine):,} of {experiment.images:,} images; everything is saved. "
                f"Continue with: gansmith resume {self.folder}",
                signal=self.stopped_by,
            )

    def _opening(self) -> str:
        data, (channels, height, width) = self.parts.data, self.parts.data.shape
        what = "points" if data.points else f"images, {height}x{width}, {_MODES[channels]}"
        count, held = data.amounts()
        return (
            f"{data.name}: {count} {what} ({held} more held out), "
            f"on {self.parts.device} in {self.experiment.precision}, into {self.folder}"
        )

    def _mend(self, images: int) -> None:
        """Write what a complete run lacks because it was killed after its last checkpoint."""
        files = snapshot.model_files(self.parts)
        kept = [self.folder / "model" / f"{name}.safetensors" for name in files]
        if any(not path.is_file() or saved.read_card(path).images != images for path in kept):
            saved.save(self.folder / "model", files)
        if not (self.folder / "samples" / f"{images:09}.png").is_file():
            self._sheet(images)
        if not (self.folder / "progress.webp").is_file():
            self._film()

    def _continue(self) -> float:
        """Take up the newest checkpoint, or begin. Returns the seconds trained before."""
        if not self.checkpoints.names():
            if (self.folder / "model").exists():
                raise CheckpointError(
                    f"{self.folder} was trained but its checkpoints are gone, so it cannot be continued. "
                    f"Its model still samples; to train on from its weights: --from {self.folder} --out ANOTHER"
                )
            if run_folder.is_run(self.folder):
                _say(f"{self.folder} stopped before its first checkpoint: it begins again")
            self._begin()
            return 0.0
        state, damage = self.checkpoints.load()
        for warning in damage:
            _say(f"warning: {warning}")
        if damage:
            self.checkpoints.set_aside()
        for line in snapshot.put_back(state, self.parts, self.folder):
            _say(line)
        self.step = state["step"]
        if self.parts.stream.drawn < self.experiment.images:
            _say(f"continuing {self.folder} at {self.parts.stream.drawn:,} images (step {self.step:,})")
        return float(state["seconds"])

    def _begin(self) -> None:
        parts = self.parts
        if self.experiment.start_from is not None:
            for line in snapshot.borrow(parts, Path(self.experiment.start_from)):
                _say(line)
        position = parts.stream.state_dict()
        batch = next(parts.stream)
        parts.stream.load_state_dict(position)
        with explained(batch):
            check_wiring(parts.game, batch, device=parts.device, precision=self.experiment.precision)
            made = forecast(parts.game, batch, parts.device, self.experiment)
        for warning in (*made.warnings(parts.device), *warnings(parts.device, self.experiment.precision)):
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
            keep = [f"{images:09}"] if _passed(before, images, self.experiment.keep_every) else []
            if self.looks.due(before, images) and self._look(engine):
                keep.append("best")
            if keep or self.enough or _passed(before, images, self.experiment.checkpoint_every):
                self._save(engine, keep_as=keep)
                if time.monotonic() - self.filmed > _FILM_EVERY:
                    self._film()
                self.recorder.pause()

        def stopped_before(engine: Engine) -> None:
            if self.stopped_by is not None:  # between the signal handlers and the first step
                engine.terminate()

        engine.add_event_handler(Events.STARTED, stopped_before)
        engine.add_event_handler(Events.ITERATION_COMPLETED, after_step)

    def _look(self, engine: Engine, *, closing: bool = False) -> bool:
        """Take the metrics, and end the training if the stop rule says so. Was this the best look so far?"""
        record = self.looks.take(
            snapshot.shown(self.parts), step=self.step, images=images_drawn(engine), closing=closing
        )
        self.recorder.look(record)
        if closing:
            return False
        self.enough = self.looks.enough()
        if self.enough:
            engine.terminate()
        return self.looks.best is record

    def _save(self, engine: Engine, *, keep_as: Sequence[str] = ()) -> None:
        """Checkpoint and model files, after the pending terms and the weights were found finite."""
        if self.saved == self.step:
            self.checkpoints.keep(keep_as)
            return
        images = images_drawn(engine)
        self.recorder.flush(step=self.step, images=images)
        snapshot.check_finite(self.parts)
        state = snapshot.take(self.parts, step=self.step, seconds=self.recorder.seconds)
        self.checkpoints.save(state, keep_as=keep_as)
        saved.save(self.folder / "model", snapshot.model_files(self.parts))
        self.saved = self.step

    @torch.no_grad()
    def _sheet(self, images: int) -> None:
        """The same latents and the same real images every time."""
        show = self.parts.game.show
        if show is None:
            return
        players = snapshot.shown(self.parts)
        with at_rest(players):
            made = show(players, fixed(self.parts, self.experiment.sheet)).float().cpu()
        sheet = draw_sheet(made, columns=columns(self.parts))
        save_image(sheet, self.folder / "samples" / f"{images:09}.png")

    def _film(self) -> None:
        self.filmed = time.monotonic()
        sheets = [path for path in (self.folder / "samples").glob("*.png") if path.stem.isdigit()]
        sheets.sort(key=lambda path: int(path.stem))
        if len(sheets) > 1:
            try:
                save_film(sheets, self.folder / "progress.webp")
            except (OSError, GansmithError) as error:  # a sheet that somebody damaged must not stop the training
                _say(f"warning: no film of the sheets was made: {error}")

    @contextmanager
    def _signals(self, engine: Engine) -> Iterator[None]:
        """The first Ctrl-C or SIGTERM ends the training after the step; a second Ctrl-C ends it at once."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        insisted = False

        def wake(number: int, frame: FrameType | None) -> None:
            """Each second after the first Ctrl-C. A second one that came just before a sleep or a wait is then noticed,
            and raised once more where Python dropped what its handler raised (inside a `__del__`)."""
            if insisted:
                raise KeyboardInterrupt

        def stop(number: int, frame: FrameType | None) -> None:
            nonlocal insisted
            if self.stopped_by is not None:
                insisted = True
                raise KeyboardInterrupt
            self.stopped_by = number
            if hasattr(signal, "setitimer"):
                before.setdefault(signal.SIGALRM, signal.signal(signal.SIGALRM, wake))
                signal.siginterrupt(signal.SIGALRM, False)
                signal.setitimer(signal.ITIMER_REAL, 1.0, 1.0)
            _say("\nstopping after this step; once more to stop at once")
            engine.terminate()

        before: dict[int, Any] = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            if len(before) > 2:  # the alarm is set
                signal.setitimer(signal.ITIMER_REAL, 0)
            for number, handler in before.items():
                signal.signal(number, handler)


def _same_experiment(folder: Path, experiment: Experiment) -> Experiment:
    """`experiment`, with the layout and precision that the run in `folder` recorded: they are not chosen again.

    Raises RunError when the folder holds another experiment, unless that one had nothing to show yet.
    """
    if not run_folder.is_run(folder):
        return experiment
    try:
        recorded = run_folder.experiment(folder)
    except ExperimentError as error:
        _say(f"warning: {error}")
        return experiment
    for chosen in ("memory_format", "precision"):
        if getattr(experiment, chosen) == "auto":
            experiment = experiment.model_copy(update={chosen: getattr(recorded, chosen)})
    changed = layers.difference(completion.renewed(recorded), experiment)
    begun = any((folder / name).exists() for name in ("checkpoints", "model")) or jsonl.read(folder / "events.jsonl")
    if changed and not begun:
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
