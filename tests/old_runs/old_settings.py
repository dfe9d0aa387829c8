"""The small runs that tests/old_runs keeps, as settings for `gansmith.train`, and the images of their two domains.

Between them they hold what a run folder can hold: every game, killed and ended; batch normalisation and spectral
norm, schedules, accumulation, lazy penalties, a pool of fakes, moving averages of scores, an adaptive augmentation,
labels, metrics among the records, images that are cached and images that are decoded as they come.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np

KILLED, ENDED = "killed", "ended"


def adam(rate: Any, *betas: Any) -> dict[str, Any]:
    """Adam with an epsilon above its usual 1e-8: a bias before a normalisation has a gradient of rounding errors alone,
    which Adam would else turn into whole steps, each processor in directions of its own."""
    return {"name": "adam", "lr": rate, "betas": list(betas), "eps": 1e-5}


FALLING = {"start": 8e-3, "hold": 100, "decay": 400}
COMMON: dict[str, Any] = {"device": "cpu", "precision": "float32", "sheet": 4, "averaging": {"half_life": 100}}
DIGITS: dict[str, Any] = {
    **COMMON,
    "path": "digits",
    "size": 8,
    "fraction": 0.2,
    "holdout": 0.1,
    "generator": {"name": "dcgan", "width": 4},
    "discriminator": {"name": "dcgan", "width": 4},
    "prior": {"size": 8},
    "optimizer": {"generator": adam(8e-3, 0.5, 0.999), "discriminator": adam(2e-3, 0.5, 0.999)},
    "batch": 16,
    "images": 320,
    "checkpoint_every": 128,
    "samples_every": 1000,
    "record_every": 32,
}
UNMIXED = {"name": "dcgan", "width": 4, "normalisation": "none"}
TRANSLATION: dict[str, Any] = {
    **COMMON,
    "size": 16,
    "holdout": 0.25,
    "flip": True,
    "objective": "lsgan",
    "optimizer": {role: adam(5e-4, 0.5, 0.999) for role in ("translator", "autoencoder", "discriminator")},
    "batch": 4,
    "images": 48,
    "checkpoint_every": 16,
    "samples_every": 1000,
    "record_every": 8,
}
SGD = {"name": "sgd", "lr": {"points": {0: 0.02, 200: 0.2, 400: 0.01}}, "momentum": 0.9, "weight_decay": 1e-4}
CLASSIFY: dict[str, Any] = {
    **{key: value for key, value in DIGITS.items() if key not in ("generator", "discriminator", "prior")},
    "classifier": {"name": "darknet", "groups": [1, 1], "width": 4, "normalisation_momentum": 0.1},
    "optimizer": {"classifier": SGD},
}


SETTINGS: dict[str, dict[str, Any]] = {
    "two_player_killed": {
        **DIGITS,
        "recipe": "dcgan_digits",
        "seed": 3,
        "accumulate": 2,
        "optimizer": {"generator": adam(FALLING, 0.5, 0.999), "discriminator": adam(2e-3, 0.5, 0.99)},
    },
    "two_player_ended": {
        **DIGITS,
        "images": 160,
        "objective": "hinge",
        "discriminator": {"name": "resnet", "width": 2},
        "penalties": {"r1": {"weight": 1.0, "every": 3}, "orthogonal": {}},
        "metrics": {"names": ["kid"], "samples": 24, "every": 64},
    },
    "conditional_killed": {
        **DIGITS,
        "generator": {"name": "dcgan", "width": 4, "conditional": True},
        "discriminator": {"name": "dcgan", "width": 4, "conditional": True, "normalisation": "layer"},
        "objective": {"name": "hinge", "discriminator_steps": 2},
        "prior": {"size": 8, "labels": "independent"},
        "images": 640,
    },
    "lecam_killed": {**DIGITS, "objective": "lecam"},
    "dragan_killed": {**DIGITS, "objective": "dragan", "discriminator": UNMIXED},
    "ada_killed": {**DIGITS, "augment": {"name": "ada", "target": 0.0, "speed": 500, "every": 2}},
    "r3gan_killed": {
        **DIGITS,
        "generator": {"name": "r3gan", "width": 4, "blocks": 1},
        "discriminator": {"name": "r3gan", "width": 4, "blocks": 1},
        "objective": {"name": "r3gan", "gamma": {"start": 2.0, "end": 0.2, "decay": 300}},
        "optimizer": {
            role: adam(1e-3, 0.0, {"start": 0.9, "end": 0.99, "decay": 300}) for role in ("generator", "discriminator")
        },
    },
    "classify_killed": {**CLASSIFY, "game": "classify", "metrics": {"names": ["class_error"], "every": 64}},
    "classify_ended": {**CLASSIFY, "game": {"name": "classify", "padding": 0, "smoothing": 0.1}, "images": 160},
    "cycle_killed": {
        **TRANSLATION,
        "game": {"name": "cycle", "pool": 6, "jitter": 2, "averaged": True},
        "translator": {"name": "cyclegan", "width": 2, "blocks": 1, "skip": True},
        "discriminator": {"name": "cyclegan", "width": 2, "layers": 1},
    },
    "cycle_ended": {
        **TRANSLATION,
        "images": 24,
        "cache": False,
        "workers": 0,
        "game": {"name": "cycle", "pool": 3, "identity": 0},
        "translator": {"name": "cyclegan", "width": 2, "blocks": 1, "upsample": "resize", "skip": True},
        "discriminator": {"name": "cyclegan", "width": 2, "layers": 1},
    },
    "paired_killed": {
        **TRANSLATION,
        "game": {"name": "paired", "jitter": 2, "averaged": True},
        "objective": "nonsaturating",
        "translator": {"name": "pix2pix", "width": 2},
        "discriminator": {"name": "pix2pix", "width": 2, "layers": 1},
    },
    "paired_ended": {
        **TRANSLATION,
        "images": 24,
        "game": "paired",
        "translator": {"name": "pix2pix", "width": 2, "normalisation": "batch"},
        "discriminator": {"name": "pix2pix", "width": 2, "layers": 1, "normalisation": "batch"},
    },
    "multimodal_killed": {
        **TRANSLATION,
        "game": {"name": "multimodal", "averaged": True},
        "autoencoder": {
            **{"name": "munit", "width": 2, "downsamplings": 1, "blocks": 1},
            **{"style_downsamplings": 2, "mlp_width": 4},
        },
        "discriminator": {"name": "munit", "width": 2, "depth": 2, "scales": 1},
        "prior": {"size": 4},
    },
    "multimodal_ended": {
        **TRANSLATION,
        "images": 24,
        "game": {"name": "multimodal", "cycle": 1.0},
        "autoencoder": {
            **{"name": "munit", "width": 2, "downsamplings": 1, "blocks": 1},
            **{"style_downsamplings": 2, "mlp_width": 4},
        },
        "discriminator": {"name": "munit", "width": 2, "depth": 2, "scales": 1},
        "prior": {"size": 4},
    },
}
LONGER = {"two_player_ended": 320, "classify_ended": 320}  # images that an ended run is trained on to
LONGER_TRANSLATION = 48


def write_domains(folder: Path) -> None:
    """Twenty-four images of 16 px of each domain, a/N.bmp and b/N.bmp of equal names, byte for byte the same on every
    machine: b shows what a shows, mirrored and in other colours."""
    rng = np.random.RandomState(0)  # the generator of which NumPy promises that its numbers never change
    for number in range(24):
        coarse = rng.randint(0, 256, (4, 4, 3))
        image = np.clip(np.kron(coarse, np.ones((4, 4, 1), dtype=int)) + rng.randint(-9, 10, (16, 16, 3)), 0, 255)
        for name, pixels in (("a", image), ("b", 255 - image[:, ::-1, ::-1])):
            (folder / name).mkdir(parents=True, exist_ok=True)
            (folder / name / f"{number}.bmp").write_bytes(bitmap(pixels.astype(np.uint8)))


def bitmap(pixels: np.ndarray) -> bytes:
    """uint8 [H, W, 3], W a multiple of 4 -> a file in Windows' BMP format with its 40-byte header, uncompressed."""
    height, width, _ = pixels.shape
    rows = pixels[::-1, :, ::-1].tobytes()  # from the bottom, blue first
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, len(rows), 2835, 2835, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54 + len(rows), 0, 0, 54) + header + rows
