"""What `gansmith invert` works with: a run's generator, losses by name, and the encoder in the run."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from gansmith.cli.arguments import echo
from gansmith.system.option_types import LARGEST
from gansmith.system.option_words import shown
from gansmith.system.paths import shell_word
from gansmith.system.text import printable

if TYPE_CHECKING:
    from gansmith.latent.encoder import Encoder
    from gansmith.latent.inversion_losses import Metric
    from gansmith.latent.latents import Space
    from gansmith.latent.renderer import Renderer
    from gansmith.runs.run import Run


class LossName(StrEnum):
    """What `--loss` takes."""

    PIXELS = "pixels"
    LPIPS = "lpips"
    FEATURES = "features"


@dataclass(frozen=True)
class InversionParts:
    """The generator that is used, of a run, and what belongs to it: losses, its encoder. weights: of LPIPS' network,
    where their file is elsewhere."""

    run: Run
    renderer: Renderer
    raw: bool
    checkpoint: str | None
    space: Space | None
    weights: str | None = None

    def metric(self, name: LossName) -> Metric:
        """The distance of images. Raises OptionError or RunError where it cannot be measured."""
        from gansmith.latent.inversion_losses import pixels

        return self.features(name) or pixels

    def features(self, name: LossName) -> Metric | None:
        """The distance on features; None for pixels."""
        from gansmith.errors import OptionError, RunError
        from gansmith.latent import inversion_losses
        from gansmith.pretrained import lpips, vgg
        from gansmith.pretrained.weights import folder

        if name is LossName.PIXELS:
            return None
        if name is LossName.LPIPS:
            if self.weights is None and not (folder() / vgg.WEIGHTS.file).is_file():
                raise OptionError(
                    f"--loss lpips reads the features of vgg; its weights {vgg.WEIGHTS.file} are not in {folder()}: "
                    f"gansmith features install vgg, or say where they are with --weights FILE, or --loss pixels"
                )
            network = lpips.published(self.weights).to(self.renderer.device)
            return lambda target: inversion_losses.perceptual(target, network)
        if "discriminator" not in self.run.players:
            raise RunError(f"{self.run.path} has no discriminator, whose features are compared: --loss pixels")
        discriminator, _ = self.run.network("discriminator", raw=self.raw, checkpoint=self.checkpoint)
        discriminator.to(self.renderer.device)
        return lambda target: inversion_losses.discriminator_features(target, discriminator)

    @property
    def _command(self) -> str:
        words = ["gansmith", "invert", shell_word(printable(self.run.path)), "--train-encoder"]
        words += ["--raw"] if self.raw else []
        words += [] if self.checkpoint is None else ["--checkpoint", shell_word(printable(self.checkpoint))]
        return " ".join(words + ([] if self.space is None else ["--space", self.space]))

    @property
    def _space(self) -> Space:
        return self.space or ("w" if self.renderer.has_w else "z")

    @property
    def _file(self) -> Path:
        from gansmith.latent.encoder import encoder_file

        return encoder_file(self.run.path, self._space)

    def encoder(
        self, loss: LossName, *, train: bool, read: bool, images: str | None, time: str | None
    ) -> Encoder | None:
        """The encoder, trained now or read, where one of them is asked for."""
        if train:
            return self.trained(loss, images=images, time=time)
        return self.stored() if read else None

    def stored(self) -> Encoder:
        """The encoder in the run. Raises OptionError for none, and for one of other weights."""
        from gansmith.latent.encoder import load_encoder

        return load_encoder(self._file, self.renderer, self._space, command=self._command)

    def trained(self, loss: LossName, *, images: str | None, time: str | None) -> Encoder:
        """An encoder, trained and written into the run."""
        from gansmith.latent.encoder import save_encoder
        from gansmith.latent.encoder_training import EXAMPLES, train_encoder
        from gansmith.training.precision import native_bfloat16

        examples, seconds = budget(images, time)
        encoder = train_encoder(
            self.renderer, examples=examples or EXAMPLES, seconds=seconds, space=self.space,
            features=self.features(loss), losses=() if loss is LossName.PIXELS else (loss.value,),
            precision="bfloat16" if native_bfloat16(self.renderer.device) else "float32",
        )  # fmt: skip
        path, header = save_encoder(self._file, encoder), encoder.header
        echo(
            f"the encoder -> {printable(path)}: {header.examples:,} own samples; of fresh ones the pixels differ by "
            f"{header.error:.4g}, those of two random samples by {header.apart:.4g}"
        )
        return encoder


def budget(images: str | None, time: str | None) -> tuple[int | None, float | None]:
    """Own samples and seconds of --images and --time, one of them at most. Raises OptionError."""
    from gansmith.errors import OptionError
    from gansmith.schedules import parse_count
    from gansmith.system.durations import parse_duration

    if images is not None and time is not None:
        raise OptionError("--images and --time both say how long the encoder is trained: give one")
    try:
        count = None if images is None else parse_count(images)
        seconds = None if time is None else parse_duration(time)
    except ValueError as error:
        raise OptionError(f"--{'images' if images is not None else 'time'}: {error}") from error
    if count is not None and not (isinstance(count, int) and 0 < count <= LARGEST):
        raise OptionError(f"--images = {shown(images)} is not allowed: a number of images above 0, such as 20k")
    return count, seconds
