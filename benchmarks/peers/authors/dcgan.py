"""DCGAN as PyTorch's example trains it: the textbook's loop, written anew from the paper and the example's settings.

Radford, Metz, Chintala 2016, "Unsupervised Representation Learning with Deep Convolutional Generative Adversarial
Networks"; the example's documented settings: batch 64, nz 100, ngf = ndf = 64, Adam 2e-4 with betas (.5, .999), weights
from N(0, .02), of batch norm from N(1, .02). Float32, channels first, nothing frozen, one fake for both turns.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from benchmarks.peers.authors.task import Task, as_tensor, program

BATCH, LATENT, WIDTH = 64, 100, 64
RATE, BETAS = 2e-4, (0.5, 0.999)


def generator(size: int, channels: int) -> nn.Sequential:
    """Latents [B, 100, 1, 1] -> images [B, C, size, size] in [-1, 1]; size 16, 32, 64 ... 64 pixels are the example's,
    half of them leave out the widest layer."""
    width = WIDTH * size // 8  # 512 channels of 4 x 4 at 64 pixels
    layers: list[nn.Module] = [nn.ConvTranspose2d(LATENT, width, 4, 1, 0, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
    while width > WIDTH:
        layers += [
            nn.ConvTranspose2d(width, width // 2, 4, 2, 1, bias=False),
            nn.BatchNorm2d(width // 2),
            nn.ReLU(),
        ]
        width //= 2
    return nn.Sequential(*layers, nn.ConvTranspose2d(WIDTH, channels, 4, 2, 1, bias=False), nn.Tanh())


def discriminator(size: int, channels: int) -> nn.Sequential:
    """Images [B, C, size, size] -> raw scores [B, 1, 1, 1]."""
    layers: list[nn.Module] = [nn.Conv2d(channels, WIDTH, 4, 2, 1, bias=False), nn.LeakyReLU(0.2)]
    width = WIDTH
    while width < WIDTH * size // 8:
        layers += [
            nn.Conv2d(width, width * 2, 4, 2, 1, bias=False),
            nn.BatchNorm2d(width * 2),
            nn.LeakyReLU(0.2),
        ]
        width *= 2
    return nn.Sequential(*layers, nn.Conv2d(width, 1, 4, 1, 0, bias=False))


@torch.no_grad()
def initialise(module: nn.Module) -> None:
    """Weights of one layer, by the paper's section 3 and the example's batch norm."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        module.weight.normal_(0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        module.weight.normal_(1.0, 0.02)
        module.bias.zero_()


class Dcgan:
    """images: float32 [N, C, H, W] in [-1, 1], square, of a size that is a power of two from 16"""

    def __init__(self, images: Tensor) -> None:
        size, channels = images.shape[-1], images.shape[1]
        self.images = images
        self.generator = generator(size, channels).apply(initialise)
        self.discriminator = discriminator(size, channels).apply(initialise)
        self.networks: dict[str, nn.Module] = {"generator": self.generator, "discriminator": self.discriminator}
        self.loss = nn.BCEWithLogitsLoss()  # the example's sigmoid and BCELoss in one: the same loss, exact in float32
        self.adam_g = torch.optim.Adam(self.generator.parameters(), lr=RATE, betas=BETAS)
        self.adam_d = torch.optim.Adam(self.discriminator.parameters(), lr=RATE, betas=BETAS)
        self._order = torch.empty(0, dtype=torch.long)

    def step(self, _: float) -> int:
        real = self._next()
        ones, zeros = torch.ones(len(real)), torch.zeros(len(real))

        self.discriminator.zero_grad()
        self.loss(self.discriminator(real).flatten(), ones).backward()
        fake = self.generator(torch.randn(len(real), LATENT, 1, 1))
        self.loss(self.discriminator(fake.detach()).flatten(), zeros).backward()
        self.adam_d.step()

        self.generator.zero_grad()
        self.loss(self.discriminator(fake).flatten(), ones).backward()
        self.adam_g.step()
        return len(real)

    def sample(self, count: int) -> Tensor:
        """In training mode, batch by batch, as the example writes its sheets."""
        batches = [self.generator(torch.randn(BATCH, LATENT, 1, 1)) for _ in range(0, count, BATCH)]
        return torch.cat(batches)[:count]

    def _next(self) -> Tensor:
        """The next batch of a shuffled epoch; the last of an epoch may be smaller."""
        if not len(self._order):
            self._order = torch.randperm(len(self.images))
        chosen, self._order = self._order[:BATCH], self._order[BATCH:]
        return self.images[chosen]


def build(_: Task, images: NDArray[np.uint8]) -> Dcgan:
    return Dcgan(as_tensor(images))


if __name__ == "__main__":
    program(build)
