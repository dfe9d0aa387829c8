"""Settings of the page's server: what it opens, who may ask, and what a request may start."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from pathlib import Path

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


def new_token() -> str:
    """256 random bits from the system, as letters that need no quoting in a URL.

    >>> len(new_token())
    43
    """
    return secrets.token_urlsafe(32)


@dataclass(frozen=True)
class Settings:
    """What one server is told, once.

    opened      a run, a folder of models, or a folder of runs
    images      the one folder of images that a training may be started on; None for none
    hosts       names that a request's Host may have beside those of the loopback
    read_only   no request writes or starts anything
    zoo         the name of the model of the zoo that is opened, which is not written to; None for anything else
    memory      bytes that the weights of the models kept open may take together

    >>> sorted(Settings(Path("runs"), hosts=("Lab",)).allowed_hosts)
    ['127.0.0.1', '[::1]', 'lab', 'localhost']
    """

    opened: Path
    token: str = field(default_factory=new_token, repr=False)
    port: int = 0
    hosts: tuple[str, ...] = ()
    read_only: bool = False
    zoo: str | None = None
    images: Path | None = None
    memory: int = 1 << 30

    @property
    def allowed_hosts(self) -> frozenset[str]:
        """Host names without their port, in small letters."""
        return frozenset(name.lower() for name in (*LOOPBACK, *self.hosts))
