"""Page of an exported folder, README.md, as model hubs read it: a YAML head, then the verdict on copies, then use."""

from __future__ import annotations

import re
from typing import Any

import yaml

from gansmith import __version__, catalog
from gansmith.evaluation.types import QUESTIONS
from gansmith.export.audit_words import AuditWords
from gansmith.export.licences import fields_of
from gansmith.export.portable import Portable

_USE = """\
With torch alone:

```
python example.py 0 1 2 3 --out images
```

With gansmith, the same images and more (interpolation, arithmetic):

```python
import gansmith

run = gansmith.load("path/of/this/folder")
run.sample(seeds=range(64)).save("grid.png")
```
"""
_FILES = """\
| file | what |
|---|---|
| `generator.safetensors`, `model.json` | weights and description, for gansmith |
| `generator.pt2` | the same network as a program of `torch.export`, for torch alone |
| `example.py` | seeds to images with it |

There is no discriminator, no state of an optimizer and no image in this folder.
"""


def model_page(network: Portable, words: AuditWords, licence: str | None) -> str:
    """The text of README.md. Raises OptionError where the licence is none."""
    card = network.card
    height, width = card.dimensions.height, card.dimensions.width
    kind = "images" if (height, width) != (1, 1) else "points"
    lines = [
        "---",
        yaml.safe_dump(_head(network, words, licence), sort_keys=False).rstrip(),
        "---",
        "",
        f"# A generator of {height} x {width} {kind} ({card.model})",
        "",
        "## Does it copy its training images?",
        "",
        f"**{words.copies[1]}** {words.answers.get('memorisation', ('', ''))[1]}".rstrip(),
        *(f"\n{note}" for note in words.notes),
        "",
        *_answers(words),
        "## Use",
        "",
        _USE,
        "## Files",
        "",
        _FILES,
        "## How it was trained",
        "",
        *_training(network),
    ]
    return "\n".join(lines) + "\n"


def _head(network: Portable, words: AuditWords, licence: str | None) -> dict[str, Any]:
    card = network.card
    audit = {"copies": words.copies[0]} | {
        question: verdict for question, (verdict, _) in words.answers.items() if question != "memorisation"
    }
    return {
        **fields_of(licence),
        "library_name": "gansmith",
        "pipeline_tag": "unconditional-image-generation",
        "tags": ["gan", "image-generation", card.model],
        "audit": audit,
    }


def _answers(words: AuditWords) -> list[str]:
    rest = {question: one for question, one in words.answers.items() if question != "memorisation"}
    if not rest:
        return []
    table = [f"| {QUESTIONS[name]} | {verdict} | {_cell(sentence)} |" for name, (verdict, sentence) in rest.items()]
    head = ["## What else its audit said", "", "| question | verdict | |", "|---|---|---|"]
    return [*head, *table, "", f"Measured on: {words.how}.", ""]


def _training(network: Portable) -> list[str]:
    card, prior = network.card, network.renderer.prior
    recipe = card.origin.get("recipe")
    known = recipe in catalog.names("recipes")
    averaged = "a moving average of the weights" if card.averaged else "the weights as trained"
    lines = [
        f"- {card.images:,} real images drawn{f', recipe `{recipe}`' if known else ''}; {averaged}; "
        f"gansmith {__version__}",
        f"- latents: {prior.size} numbers, prior `{prior.kind}`",
    ]
    if "label" in network.inputs_are:
        lines.append(f"- {prior.classes} classes: {', '.join(card.classes) or f'0 to {prior.classes - 1}'}")
    return lines


def _cell(text: str) -> str:
    """Text for a cell of a table."""
    return re.sub(r"\s+", " ", text).replace("|", "\\|")
