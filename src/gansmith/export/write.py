"""The one door of exports: a run and a form -> files, each compared with PyTorch before it gets its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from gansmith.errors import OptionError, unknown
from gansmith.export.audit_words import audit_words
from gansmith.export.comparison import Difference
from gansmith.export.folder import NAMES, write_folder
from gansmith.export.html_page import expected_size, html_page, write_page
from gansmith.export.licences import fields_of
from gansmith.export.onnx_file import require_packages, write_onnx
from gansmith.export.portable import portable
from gansmith.export.program import write_program
from gansmith.export.web_runtime import web_runtime
from gansmith.runs.folder import image_folders
from gansmith.runs.run import Run
from gansmith.system.outputs import Files, inside, itself, require_output

FORMS: Mapping[str, str] = {  # and where it is written when nobody says where
    "onnx": "generator.onnx",
    "program": "generator.pt2",
    "folder": "exported",
    "html": "generator.html",
}


def export(
    run: Run,
    to: str,
    out: str | Path,
    *,
    raw: bool = False,
    checkpoint: str | None = None,
    direction: str | None = None,
    licence: str | None = None,
    runtime: str | Path | None = None,
    force: bool = False,
) -> Difference:
    """Write what of `run` makes images as `to`, a key of FORMS, to `out`; returns how it differs from PyTorch.

    direction: of a translation, a or b. licence: of a folder, who may use it. runtime: of a page, the
    unpacked npm package onnxruntime-web. force: replace what exists.

    Raises OptionError for another form, OutputError where something would be lost, ExportError where the form cannot
    hold the network, MissingExtraError without a package.
    """
    path = Path(out)
    files = files_of(to)
    require_output(path, files, force=force, data=image_folders(run.path))
    chosen: dict[str, Any] = {"raw": raw, "checkpoint": checkpoint, "direction": direction}
    return write(run, to, path, **chosen, licence=licence, runtime=runtime, force=force)


def write(
    run: Run,
    to: str,
    out: Path,
    *,
    raw: bool = False,
    checkpoint: str | None = None,
    direction: str | None = None,
    licence: str | None = None,
    runtime: str | Path | None = None,
    announce: Callable[[str], None] = lambda text: None,
    force: bool = False,
) -> Difference:
    """`export` to a path that was checked before. announce: what to do with the size of a page, told before it is
    made."""
    web = web_runtime(runtime) if to == "html" else None  # before any work
    if to in ("onnx", "html"):
        require_packages()
    if to == "folder":
        fields_of(licence)
    network = portable(run, raw=raw, checkpoint=checkpoint, direction=direction)
    if to == "onnx":
        return write_onnx(network, out, force=force)
    if to == "program":
        return write_program(network, out, force=force)
    words = audit_words(run, network.card, raw=raw)
    if web is not None:
        announce(f"the page will have about {expected_size(network, web) / 1e6:.1f} MB")
        return write_page(html_page(network, web, words), out, force=force)
    return write_folder(network, out, words=words, licence=licence, force=force)


def files_of(to: str) -> Files:
    """The files of a form. Raises OptionError for a form that there is not."""
    if to not in FORMS:
        raise OptionError(unknown("form of an export", to, FORMS))
    return inside(*NAMES) if to == "folder" else itself


def default_name(to: str) -> str:
    """Where a form is written when nobody says where.

    >>> default_name("onnx")
    'generator.onnx'
    """
    files_of(to)
    return FORMS[to]
