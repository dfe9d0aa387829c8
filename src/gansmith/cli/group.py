"""Groups of commands: help without arguments; for an unknown option the nearest one, by spelling or by meaning."""

from __future__ import annotations

import difflib
import shutil
from collections.abc import Iterable
from typing import Any

import typer
from typer.core import TyperGroup

from gansmith.cli.several import ARGUMENTS

_ONE_MEANING = {  # what other programs call it: options here, the first that the command has
    "--out": "output o output-dir outdir save-dir logdir dest",
    "--size": "resolution res image-size img-size imsize",
    "--batch": "batch-size bs batchsize minibatch",
    "--images": "epochs epoch iterations iters steps niter kimg nimg duration",
    "--device": "gpu gpus cuda cpu mps",
    "--seeds": "seed n num count number samples n-samples num-images",
    "--samples": "n num count number n-samples num-images images",
    "--objective": "loss gan-loss criterion gan-mode",
    "--recipe": "preset cfg",
    "--data": "dataset dataroot",
    "--workers": "num-workers nproc jobs j",
    "--flip": "mirror",
    "--force": "overwrite yes f",
    "--dry-run": "check",
    "--raw": "no-ema",
    "--precision": "amp fp16 bf16 half",
}
_FIELDS = {  # and fields of an experiment, for commands with --set
    "metrics.names=kid": "metrics metric eval",
    "metrics.every=50k": "eval-every metrics-every",
    "optimizer.generator.lr=2e-4": "lr learning-rate lr-g g-lr",
    "optimizer.discriminator.lr=2e-4": "lr-d d-lr",
    "generator.name=NAME": "generator model network arch g netg",
    "discriminator.name=NAME": "discriminator critic d netd",
    "classifier.name=NAME": "classifier",
    "game.name=NAME": "game",
    "generator.width=64": "width ngf channels-g",
    "discriminator.width=64": "ndf",
    "prior.size=100": "z-dim zdim latent latent-dim nz noise prior",
    "augment=diffaugment": "augment augmentation aug ada diffaugment",
    "penalties.r1.weight=10": "penalty penalties r1 r1-gamma gamma gp",
    "averaging.half_life=10k": "ema averaging ema-decay",
    "stop.metric=kid": "stop early-stopping patience",
    "data.other=PATH": "other target",
    "generator.conditional=true --set discriminator.conditional=true": "conditional cond labels classes",
}
_NARROW = 80  # columns; below, rich's tables cut the names of options
_NEAR = 0.7  # similarity of spellings, of 1


class Group(TyperGroup):
    """A group of commands. Without arguments it prints its help and ends with status 0."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if not args and self.no_args_is_help and not ctx.resilient_parsing:
            typer.echo(ctx.get_help())
            ctx.exit()
        ctx.meta.setdefault(ARGUMENTS, [*args])
        return super().parse_args(ctx, args)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command; on a terminal too narrow for columns its help is plain lines, in which nothing is cut."""
        command: Any = super().get_command(ctx, cmd_name)
        columns = shutil.get_terminal_size().columns
        if columns < _NARROW and command is not None and not isinstance(command, TyperGroup):
            command.rich_markup_mode = None
            command.context_settings["terminal_width"] = columns - 1
        return command

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except Exception as error:
            # an unknown option, told by its attributes: the class is click's, or typer's own copy of it
            if hasattr(error, "option_name") and hasattr(error, "possibilities"):
                name, where = str(error.option_name), getattr(error, "ctx", None) or ctx
                parameters = where.command.params
                options = [option for parameter in parameters for option in parameter.opts]
                settings = any(parameter.name == "assignments" for parameter in parameters)
                vars(error)["message"] = f"No such option: {name}. {meant(name, options, settings=settings)}".strip()
                error.possibilities = None
            raise


def meant(given: str, options: Iterable[str], *, settings: bool = False) -> str:
    """`Did you mean --out?` by the meaning or the spelling of an option that a command with `options` does not have;
    empty where nothing is near. settings: its --set takes the fields of an experiment.

    >>> meant("--resolution", ["--size", "--out"]), meant("--metrics", ["--trust", "--set"], settings=True)
    ('Did you mean --size?', 'Did you mean --set metrics.names=kid?')
    """
    known = {option for option in options if option.startswith("--")}
    word = given.lstrip("-").lower().replace("_", "-")
    same = [option for option in known if option == f"--{word}"]
    meaning = [option for option, words in _ONE_MEANING.items() if option in known and word in words.split()]
    field = [f"--set {field}" for field, words in _FIELDS.items() if settings and word in words.split()]
    spelling = difflib.get_close_matches(f"--{word}", sorted(known), n=1, cutoff=_NEAR)
    for near in (same, spelling, meaning, field, _inside(word) if settings else []):
        if near:
            return f"Did you mean {near[0]}?"
    return ""


def _inside(word: str) -> list[str]:
    """The settings of an experiment whose last word is this one: `--half-life` -> averaging.half_life."""
    from gansmith.experiment.field_paths import flat
    from gansmith.experiment.schema import Experiment

    paths = [path for path, _ in flat(Experiment().plain())]
    return [f"--set {path}=VALUE" for path in paths if path.rpartition(".")[2].replace("_", "-") == word]
