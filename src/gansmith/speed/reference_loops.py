"""One GAN step in plain PyTorch, twice: as textbooks print it, and written by hand for speed.

Nothing of gansmith is used here. Both loops compute what the game of two players computes under the non-saturating
objective (Goodfellow et al. 2014, "Generative Adversarial Nets", Algorithm 1 and the last paragraph of section 3), so
they say what our engine must not lose against (`ByHand`) and what it should gain on (`Textbook`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, Literal

import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

Losses = tuple[Tensor, Tensor]  # the discriminator's and the generator's, scalars


@dataclass(frozen=True)
class Inputs:
    """What a loop reads.

    real(step)           uint8 [B, H, W, C]
    latents(step, turn)  [B, Z] on the device; turn 0 is the discriminator's, 1 the generator's
    adam                 options of Adam for each of the two networks: lr, betas
    """

    real: Callable[[int], NDArray[Any]]
    latents: Callable[[int, int], Tensor]
    adam: Mapping[str, Mapping[str, Any]]
    device: torch.device


class Textbook:
    """Float32, channels first, a fresh fake with its graph for each turn, nothing frozen, Adam as it comes."""

    def __init__(self, generator: nn.Module, discriminator: nn.Module, inputs: Inputs) -> None:
        self.generator, self.discriminator, self.inputs = generator, discriminator, inputs
        self.adam_g = torch.optim.Adam(generator.parameters(), **inputs.adam["generator"])
        self.adam_d = torch.optim.Adam(discriminator.parameters(), **inputs.adam["discriminator"])
        self.loss = nn.BCEWithLogitsLoss()
        self.steps = 0

    def step(self) -> Losses:
        inputs = self.inputs
        real = torch.from_numpy(inputs.real(self.steps)).to(inputs.device)
        real = (real.permute(0, 3, 1, 2).float() / 127.5 - 1).contiguous()
        ones, zeros = torch.ones(len(real), device=real.device), torch.zeros(len(real), device=real.device)

        self.discriminator.zero_grad()
        fake = self.generator(inputs.latents(self.steps, 0))
        loss_d = self.loss(self.discriminator(real), ones) + self.loss(self.discriminator(fake.detach()), zeros)
        loss_d.backward()
        self.adam_d.step()

        self.generator.zero_grad()
        fake = self.generator(inputs.latents(self.steps, 1))
        loss_g = self.loss(self.discriminator(fake), ones)
        loss_g.backward()
        self.adam_g.step()

        self.steps += 1
        return loss_d.detach(), loss_g.detach()


class ByHand:
    """The same mathematics without the waste: no graph through the generator in the discriminator's turn, no gradient
    of the discriminator in the generator's, fused Adam, and, if asked, bfloat16 autocast.

    The networks come in the memory layout that they are to have; the images follow `channels_last`.
    """

    def __init__(
        self,
        generator: nn.Module,
        discriminator: nn.Module,
        inputs: Inputs,
        *,
        precision: Literal["float32", "bfloat16"] = "float32",
        channels_last: bool = True,
    ) -> None:
        self.generator, self.discriminator, self.inputs = generator, discriminator, inputs
        self.adam_g = torch.optim.Adam(generator.parameters(), fused=True, **inputs.adam["generator"])
        self.adam_d = torch.optim.Adam(discriminator.parameters(), fused=True, **inputs.adam["discriminator"])
        self.precision = precision
        self.layout = torch.channels_last if channels_last else torch.contiguous_format
        self.steps = 0

    def step(self) -> Losses:
        inputs = self.inputs
        real = torch.from_numpy(inputs.real(self.steps)).to(inputs.device)
        real = real.permute(0, 3, 1, 2).float().div_(127.5).sub_(1).contiguous(memory_format=self.layout)

        self.adam_d.zero_grad(set_to_none=True)
        with self._autocast():
            with torch.no_grad():
                fake = self.generator(inputs.latents(self.steps, 0))
            real_scores, fake_scores = self.discriminator(real).float(), self.discriminator(fake).float()
            loss_d = (F.softplus(-real_scores) + F.softplus(fake_scores)).mean()
        loss_d.backward()
        self.adam_d.step()

        self.discriminator.requires_grad_(False)
        self.adam_g.zero_grad(set_to_none=True)
        with self._autocast():
            loss_g = F.softplus(-self.discriminator(self.generator(inputs.latents(self.steps, 1))).float()).mean()
        loss_g.backward()
        self.adam_g.step()
        self.discriminator.requires_grad_(True)

        self.steps += 1
        return loss_d.detach(), loss_g.detach()

    def _autocast(self) -> Any:
        if self.precision == "float32":
            return nullcontext()
        return torch.autocast(self.inputs.device.type, dtype=torch.bfloat16)
