"""`stylegan2-pytorch` 1.9.0 at the settings of its command line, at the size of the images.

A StyleGAN2 (Karras et al. 2020) with changes of its author's: batch 5 six times accumulated, Adam 2e-4 (discriminator
times 1.5) with betas (.5, .9), hinge, gradient penalty every fourth step. For sets of few images its manual names
`--aug-prob 0.25`. Samples are truncated at psi = .75, the command line's own.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from benchmarks.peers.authors import shim
from benchmarks.peers.authors.task import Task, program

BATCH, ACCUMULATE = 5, 6
PSI = 0.75
FEW, FEW_AUGMENTED = 10_000, 0.25  # images below which the manual's setting for few is taken
AVERAGED_FROM = 20_000  # steps: before, the package's averaged generator is a copy up to 1,000 steps old
OPTIONS = {"ttur_mult": 1.5, "trunc_psi": PSI}  # the defaults of its command line where the trainer's own differ


class StyleGan2:
    def __init__(self, package: Any, task: Task, images: NDArray[np.uint8]) -> None:
        self.package = package
        self.grey = images.shape[-1] == 1
        self.trainer = package.Trainer(
            name="peer",
            base_dir=task.out,
            image_size=images.shape[1],
            batch_size=BATCH,
            gradient_accumulate_every=ACCUMULATE,
            aug_prob=FEW_AUGMENTED if len(images) < FEW else 0.0,
            transparent=images.shape[-1] == 4,
            num_workers=0,  # in this process, whose seconds are counted
            **OPTIONS,
        )
        shim.silence(self.trainer)
        self.trainer.set_data_src(str(shim.folder_of(images, Path(task.out) / "images")))
        self.trainer.init_GAN()
        gan = self.trainer.GAN
        self.networks: dict[str, nn.Module] = {"mapping": gan.S, "generator": gan.G, "discriminator": gan.D}

    def step(self, _: float) -> int:
        shim.play(self.trainer, self.package.NanException)
        return BATCH * ACCUMULATE

    def sample(self, count: int) -> Tensor:
        gan = self.trainer.GAN.eval()
        averaged = self.trainer.steps > AVERAGED_FROM
        mapping, network = (gan.SE, gan.GE) if averaged else (gan.S, gan.G)
        latents = self.package.noise_list(count, network.num_layers, network.latent_dim, device=0)
        noise = self.package.image_noise(count, network.image_size, device=0)
        self.trainer.av = None  # the mean of W that truncation moves towards, of these weights
        images: Tensor = self.trainer.generate_truncated(mapping, network, latents, noise, trunc_psi=PSI)
        if self.grey:  # the package has three channels or four
            images = images.mean(1, keepdim=True)
        return images * 2 - 1


def build(task: Task, images: NDArray[np.uint8]) -> StyleGan2:
    return StyleGan2(shim.load("stylegan2_pytorch", "stylegan2_pytorch", absent=("aim",)), task, images)


if __name__ == "__main__":
    program(build)
