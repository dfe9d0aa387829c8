"""Infinite shuffled stream of batches of real images, resumable at any batch.

Position p of the stream is item p mod N of the permutation of epoch p // N, which depends on the seed and the epoch
alone: the whole state is one number, the images drawn. Batches cross the end of an epoch. Each of several processes
takes its rows of every part of a batch (`system/sharing.py`), and flips and crops them as one process would.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gansmith.adversarial import Batch, Sample
from gansmith.data.crop import random_crops
from gansmith.data.dataset import Dataset, ImageItem
from gansmith.errors import DataError, ExperimentError
from gansmith.system.seeding import generator, mix
from gansmith.system.sharing import drawn, part_of, rows_of

if TYPE_CHECKING:
    from gansmith.data.prepared import Prepared

_ENDLESS = 1 << 60


class Batches(Dataset):
    """Item k is this process's rows of batch k: an ImageItem of [B, H, W, C]. Stateless: any k at any time.

    rows: which of 0 ... batch - 1 are here; all of them until it is set.
    """

    def __init__(self, dataset: Dataset, *, batch: int, seed: int) -> None:
        if not len(dataset):
            raise DataError("there are no images to draw from")
        self.dataset, self.batch, self.seed = dataset, batch, seed
        self.rows = np.arange(batch, dtype=np.int64)
        self._epochs: dict[int, Dataset] = {}

    def __len__(self) -> int:
        return _ENDLESS

    def one(self, index: int) -> ImageItem:
        positions = index * self.batch + self.rows
        epochs, within = np.divmod(positions, len(self.dataset))
        parts = [self._epoch(int(epoch))[within[epochs == epoch]] for epoch in np.unique(epochs)]
        return parts[0] if len(parts) == 1 else joined(parts)

    def _epoch(self, number: int) -> Dataset:
        if number not in self._epochs:
            if len(self._epochs) > 1:
                self._epochs.clear()
            self._epochs[number] = self.dataset.shuffle(seed=mix(self.seed, "epoch", number))
        return self._epochs[number]


class Stream:
    """Batches on the device, in [-1, 1], as {"real": Sample}.

    drawn    number of real images drawn so far, over all processes: the time of training

    flip: mirror left to right with probability 1/2. crop: (height, width) of a part of each image, anywhere in it, each
    time another. `workers` processes prefetch batches, which are the same with any number of them. accumulate: parts of
    a batch that are played one after another; a process holds its rows of the first, then of the second and so on.
    Raises ExperimentError for a batch that has no equal parts, or parts of fewer images than processes.
    """

    def __init__(
        self,
        dataset: Dataset,
        *,
        batch: int,
        seed: int = 0,
        flip: bool = False,
        crop: tuple[int, int] | None = None,
        device: torch.device | str = "cpu",
        memory_format: torch.memory_format = torch.channels_last,
        workers: int = 0,
        accumulate: int = 1,
    ) -> None:
        if batch % accumulate:
            raise ExperimentError(f"a batch of {batch} cannot be accumulated in {accumulate} equal parts")
        self.batches = Batches(dataset, batch=batch, seed=seed)
        self.batch, self.part, self.seed, self.flip, self.crop = batch, batch // accumulate, seed, flip, crop
        self.device, self.memory_format, self.workers = torch.device(device), memory_format, workers
        self.drawn = 0
        self._ahead: Iterator[ImageItem] | None = None

    def __iter__(self) -> Iterator[Batch]:
        return self

    def __next__(self) -> Batch:
        number = self.drawn // self.batch
        if self._ahead is None:
            with part_of(self.part):
                self.batches.rows = rows_of(torch.arange(self.batch)).numpy()
            self._ahead = iter(self.batches.parallel(workers=self.workers, start=number))
        item = next(self._ahead)
        self.drawn += self.batch
        with part_of(self.part):
            return {"real": self._on_device(item, number)}

    def state_dict(self) -> dict[str, Any]:
        return {"drawn": self.drawn}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        if state["drawn"] % self.batch:
            raise ExperimentError(f"{state['drawn']:,} images drawn is not a multiple of the batch of {self.batch}")
        self.drawn = state["drawn"]
        self.close()

    def close(self) -> None:
        """End the worker processes."""
        self._ahead = None

    def _on_device(self, item: ImageItem, number: int) -> Sample:
        pixels = item.image
        if self.crop is not None:
            pixels = random_crops(pixels, self.crop, generator(self.seed, "crop", number, 0))
        if self.flip:
            rng = generator(self.seed, "flip", number, 0)
            coin = drawn(lambda n: torch.rand(n, generator=rng), len(pixels)).numpy() < 0.5
            pixels = np.where(coin[:, None, None, None], pixels[:, :, ::-1], pixels)
        image = normalised(self._moved(pixels)).contiguous(memory_format=self.memory_format)
        return Sample(image, None if item.label is None else self._moved(item.label))

    def _moved(self, array: NDArray[Any]) -> Tensor:
        tensor = torch.from_numpy(np.ascontiguousarray(array))
        if self.device.type == "cuda":
            return tensor.pin_memory().to(self.device, non_blocking=True)
        return tensor.to(self.device)


class PairStream:
    """Batches of two domains, as {"a": Sample, "b": Sample}: one stream for each.

    drawn    number of real images of one domain drawn so far, over all processes: the time of training

    Without pairs each domain has its own order, epochs and flips. With pairs both are drawn alike, so that image i of
    one is the partner of image i of the other, flipped or not. The workers are divided between both. `options` are
    those of `Stream`.
    """

    def __init__(self, prepared: Prepared, *, batch: int, seed: int = 0, workers: int = 0, **options: Any) -> None:
        if prepared.other is None:
            raise DataError(f"{prepared.name} is one set of images, and a pair of streams is of two")
        domains = {"a": prepared.larger or prepared.train, "b": prepared.other.larger or prepared.other.train}
        if prepared.paired and len(domains["a"]) != len(domains["b"]):
            raise DataError(f"{len(domains['a']):,} images have {len(domains['b']):,} partners: pairs must be complete")
        seeds = {name: mix(seed, "pairs" if prepared.paired else name) for name in domains}
        share = -(-workers // 2)  # at least one each, where there are any
        self.batch = batch
        self.sides = {
            name: Stream(dataset, batch=batch, seed=seeds[name], workers=share, **options)
            for name, dataset in domains.items()
        }
        self.drawn = 0

    def __iter__(self) -> Iterator[Batch]:
        return self

    def __next__(self) -> Batch:
        pair = {name: next(side)["real"] for name, side in self.sides.items()}
        self.drawn += self.batch
        return pair

    def state_dict(self) -> dict[str, Any]:
        return {"drawn": self.drawn}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        for side in self.sides.values():
            side.load_state_dict(state)
        self.drawn = state["drawn"]

    def close(self) -> None:
        """End the worker processes."""
        for side in self.sides.values():
            side.close()


def normalised(images: Tensor) -> Tensor:
    """uint8 [B, H, W, C] -> float32 [B, C, H, W] in [-1, 1]; points (float32) keep their values."""
    channels_first = images.permute(0, 3, 1, 2)
    return channels_first.float().div_(127.5).sub_(1.0) if images.dtype == torch.uint8 else channels_first


def joined(parts: list[ImageItem]) -> ImageItem:
    """Several batches concatenated."""
    labels = None if parts[0].label is None else np.concatenate([part.label for part in parts])
    return ImageItem(np.concatenate([part.image for part in parts]), labels)
