"""Features of single images, remembered: the same image is in many trials."""

from __future__ import annotations

import hashlib
import sqlite3
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from gansmith.evaluation.types import Extractor, Outputs


def remembering(extractor: Extractor, file: Path) -> Extractor:
    """The extractor, whose outputs for an image are kept in a SQLite file and not computed again."""
    file.parent.mkdir(parents=True, exist_ok=True)
    memory = sqlite3.connect(file, timeout=600)
    memory.execute("PRAGMA journal_mode=WAL")
    memory.execute("PRAGMA synchronous=OFF")
    memory.execute("CREATE TABLE IF NOT EXISTS outputs (key BLOB PRIMARY KEY, features BLOB, logits BLOB)")
    memory.commit()

    def run(images: Tensor) -> Outputs:
        keys = [_key(image, extractor) for image in images.cpu()]
        known = {key: _read(memory, key) for key in keys}
        missing = [place for place, key in enumerate(keys) if known[key] is None]
        if missing:
            filled = images[missing + [missing[-1]] * (len(images) - len(missing))]
            outputs = extractor.run(filled)
            for row, place in enumerate(missing):
                logits = None if outputs.logits is None else outputs.logits[row].float().numpy()
                known[keys[place]] = outputs.features[row].float().numpy(), logits
            memory.executemany(
                "INSERT OR IGNORE INTO outputs VALUES (?, ?, ?)",
                [(keys[place], *_stored(known[keys[place]])) for place in missing],
            )
            memory.commit()
        rows = [known[key] for key in keys]
        features = np.stack([row[0] for row in rows if row is not None])
        scores = [row[1] for row in rows if row is not None and row[1] is not None]
        return Outputs(torch.from_numpy(features), torch.from_numpy(np.stack(scores)) if scores else None)

    return replace(extractor, run=run)


Row = tuple[np.ndarray[tuple[int], np.dtype[np.float32]], np.ndarray[tuple[int], np.dtype[np.float32]] | None]


def _key(image: Tensor, extractor: Extractor) -> bytes:
    digest = hashlib.blake2b(f"{extractor} {list(image.shape)};".encode(), digest_size=16)
    digest.update(np.ascontiguousarray(image.numpy()).data)
    return digest.digest()


def _read(memory: sqlite3.Connection, key: bytes) -> Row | None:
    row = memory.execute("SELECT features, logits FROM outputs WHERE key = ?", (key,)).fetchone()
    if row is None:
        return None
    features, logits = (None if part is None else np.frombuffer(part, np.float32) for part in row)
    assert features is not None
    return features, logits


def _stored(row: Row | None) -> tuple[bytes, bytes | None]:
    assert row is not None
    features, logits = row
    return features.tobytes(), None if logits is None else logits.tobytes()
