"""Feature extraction in batches of one size on the extractor's device, cached by content.

Convolutions round differently at different batch sizes, so the last batch is filled up by repeating its last image:
the features of an image do not depend on how many others are extracted with it.

    CACHE/features/KEY.npz    features float32 [N, D] and, where there are classes, probabilities float32 [N, K];
                              arrays: how many of these two, so that a damaged table of contents loses none

KEY is a digest of the pixels and of everything that the extractor says of itself. The file's own checksums tell a
damaged one, which is computed anew. The least recently used goes when all of them take more than LIMIT.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gansmith.data import cache as caches
from gansmith.errors import DataError, GansmithError
from gansmith.evaluation.known_features import KnownFeatures
from gansmith.evaluation.types import Extractor, Features, Images, Labels, Side
from gansmith.system.console import say
from gansmith.system.files import atomic, remove_stale
from gansmith.system.heap import freed_memory_kept
from gansmith.system.progress import bar

LIMIT = 4 << 30  # bytes of kept features


def folder() -> Path:
    """The folder of cached features."""
    return caches.root() / "features"


def extract(
    images: Images, extractor: Extractor, *, what: str, cache: bool = True, known: KnownFeatures | None = None
) -> tuple[Features, Features | None]:
    """uint8 [N, H, W, C] -> features float32 [N, D] and class probabilities float32 [N, K] (None without classes).

    what: a name for progress and errors, as "features of the real images";  known: those of images seen before.
    Raises DataError for no images, another type or shape, or a feature that is a NaN or an infinity.
    """
    if images.ndim != 4 or images.dtype != np.uint8 or images.shape[-1] not in (1, 3, 4) or 0 in images.shape[1:]:
        raise DataError(
            f"{what}: an extractor takes uint8 [N, H, W, C] with 1, 3 or 4 channels (grey, RGB, RGBA), "
            f"not {images.dtype} {list(images.shape)}"
        )
    if not len(images):
        raise DataError(f"{what}: there is no image to take features of; give at least one")
    path = folder() / f"{_key(images, extractor)}.npz" if cache else None
    result = None if path is None else _read(path, len(images))
    if result is None:
        if known is None:
            result = _compute(images, extractor, what)
        else:
            result = known.of(images, str(extractor), lambda new: _compute(new, extractor, what))
        if path is not None:
            _write(path, *result)
    elif known is not None:
        known.add(images, str(extractor), result)
    return result


def side_of(
    name: str,
    images: Images,
    extractor: Extractor | None,
    *,
    classifier: Extractor | None = None,
    labels: Labels | None = None,
    cache: bool = True,
    known: KnownFeatures | None = None,
) -> Side:
    """One side of a comparison: images uint8 [N, H, W, C] with their features, and class probabilities where known.

    Probabilities are those of `classifier`, or of the extractor where there is no classifier; without an extractor
    there are neither. Raises DataError as `extract` does.
    """
    if extractor is None:
        return Side(name, images=images, labels=labels)
    features, probabilities = extract(images, extractor, what=f"{extractor.name} of {name}", cache=cache, known=known)
    if classifier is not None and classifier is not extractor:
        probabilities = extract(images, classifier, what=f"classes of {name}", cache=cache, known=known)[1]
    return Side(name, images=images, features=features, probabilities=probabilities, labels=labels)


def _compute(images: Images, extractor: Extractor, what: str) -> tuple[Features, Features | None]:
    with bar(what, len(images)) as advance:
        return compute(images, extractor, what=what, advance=advance)


def compute(
    images: Images, extractor: Extractor, *, what: str, advance: Callable[[int], object] = int
) -> tuple[Features, Features | None]:
    """What `extract` returns, without a cache and without a bar; advance: called with how many images were done."""
    features, probabilities = [], []
    size = extractor.batch
    with torch.inference_mode(), freed_memory_kept():
        for start in range(0, len(images), size):
            part = images[start : start + size]
            filled = np.concatenate([part, np.repeat(part[-1:], size - len(part), axis=0)])
            batch = torch.from_numpy(np.ascontiguousarray(filled.transpose(0, 3, 1, 2))).to(extractor.device)
            outputs = extractor.run(batch)
            features.append(outputs.features[: len(part)].float().cpu().numpy())
            if outputs.logits is not None:
                logits = outputs.logits[: len(part)].cpu().double()  # float64, which not every device knows
                probabilities.append(logits.softmax(1).float().numpy())
            advance(len(part))
    result = np.concatenate(features), np.concatenate(probabilities) if probabilities else None
    for values in result:
        if values is not None and not np.isfinite(values).all():
            bad = int((~np.isfinite(values).all(axis=1)).sum())
            raise DataError(
                f"the extractor {extractor.name} gave a NaN or an infinity for {bad:,} of {len(images):,} images "
                f"({what}): its weights are damaged, or its numbers ran over"
            )
    return result


def _key(images: Images, extractor: Extractor) -> str:
    digest = hashlib.blake2b(digest_size=16)
    where = torch.device(extractor.device).type  # devices round differently
    digest.update(f"1 {list(images.shape)} {extractor} {extractor.batch} {where};".encode())
    for start in range(0, len(images), 1024):  # the images may be a map of a file larger than the memory
        digest.update(np.ascontiguousarray(images[start : start + 1024]).data)
    return digest.hexdigest()


def _read(path: Path, count: int) -> tuple[Features, Features | None] | None:
    """The cached arrays at `path`; None when there are none, or the file is damaged."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as kept:
            cached = kept["features"], kept.get("probabilities")
            arrays = int(kept["arrays"]) if "arrays" in kept else len(kept.files)  # absent: of an earlier version
            if not {"arrays", "features", "probabilities"} >= set(kept.files) or arrays != 2 - (cached[1] is None):
                return None  # the table of contents is damaged: each array has a checksum, their names have none
    except Exception:  # whatever a damaged file provokes: it is no worse than none
        return None
    for values in cached:
        if values is not None and (values.dtype != np.float32 or values.ndim != 2 or len(values) != count):
            return None
    with suppress(OSError):
        os.utime(path)  # used now: it goes last
    return cached


def _write(path: Path, features: Features, probabilities: Features | None) -> None:
    """Cache the arrays, and make room. A cache that cannot be written costs time only: a warning, no error."""
    arrays: dict[str, Any] = {"arrays": np.int64(1 if probabilities is None else 2), "features": features}
    if probabilities is not None:
        arrays["probabilities"] = probabilities
    remove_stale(path.parent)
    try:
        with atomic(path) as file:
            np.savez(file, **arrays)
    except GansmithError as error:
        say(f"the features are not kept for the next time: {error}")
        return
    taken = 0
    with suppress(OSError):  # another process may be making room at the same time
        kept = sorted(path.parent.glob("*.npz"), key=lambda one: (one != path, -one.stat().st_mtime_ns))
        for one in kept:
            taken += one.stat().st_size
            if taken > LIMIT and one != path:
                one.unlink(missing_ok=True)
