"""Every error that a user can meet.

GansmithError                 the offending value, the allowed ones, what to do; no traceback on the command line
|- UnknownNameError           no such model, objective, format, recipe, field ...; names the nearest
|- OptionError                a known thing with a wrong option or value
|  |- OutputError             a file that would be overwritten, or cannot be written
|- DataError                  the images: missing, empty, unreadable, of the wrong shape
|  |- UnreadableImageError    one image that cannot be decoded
|- ExperimentError            fields that do not fit together
|- RunError                   a run folder: absent, locked by another process, of another experiment
|  |- CheckpointError         no checkpoint, or none that can be read
|  |  |- DamagedCheckpointError  one whose content is not what was written; the one before it may be whole
|- TrainingError              a run that cannot go on
|  |- WiringError             a trained parameter without gradient, an idle player with one
|  |- NotFiniteError          a NaN or infinity in a term or in the weights
|  |- OutOfMemoryError        an allocation that failed
|  |- LostRankError           another process of the training has failed, ended, or cannot be reached
|  |- TrainingInterrupted     Ctrl-C, SIGTERM or SIGHUP: nothing is lost
|- NoDependencyError          a gradient was asked of something that the output does not depend on
|  |- LostGraphError          ... because a traced value was turned into a plain number
|- ExportError                an exported network that cannot be written, or computes something else
|- MissingExtraError          an optional package or program that is not installed
"""

from __future__ import annotations

from collections.abc import Iterable


class GansmithError(Exception):
    """The root: `except GansmithError` catches everything that this package raises on purpose.

    >>> from gansmith import GansmithError, Run
    >>> try: Run("nowhere")
    ... except GansmithError as error: print(error)
    there is no run nowhere. Runs beside it: none
    """

    exit_code = 1  # of the command line


class UnknownNameError(GansmithError):
    """A name that nothing answers to."""


class OptionError(GansmithError):
    """An option that does not exist, or a value that it does not take."""


class OutputError(OptionError):
    """A place to write to where something would be lost, or that cannot be written."""

    exit_code = 2


class DataError(GansmithError):
    """Images that cannot be used."""


class UnreadableImageError(DataError):
    """One image that cannot be decoded; the message names it."""


class ExperimentError(GansmithError):
    """An experiment whose parts do not fit together."""


class RunError(GansmithError):
    """A run folder that cannot be used as asked."""


class CheckpointError(RunError):
    """No checkpoint, or none that can be read."""


class DamagedCheckpointError(CheckpointError):
    """One checkpoint whose content is not what was written."""


class TrainingError(GansmithError):
    """A run that cannot go on."""


class WiringError(TrainingError):
    """Gradients that do not go where the game says they go."""


class NotFiniteError(TrainingError):
    """A NaN or an infinity."""


class OutOfMemoryError(TrainingError):
    """An allocation that failed."""


class LostRankError(TrainingError):
    """Another process of the training has failed, ended, or cannot be reached; the message names its rank."""


class TrainingInterrupted(TrainingError, SystemExit):  # noqa: N818  (nothing went wrong)
    """Ctrl-C, SIGTERM or SIGHUP: everything is saved, and the training has said how to go on.

    Also a SystemExit: a script that does not catch it ends with the status of the signal and without a traceback.
    """

    def __init__(self, message: str, *, signal: int) -> None:
        super().__init__(message)
        self.exit_code = self.code = 128 + signal


class NoDependencyError(GansmithError):
    """The output does not depend on what the gradient was asked for."""


class LostGraphError(NoDependencyError):
    """A traced value was turned into a plain number, and its gradient with it."""


class ExportError(GansmithError):
    """An exported network that cannot be written, or computes something else than the trained one."""


class MissingExtraError(GansmithError):
    """An optional package or program that is not installed."""


def nearest(name: str, known: Iterable[str]) -> str:
    """`Did you mean 'wgan_gp'? ` when something in `known` looks like `name`, else an empty string.

    >>> nearest("wgan_pg", ["hinge", "wgan_gp"])
    "Did you mean 'wgan_gp'? "
    """
    import difflib  # here: every command imports this module, few make a mistake

    close = difflib.get_close_matches(name.lower(), list(known), n=1, cutoff=0.5)
    return f"Did you mean {close[0]!r}? " if close else ""


def unknown(kind: str, name: str, known: Iterable[str]) -> str:
    """`no objective called 'wgan_pg'. Did you mean 'wgan_gp'? Known: ...`"""
    names = sorted(known)
    return f"no {kind} called {name!r}. {nearest(name, names)}Known: {', '.join(names) or 'none'}"
