"""Backbones of the package timm, whose hub client fetches their weights: an optional extra, asked for by name only."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Sequence
from typing import Any

from gansmith.errors import ExperimentError
from gansmith.system.extras import missing_extra


def require(model: str) -> None:
    """Raises MissingExtraError without timm."""
    if importlib.util.find_spec("timm") is None:
        raise missing_extra(f"the frozen network timm:{model} needs the package timm", "hub")


def parts(model: str, strides: Sequence[int], *, pretrained: bool) -> dict[str, Any]:
    """The arguments of a Backbone from the timm model of that name: its maps of these strides, in their order.

    Raises ExperimentError for a model that timm does not have, cannot fetch, or that has no map of such a stride.
    """
    require(model)
    try:
        timm: Any = importlib.import_module("timm")
        reductions = timm.create_model(model, pretrained=False, features_only=True).feature_info.reduction()
        places = [reductions.index(stride) for stride in strides]
        network = timm.create_model(model, pretrained=pretrained, features_only=True, out_indices=places)
        settings = network.pretrained_cfg
    except Exception as error:  # whatever its import, its hub client or its models raise
        raise ExperimentError(
            f"the frozen network timm:{model} cannot be had, with maps of 1/{', 1/'.join(map(str, strides))} of the "
            f"image: {str(error).partition(chr(10))[0].rstrip('.') or type(error).__name__}. Take --set "
            f"discriminator.network=mobilenet, or another model of timm that has them"
        ) from error
    return {
        "network": network,
        "channels": network.feature_info.channels(),
        "mean": settings["mean"],
        "deviation": settings["std"],
    }
