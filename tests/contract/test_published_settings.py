"""The numbers of the papers, written down a second time: a default or a recipe that drifts from them is a failure."""

from __future__ import annotations

import inspect
import math
import re
from functools import reduce
from importlib import import_module
from typing import Any

import pytest

from gansmith.experiment.layers import resolve
from gansmith.experiment.sources import from_recipe
from gansmith.schedules import parse_count

DEFAULTS: dict[str, dict[str, Any]] = {
    "objectives.lsgan": {"a": 0, "b": 1, "c": 1, "generator_factor": 0.5},
    "objectives.wgan": {
        "clamp": 0.01,
        "clamp_when": "after",
        "steps": 5,
        "warmup_steps": 100,
        "warmup": 25,
        "every": 500,
    },
    "objectives.wgan_gp": {"weight": 10, "every": 1, "one_sided": False, "discriminator_steps": 5},
    "objectives.r3gan": {"every": 1},
    "penalties.r1": {"weight": 5, "every": 1},
    "penalties.r2": {"weight": 5, "every": 1},
    "penalties.gradient_penalty": {"weight": 10, "target": 1, "one_sided": False},
    "penalties.dragan": {"weight": 10, "target": 1, "spread": 0.5, "one_sided": False},
    "penalties.lecam": {"decay": 0.99},
    "penalties.orthogonal": {"weight": 1e-4},
    "penalties.path_length": {"weight": 2, "decay": 0.99, "shrink": 2},
    "games.cycle": {"cycle": 10, "identity": 0.5, "pool": 50},
    "games.paired": {"l1": 100, "slow": 0.5},
    "games.cut": {"contrast": 1, "identity": True, "temperature": 0.07, "patches": 256, "flip": False},
    "games.multimodal": {"image": 10, "style": 1, "content": 1, "adversarial": 1, "cycle": 0},
    "augment.ada": {"target": 0.6, "speed": 500_000, "every": 4},
    "augment.diffaugment": {"policy": ("color", "translation", "cutout")},
}


def cosine(start: float, end: float) -> dict[str, Any]:
    """A schedule of R3GAN's code on CIFAR-10 and FFHQ."""
    return {"start": start, "end": end, "decay": 20_000_000, "shape": "cosine"}


def adam(rate: Any, *betas: Any) -> dict[str, Any]:
    return {
        f"optimizer.{side}.{name}": value
        for side in ("generator", "discriminator")
        for name, value in (("name", "adam"), ("lr", rate), ("betas", tuple(betas)))
    }


def translating(rate: Any) -> dict[str, Any]:
    return {name.replace("generator", "translator"): value for name, value in adam(rate, 0.5, 0.999).items()}


