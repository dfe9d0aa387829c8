"""Optional packages: how they are installed, in words that hold for a checkout and for an installed package alike."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

from gansmith.errors import MissingExtraError

_CHECKOUT = Path(__file__).parents[3]  # of the source tree, where the package is run from one


def missing_extra(problem: str, extra: str, beside: str = "") -> MissingExtraError:
    """The error for a package of the optional `extra` that is not installed: `PROBLEM: pip install ...; BESIDE`."""
    return MissingExtraError(f"{problem}: {install(extra)}{f'. {beside}' if beside else ''}")


def install(extra: str) -> str:
    """The command that installs what `extra` names: of the checkout, or of the extra's packages by their own names.

    The package itself is on no index, so its name with the extra in brackets would not be found.
    """
    if (_CHECKOUT / "pyproject.toml").is_file():
        return f"pip install -e {shlex.quote(f'{_CHECKOUT}[{extra}]')}"
    return f"pip install {' '.join(shlex.quote(name) for name in packages(extra))}"


def packages(extra: str, listed: Iterable[str] | None = None) -> list[str]:
    """The requirements of an extra, as the installed package lists them; the extra's name where it lists none.

    >>> packages("draw", ["torch>=2.6", 'torchview>=0.2.6; extra == "draw"', "lmdb>=1.4; extra == 'lmdb'"])
    ['torchview>=0.2.6']
    """
    try:
        lines = list(requires("gansmith") or []) if listed is None else list(listed)
    except PackageNotFoundError:
        lines = []
    own = [re.match(r"\s*([^;]+?)\s*;.*extra\s*==\s*['\"]([^'\"]+)['\"]", line) for line in lines]
    return [match[1] for match in own if match and match[2] == extra] or [extra]
