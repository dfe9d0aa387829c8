"""`lightweight-gan` 1.2.1 at the settings of its command line, at the size of the images.

A FastGAN (Liu, Zhu, Song, Elgammal 2021) with changes of its author's: batch 10 four times accumulated, Adam 2e-4 with
betas (.5, .9), gradient penalty every fourth step, augmentation of `min(.5, (1e5 - N) * 3e-6)` of the batches.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from benchmarks.peers.authors import shim
from benchmarks.peers.authors.task import Task, program

BATCH, ACCUMULATE = 10, 4
AVERAGED_FROM = 20_000  # steps: before, the package's averaged generator is a copy up to 1,000 steps old
# the defaults of its command line where the trainer's own differ
OPTIONS = {"attn_res_layers": [32], "disc_output_size": 1, "aug_types": ["cutout", "translation"], "use_aim": False}


class Lightweight:
    def __init__(self, package: Any, task: Task, images: NDArray[np.uint8]) -> None:
        self.nan = package.NanException
        self.grey = images.shape[-1] == 1
        self.trainer = package.Trainer(
            name="peer",
            base_dir=task.out,
            image_size=images.shape[1],
            batch_size=BATCH,
            gradient_accumulate_every=ACCUMULATE,
            greyscale=self.grey,
            transparent=images.shape[-1] == 4,
            num_workers=0,  # in this process, whose seconds are counted
            **OPTIONS,
        )
        shim.silence(self.trainer)
        self.trainer.set_data_src(str(shim.folder_of(images, Path(task.out) / "images")))
        self.trainer.init_GAN()
        gan = self.trainer.GAN
        self.networks: dict[str, nn.Module] = {"generator": gan.G, "discriminator": gan.D}

    def step(self, _: float) -> int:
        shim.play(self.trainer, self.nan)
        return BATCH * ACCUMULATE

    def sample(self, count: int) -> Tensor:
        gan = self.trainer.GAN.eval()
        network = gan.GE if self.trainer.steps > AVERAGED_FROM else gan.G
        images: Tensor = self.trainer.generate_(network, torch.randn(count, gan.latent_dim))
        return images * 2 - 1


def build(task: Task, images: NDArray[np.uint8]) -> Lightweight:
    return Lightweight(shim.load("lightweight_gan", "lightweight_gan"), task, images)


if __name__ == "__main__":
    program(build)
