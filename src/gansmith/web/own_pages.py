"""Pages that gansmith wrote (a report, a blind test), answered so that they cannot act as the page around them.

Each is a document of its own with its style, its pictures and perhaps a script inside. The policy of its answer lets
these work and nothing else, and `sandbox` gives it an origin of its own: it reaches no cookie, no storage, no request
of this server. A file of a run folder may have been written by anybody.
"""

from __future__ import annotations

from pathlib import Path

from fastapi.responses import FileResponse, HTMLResponse, Response

from gansmith.web.errors import TooLargeError

MOST_BYTES = 1 << 27
_POLICY = (
    "sandbox{allowed}; default-src 'none'; img-src data:; style-src 'unsafe-inline'; font-src data:{scripts}; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'self'"
)
REPORT_POLICY = _POLICY.format(allowed="", scripts="")  # no script at all
TEST_POLICY = _POLICY.format(allowed=" allow-scripts", scripts="; script-src 'unsafe-inline'")


def report(file: Path) -> Response:
    """A report's page, or its JSON. Raises TooLargeError."""
    size = file.stat().st_size
    if size > MOST_BYTES:
        raise TooLargeError(f"{file.name} has {size:,} bytes, and at most {MOST_BYTES:,} are sent")
    kind = "text/html" if file.suffix == ".html" else "application/json"
    return FileResponse(file, media_type=kind, headers={"Content-Security-Policy": REPORT_POLICY})


def test_page(text: str) -> Response:
    """A page with a script of its own."""
    return HTMLResponse(text, headers={"Content-Security-Policy": TEST_POLICY})
