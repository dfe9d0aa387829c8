"""The weights of a network that judges images, where none are here: what the page offers, and why a download failed."""

from __future__ import annotations

import re
from typing import Any

from gansmith.system.text import printable_lines

NAME = "mobilenet"  # the smallest: 14 MB, from its publisher, read without another package
COMMAND = ("features", "install", NAME)
_NO_WAY = re.compile(
    r"name resolution|not known|unreachable|timed? ?out|refused|no route|reset by peer|handshake|certificate|proxy"
    r"|could not find a version|retries exceeded",
    re.IGNORECASE,
)
_COUNTED = re.compile(r"^downloading [^:]{1,80}: ([\d,]+)/([\d,]+) MB", re.MULTILINE)


def here() -> tuple[str, ...]:
    """The networks that judge images whose weights are here, the best first."""
    from gansmith.judge.chosen_extractors import BEST_FIRST
    from gansmith.pretrained.weights import weights_are_here

    return tuple(filter(weights_are_here, BEST_FIRST))


def offered() -> dict[str, Any] | None:
    """{name, file, megabytes, source, command}; None where the weights of a network are here already."""
    from gansmith import catalog
    from gansmith.pretrained.weights import Published

    published = catalog.stated("features", NAME, "WEIGHTS", None)
    if not isinstance(published, Published) or here():
        return None
    return {
        "name": NAME,
        "file": published.file,
        "megabytes": published.megabytes,
        "source": published.source,
        "command": f"gansmith {' '.join(COMMAND)}",
    }


def share(log: str) -> float | None:
    """Of a download, by the newest line of its progress; None before there is one.

    >>> share("downloading x.pth: 3/14 MB, 0.3 MB/s, 0:10 gone")
    0.2143
    """
    found = _COUNTED.findall(log)
    done, whole = (int(number.replace(",", "")) for number in found[-1]) if found else (0, 0)
    return round(min(1.0, done / whole), 4) if whole else None


def problem(log: str) -> str:
    """Why a download failed, and what to do, in one sentence or two.

    >>> "no way" in problem("its publisher: [Errno -3] Temporary failure in name resolution")
    True
    """
    if "is not the published file" in log:
        return "Another file lies where the weights belong, and was left as it is: move it away, as the last lines say."
    reason = "This machine has no way to the internet, or a firewall stands between" if _NO_WAY.search(log) else ""
    lines = [line for line in printable_lines(log[-2000:]).splitlines() if line.strip()]
    why = reason or f"The download did not succeed ({lines[-1][:200] if lines else 'it said nothing'})"
    return (
        f"{why}: nothing was changed, and evaluations go on comparing pixels. The file can also be fetched on another "
        f"machine and put into its place by hand; the last lines say how."
    )
