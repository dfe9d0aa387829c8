"""TF-Inception, the network of every published FID and Inception score; by torch-fidelity, an extra.

Szegedy et al. 2015, "Rethinking the Inception Architecture for Computer Vision", as released for TensorFlow on 5
December 2015, with its own bilinear resize to 299 (not antialiased). Heusel et al. 2017, "GANs Trained by a Two
Time-Scale Update Rule", takes its 2,048 pooled features. The same network with other weights gives other numbers.
"""

from __future__ import annotations

import importlib
import io
from typing import Any

import torch
from torch import Tensor

from gansmith.evaluation import preprocess
from gansmith.evaluation.types import Extractor, Outputs
from gansmith.pretrained.weights import Published, identity, read, state_of
from gansmith.system.device import choose_device
from gansmith.system.extras import missing_extra

WEIGHTS = Published(
    extractor="inception",
    file="weights-inception-2015-12-05-6726825d.pth",
    sha256="6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2",
    source="torch-fidelity's release v0.2.0; the same bytes as pytorch-fid's pt_inception-2015-12-05-6726825d.pth",
    megabytes=96,
    url="https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/weights-inception-2015-12-05-6726825d.pth",
)
NEEDS = {"files": ("weights-inception-2015-12-05-6726825d.pth",), "package": "torch_fidelity", "extra": "judge"}
FEATURES = ("2048", "logits_unbiased")  # torch-fidelity's names


def build(*, weights: str | None = None, device: str = "auto") -> Extractor:
    """Features [B, 2048] and logits [B, 1008] without their bias, from which the Inception score is computed.

    Raises MissingExtraError without torch-fidelity.

    >>> WEIGHTS.file  # what `weights` points to, or lies in the cache
    'weights-inception-2015-12-05-6726825d.pth'
    """
    factory = _torch_fidelity()
    return wrap(_network(factory, state_of(read(WEIGHTS, weights))), WEIGHTS.sha256, device=device)


def wrap(network: Any, digest: str, *, device: str = "auto") -> Extractor:
    """The extractor of torch-fidelity's network with any weights; digest: of these weights."""
    where = choose_device(device)
    network = network.eval().requires_grad_(False).to(where)

    def run(images: Tensor) -> Outputs:
        levels = preprocess.to_channels(preprocess.levels(images), 3)
        features, logits = network(levels.round().to(torch.uint8))
        return Outputs(features, logits)

    return Extractor(
        name="inception",
        digest=identity(digest),
        prepared="grey repeated, alpha on white, TensorFlow's bilinear without antialiasing to 299x299",
        run=run,
        device=where,
        batch=32,
    )


def _network(factory: Any, state: dict[str, Tensor]) -> Any:
    """torch-fidelity's network. It loads its file itself, with a loader that would execute what a file says: it gets a
    file that was read without executing anything, and written anew."""
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    return factory("inception-v3-compat", list(FEATURES), feature_extractor_weights_path=file)


def _torch_fidelity() -> Any:
    try:
        return importlib.import_module("torch_fidelity.feature_extractor_inceptionv3").FeatureExtractorInceptionV3
    except (ImportError, RuntimeError) as error:  # RuntimeError: a torchvision that was built for another torch
        problem = f"the extractor inception is torch-fidelity's, which cannot be imported here ({error})"
        raise missing_extra(problem, "judge", "Without it, use --features mobilenet or --features dinov2") from None
