"""Graph of a network as SVG: every layer with its input and output shapes.

Needs the extra `draw` (torchview and graphviz, in Python) and the program `dot` of Graphviz.
"""

from __future__ import annotations

import copy
from pathlib import Path

import torch
from torch import nn

from gansmith.adversarial import Dimensions
from gansmith.errors import MissingExtraError
from gansmith.system.extras import missing_extra
from gansmith.system.files import atomic
from gansmith.system.outputs import require_output


def draw(network: nn.Module, path: str | Path, *, dimensions: Dimensions, role: str, force: bool = False) -> Path:
    """Write the graph of a network (.svg), drawn for a batch of one. Returns the path.

    A generator with a latent size reads latents [1, Z], every other role images [1, C, H, W]. force: replace a
    file that exists. Raises OutputError for one that does, MissingExtraError when torchview, graphviz or the program
    `dot` is not installed.
    """
    require_output(Path(path), force=force)
    try:
        import graphviz
        from torchview import draw_graph
    except ImportError as error:
        raise missing_extra(f"drawing a network needs the Python package {error.name}", "draw") from error
    from_latents = role == "generator" and dimensions.latent > 0
    inputs = torch.zeros(1, dimensions.latent) if from_latents else torch.zeros(1, *dimensions[:3])
    label = [torch.zeros(1, dtype=torch.int64)] if getattr(network, "conditional", False) else []
    graph = draw_graph(
        copy.deepcopy(network).float(),
        input_data=[inputs, *label],
        graph_name=role,
        mode="eval",
        device="cpu",
        depth=4,
        expand_nested=True,
    )
    try:
        svg: bytes = graph.visual_graph.pipe(format="svg")
    except graphviz.ExecutableNotFound as error:
        raise MissingExtraError(
            "drawing a network needs the program dot of Graphviz, which is not installed: "
            "apt install graphviz, brew install graphviz, or https://graphviz.org/download"
        ) from error
    path = Path(path)
    with atomic(path, replace=force) as file:
        file.write(svg)
    return path
