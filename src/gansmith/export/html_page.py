"""Page with the generator inside: one HTML file that runs from disk, loads nothing and sends nothing.

onnxruntime-web, its WebAssembly and the ONNX model stand in it gzipped, in base64. Its content security policy allows
its own scripts and style by their digests and the runtime from memory. Before anything is shown the page makes stored
images again and compares them.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import zlib
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

import torch
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from gansmith import __version__
from gansmith.errors import OptionError
from gansmith.export.audit_words import AuditWords
from gansmith.export.comparison import Difference
from gansmith.export.onnx_file import description, onnx_bytes
from gansmith.export.portable import Portable
from gansmith.export.slider_directions import slider_directions
from gansmith.export.web_runtime import WebRuntime
from gansmith.records.images import to_uint8
from gansmith.system.files import atomic

_STORED = 4  # images that the page makes again
_DEVIATION = {"normal": 1.0, "uniform": 3**-0.5, "sphere": 1.0}  # of one number of a latent


class Page(NamedTuple):
    """The bytes of the page, and how its model differs from PyTorch."""

    content: bytes
    difference: Difference


def write_page(page: Page, path: Path, *, force: bool = False) -> Difference:
    """Write the page."""
    with atomic(path, replace=force) as file:
        file.write(page.content)
    return page.difference


def html_page(network: Portable, runtime: WebRuntime, words: AuditWords) -> Page:
    """The page of a generator. Raises OptionError for a translation and for points, ExportError as ONNX does."""
    shape = network.card.dimensions
    if not network.makes_from_latents or (shape.height, shape.width) == (1, 1):
        raise OptionError("a page shows a generator of images: for a translation or points take --to onnx")
    model, difference = onnx_bytes(network)
    home = files(__package__)
    draws, script, style, text = (
        home.joinpath(name).read_text(encoding="utf-8")
        for name in ("page_draws.js", "page.js", "page.css", "page.html")
    )
    known = description(network)
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    scripts = " ".join(f"'{_digest(one)}'" for one in (draws, script))
    facts, stored = _facts(network, known)
    page = environment.from_string(text).render(
        policy=f"default-src 'none'; script-src {scripts} 'wasm-unsafe-eval' blob:; style-src '{_digest(style)}'; "
        f"base-uri 'none'; form-action 'none'",
        title=f"Images of {shape.height} x {shape.width} pixels, made by a {network.card.model}",
        copies=words.copies[1],
        labels=known["classes"],
        psi="psi" in network.inputs_are,
        about=f"{network.card.images:,} real images drawn in training; gansmith {__version__}.",
        facts=Markup(json.dumps(facts).replace("<", "\\u003c")),
        stored=base64.b64encode(stored).decode(),
        model=_packed(model),
        runtime_script=_packed(runtime.script),
        runtime_wasm=_packed(runtime.wasm),
        draws=Markup(draws),
        script=Markup(script),
        style=Markup(style),
    )
    return Page(page.encode(), difference)


def expected_size(network: Portable, runtime: WebRuntime) -> int:
    """About how many bytes the page has."""
    weights: int = sum(values.numel() * values.element_size() for values in network.network.state_dict().values())
    return (len(gzip.compress(runtime.wasm, 6)) + len(gzip.compress(runtime.script, 6)) + weights) * 4 // 3


def _facts(network: Portable, known: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """What the script reads, and the levels of the stored images [N, C, H, W]."""
    seeds = range(_STORED)
    inputs = {"latent": network.renderer.latents(seeds)}
    if "label" in network.inputs_are:
        inputs["label"] = torch.arange(_STORED) % network.renderer.prior.classes
    if "psi" in network.inputs_are:
        inputs["psi"] = torch.ones(_STORED)
    images = torch.cat(
        [network.images({name: values[i : i + 1] for name, values in inputs.items()}) for i in range(_STORED)]
    )
    labels = inputs.get("label", torch.zeros(_STORED, dtype=torch.int64)).tolist()
    latents = inputs["latent"].tolist()
    shape = network.card.dimensions
    facts = {
        **{key: known[key] for key in ("inputs", "prior", "classes")},
        "channels": shape.channels,
        "height": shape.height,
        "width": shape.width,
        "word": str(zlib.crc32(b"latent") | 1 << 32),  # as `system.seeding.mix` reads it
        "deviation": _DEVIATION[network.renderer.prior.kind],
        "directions": [[round(value, 5) for value in one] for one in slider_directions(network).tolist()],
        "stored": [{"seed": seed, "label": labels[seed], "latent": latents[seed]} for seed in seeds],
    }
    return facts, to_uint8(images).transpose(0, 3, 1, 2).tobytes()


def _packed(data: bytes) -> str:
    return base64.b64encode(gzip.compress(data, 9, mtime=0)).decode()


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
