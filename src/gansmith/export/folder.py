"""Folder: a generator as model hubs want it, with all that torch alone, or gansmith, needs to make its images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from pprint import pformat
from typing import Any

from gansmith import catalog
from gansmith.errors import OptionError
from gansmith.export.audit_words import AuditWords
from gansmith.export.comparison import Difference
from gansmith.export.model_page import model_page
from gansmith.export.onnx_file import description
from gansmith.export.portable import Portable
from gansmith.export.program import program_bytes
from gansmith.models import saved
from gansmith.models.saved import Card
from gansmith.system.files import atomic, write_text

README, EXAMPLE, PROGRAM = "README.md", "example.py", "generator.pt2"
NAMES = (README, EXAMPLE, PROGRAM, "generator.safetensors", "model.json")


def write_folder(
    network: Portable, path: Path, *, words: AuditWords, licence: str | None, force: bool = False
) -> Difference:
    """Write the folder; README.md, the last, says that it is whole. Raises OptionError for a translation or without a
    licence, ExportError where the program differs."""
    if not network.makes_from_latents:
        raise OptionError(f"a folder holds a generator, and {network.name} translates: take --to onnx or --to program")
    page = model_page(network, words, licence)  # before any work
    data, difference = program_bytes(network)
    card = travelling(network.card, conditional="label" in network.inputs_are)
    saved.save(path, {"generator": (card, network.renderer.generator.state_dict())})
    with atomic(path / PROGRAM, replace=force) as file:
        file.write(data)
    write_text(path / EXAMPLE, example(network), replace=force)
    write_text(path / README, page, replace=force)
    return difference


def travelling(card: Card, *, conditional: bool) -> Card:
    """The card without the name of the data; without those of its classes where the generator does not know them."""
    known: Mapping[str, Any] = card.origin
    origin = {key: known[key] for key in ("gansmith", "networks") if key in known}
    if known.get("recipe") in catalog.names("recipes"):
        origin["recipe"] = known["recipe"]
    return replace(card, origin=origin, classes=card.classes if conditional else ())


def example(network: Portable) -> str:
    """The script that needs only torch, with what it must know of this generator."""
    prior = network.renderer.prior
    settings = {
        **{key: value for key, value in description(network).items() if key in ("inputs", "prior", "classes")},
        "shares": list(prior.shares) or [1 / prior.classes] * prior.classes if prior.classes else [],
    }
    text = files(__package__).joinpath("example.txt").read_text(encoding="utf-8")
    return text.replace("SETTINGS = {}", f"SETTINGS = {pformat(settings, width=100, sort_dicts=False)}")
