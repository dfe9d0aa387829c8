"""A diffusion model by `diffusers`: DDPM training (Ho, Jain, Abbeel 2020), DDIM sampling (Song, Meng, Ermon 2021).

Two settings, both the library's authors' own. `EXAMPLE` is the unconditional example (64 px: batch 16, AdamW 1e-4 with
betas (.95, .999) and weight decay 1e-6, 500 steps of warm-up, cosine, gradients clipped at 1, averaging of power 3/4)
at half the size: without its 64 px level. `COURSE` is the first unit of their course, made for 32 px: narrower, batch
64, AdamW 4e-4, a cosine schedule of noise, no averaging.
"""

from __future__ import annotations

import importlib
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from benchmarks.peers.authors.task import Build, Task, as_tensor

NOISE_STEPS, SAMPLING_STEPS, SAMPLED_AT_ONCE = 1000, 50, 64


@dataclass(frozen=True)
class Settings:
    """widths: channels of each level, the first at the images' size;  attention: levels that have it;  warm_up: steps;
    cosine: whether the rate falls to 0 by the end of the time;  averaged: of power 3/4, at most .9999"""

    widths: tuple[int, ...]
    attention: tuple[int, ...]
    batch: int
    rate: float
    betas: tuple[float, float] = (0.9, 0.999)
    weight_decay: float = 1e-2
    noise: str = "linear"
    warm_up: int = 0
    cosine: bool = False
    clip: float | None = None
    averaged: bool = False


EXAMPLE = Settings(
    widths=(128, 128, 256, 256, 512),
    attention=(3,),  # at 4 pixels, as at 64 px
    batch=16,
    rate=1e-4,
    betas=(0.95, 0.999),
    weight_decay=1e-6,
    warm_up=500,
    cosine=True,
    clip=1.0,
    averaged=True,
)
COURSE = Settings(widths=(64, 128, 128, 256), attention=(2, 3), batch=64, rate=4e-4, noise="squaredcos_cap_v2")


class Diffusion:
    """images: float32 [N, C, H, W] in [-1, 1];  flip: half of the images drawn are mirrored"""

    def __init__(self, package: Any, settings: Settings, images: Tensor, *, flip: bool = False) -> None:
        self.package, self.settings, self.images, self.flip = package, settings, images, flip
        self.network: nn.Module = package.UNet2DModel(**network_options(settings, images.shape[-1], images.shape[1]))
        self.networks = {"denoiser": self.network}
        self.noise = package.DDPMScheduler(num_train_timesteps=NOISE_STEPS, beta_schedule=settings.noise)
        self.optimizer = torch.optim.AdamW(
            self.network.parameters(), lr=settings.rate, betas=settings.betas, weight_decay=settings.weight_decay
        )
        self.averaged: Any = None
        if settings.averaged:
            module = importlib.import_module("diffusers.training_utils")
            self.averaged = module.EMAModel(
                self.network.parameters(), decay=0.9999, use_ema_warmup=True, inv_gamma=1.0, power=0.75
            )
        self.steps = 0
        self._order = torch.empty(0, dtype=torch.long)

    def step(self, spent: float) -> int:
        real = self._next()
        noise = torch.randn_like(real)
        at = torch.randint(0, NOISE_STEPS, (len(real),))
        predicted = self.network(self.noise.add_noise(real, noise, at), at).sample
        self.optimizer.zero_grad()
        F.mse_loss(predicted.float(), noise).backward()
        if self.settings.clip is not None:
            nn.utils.clip_grad_norm_(self.network.parameters(), self.settings.clip)
        for group in self.optimizer.param_groups:
            group["lr"] = self.settings.rate * share_of_rate(self.settings, self.steps, spent)
        self.optimizer.step()
        if self.averaged is not None:
            self.averaged.step(self.network.parameters())
        self.steps += 1
        return len(real)

    def sample(self, count: int) -> Tensor:
        """By the averaged weights where there are any, in 50 steps of DDIM with eta 0."""
        if self.averaged is not None:
            self.averaged.copy_to(self.network.parameters())
        self.network.eval()
        sampler = self.package.DDIMScheduler.from_config(self.noise.config)
        sampler.set_timesteps(SAMPLING_STEPS)
        return torch.cat(
            [self._denoised(sampler, min(SAMPLED_AT_ONCE, count - begun)) for begun in range(0, count, SAMPLED_AT_ONCE)]
        )

    def _denoised(self, sampler: Any, count: int) -> Tensor:
        images: Tensor = torch.randn(count, *self.images.shape[1:])
        for at in sampler.timesteps:
            images = sampler.step(self.network(images, at).sample, at, images, eta=0.0).prev_sample
        return images

    def _next(self) -> Tensor:
        """The next batch of a shuffled epoch; the last of an epoch may be smaller."""
        if not len(self._order):
            self._order = torch.randperm(len(self.images))
        batch = self.settings.batch
        chosen, self._order = self._order[:batch], self._order[batch:]
        real = self.images[chosen]
        mirrored = torch.rand(len(real), 1, 1, 1) < 0.5
        return torch.where(mirrored, real.flip(3), real) if self.flip else real


def network_options(settings: Settings, size: int, channels: int) -> dict[str, Any]:
    """Of UNet2DModel."""
    levels = range(len(settings.widths))
    down = ["AttnDownBlock2D" if level in settings.attention else "DownBlock2D" for level in levels]
    return {
        "sample_size": size,
        "in_channels": channels,
        "out_channels": channels,
        "layers_per_block": 2,
        "block_out_channels": settings.widths,
        "down_block_types": tuple(down),
        "up_block_types": tuple(name.replace("Down", "Up") for name in reversed(down)),
    }


def share_of_rate(settings: Settings, steps: int, spent: float) -> float:
    """Of the highest rate: a linear warm-up in steps, then half a cosine over the time.

    Differs: the example's cosine runs over its number of steps, because here the time is what is set.
    """
    warm = min(1.0, steps / settings.warm_up) if settings.warm_up else 1.0
    return warm * (0.5 * (1 + math.cos(math.pi * min(spent, 1.0))) if settings.cosine else 1.0)


def build(settings: Settings) -> Build:
    def built(task: Task, images: NDArray[np.uint8]) -> Diffusion:
        return Diffusion(importlib.import_module("diffusers"), settings, as_tensor(images), flip=task.flip)

    return built
