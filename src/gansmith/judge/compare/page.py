"""Page of a comparison: several runs on one sheet of HTML, self-contained, without script.

The ruler with all runs on it, samples of equal seeds, verdicts of their audits, cost, metrics, intervals over trainings
where runs differ in their seed alone, and what the discriminators of the others say.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import numpy as np
from jinja2 import Environment, StrictUndefined

from gansmith.data.subsets import random_subset
from gansmith.errors import OptionError
from gansmith.evaluation import number_format
from gansmith.evaluation.audit.report import SIGNS, drawing, picture, shown_name
from gansmith.evaluation.audit.sheets import picture as sheet
from gansmith.evaluation.extract import side_of
from gansmith.evaluation.matrix_picture import matrix_picture
from gansmith.evaluation.types import QUESTIONS, Extractor, Figure, Number, Ruler, Seen
from gansmith.judge.compare import ruler_rows
from gansmith.judge.compare.comparison import Comparison, Material
from gansmith.judge.compare.real_images import training_images
from gansmith.judge.compare.run_facts import facts_of, over_trainings, trainings
from gansmith.judge.damaged_images import ruler_and_layout
from gansmith.system.seeding import mix

PAGE = "compare.html"
SHOWN, COLUMNS = 24, 6  # images of a sheet
MOST_SAMPLES, MOST_REAL = 300, 600  # on the ruler


def page(comparison: Comparison, extractor: Extractor, *, pairs: list[str]) -> str:
    """The whole HTML document. extractor: of the ruler; pairs: what is known of each two generators, in words."""
    material = comparison.material
    if material is None or material.real.points:
        raise OptionError("a page shows images, and these are points. Leave --report out")
    names = list(comparison.play.names)
    rulers, layouts = measured_on(material, extractor)
    runs = [facts_of(one) for one in material.contenders]
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.globals.update(
        picture=picture, drawing=drawing, value=number_format.interval, of_100=_of_100, shown_name=shown_name
    )
    template = environment.from_string(files(__package__).joinpath("page.html").read_text(encoding="utf-8"))
    return template.render(
        names=names,
        ruler=Figure("ruler", svg=ruler_rows.drawing(rulers)) if rulers else None,
        rulers=dict(sorted(rulers.items(), key=lambda item: item[1].samples.value)),
        layouts=layouts,
        no_ruler=_no_ruler(extractor),
        counts=f"{min(MOST_SAMPLES, comparison.protocol.fake_count):,} samples of each",
        features=str(extractor),
        shown=min(SHOWN, comparison.protocol.fake_count),
        labels=", each with the class that its seed draws"
        if any(one.conditional for one in material.contenders)
        else "",
        sheets=_sheets(material),
        questions=list(QUESTIONS),
        signs=SIGNS,
        runs=runs,
        judged=[one for one in runs if one.audit is not None],
        measured=comparison.metrics,
        groups=_groups(comparison, material, rulers),
        ranked=comparison.play.adjusted,
        standings=comparison.play.standings,
        pairs=pairs,
        matrix=matrix_picture(comparison.play),
        matrix_words=_matrix_words(comparison),
        notes=comparison.notes,
        protocol=str(comparison.protocol),
    )


def measured_on(material: Material, extractor: Extractor) -> tuple[dict[str, Ruler], dict[str, Seen]]:
    """{name: where its samples lie} on one ruler of the real images, and {name: share of its samples in which a layout
    is seen}; empty where there is none."""
    train = training_images(material.contenders, most=MOST_REAL) if _held_out(material) else None
    held = side_of("held-out", material.real.images[:MOST_REAL], extractor)
    reference, holdout = (held, None) if train is None else (side_of("real images", train, extractor), held)
    rulers, layouts = {}, {}
    for name, one in material.generated.items():
        side = side_of(f"samples of {name}", one.images[:MOST_SAMPLES], extractor, cache=False)
        ruler, layout, _ = ruler_and_layout(reference, holdout, (side,), extractor)
        if ruler is not None:
            rulers[name] = ruler
        if layout is not None and not layout.unclear:
            layouts[name] = layout
    return rulers, layouts


def _held_out(material: Material) -> bool:
    return "(held out)" in material.real.name


def _no_ruler(extractor: Extractor) -> str:
    if extractor.name == "pixels":
        return (
            "There is no ruler by pixels: a network that knows images is needed. Its weights are 14 MB: "
            "gansmith features install mobilenet"
        )
    return "There is no ruler for these images: they are too few, or no damage takes them far from the others."


def _sheets(material: Material) -> list[tuple[str, Any]]:
    real = material.real.images
    drawn = random_subset(len(real), SHOWN, np.random.default_rng(mix(0, "compare", "sheet of real images")))
    sheets = [(name, sheet(one.images[:SHOWN], columns=COLUMNS)) for name, one in material.generated.items()]
    return [*sheets, ("Real images", sheet(real[drawn], columns=COLUMNS))]


def _groups(
    comparison: Comparison, material: Material, rulers: Mapping[str, Ruler]
) -> list[tuple[tuple[str, ...], list[tuple[str, Number]]]]:
    """[(names of trainings, [(quantity, its mean over them)])]."""
    groups = []
    for names in trainings(material.contenders):
        rows = []
        if rulers:
            rows.append(
                ("distance from the real images", over_trainings([rulers[name].samples.value for name in names]))
            )
        for measured in comparison.metrics.values():
            for quantity in measured.numbers[names[0]]:
                values = [measured.numbers[name][quantity].value for name in names]
                if all(map(math.isfinite, values)):
                    rows.append((shown_name(quantity), over_trainings(values)))
        groups.append((names, rows))
    return groups


def _of_100(share: Number) -> str:
    """`71 (66 to 75)`, of a share."""
    low, high = (share.value if end is None else end for end in (share.low, share.high))
    return f"{100 * share.value:.0f} ({100 * low:.0f} to {100 * high:.0f})"


def _matrix_words(comparison: Comparison) -> str:
    play = comparison.play
    cells = [
        f"{judge} on {name} {number.value:.2f}"
        for judge, row in zip(play.names, play.accuracy, strict=True)
        for name, number in zip(play.names, row, strict=True)
        if judge != name
    ]
    return f"Accuracy of discriminators on generators: {', '.join(cells)}"
