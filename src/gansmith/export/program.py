"""Program: the network as torch.export writes it, one file that torch alone reads and runs."""

from __future__ import annotations

import io
from pathlib import Path
from typing import cast

import torch
from torch import Tensor

from gansmith.export.comparison import Difference, require_equal
from gansmith.export.portable import Inputs, Portable
from gansmith.export.traced import program, without_warnings
from gansmith.system.files import atomic

LARGEST = 1e-6  # the same operations: no more than rounding


def write_program(network: Portable, path: Path, *, force: bool = False) -> Difference:
    """Write `network` as a program, read back and compared before the file gets its name. Raises ExportError."""
    data, difference = program_bytes(network)
    with atomic(path, replace=force) as file:
        file.write(data)
    return difference


def program_bytes(network: Portable) -> tuple[bytes, Difference]:
    """The file's content, and how it differs from the network."""
    traced, buffer = program(network), io.BytesIO()
    traced.example_inputs = None  # nothing but weights
    with without_warnings():
        torch.export.save(traced, buffer)
        module = torch.export.load(io.BytesIO(buffer.getvalue())).module()

    @torch.no_grad()
    def run(inputs: Inputs) -> Tensor:
        return cast(Tensor, module(**inputs))

    return buffer.getvalue(), require_equal(network, run, largest=LARGEST)
