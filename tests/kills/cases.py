"""The small runs that are killed: every game, penalties and augmentations with a state of their own, images that are
cached and images that are decoded by 0 or 2 workers, accumulation, metrics, early stopping and kept checkpoints."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from old_settings import CLASSIFY, DIGITS, SETTINGS, UNMIXED

MOST = {"images": 480, "checkpoint_every": 64, "samples_every": 160}  # 30 steps, 8 checkpoints
TWO_DOMAINS = {"images": 96, "checkpoint_every": 16, "samples_every": 32}  # 24 steps, 6 checkpoints


def digits(**changes: Any) -> dict[str, Any]:
    return {**DIGITS, **MOST, **changes}


def domains(like: str, **changes: Any) -> dict[str, Any]:
    """Settings of a run of tests/old_runs on two domains, which lack their path."""
    return {**SETTINGS[like], **TWO_DOMAINS, **changes}


CASES: dict[str, dict[str, Any]] = {
    "dcgan": digits(recipe="dcgan_digits", accumulate=2, keep_every=160),
    "dcgan, decoded by 2 workers": digits(cache=False, workers=2),
    "dcgan, decoded by none": digits(cache=False, workers=0, flip=True),
    "hinge, r1, metrics": digits(
        objective="hinge",
        discriminator={"name": "resnet", "width": 2},
        penalties={"r1": {"weight": 1.0, "every": 3}, "orthogonal": {}},
        metrics={"names": ["kid"], "samples": 24, "every": 96},
    ),
    "conditional": {**SETTINGS["conditional_killed"], **MOST, "images": 960, "checkpoint_every": 160},
    "biggan": digits(
        size=32,
        fraction=0.05,
        images=192,
        checkpoint_every=32,
        generator={"name": "biggan", "width": 4},
        discriminator={"name": "biggan", "width": 4},
        prior={"size": 12, "labels": "independent"},
        objective="hinge",
    ),
    "wgan": digits(objective={"name": "wgan", "warmup": 0, "warmup_steps": 5}, images=960, checkpoint_every=160),
    "wgan_gp": digits(objective="wgan_gp", discriminator=UNMIXED, images=960, checkpoint_every=160),
    "dragan": digits(penalties={"dragan": {"every": 2}}, discriminator=UNMIXED),
    "r3gan": digits(
        **{k: SETTINGS["r3gan_killed"][k] for k in ("generator", "discriminator", "objective", "optimizer")}
    ),
    "ada": digits(augment={"name": "ada", "target": 0.0, "speed": 500, "every": 2}),
    "diffaugment, stop rule": digits(
        augment="diffaugment",
        metrics={"names": ["kid"], "samples": 24, "every": 48},
        stop={"metric": "kid", "patience": 96},
    ),
    "lecam": digits(objective="hinge", penalties={"lecam": {}}),
    "classifier": {**CLASSIFY, **MOST, "game": "classify", "metrics": {"names": ["class_error"], "every": 96}},
    "cycle": domains("cycle_killed"),
    "cycle, decoded by 2 workers": domains("cycle_killed", cache=False, workers=2),
    "paired": domains("paired_killed"),
    "multimodal": domains("multimodal_killed"),
}


def settings(case: str, domains: Path, out: Path) -> dict[str, Any]:
    """For `gansmith.train`: the case as a run in `out`."""
    return {"path": str(domains), "tensorboard": False, **CASES[case], "out": str(out)}
