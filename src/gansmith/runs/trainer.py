"""The training loop of one process, or of rank 0 of several: begin or resume, handlers, signals, the end.

Whatever ends it (the last image, Ctrl-C, SIGTERM, an error), what was saved before stays whole; a process that comes
after resumes at the last checkpoint and computes, to the bit, what an uninterrupted one would have.
"""

from __future__ import annotations

import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gansmith.experiment.assemble import Assembly
from gansmith.experiment.schema import Experiment
from gansmith.models import saved
from gansmith.records import jsonl
from gansmith.records.recorder import Recorder
from gansmith.runs.agreements import Agreements
from gansmith.runs.auto import settled_reason
from gansmith.runs.beginning import resume_or_begin
from gansmith.runs.checks import Checks, said
from gansmith.runs.description import description
from gansmith.runs.ended import complete_files, complete_words, interrupted, stopped_words
from gansmith.runs.first_words import FirstWords
from gansmith.runs.folder import checkpoints_of
from gansmith.runs.gallery import show_what_to_expect
from gansmith.runs.monitor import Monitor
from gansmith.runs.periodic_metrics import PeriodicMetrics
from gansmith.runs.sample_sheets import SampleSheets
from gansmith.runs.signals import stop_on_signals
from gansmith.runs.stop_request import stop_on_request
from gansmith.runs.team import Team
from gansmith.runs.time_budget import TimeBudget, cost, settled
from gansmith.runs.training_state import capture, model_files, players_in_use, require_finite
from gansmith.runs.views import Views
from gansmith.runs.whereabouts import Whereabouts
from gansmith.runs.wishes import Wishes
from gansmith.schedules import MOST_IMAGES
from gansmith.system.console import say
from gansmith.system.files import write_text
from gansmith.system.paths import shell_word
from gansmith.system.text import printable
from gansmith.training.engine import Engine, Events, images_drawn, play_until


