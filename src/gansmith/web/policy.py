"""The Content-Security-Policy of the page: all from this server, no inline script, no eval.

The script of plotly puts two style elements of its own into the page: an empty one, and rules for maps that are never
drawn here. They are allowed by their sha256, which is read from the installed script, so that no other inline style is.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import re
from importlib.util import find_spec
from pathlib import Path

from gansmith.web.errors import NotFoundError

_STYLE = re.compile(r"\.textContent='([^'\\]{1000,})'")


def plotly_script() -> Path:
    """The script in the installed package plotly. Raises NotFoundError without it."""
    spec = find_spec("plotly")
    places = [] if spec is None else list(spec.submodule_search_locations or [])
    scripts = [Path(place) / "package_data" / "plotly.min.js" for place in places]
    script = next((one for one in scripts if one.is_file()), None)
    if script is None:
        raise NotFoundError("charts need the package plotly, which is not installed")
    return script


@functools.cache
def content_policy() -> str:
    """The header's value."""
    styles = " ".join(f"'sha256-{_hash(text)}'" for text in _own_styles())
    return "; ".join(
        [
            "default-src 'none'",
            "script-src 'self'",
            f"style-src 'self' {styles}".strip(),
            "img-src 'self' blob: data:",
            "media-src 'self' blob:",
            "connect-src 'self'",
            "font-src 'self'",
            "frame-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        ]
    )


def _own_styles() -> list[str]:
    try:
        return ["", *_STYLE.findall(plotly_script().read_text(encoding="utf-8"))]
    except NotFoundError:
        return []


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
