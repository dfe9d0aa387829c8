"""Image pool: fakes of earlier steps among those that a discriminator reads.

Shrivastava, Pfister, Tuzel, Susskind, Wang, Webb 2017, "Learning from Simulated and Unsupervised Images through
Adversarial Training", section 2.3; the rule is that of the code of Zhu, Park, Isola, Efros 2017, "Unpaired
Image-to-Image Translation using Cycle-Consistent Adversarial Networks" (their section 4: 50 images).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from gansmith.errors import CheckpointError
from gansmith.system.collectives import gathered, own_rows
from gansmith.system.memory import require_memory


class Pool:
    """Image pool of up to `capacity` fakes; without effect at a capacity of 0.

    Images enter one after the other. While there is room, an image is stored and returned. Then, with probability 1/2,
    it is returned and not stored; else it replaces a stored one, each as likely, which is returned instead. Processes
    that share a batch keep the same pool each: all images enter it, in the order of the global batch.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity, self.images = capacity, torch.empty(0)

    @torch.no_grad()
    def mixed(self, fresh: Tensor, rng: torch.Generator) -> Tensor:
        """Fresh fakes [B, C, H, W] -> images in their place, the same shape, without a graph. `rng` must be on
        their device; nothing waits for the device. Raises OptionError for a pool that no memory holds once it is full.
        """
        fresh = fresh.detach()
        if not self.capacity:
            return fresh
        return own_rows(self._mixed(gathered(fresh), rng))

    def _mixed(self, fresh: Tensor, rng: torch.Generator) -> Tensor:
        """`mixed` of the images of all processes."""
        if not len(self.images):
            shape = "x".join(map(str, fresh.shape[1:]))
            require_memory(
                self.capacity * fresh[0].numel() * fresh.element_size() if len(fresh) else 0,
                f"an image pool of {self.capacity:,} images, {shape},",
                "choose a smaller one (--set game.pool=50)",
            )
            self.images = fresh.new_empty(0, *fresh.shape[1:])
        if self.images.shape[1:] != fresh.shape[1:]:
            held, made = list(self.images.shape[1:]), list(fresh.shape[1:])
            raise CheckpointError(f"the image pool of the checkpoint holds images of {held}, and the game's are {made}")
        self.images = self.images.to(fresh.device)
        room = self.capacity - len(self.images)
        if room:
            self.images = torch.cat([self.images, fresh[:room]])
        late = fresh[room:]
        swaps = torch.rand(len(late), generator=rng, device=rng.device) < 0.5
        places = torch.randint(self.capacity, (len(late),), generator=rng, device=rng.device)
        mixed = [fresh[:room]]
        for number in range(len(late)):
            image, swap, place = late[number : number + 1], swaps[number], places[number : number + 1]
            old = self.images.index_select(0, place)
            mixed.append(torch.where(swap, old, image))
            self.images.index_copy_(0, place, torch.where(swap, image, old))
        return torch.cat(mixed)

    def state_dict(self) -> dict[str, Any]:
        return {"images": self.images.clone()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        images = state["images"]
        if len(images) > self.capacity or (len(images) and images.ndim != 4):
            raise CheckpointError(f"an image pool of {self.capacity} cannot hold {list(images.shape)}")
        self.images = images.clone()
