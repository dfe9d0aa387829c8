"""The page: whole, self-contained, harmless, the same each time, and every verdict said in words and by a sign."""

from __future__ import annotations

import base64
import io
import math
import re
from dataclasses import replace
from html import escape, unescape
from html.parser import HTMLParser
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from gansmith.errors import OptionError
from gansmith.evaluation.audit import plots, report
from gansmith.evaluation.audit.audit import Audit
from gansmith.evaluation.audit.glossary import GLOSSARY, explains
from gansmith.evaluation.audit.run_facts import RunFacts
from gansmith.evaluation.protocol import Protocol
from gansmith.evaluation.types import QUESTIONS, Answer, Figure, Number, Verdict

BASE = Protocol("", "pixels@1 (as they are)", "digits train", 100, 50, "8x8x1", "averaged", "toy", "0 to 49")
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
SVG_VOID = {"path", "rect"}
VERDICTS: tuple[Verdict, ...] = ("good", "bad", "cannot tell", "good", "bad")


def answers(**changes: object) -> dict[str, Answer]:
    found = {}
    for question, verdict in zip(QUESTIONS, VERDICTS, strict=True):
        answer = Answer(
            question=question,
            verdict=verdict,
            sentence=f"The sentence on {question}.",
            headline="kid",
            numbers={"kid": Number(0.71, 0.66, 0.75, "what it means", 0.9), "fid": Number(math.nan)},
            protocol=BASE.of(f"{question}(degree=3)"),
            details=("How sure one can be.",),
            figures=(
                Figure("A plot.", svg=plots.histogram({"a": [1.0, 2.5]}, x="x")),
                Figure("A picture.", image=Image.new("L", (20, 10))),
            ),
        )
        found[question] = replace(answer, **changes)  # type: ignore[arg-type]
    return found


def audit(**changes: object) -> Audit:
    whole = Audit(
        answers=answers(),
        subject="toy",
        protocol=BASE,
        title="Audit of a run",
        counts={"samples": 12_000},
        facts={"recipe": "dcgan"},
        notes=("A note.",),
        sheets=(Figure("Samples.", image=Image.new("RGB", (600, 10))),),
    )
    return replace(whole, **changes)  # type: ignore[arg-type]


