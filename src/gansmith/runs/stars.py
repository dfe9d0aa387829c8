"""Starred images of a run, kept in `stars.json` of its folder: seeds, and latents of the run by their ids.

    {"stars": [{"seed": 7}, {"latent": "cat-1"}]}      in the order in which they were starred, none twice

An id is the name of a latent file in the run's folder `latents`, without its suffix. The file is data from a stranger
until it is read: its size, its shape and each field are checked.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

from gansmith.errors import OptionError, RunError
from gansmith.system.files import unreadable, write_json
from gansmith.system.option_words import shown
from gansmith.system.text import printable

NAME = "stars.json"  # the file in the run's folder
MOST = 10_000  # stars of a run
LARGEST_SEED = 2**53 - 1  # the largest whole number that every reader of JSON knows exactly
_MOST_BYTES = 2**21
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,79}")
_writing = threading.Lock()  # between reading and writing, in this process

Star: TypeAlias = int | str  # a seed, or the id of a latent


def star_of(value: Any) -> Star:
    """`{"seed": 7}` -> 7, `{"latent": "cat-1"}` -> "cat-1". Raises OptionError for anything else.

    >>> star_of({"seed": 7}), star_of({"latent": "cat-1"})
    (7, 'cat-1')
    """
    if isinstance(value, Mapping) and len(value) == 1:
        seed, latent = value.get("seed"), value.get("latent")
        if isinstance(seed, int) and not isinstance(seed, bool) and 0 <= seed <= LARGEST_SEED:
            return seed
        if isinstance(latent, str) and _ID.fullmatch(latent):
            return latent
    raise OptionError(
        f"{shown(value)} names no image: {{'seed': N}} with N from 0 to {LARGEST_SEED:,}, or {{'latent': ID}} with the "
        f"letters, digits, - and _ of an id"
    )


def plain(star: Star) -> dict[str, Star]:
    """The inverse of `star_of`.

    >>> plain(7), plain("cat-1")
    ({'seed': 7}, {'latent': 'cat-1'})
    """
    return {"seed" if isinstance(star, int) else "latent": star}


def read_stars(folder: Path) -> tuple[Star, ...]:
    """The stars of the run in `folder`, in the order in which they were given. Raises RunError for a damaged file."""
    path = folder / NAME
    reason = unreadable(path)
    if reason is not None:
        raise RunError(f"{printable(path)} cannot be read: {reason}")
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
        if len(content) > _MOST_BYTES:
            raise ValueError(f"it has more than {_MOST_BYTES:,} bytes")
        stars = tuple(dict.fromkeys(map(star_of, json.loads(content)["stars"])))
        if len(stars) > MOST:
            raise ValueError(f"it holds {len(stars):,} stars, at most {MOST:,} are allowed")
    except FileNotFoundError:
        return ()
    except (OSError, KeyError, TypeError, ValueError, RecursionError, OptionError) as error:
        said = printable(str(error))[:200]
        raise RunError(f"{printable(path)} is damaged: {said}. Mend it, or remove it to begin anew") from error
    return stars


def set_star(folder: Path, star: Star, *, on: bool) -> tuple[Star, ...]:
    """Give the image a star, or take it away; the stars after that. Raises RunError for a damaged file, OptionError for
    more than 10,000."""
    star_of(plain(star))
    with _writing:
        before = read_stars(folder)
        if on == (star in before):
            return before
        stars = (*before, star) if on else tuple(one for one in before if one != star)
        if len(stars) > MOST:
            raise OptionError(f"a run keeps at most {MOST:,} stars: take some away first")
        write_json(folder / NAME, {"stars": [plain(one) for one in stars]}, create_folder=False)
    return stars


def sources_of(folder: Path) -> list[str]:
    """The stars as texts that name latents: seeds, and paths of latent files. Raises RunError where there are none."""
    stars = read_stars(folder)
    if not stars:
        raise RunError(f"no image of {printable(folder)} has a star: the page of gansmith explore gives them")
    return [str(star) if isinstance(star, int) else str(folder / "latents" / f"{star}.safetensors") for star in stars]
