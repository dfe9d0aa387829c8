"""The audit's report: one self-contained page of HTML that opens from disk, prints, and follows dark mode.

Written for a person who never read a paper on the subject: verdicts first, then the evidence for each, then how it
was measured. The same audit gives the same page, to the byte.
"""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Mapping
from dataclasses import fields, replace
from importlib.resources import files
from pathlib import Path
from xml.etree import ElementTree

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup
from PIL import Image

from gansmith.errors import OptionError
from gansmith.evaluation import number_format
from gansmith.evaluation.audit.audit import JSON, Audit
from gansmith.evaluation.audit.glossary import GLOSSARY, explains
from gansmith.evaluation.number_format import counted
from gansmith.evaluation.protocol import Protocol
from gansmith.evaluation.types import QUESTIONS, Answer, Figure, Number, Verdict
from gansmith.system.files import write_json, write_text

PAGE = "report.html"
SIGNS: dict[Verdict, str] = {"good": "\u2713", "bad": "\u2717", "cannot tell": "?"}
_WIDEST = 1200  # pixels: sharp at the width of the page on a fine screen
_SMALL = 420  # pixels: a narrower image is enlarged, with its pixels kept square
_BRIEF = 32  # letters: a longer fact stands at the end of the page, not at its top
_PNG = 120_000  # bytes: a larger image is stored as WebP
_CAPITALS = {"fid": "FID", "kid": "KID", "lpips": "LPIPS", "ppl": "PPL", "kl": "KL", "fd": "FD"}
_PLOTTED = "power_at_"  # numbers whose names begin so are drawn
_SHORT: Mapping[str, Mapping[Verdict, str]] = {
    "quality": {
        "good": "the images look like the real ones",
        "bad": "the images do not look like the real ones",
        "cannot tell": "whether the images look like the real ones",
    },
    "memorisation": {
        "good": "no copies of training images were found",
        "bad": "some are copies of training images",
        "cannot tell": "whether some are copies of training images",
    },
    "collapse": {
        "good": "the generator does not repeat itself",
        "bad": "the generator repeats itself",
        "cannot tell": "whether the generator repeats itself",
    },
    "diversity": {
        "good": "the variety of the real images is covered",
        "bad": "the variety of the real images is not covered",
        "cannot tell": "whether the variety of the real images is covered",
    },
    "artifacts": {
        "good": "no trace of the network that matters was found",
        "bad": "the images carry traces of the network",
        "cannot tell": "whether the images carry traces of the network",
    },
}
_CURVES = {
    "loss": "What each network has to bring down, over the images drawn. Neither is to win: a flat line is no failure.",
    "accuracy": "How often the discriminator scores a real image above a sample: 0.5 where it cannot tell them apart, "
    "1 where it always can.",
}
_PARTS = {
    "features": "What compares the images (the extractor)",
    "real": "Real images",
    "size": "Size compared",
    "averaging": "Weights of the generator",
    "fake": "Judged",
    "seeds": "Seeds",
    "version": "gansmith",
}


def write(audit: Audit, folder: str | Path, *, replace: bool = True) -> tuple[Path, Path]:
    """Write audit.json and report.html into a folder, which is created if need be; each appears whole or not at all.

    replace: as for `system.files.atomic`.
    """
    document = page(audit)
    data, html = Path(folder) / JSON, Path(folder) / PAGE
    write_json(data, audit.record(), replace=replace)
    write_text(html, document, replace=replace)
    return data, html


def page(audit: Audit) -> str:
    """The whole HTML document. Every text is escaped; a figure's `<svg>` must be self-contained, or it is refused."""
    ruler = _ruler(audit)
    first = int(ruler is not None)  # of the answer on quality, the figures that do not open the report
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, finalize=_unbroken
    )
    environment.globals.update(
        picture=picture,
        drawing=drawing,
        narrow=narrow,
        upright=upright,
        widest=widest,
        values=values,
        count=number_format.number,
        shown_name=shown_name,
        explains=explains,
        headline=headline,
        tabled=tabled,
        evidence=lambda answer: answer.figures[first:] if answer.question == "quality" else answer.figures,
    )
    template = environment.from_string(files(__package__).joinpath("report.html").read_text(encoding="utf-8"))
    circumstances = [(name, fact) for name, fact in audit.facts.items() if audit.run is not None or len(fact) > _BRIEF]
    known = audit.facts.items() if audit.run is None else audit.run.rows()
    facts = [(name, fact) for name, fact in known if (name, fact) not in circumstances]
    steps = audit.steps
    return template.render(
        audit=audit,
        questions=QUESTIONS,
        signs=SIGNS,
        in_short=in_short(audit),
        steps=steps,
        further=counted(len(steps) - 1, "further step"),
        about="" if audit.subject in audit.title else audit.title,
        heading=audit.title if audit.subject in audit.title else audit.subject,
        facts=[*facts, *((name, number_format.number(many)) for name, many in audit.counts.items() if many != 1)],
        ruler=ruler,
        training=[replace(figure, caption=_CURVES.get(figure.caption, figure.caption)) for figure in audit.training],
        circumstances=circumstances,
        protocol=protocol_rows(audit.protocol),
        glossary=GLOSSARY,
    )


