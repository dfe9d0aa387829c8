"""Candidates: a recipe, and settings on top of it, by a name or in words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from gansmith.experiment.sources import from_assignments

# name -> recipe and settings; `50%` stands for that share of the images of the training
CANDIDATES: Mapping[str, str] = {
    "resize": "dcgan_small generator.upsample=resize optimizer.discriminator.lr=5e-4",
    "stylegan2_wide": "stylegan2_small generator.width=128 generator.channel_base=1024 "
    "discriminator.width=128 discriminator.channel_base=1024",
}


def settings_of(candidate: str, images: int) -> tuple[str, dict[str, Any]]:
    """`NAME` of a candidate or of a recipe, and `key=value` behind it -> the recipe and the nested settings."""
    name, *assignments = re.split(r" (?=[a-z_.0-9]+=)", candidate)
    if name in CANDIDATES:
        recipe, settings = settings_of(CANDIDATES[name], images)
        return recipe, merged(settings, settings_of(" ".join([recipe, *assignments]), images)[1])
    shares = [re.sub(r"(\d+)%", lambda share: str(int(images * int(share[1]) / 100)), each) for each in assignments]
    return name, dict(from_assignments(shares).values)


def merged(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Nested settings, the second winning."""
    both = {**one, **other}
    for key in one.keys() & other.keys():
        if isinstance(one[key], Mapping) and isinstance(other[key], Mapping):
            both[key] = merged(one[key], other[key])
    return both
