"""ONNX: the network as a file for onnxruntime and other runtimes, for any batch.

The exporter is torch's (`dynamo=True`). What it notes of the source of each operation (files, lines, names of classes)
is removed, and the description of the latents is added as metadata.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gansmith import __version__
from gansmith.errors import ExportError
from gansmith.export.comparison import Difference, require_equal
from gansmith.export.portable import Inputs, Portable
from gansmith.export.traced import LARGEST_BATCH, program, without_warnings
from gansmith.system.extras import missing_extra
from gansmith.system.files import atomic

_MOST = 2**31 - 2**20  # bytes of one ONNX file, a protocol buffer


def write_onnx(network: Portable, path: Path, *, force: bool = False) -> Difference:
    """Write `network` as ONNX, compared before the file gets its name. Raises ExportError where it differs,
    MissingExtraError without the packages."""
    data, difference = onnx_bytes(network)
    with atomic(path, replace=force) as file:
        file.write(data)
    return difference


def onnx_bytes(network: Portable) -> tuple[bytes, Difference]:
    """The file's content, and how it differs from PyTorch."""
    runtime = require_packages()
    size = sum(t.numel() * t.element_size() for t in (*network.network.parameters(), *network.network.buffers()))
    if size > _MOST:
        raise ExportError(f"the weights have {size:,} bytes, and an ONNX file at most {_MOST:,}: take --to program")
    data = _cleaned(_exported(network), network)
    options = runtime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3
    session = runtime.InferenceSession(data, options, providers=["CPUExecutionProvider"])

    def run(inputs: Inputs) -> Tensor:
        (images,) = session.run(None, {name: values.numpy() for name, values in inputs.items()})
        return torch.from_numpy(images)

    return data, require_equal(network, run)


def require_packages() -> Any:
    """onnxruntime. Raises MissingExtraError without it, or without what the exporter needs."""
    try:
        import onnx  # noqa: F401  (read by the exporter)
        import onnxruntime
        import onnxscript  # noqa: F401  (the exporter's own)
    except ModuleNotFoundError as error:
        raise missing_extra(f"an export to ONNX needs the Python package {error.name}", "export") from error
    return onnxruntime


def description(network: Portable) -> dict[str, Any]:
    """What a reader of an exported network needs: its inputs, how latents are drawn, what its pixels mean."""
    card, prior = network.card, network.renderer.prior
    return {
        "gansmith": __version__,
        "model": card.model,
        "inputs": list(network.inputs_are),
        "prior": {"kind": prior.kind, "size": prior.size},
        "classes": (list(card.classes) or list(map(str, range(prior.classes))))
        if "label" in network.inputs_are
        else [],
        "images_drawn": card.images,
        "averaged": card.averaged,
        "pixels": "round((image + 1) * 127.5), clamped to 0 to 255",
    }


def _exported(network: Portable) -> Any:
    traced = program(network)
    names = network.inputs_are
    batch = torch.export.Dim("batch", min=1, max=LARGEST_BATCH)
    with without_warnings():
        try:
            made = torch.onnx.export(
                traced,
                input_names=list(names),
                output_names=["image" if network.makes_from_latents else "translation"],
                dynamo=True,
                dynamic_shapes={name: {0: batch} for name in names},
                external_data=False,
                optimize=True,
                verbose=False,
            )
        except Exception as error:  # whatever the exporter raises
            reason = " ".join(str(error).split())[:300]
            raise ExportError(
                f"the {network.name} ({network.card.model}) cannot be written as ONNX: {reason}. "
                f"Take --to program, which torch reads"
            ) from error
    assert made is not None
    return made.model_proto


def _cleaned(model: Any, network: Portable) -> bytes:
    """The file's bytes, without notes on the source and with the description."""
    graphs = [model.graph, *model.functions]
    for graph in graphs:
        graph.doc_string = ""
        del graph.metadata_props[:]
        for part in (*graph.node, *graph.value_info):
            part.doc_string = ""
            del part.metadata_props[:]
        for node in graph.node:
            graphs += [attribute.g for attribute in node.attribute if attribute.HasField("g")]
    for part in (*model.graph.input, *model.graph.output, *model.graph.initializer):
        part.doc_string = ""
        del part.metadata_props[:]
    model.doc_string = ""
    del model.metadata_props[:]
    model.metadata_props.add(key="gansmith", value=json.dumps(description(network)))
    data: bytes = model.SerializeToString()
    return data