def _unbroken(shown: object) -> object:
    """Texts of the page: no line breaks between a number and its per cent sign."""
    return shown.replace(" %", "\u00a0%") if type(shown) is str else shown


def values(numbers: Mapping[str, Number]) -> dict[str, str]:
    """Each number with its interval; shares in per cent: `3 % (1.2 % to 5 %)`.

    A number whose meaning begins with "the same" is written like the one before it, with which it is compared.
    """
    texts, share = {}, False
    for name, bounded in numbers.items():
        if not bounded.means.startswith("the same"):
            share = bounded.means.startswith("share")
        in_per_cent = share or bounded.means.startswith("the same share")
        texts[name] = number_format.interval(bounded, in_per_cent=in_per_cent)
    return texts


def in_short(audit: Audit) -> list[tuple[Verdict, str]]:
    """(verdict, what has it in plain words) of each verdict that occurs, the worst first."""
    order: tuple[Verdict, ...] = ("bad", "cannot tell", "good")
    lines = []
    for verdict in order:
        parts = [_SHORT[question][verdict] for question, one in audit.answers.items() if one.verdict == verdict]
        if parts:
            text = ("not settled: " if verdict == "cannot tell" else "") + ", ".join(parts)
            lines.append((verdict, f"{text[0].upper()}{text[1:]}."))
    return lines


def tabled(answer: Answer) -> dict[str, Number]:
    """The numbers of an answer but those that one of its plots shows."""
    plotted = any(figure.svg is not None for figure in answer.figures)
    return {
        name: number
        for name, number in answer.numbers.items()
        if name == answer.headline or not (plotted and name.startswith(_PLOTTED))
    }


def _ruler(audit: Audit) -> Figure | None:
    """The drawing of the ruler, which opens the report: the first figure of an answer on quality that has one."""
    quality = audit.answers.get("quality")
    if quality is None or "ruler" not in quality.numbers or not quality.figures:
        return None
    return quality.figures[0]


def headline(answer: Answer) -> Number | None:
    """The number that the verdict mainly rests on; None where there is none."""
    return answer.numbers.get(answer.headline)


def shown_name(name: str) -> str:
    """`kid_spread` -> `KID spread`: underscores become spaces, abbreviations get their capitals."""
    return re.sub(r"\bc t\b", "C_T", " ".join(_CAPITALS.get(word, word) for word in re.split("[_ ]+", name)))


def protocol_rows(protocol: Protocol) -> list[tuple[str, str]]:
    """The fields of the protocol that all numbers share, in plain words; empty ones are left out."""
    known = {one.name: str(getattr(protocol, one.name)) for one in fields(protocol)}
    return [(name, known[key]) for key, name in _PARTS.items() if known[key]]


def narrow(figure: Figure) -> bool:
    """Whether the image is so small that its pixels are drawn as squares."""
    return figure.image is not None and figure.image.width <= _SMALL


def upright(figure: Figure) -> bool:
    """Whether the image would be too high at the width of the others."""
    return figure.image is not None and figure.image.height > 0.6 * figure.image.width


def widest(figure: Figure) -> str:
    """The largest width of a small image on the page, for CSS: twice its pixels, at most 30 rem, at least 12."""
    return "" if figure.image is None else f"clamp(12rem,{2 * figure.image.width}px,30rem)"


def picture(image: Image.Image) -> str:
    """A data URI: PNG, or WebP where that would be large; at most 1,200 pixels wide."""
    if image.mode not in {"L", "RGB", "RGBA"}:
        image = image.convert("RGBA" if "A" in image.getbands() or "transparency" in image.info else "RGB")
    if image.width > _WIDEST:
        image = image.resize((_WIDEST, max(1, round(image.height * _WIDEST / image.width))), Image.Resampling.LANCZOS)
    stored, kind = _stored(image, "PNG", optimize=True), "png"
    if len(stored) > _PNG:
        stored, kind = _stored(image, "WEBP", quality=80, method=4), "webp"
    return f"data:image/{kind};base64,{base64.b64encode(stored).decode('ascii')}"


def _stored(image: Image.Image, kind: str, **options: int | bool) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def drawing(figure: Figure) -> Markup:
    """The `<svg>` of a figure. Raises OptionError unless it is one, without scripts and links."""
    reason = "" if figure.svg is None else _unsafe(figure.svg)
    if reason:
        raise OptionError(f"the drawing of {figure.caption!r} cannot be put into a report: {reason}")
    return Markup(figure.svg or "")


def _unsafe(svg: str) -> str:
    try:
        root = ElementTree.fromstring(svg)
    except ElementTree.ParseError as error:
        return f"it is not well-formed ({error})"
    if root.tag.rpartition("}")[2] != "svg":
        return f"it is <{root.tag.rpartition('}')[2]}>, not <svg>"
    for element in root.iter():
        tag = str(element.tag).rpartition("}")[2].lower()
        names = [name.rpartition("}")[2].lower() for name in element.attrib]
        if tag in {"script", "foreignobject", "image", "use", "a", "iframe"}:
            return f"it holds <{tag}>"
        if any(name.startswith("on") or name == "href" for name in names):
            return f"<{tag}> has a script or a link"
        if tag == "style" and any(word in (element.text or "").lower() for word in ("@import", "url(", "<")):
            return "its style reaches outside of it"
    return ""