class Trainer:
    """Trains the assembled run in `folder`: its state between steps, and the handlers that see to it."""

    def __init__(self, folder: Path, parts: Assembly, *, team: Team | None = None, resumed: bool = False) -> None:
        self.folder, self.parts, self.experiment = folder, parts, parts.experiment
        self.team = Team() if team is None else team
        self.resumed = resumed  # by the process that began it
        self.budget = None if resumed or self.experiment.time is None else TimeBudget(self.experiment.time)
        self.checkpoints = checkpoints_of(folder)
        self.words = FirstWords(self.experiment.images if self.experiment.time is None else None)
        self.sheets = SampleSheets(folder, parts, said=self.words.saved)
        self.whereabouts = Whereabouts(folder)
        self.keep_every = int(self.experiment.keep_every)  # an epoch has become its number of images
        self.step, self.measured = 0, False  # measured: is it known what the time is in images?
        self.left = False  # as it was: there was nothing to train
        self.saved_step: int | None = None  # of the newest checkpoint that this process wrote
        self.wishes = Wishes(self.team)
        self.signal: int | None = None  # that ends the training
        self.stop_reason: str | None = None  # of early stopping

    def train(self) -> Experiment | None:
        """Train to the last image, or until something stops it; or, where a time is given in place of a number of
        images, until it is known how many these are: returns the experiment with that number, to be resumed."""
        with self.team.alone():
            count = self.team.world
            self.step, seconds = resume_or_begin(self.folder, self.parts, quietly=self.resumed, processes=count)
        self.budget = None if self.step else self.budget  # the number of images is known after a step that was saved
        if self.team.world > 1:
            self.team.agreed_state(capture(self.parts, step=self.step, seconds=seconds, processes=self.team.world))
        images = self.parts.stream.drawn
        past = [record for record in jsonl.read(self._events) if record["step"] <= self.step]
        left = complete_words(self.folder, images) if images >= self.experiment.images else self._ended_by_rule(past)
        if not self.team.agreed(left is None):
            self._leave_ended(str(left))
            return None
        self._open_records(past, seconds)
        try:
            self._play()
        except KeyboardInterrupt:
            lost = "after the last checkpoint" if self.checkpoints.names() else "so far, without a checkpoint,"
            raise interrupted(
                f"stopped at once; what came {lost} is lost. Continue with: gansmith resume {shell_word(self.folder)}",
                signal.SIGINT,
            ) from None
        finally:
            self.recorder.close()
            self.parts.stream.close()
            self.whereabouts.close()
        return self.experiment if self._goes_on() else None

    # ---- begin and end

    def _ended_by_rule(self, past: Sequence[dict[str, Any]]) -> str | None:
        """What is said where a stop rule has ended the run that has these records; None where none has."""
        self.metrics = PeriodicMetrics(self.parts, past, team=self.team)
        by_metric = self.metrics.stopping.reason()
        reason = by_metric or settled_reason(past, self.experiment)
        if reason is None:
            return None
        return stopped_words(self.folder, self.parts.stream.drawn, reason, by_metric=by_metric is not None)

    def _leave_ended(self, message: str) -> None:
        self.left = True
        complete_files(self.folder, self.parts, self.sheets, self.step)
        say(message)
        self.parts.stream.close()

    def _open_records(self, past: Sequence[dict[str, Any]], seconds: float) -> None:
        """experiment.yaml, events.jsonl cut back to this step, and the recorder with all its views."""
        experiment, images = self.experiment, self.parts.stream.drawn
        if not self.resumed:
            say(description(self.parts, self.folder, processes=self.team.world))
        write_text(self.folder / "experiment.yaml", experiment.to_yaml())
        jsonl.cut(self._events, self.step)
        if images and not past:
            say(f"warning: {printable(self._events)} holds no record of the first {images:,} images")
        if not images:
            show_what_to_expect(self.parts, self.folder)
            with cost(self.budget, "sheet"):
                self.sheets.save_sheet(0)
        monitor = Monitor(self.parts, past)
        self.checks = Checks(self.parts, self.folder, monitor, past)
        self.views = Views(self.folder, experiment, self.budget, past, images)
        self.terminal = self.views.terminal
        beside = self.wishes.beside(monitor)
        self.recorder = Recorder(self.views.all, every=experiment.record_every, seconds=seconds, beside=beside)

    def say_how_it_ended(self) -> None:
        """Raises TrainingInterrupted where a signal ended it."""
        if self.left:
            return
        for line in (self.metrics.summary(), self.stop_reason and f"ended by the stop rule: {self.stop_reason}"):
            if line:
                say(line)
        if self.signal is not None:
            raise interrupted(
                f"stopped at {images_drawn(self.parts.engine):,} of {self.experiment.images:,} images; "
                f"everything is saved. Continue with: gansmith resume {shell_word(self.folder)}",
                self.signal,
            )

    def _goes_on(self) -> bool:
        """Is it just known what the time is in images, and nothing else has ended the steps?"""
        return self.measured and self.signal is None and self.stop_reason is None

    # ---- the loop

    def _play(self) -> None:
        """The steps, with everything that happens between them, and what is written after the last."""
        engine = self.parts.engine
        state: Any = engine.state
        state.images = self.parts.stream.drawn
        self.wishes.attach(engine)
        engine.add_event_handler(Events.STARTED, self._before_first_step)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._after_step)
        self.agreements = Agreements(self.parts, self.team, measuring=self.budget is not None)
        with stop_on_signals(self._stop), stop_on_request(engine, self.folder, self._stop):
            self.recorder.start(self.parts.stream.drawn)
            self.words.start(self.parts.stream.drawn)
            if self.budget is not None:
                self.budget.start(self.parts.stream.drawn)
            play_until(engine, self.experiment.images if self.budget is None else MOST_IMAGES, step=self.step)
            self.parts.served()
            self.signal = self.signal or self.wishes.wanted  # after the last sum it is for this rank alone
            with self.whereabouts.guarded(self._move_to):
                self._save(engine)  # first: after SIGTERM there may be little time
                goes_on = self._goes_on()
                closing = not goes_on and self.signal is None and bool(self.metrics.metrics)
                with self.parts.interrupted():
                    self.team.agreed({"closing": closing, "experiment": self.experiment.to_yaml() if goes_on else None})
                if goes_on:
                    self.parts.go_on()
                    return
                self.sheets.save_sheet(images_drawn(engine))
                if closing:
                    self._measure(engine, closing=True)
                self.sheets.save_film()
            self.parts.go_on()
            self.signal = self.signal or self.wishes.wanted

    def _stop(self, number: int, words: str = "once more to stop at once") -> None:
        self.wishes.say_stopping(words)
        if self.team.world > 1:
            self.wishes.wish(number)
            return
        self.signal = number
        self.parts.engine.terminate()

    def _before_first_step(self, engine: Engine) -> None:
        if self.signal is not None:  # it came between the signal handlers and the first step
            engine.terminate()

    def _after_step(self, engine: Engine) -> None:
        state: Any = engine.state
        before, images = state.images - state.drawn, state.images
        self.parts.averaging.update(state.drawn, images)
        self.step = state.iteration
        if self.team.world > 1:
            self.signal = self.wishes.heard()
            if self.signal is not None:
                self.wishes.say_stopping("another rank was asked to")
                engine.terminate()
        with self.whereabouts.guarded(self._move_to):
            self._write_what_is_due(engine, before, images)
        self.parts.go_on()
        if self.agreements.due(before, images):
            self.agreements.lead(end=self.stop_reason is not None or (self.agreements.measuring and self.measured))

    def _write_what_is_due(self, engine: Engine, before: int, images: int) -> None:
        """After a step that took the clock from `before` to `images`."""
        state: Any = engine.state
        self.recorder.add(state.output, step=self.step, images=images, drawn=state.drawn, waited=state.waited)
        self.terminal.step(state.drawn)
        self.words.after_step(images)
        if self.sheets.due(before, images):
            with cost(self.budget, "sheet"):
                self.sheets.save_sheet(images)
            self.recorder.pause()
        with cost(self.budget if self.checks.due(before, images) else None, "checks"):
            records = [*self.checks.records(before, images, self.step)]
        for record in records:
            self.recorder.record_metrics(record)
            say(*said(record))
        self._end(self.checks.reason() if records else None)
        keep = [f"{images:09}"] if _passed(before, images, self.keep_every) else []
        if self.metrics.due(before, images) and self._measure(engine):
            keep.append("best")
        if self.budget is not None:
            self.budget.after_step(images)
            if not self.budget.over and "best" not in keep and self.stop_reason is None:
                return  # nothing is saved of a run whose length is not known
            engine.terminate()
            self._save(engine, keep_as=keep)
        elif keep or self.stop_reason or _passed(before, images, self.experiment.checkpoint_every):
            self._save(engine, keep_as=keep)
            self.sheets.save_film_when_due()
            self.recorder.pause()

    def _measure(self, engine: Engine, *, closing: bool = False) -> bool:
        """Measure the metrics, and end the training if early stopping says so. Are these the best so far?"""
        with cost(self.budget, "metrics"), self.parts.interrupted():
            record = self.metrics.measure(
                players_in_use(self.parts), step=self.step, images=images_drawn(engine), closing=closing
            )
        self.recorder.record_metrics(record)
        if closing:
            return False
        self._end(self.metrics.stopping.reason())
        return self.metrics.stopping.best is record

    def _end(self, reason: str | None) -> None:
        """End the training after this step, where there is a reason."""
        if reason is not None:
            self.stop_reason = f"{reason}, after {self.recorder.seconds:,.0f} seconds of training"
            self.parts.engine.terminate()

    def _save(self, engine: Engine, *, keep_as: Sequence[str] = ()) -> None:
        """Checkpoint and model files, once the pending terms and the weights are known to be finite."""
        if self.saved_step == self.step:
            self.checkpoints.keep(keep_as)
            return
        if self.budget is not None and self.step:
            self.terminal.close()
            self.parts = settled(self.budget, self.folder, self.step, self.metrics, self.checks)
            self.experiment, self.budget, self.measured = self.parts.experiment, None, True
        self.recorder.flush(step=self.step, images=images_drawn(engine))
        require_finite(self.parts)
        state = capture(self.parts, step=self.step, seconds=self.recorder.seconds, processes=self.team.world)
        self.whereabouts.require()
        self.checkpoints.save(state, keep_as=keep_as)
        files = model_files(self.parts)
        self.whereabouts.require()
        saved.save(self.folder / "model", files)
        self.saved_step = self.step

    def _move_to(self, folder: Path) -> str:
        """Save the state into `folder`, where everything is written from here on. Returns how far the training came."""
        self.folder = self.sheets.folder = folder
        self.views.move_to(folder)
        self.checkpoints, self.saved_step = checkpoints_of(folder), None
        write_text(folder / "experiment.yaml", self.experiment.to_yaml())
        self._save(self.parts.engine)
        return f"{images_drawn(self.parts.engine):,} of {self.experiment.images:,} images"

    @property
    def _events(self) -> Path:
        return self.folder / "events.jsonl"


def _passed(before: int, now: int, every: int) -> bool:
    """Did the number of images pass a multiple of `every`? Never when `every` is 0."""
    return bool(every) and before // every < now // every