TO_ZERO = {"start": 2e-4, "end": 0, "decay": 32_000_000}
SECOND_HALF = {"start": 2e-4, "hold": 133_400, "decay": 133_400}  # 100 + 100 epochs of 1,334 horses and zebras
R3GAN: dict[str, Any] = {
    **adam(cosine(2e-4, 5e-5), 0, cosine(0.9, 0.99)),
    "objective.name": "r3gan",
    "prior": {"kind": "normal", "size": 64},
    "augment.groups": {"blit": 1, "geometry": 1, "colour": 0.5, "cutout": 1},
    "averaging.rampup": None,
    "data.flip": True,
}
RECIPES: dict[str, dict[str, Any]] = {
    "projected_small": {"objective.name": "hinge", "augment.name": "diffaugment", "discriminator.name": "projected"},
    "dragan": {"objective.name": "nonsaturating", "penalties": {"dragan": {"weight": 10, "spread": 0.5}}},
    "lecam": {"objective.name": "hinge", "penalties": {"lecam": {"weight": 0.3, "decay": 0.99}}},
    "dcgan": {
        **adam(2e-4, 0.5, 0.999),
        "generator": {"name": "dcgan", "width": 64},
        "discriminator": {"name": "dcgan", "width": 64},
        "objective.name": "nonsaturating",
        "prior": {"kind": "uniform", "size": 100},
        "batch": 64,
    },
    "wgan": {
        "optimizer.generator": {"name": "rmsprop", "lr": 5e-5},
        "optimizer.discriminator": {"name": "rmsprop", "lr": 5e-5},
        "objective": {"name": "wgan", **DEFAULTS["objectives.wgan"]},
        "prior": {"kind": "normal", "size": 100},
        "batch": 64,
    },
    "wgan_gp": {
        **adam(TO_ZERO, 0, 0.9),
        "generator": {"name": "resnet", "width": 128},
        "discriminator": {"name": "resnet", "width": 128},
        "objective": {"name": "wgan_gp", "weight": 10, "discriminator_steps": 5},
        "prior": {"kind": "normal", "size": 128},
        "batch": 64,
        "images": 100_000 * 5 * 64,
    },
    "lsgan": {
        **adam(1e-3, 0.5, 0.999),
        "objective": {"name": "lsgan", "a": 0, "b": 1, "c": 1, "generator_factor": 0.5},
        "prior": {"kind": "uniform", "size": 1024},
        "batch": 64,
    },
    "sngan": {
        **adam(TO_ZERO, 0, 0.9),
        "generator": {"name": "resnet", "width": 256},
        "discriminator": {"name": "resnet", "width": 128, "spectral_norm": True, "pooling": "sum"},
        "objective": {"name": "hinge", "discriminator_steps": 5},
        "prior.size": 128,
        "batch": 64,
        "images": 100_000 * 5 * 64,
    },
    "fastgan": {
        **adam(2e-4, 0.5, 0.999),
        "generator": {"name": "fastgan", "width": 64},
        "discriminator": {"name": "fastgan", "width": 64, "reconstruction": 1},
        "objective.name": "hinge",
        "augment": {"name": "diffaugment", "policy": ("color", "translation")},
        "prior": {"kind": "normal", "size": 256},
        "averaging": {"half_life": round(8 * math.log(2) / -math.log(0.999)), "rampup": None},
        "batch": 8,
        "images": 50_000 * 8,
        "data.size": "256x256",
        "data.flip": True,
    },
    "biggan_32": {
        **adam(2e-4, 0, 0.999),
        "generator": {"name": "biggan", "width": 64, "initialisation": "normal"},
        "discriminator": {"name": "biggan", "width": 64, "initialisation": "normal"},
        "objective": {"name": "hinge", "discriminator_steps": 4},
        "prior": {"kind": "normal", "size": 128, "labels": "independent"},
        "batch": 50,
        "images": 500 * 50_000,
    },
    "r3gan_cifar10": {
        **R3GAN,
        "objective.gamma": cosine(0.05, 0.005),
        "augment.probability": cosine(0, 0.55),
        "averaging.half_life": cosine(0, 5_000_000),
        "generator": {"name": "r3gan", "conditional": True},
        "discriminator": {"name": "r3gan", "conditional": True},
        "batch": 512,
    },
    "r3gan_ffhq64": {
        **R3GAN,
        "objective.gamma": cosine(2, 0.2),
        "augment.probability": cosine(0, 0.3),
        "averaging.half_life": cosine(0, 500_000),
        "batch": 256,
    },
    "stylegan2": {
        "optimizer.generator": {"name": "adam", "lr": 0.002 * 4 / 5, "betas": (0, 0.991992)},  # 0.99 ** (4 / 5)
        "optimizer.discriminator": {"name": "adam", "lr": 0.00188235, "betas": (0, 0.990586)},  # x 16 / 17
        "generator": {
            "name": "stylegan2",
            "width": 512,
            "channel_base": 32768,
            "styles": 512,
            "depth": 8,
            "mixing": 0.9,
        },
        "discriminator": {"name": "stylegan2", "width": 512, "channel_base": 32768, "group": 4},
        "objective.name": "nonsaturating",
        "penalties": {"r1": {"weight": 5, "every": 16}, "path_length": {"weight": 2, "every": 4}},
        "prior": {"kind": "normal", "size": 512},
        "averaging": {"half_life": 10_000, "rampup": None},
        "batch": 32,
        "images": 25_000_000,
    },
    "cyclegan": {
        **translating(SECOND_HALF),
        "game": {"name": "cycle", "cycle": 10, "identity": 0.5, "pool": 50, "jitter": 286 - 256},
        "translator": {"name": "cyclegan", "width": 64, "blocks": 9},
        "discriminator": {"name": "cyclegan", "width": 64, "layers": 3},
        "objective": {"name": "lsgan", "generator_factor": 1},
        "batch": 1,
        "data.size": "256x256",
        "data.flip": True,
    },
    "cut": {
        **translating({"start": 2e-4, "hold": 266_800, "decay": 266_800}),
        "game": {"name": "cut", **DEFAULTS["games.cut"], "jitter": 286 - 256},
        "translator": {"name": "cut", "width": 64, "blocks": 9, "heads": 256, "antialias": True},
        "discriminator": {"name": "cut", "width": 64, "layers": 3},
        "objective": {"name": "lsgan", "generator_factor": 1},
        "batch": 1,
        "images": 400 * 1334,
        "data.size": "256x256",
        "data.flip": True,
    },
    "fastcut": {
        **translating({"start": 2e-4, "hold": 150 * 1334, "decay": 50 * 1334}),
        "game": {"name": "cut", "contrast": 10, "identity": False, "flip": True, "temperature": 0.07, "patches": 256},
        "translator": {"name": "cut", "width": 64, "blocks": 9, "heads": 256, "antialias": True},
        "objective": {"name": "lsgan", "generator_factor": 1},
        "batch": 1,
        "images": 200 * 1334,
    },
    "pix2pix": {
        **translating(2e-4),
        "game": {"name": "paired", "l1": 100, "slow": 0.5, "jitter": 286 - 256},
        "translator": {"name": "pix2pix", "width": 64, "downs": 8, "dropout": 0.5},
        "discriminator": {"name": "pix2pix", "width": 64, "layers": 3},
        "objective.name": "nonsaturating",
        "batch": 1,
        "images": 200 * 400,
        "data.size": "256x256",
        "data.flip": True,
    },
    "munit": {
        "optimizer.autoencoder.betas": (0.5, 0.999),
        "optimizer.autoencoder.weight_decay": 1e-4,
        "optimizer.discriminator.betas": (0.5, 0.999),
        "optimizer.autoencoder.lr": {"phases": {100_000 * halved: 1e-4 / 2**halved for halved in range(10)}},
        "game": {"name": "multimodal", **DEFAULTS["games.multimodal"]},
        "autoencoder": {
            "name": "munit",
            "width": 64,
            "downsamplings": 2,
            "blocks": 4,
            "style_downsamplings": 4,
            "mlp_width": 256,
        },
        "discriminator": {"name": "munit", "width": 64, "depth": 4, "scales": 3},
        "prior": {"kind": "normal", "size": 8},
        "batch": 1,
        "images": 1_000_000,
    },
}


