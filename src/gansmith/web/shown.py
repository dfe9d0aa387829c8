"""The command that makes the images of a file again: of seeds as they are, of latents by the file that holds them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gansmith.latent.latent_file import SUFFIX
from gansmith.latent.provenance import Provenance
from gansmith.latent.provenance_command import command_words
from gansmith.system.paths import shell_word
from gansmith.web.latent_store import FOLDER
from gansmith.web.pictures import command_line


def command_of(made: Provenance, run: Path, kept: Sequence[str]) -> str:
    """`gansmith sample RUN --seeds 0-3`, `gansmith arithmetic ...`; kept: the names under which its latents are kept in
    the run, which stand for FILE."""
    files = ",".join(str(run / FOLDER / f"{name}{SUFFIX}") for name in kept)
    words = command_words(made, shell_word(files) if files else "FILE")
    return " ".join([command_line(words[0], run), *words[2:]])
