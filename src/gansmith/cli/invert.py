"""`gansmith invert`: the latent of an image of one's own."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gansmith.cli.arguments import (
    Checkpoint,
    Device,
    Force,
    Label,
    Metadata,
    Raw,
    RunPath,
    Scale,
    Trust,
    echo,
    print_trained,
    refuse_options,
    require_out,
    require_own_run,
    shown_run,
)
from gansmith.cli.inversion import InversionParts, LossName
from gansmith.errors import OptionError
from gansmith.system.paths import shell_word
from gansmith.system.text import printable

if TYPE_CHECKING:
    from torch import Tensor

    from gansmith.latent.invert import Inversion
    from gansmith.runs.run import Run

_OUT = "inverted.safetensors"
_NO_ENCODER = "leave --method out (adam asks for none)"


class Method(StrEnum):
    """What `--method` takes."""

    ADAM = "adam"
    LBFGS = "lbfgs"
    CMAES = "cmaes"
    ENCODER = "encoder"
    HYBRID = "hybrid"


ENCODED = (Method.ENCODER, Method.HYBRID)  # that read the encoder of --train-encoder


class SpaceName(StrEnum):
    """What `--space` takes."""

    Z = "z"
    W = "w"


_Method = Annotated[
    Method,
    typer.Option(help="encoder: at once, by the one of --train-encoder; hybrid: lbfgs from there; cmaes: no gradient"),
]
_Loss = Annotated[
    LossName,
    typer.Option(help="what is near: pixels, lpips (installed by features install vgg), the discriminator's features"),
]
_Weights = Annotated[
    str | None, typer.Option(help="lpips: the file of vgg's weights, vgg16.ckpt, where it is not installed")
]
_Restarts = Annotated[int, typer.Option(min=1, max=1000, help="searches, from the nearest of 1,000 random samples on")]
_Steps = Annotated[int, typer.Option(min=1, max=1_000_000, help="of each search")]
_Likely = Annotated[float, typer.Option(min=0, help="weight of the prior, against latents that it hardly ever draws")]
_Train = Annotated[
    bool, typer.Option("--train-encoder", help="train the encoder of this generator, once; IMAGE may be left out")
]
_Images = Annotated[str | None, typer.Option(help="own samples that the encoder is trained on  [default: 20k]")]
_Time = Annotated[str | None, typer.Option(help="how long it is trained instead: 90s, 5m")]
_Out = Annotated[
    str | None, typer.Option(help="the latent file; a .png is written beside it  [default: inverted.safetensors]")
]


def invert(
    context: typer.Context,
    run: RunPath,
    image: Annotated[Path | None, typer.Argument(metavar="IMAGE", help="an image file")] = None,
    *,
    method: _Method = Method.ADAM,
    loss: _Loss = LossName.PIXELS,
    weights: _Weights = None,
    restarts: _Restarts = 8,
    steps: _Steps = 200,
    likely: _Likely = 0.1,
    space: Annotated[SpaceName | None, typer.Option(help="where to look; w where there is one")] = None,
    label: Label = None,
    train_encoder: _Train = False,
    images: _Images = None,
    time: _Time = None,
    out: _Out = None,
    force: Force = False,
    raw: Raw = False,
    checkpoint: Checkpoint = None,
    scale: Scale = None,
    metadata: Metadata = True,
    device: Device = "auto",
    trust: Trust = False,
) -> None:
    """Find the latent whose image is nearest to an image of your own.

    Every command takes the latent file, and the PNG beside it, where it takes a seed. The PNG shows your image, the
    generator's, and the best of 1,000 random samples.
    """
    from gansmith.latent.invert import invert as search
    from gansmith.latent.latent_file import require_latent_suffix, save_latents
    from gansmith.runs.folder import image_folders
    from gansmith.runs.run import Run

    _refuse(context, method, image, loss, train_encoder=train_encoder)
    require_latent_suffix(out or _OUT)
    opened = Run(run, trust=trust)
    if train_encoder or (method in ENCODED and not (run / "encoders").exists()):
        require_own_run(run, "an encoder is kept in the run", "" if train_encoder else _NO_ENCODER)
    path = require_out(out, _OUT, _files, force=force, inputs=[image], data=image_folders(run)) if image else None
    renderer = opened.renderer(raw=raw, checkpoint=checkpoint, device=device)
    parts = InversionParts(
        opened, renderer, raw=raw, checkpoint=checkpoint, space=None if space is None else space.value, weights=weights
    )
    target = None if image is None else _target(opened, image, renderer.images([0], label=label).images.shape)
    metric = parts.metric(loss)
    print_trained(opened, raw=raw, checkpoint=checkpoint)
    encoder = parts.encoder(loss, train=train_encoder, read=method in ENCODED, images=images, time=time)
    if target is None or path is None:
        return
    result = search(
        renderer, target, metric, method=method.value, restarts=restarts, steps=steps, likely=likely,
        space=parts.space, label=label, name=printable(path.stem), encoder=encoder,
    )  # fmt: skip
    save_latents(path, [result.latent], renderer.origin, force=force)
    series = renderer.images([result.latent])
    _save_sheet(path.with_suffix(".png"), target, result, series.text() if metadata else {}, scale=scale, force=force)
    _tell(path, result, loss, run)


def _refuse(context: typer.Context, method: Method, image: Path | None, loss: LossName, *, train_encoder: bool) -> None:
    """Raises OptionError where there is nothing to do, and for options that would do nothing."""
    if image is None and not train_encoder:
        raise OptionError("which image? gansmith invert RUN IMAGE, or gansmith invert RUN --train-encoder")
    if method in ENCODED:
        names = ["restarts"] if method is Method.HYBRID else ["restarts", "steps", "likely"]
        refuse_options(context, names, f"--method {method.value} begins at the encoder's estimate")
    if not train_encoder:
        refuse_options(context, ["images", "time"], "they are of --train-encoder")
    if loss is not LossName.LPIPS:
        refuse_options(context, ["weights"], "they are of --loss lpips")


def _files(out: Path) -> list[Path]:
    return [out, out.with_suffix(".png")]


def _target(opened: Run, image: Path, shape: Sequence[int]) -> Tensor:
    """The image [1, C, H, W] in [-1, 1], brought to the generator's size as the training images were."""
    from gansmith.runs.own_image import own_target

    channels, height, width = shape[1:]
    return own_target(opened.data, image, (height, width, channels))


def _save_sheet(
    path: Path, target: Tensor, result: Inversion, text: dict[str, str], *, scale: int | None, force: bool
) -> None:
    """Target, result and best random sample side by side."""
    import torch

    from gansmith.records.images import draw_sheet, save_image

    images = torch.stack([target[0].cpu(), result.image, result.random_image])
    save_image(draw_sheet(images, columns=3, scale=scale), path, replace=force, text=text)


def _tell(path: Path, result: Inversion, loss: LossName, run: Path) -> None:
    from gansmith.latent.invert import RANDOM

    random = f"of the best of {RANDOM:,} random samples {result.random_loss:.4g}"
    echo(f"{loss.value} from your image: {result.loss:.4g}, and {random}")
    if not result.better:
        echo("this generator cannot make this image: the nearest that was found is no nearer than a random sample")
    elif not result.reached:
        echo(
            f"this generator cannot make this image: the nearest that was found is farther from it than two random "
            f"samples are from each other ({result.apart:.4g})"
        )
    picture = printable(path.with_suffix(".png"))
    echo(f"the latent -> {printable(path)}; your image, the generator's, the best random one -> {picture}")
    echo(f"next: gansmith interpolate {shell_word(shown_run(run))} 3 {shell_word(printable(path))}")
