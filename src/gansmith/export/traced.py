"""Program of a network by torch.export: its operations as a graph, for any batch, without the source that made them."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn
from torch.export import Dim, ExportedProgram

from gansmith.errors import ExportError
from gansmith.export.portable import Portable

LARGEST_BATCH = 4096
_TRACED = 3  # images in the batch that is traced: another number than any side that could be taken for it
_KEPT = ("val", "tensor_meta")  # of what torch notes at each operation; the rest are paths and lines of source


def program(network: Portable) -> ExportedProgram:
    """The operations of a network. Raises ExportError where they cannot be written down as a graph."""
    inputs = network.inputs(_TRACED)
    batch = Dim("batch", min=1, max=LARGEST_BATCH)
    with without_warnings():
        try:
            traced = torch.export.export(
                network.network, (), inputs, dynamic_shapes={name: {0: batch} for name in inputs}, strict=False
            )
        except Exception as error:  # whatever the tracer raises
            raise ExportError(
                f"the {network.name} ({network.card.model}) cannot be exported: torch.export cannot follow its code "
                f"for any batch: {_first_lines(error)}"
            ) from error
        _forget_source(traced.graph_module)
    return traced


@contextmanager
def without_warnings() -> Iterator[None]:
    """Exporters warn of themselves: of names they deprecated, of axes that share a name."""
    disabled = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(disabled)


def _forget_source(graph: nn.Module) -> None:
    """Remove what torch notes of the source at each operation: files and lines of this machine."""
    for module in graph.modules():
        if isinstance(module, torch.fx.GraphModule):
            for node in module.graph.nodes:
                node.meta = {key: value for key, value in node.meta.items() if key in _KEPT}


def _first_lines(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__