class Page(HTMLParser):
    """Collects what there is, and sees that every element that opens is closed, in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str]]] = []
        self.said = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in SVG_VOID
        self.seen.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.said += data

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.seen if name == tag]


def test_every_verdict_is_a_word_a_sign_and_a_class() -> None:
    text = report.page(audit())
    for verdict, sign in (("good", "\u2713"), ("bad", "\u2717"), ("cannot tell", "?")):
        badges = text.count(f'<span class="verdict"><span aria-hidden="true">{sign}</span> {verdict}</span>')
        assert badges == 1 + VERDICTS.count(verdict)  # type: ignore[arg-type]
        assert text.count(f'<li class="{verdict}">') == 1
        assert text.count(f'class="answer {verdict}"') == VERDICTS.count(verdict)  # type: ignore[arg-type]


def test_everything_that_was_found_is_on_the_page() -> None:
    page = Page(report.page(audit()))
    for question, words in QUESTIONS.items():
        assert page.said.count(words) == 3  # its section, its evidence, beside its protocol
        assert page.said.count(f"The sentence on {question}.") == 1
        assert str(BASE.of(f"{question}(degree=3)")) in page.said
    for words, times in (
        ("How sure one can be.", 5),
        ("A plot.", 5),
        ("A picture.", 5),
        ("what it means", 10),
        ("0.710 (0.660 to 0.750)", 10),
        ("interval at 90 %", 5),
        ("not known", 5),
        ("the verdict rests mainly on this", 5),
        ("12\u202f000", 1),
        ("dcgan", 1),
        ("A note.", 1),
        ("Samples.", 1),
    ):
        assert page.said.count(words) == times, words
    assert all(term.name in page.said and term.means in page.said for term in GLOSSARY.values())


def test_the_number_that_the_verdict_rests_on_is_marked() -> None:
    text = report.page(audit())
    rows = re.findall(r"<tr[ >].*?</tr>", text, re.DOTALL)
    marked = [row for row in rows if "the verdict rests mainly on this" in row]
    assert len(marked) == 5
    assert all(row.startswith('<tr class="main"') and ">KID</a>" in row for row in marked)
    assert sum('class="main"' in row for row in rows) == 5


def test_the_page_is_sound() -> None:
    """Language, title, one h1, no level skipped, images with alternative texts, tables with heads, links that lead."""
    text = report.page(audit())
    assert text.startswith("<!doctype html>\n")
    page = Page(text)
    assert page.all("html") == [{"lang": "en"}]
    assert {"charset": "utf-8"} in page.all("meta")
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in page.all("meta")
    assert "<title>Audit of a run: toy</title>" in text
    levels = [int(tag[1]) for tag, _ in page.seen if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert all(image["alt"].startswith("Image: ") and image["width"] for image in page.all("img"))
    assert all(drawing["role"] == "img" and drawing["aria-label"] for drawing in page.all("svg"))
    assert all(cell["scope"] in {"row", "col"} for cell in page.all("th"))
    names = [attributes["id"] for _, attributes in page.seen if "id" in attributes]
    assert len(names) == len(set(names))
    links = [link["href"] for link in page.all("a")]
    assert links
    assert all(link.startswith("#") and link[1:] in names for link in links)
    labelled = [attributes["aria-labelledby"] for _, attributes in page.seen if "aria-labelledby" in attributes]
    assert len(labelled) == 8
    assert set(labelled) <= set(names)


def test_nothing_comes_from_outside() -> None:
    text = report.page(audit())
    page = Page(text)
    assert not page.all("script") + page.all("link") + page.all("iframe")
    assert all(image["src"].startswith("data:image/") for image in page.all("img"))
    bare = re.sub(r'xmlns="http://www.w3.org/2000/svg"', "", text)
    assert "://" not in bare
    assert "@import" not in bare
    assert "url(" not in bare


def test_the_page_is_laid_out_for_paper_and_for_the_dark() -> None:
    text = report.page(audit())
    assert "@media print{" in text
    assert "@page{size:A4" in text
    assert "@media screen and (prefers-color-scheme:dark)" in text


def test_names_cannot_become_code() -> None:
    evil = "<script>alert('1')</script>\"&"
    base = replace(BASE, real=evil, fake=evil, features=evil, size=evil, averaging=evil, seeds=evil)
    given = answers(
        sentence=evil,
        headline=evil,
        numbers={evil: Number(1, means=evil)},
        details=(evil,),
        protocol=base.of(evil),
        figures=(Figure(evil, image=Image.new("L", (2, 2)), svg=plots.bars({evil: {evil: 1}}, y=evil)),),
    )
    text = report.page(
        audit(
            answers=given, subject=evil, title=evil, facts={evil: evil}, counts={evil: 1}, notes=(evil,), protocol=base
        )
    )
    assert "<script" not in text
    page = Page(text)
    assert page.said.count(evil) > 30
    assert {unescape(image["alt"]) for image in page.all("img")[1:]} == {f"Image: {evil}"}
    assert escape(evil, quote=False)[:20] in text


@pytest.mark.parametrize(
    ("svg", "reason"),
    [
        ("<svg><script>1</script></svg>", "it holds <script>"),
        ('<svg xmlns="http://www.w3.org/2000/svg"><image/></svg>', "it holds <image>"),
        ('<svg><path onclick="x()"/></svg>', "<path> has a script or a link"),
        ('<svg xmlns:x="urn:x"><g x:href="#1"/></svg>', "<g> has a script or a link"),
        ("<svg><style>a{background:url(x)}</style></svg>", "its style reaches outside of it"),
        ("<svg><style>@import 'x'</style></svg>", "its style reaches outside of it"),
        ("<p>1</p>", "it is <p>, not <svg>"),
        ("<svg>", "it is not well-formed"),
    ],
)
def test_a_drawing_that_is_not_self_contained(svg: str, reason: str) -> None:
    with pytest.raises(OptionError) as caught:
        report.drawing(Figure("Distances", svg=svg))
    assert str(caught.value).startswith(f"the drawing of 'Distances' cannot be put into a report: {reason}")


def decoded(uri: str) -> Image.Image:
    head, _, body = uri.partition(",")
    image = Image.open(io.BytesIO(base64.b64decode(body)))
    assert head == f"data:image/{(image.format or '').lower()};base64"
    return image


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_small_pictures_keep_every_pixel(mode: str) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (9, 7, len(mode)), dtype=np.uint8)
    image = Image.fromarray(pixels.squeeze())
    assert image.mode == mode
    stored = decoded(report.picture(image))
    assert stored.format == "PNG"
    np.testing.assert_array_equal(np.asarray(stored), np.asarray(image))


@pytest.mark.parametrize(("mode", "becomes"), [("1", "RGB"), ("P", "RGB"), ("LA", "RGBA"), ("CMYK", "RGB")])
def test_other_modes_are_converted(mode: str, becomes: str) -> None:
    assert decoded(report.picture(Image.new(mode, (3, 3)))).mode == becomes


def test_large_pictures_are_made_smaller() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (500, 2400, 3), dtype=np.uint8)
    uri = report.picture(Image.fromarray(noise))
    stored = decoded(uri)
    assert (stored.format, stored.size) == ("WEBP", (1200, 250))
    assert len(uri) < 300_000


def test_small_pictures_are_shown_as_squares() -> None:
    assert report.narrow(Figure("", image=Image.new("L", (420, 10))))
    assert not report.narrow(Figure("", image=Image.new("L", (421, 10))))
    assert not report.narrow(Figure("", svg="<svg/>"))


def test_upright_pictures_do_not_fill_the_page() -> None:
    for size, kind in (((100, 60), "small"), ((100, 61), "small upright")):
        text = report.page(audit(sheets=(Figure("Samples.", image=Image.new("L", size)),)))
        assert f'alt="Image: Samples." class="{kind}" style="--widest:clamp(12rem,200px,30rem)">' in text
    assert not report.upright(Figure("", svg="<svg/>"))


def test_a_whole_page_of_pictures_is_moderate() -> None:
    rng = np.random.default_rng(0)
    noise = [Image.fromarray(rng.integers(0, 256, (250, 1200, 3), dtype=np.uint8)) for _ in range(2)]
    figures = tuple(Figure("Noise", image=image) for image in noise)
    assert len(report.page(audit(answers=answers(figures=figures)))) < 3e6


def test_equal_audits_give_equal_pages() -> None:
    assert report.page(audit()) == report.page(audit())


def test_a_title_that_holds_the_subject_is_not_followed_by_it() -> None:
    text = report.page(audit(title="Audit of toy"))
    assert "<title>Audit of toy</title>" in text
    assert "<h1>Audit of toy</h1>" in text
    assert '<p class="kind">' not in text
    assert '<p class="kind">Audit of a run</p>\n<h1>toy</h1>' in report.page(audit())


def test_long_facts_stand_at_the_end() -> None:
    text = report.page(audit(facts={"short": "x" * 32, "long": "y" * 33}))
    first, _, last = text.partition("How this was measured")
    assert "x" * 32 in first
    assert f'<tr><th scope="row">long</th><td>{"y" * 33}</td></tr>' in last
    assert "x" * 32 not in last
    assert "y" * 33 not in first


@pytest.mark.parametrize("left", [0, 1])
def test_few_answers_and_nothing_else(left: int) -> None:
    one = {name: replace(answer, numbers={}, details=(), figures=()) for name, answer in answers().items()}
    bare = Audit(answers=dict(list(one.items())[:left]), subject="toy", protocol=BASE)
    page = Page(report.page(bare))
    assert ("No question was asked" in page.said) == (left == 0)
    assert not page.all("figure")
    assert "How sure is this?" not in page.said
    assert "The numbers" not in page.said


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("kid", "KID"),
        ("fid_infinite", "FID infinite"),
        ("c_t", "C_T"),
        ("p_value_c_t", "p value C_T"),
        ("p value", "p value"),
    ],
)
def test_names_are_shown_as_words(name: str, shown: str) -> None:
    assert report.shown_name(name) == shown


@pytest.mark.parametrize(
    ("name", "term"),
    [
        ("kid", "kid"),
        ("precision_spread", "precision"),
        ("p value", "p"),
        ("precious", None),
        ("akid", None),
        ("effective number of images", "support"),
        ("fidelity", "precision"),
        ("something else", None),
    ],
)
def test_names_lead_to_the_glossary(name: str, term: str | None) -> None:
    assert explains(name) == term


def test_what_is_drawn_is_not_tabled_again() -> None:
    """The numbers of a plot stand in it, but for the one that the verdict rests on; without a plot all are tabled."""
    numbers = {"power_at_5_percent": Number(0.9), "power_at_20_percent": Number(1.0), "copies": Number(0.0)}
    answer = answers(numbers=numbers, headline="power_at_20_percent")["memorisation"]
    assert list(report.tabled(answer)) == ["power_at_20_percent", "copies"]
    assert list(report.tabled(replace(answer, figures=()))) == list(numbers)


def test_the_short_answer_comes_first_and_details_are_folded() -> None:
    """Without the folded parts: every sentence, sheet and step; without any, no figure of an answer, no number."""
    facts = RunFacts("runs/a", "photos", 10_000, asked=60_000, seconds=42.0, health="balanced", accuracy=0.9)
    known = answers(numbers={"ruler": Number(0.71, 0.66, 0.75)}, headline="ruler")
    curves = tuple(Figure(name, svg=plots.bars({"a": {"b": 1}}, y="y")) for name in ("loss", "accuracy", "spread"))
    whole = audit(answers=known, run=facts, training=curves)
    page = report.page(whole)
    order = ["In short", "10\u202f000 of 60\u202f000 asked images", "Health at the end", "What to do next", "A plot."]
    order += ["Samples.", "The sentence on quality.", "The sentence on artifacts.", 'id="training"', 'id="words"']
    places = [page.index(words) for words in order]
    assert places == sorted(places)
    shown = re.sub(r"<details>(?:(?!<details>).)*?</details>", "", page, flags=re.DOTALL)
    assert "<details" not in re.sub(r"<style>.*?</style>", "", shown, flags=re.DOTALL)
    assert shown.count("A plot.") == 1  # the ruler, and no other figure of an answer
    assert "A picture." not in shown
    assert "How sure one can be." not in shown
    assert shown.count("<figure>") == 4  # ruler, sheet, two curves
    assert page.count("A plot.") == 5  # the ruler is not repeated among the evidence
    assert whole.steps[0].commands[0].startswith("gansmith ")
    assert whole.steps[0].commands[0] in shown


def test_folded_parts_are_printed() -> None:
    text = report.page(audit())
    assert "<details>" in text
    assert "::details-content{content-visibility:visible" in text.partition("@media print")[2]
