"""The command that makes the images of a file again, where seeds alone made them."""

from __future__ import annotations

from pathlib import Path

from gansmith.latent.provenance import Provenance, Samples
from gansmith.latent.seeds import seeds_as_text
from gansmith.web.pictures import command_line


def command_words(made: Provenance, run: Path) -> str:
    """`gansmith sample RUN --seeds 0-3`; for all other files `gansmith show`, which says it."""
    request = made.request
    if not isinstance(request, Samples) or request.labels is not None:
        return command_line("show", "FILE", str(run))
    seeds = [seed for seed in request.seeds if isinstance(seed, int)]
    if len(seeds) != len(request.seeds):
        return command_line("sample", str(run), "--seeds", "FILE")
    words = ["sample", str(run), "--seeds", seeds_as_text(seeds)]
    words += [] if made.label is None else ["--label", str(made.label)]
    words += [] if request.truncation is None else ["--truncation", repr(request.truncation)]
    words += [] if request.canvas is None else ["--canvas", f"{request.canvas[0]}x{request.canvas[1]}"]
    return command_line(*words)