@pytest.mark.parametrize("name", DEFAULTS)
def test_defaults_are_the_papers(name: str) -> None:
    parameters = inspect.signature(import_module(f"gansmith.{name}").build).parameters
    assert {option: parameters[option].default for option in DEFAULTS[name]} == DEFAULTS[name]


@pytest.mark.parametrize("name", RECIPES)
def test_recipes_are_the_papers(name: str) -> None:
    experiment, _ = resolve([from_recipe(name)])
    whole = experiment.model_dump()
    for path, value in RECIPES[name].items():
        assert contains(reduce(lambda inner, key: inner[key], path.split("."), whole), value), path


def contains(found: Any, wanted: Any) -> bool:
    """Equal; a dictionary may have more keys than are asked for, and a count may be written as "20M"."""
    if isinstance(wanted, dict):
        found = {plain(key): one for key, one in found.items()}
        return all(key in found and contains(found[key], one) for key, one in wanted.items())
    if isinstance(wanted, tuple):
        return len(found) == len(wanted) and all(map(contains, found, wanted))
    return bool(plain(found) == wanted)


def plain(given: Any) -> Any:
    """A count in figures, anything else as it is."""
    return parse_count(given) if isinstance(given, str) and re.fullmatch(r"[\d.]+[kM]", given) else given
