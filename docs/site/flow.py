"""A Mermaid flow chart that is one chain of boxes, as a list that a browser draws without a script.

GitHub draws Mermaid by itself; in the site its script would have to be shipped, or loaded from outside.
"""

from __future__ import annotations

import html
import re

CHART = re.compile(r"^```mermaid\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_BOX, _ARROW = re.compile(r'(\w+)\["([^"]*)"\]'), re.compile(r"(\w+) --> (\w+)")


def with_lists(text: str) -> str:
    """A page's Markdown with a list in the place of each chart. Raises ValueError for one that is no such chain."""
    return CHART.sub(lambda match: flow_list(match[1]), text)


def flow_list(chart: str) -> str:
    r"""The HTML of a chart: its boxes in order, an arrow between each and the next.

    >>> flow_list('flowchart TD\n  a["1 & 2"]\n  b["3"]\n  a --> b\n')
    '<ol class="flow">\n<li>1 &amp; 2</li>\n<li>3</li>\n</ol>'
    """
    first, *lines = (line.strip() for line in chart.strip().splitlines())
    boxes = {match[1]: match[2] for line in lines if (match := _BOX.fullmatch(line))}
    arrows = [match.groups() for line in lines if (match := _ARROW.fullmatch(line))]
    chain = list(zip(boxes, list(boxes)[1:], strict=False))
    if first != "flowchart TD" or arrows != chain or len(boxes) + len(arrows) != len(lines):
        raise ValueError(f"the site draws a flowchart TD of boxes in one chain, in order, and nothing else: {chart!r}")
    items = "".join(f"<li>{html.escape(label, quote=False)}</li>\n" for label in boxes.values())
    return f'<ol class="flow">\n{items}</ol>'
