"""The table of defaults: rows fit as they say, and the package's own holds for all images, machines and times."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest

from gansmith import catalog
from gansmith.errors import ExperimentError
from gansmith.experiment.completion import complete
from gansmith.experiment.layers import Layer, resolve
from gansmith.experiment.sources import from_recipe
from gansmith.runs.defaults_table import Condition, Defaults, Facts, Row, defaults, read_table

EVERY = [
    Facts(device, images, size, minutes, labelled, grey, frozenset(weights), bfloat16)
    for device, images, size, minutes, labelled, grey, weights, bfloat16 in itertools.product(
        ("cpu", "cuda", "mps"),
        (100, 1_000, 2_500, 20_000, 100_000),
        (28, 32, 64, 128, 256),
        (1, 5, 15, 60, 600, None),
        (True, False),
        (True, False),
        ((), ("mobilenet",)),
        (True, False),
    )
]


@pytest.mark.parametrize(
    ("condition", "fits", "fails"),
    [
        ({"device": "cpu"}, {"device": "cpu"}, {"device": "cuda"}),
        ({"device": ["cuda", "mps"]}, {"device": "mps"}, {"device": "cpu"}),
        ({"images": {"below": "10k"}}, {"images": 9_999}, {"images": 10_000}),
        ({"images": {"from": 300}}, {"images": 300}, {"images": 299}),
        ({"size": {"from": 48, "below": 96}}, {"size": 64}, {"size": 96}),
        ({"size": {"from": 48}}, {"size": None}, {"size": 32}),
        ({"minutes": {"from": 30}}, {"minutes": 30.0}, {"minutes": None}),  # None: the table's 15
        ({"minutes": {"below": 30}}, {"minutes": None}, {"minutes": 30.0}),
        ({"labelled": True}, {"labelled": True}, {"labelled": False}),
        ({"grey": False}, {"grey": False}, {"grey": True}),
        ({"weights": "mobilenet"}, {"weights": frozenset(["mobilenet", "vgg"])}, {"weights": frozenset(["vgg"])}),
        ({"bfloat16": True}, {"bfloat16": True}, {"bfloat16": False}),
    ],
)
def test_a_condition_holds_for_what_it_says_alone(
    condition: dict[str, Any], fits: dict[str, Any], fails: dict[str, Any]
) -> None:
    one = Condition.model_validate(condition)
    assert one.fits(Facts(**fits), 15)
    assert not one.fits(Facts(**fails), 15)


@pytest.mark.parametrize(
    ("facts", "recipe"),
    [
        (Facts(images=50_000, size=32, labelled=True, bfloat16=True), "sngan_small"),
        (Facts(images=60_000, size=28, labelled=True, grey=True, bfloat16=True), "stylegan2_small"),
        (Facts(images=19_999, size=32, labelled=True, bfloat16=True), "stylegan2_small"),
        (Facts(images=50_000, size=32, bfloat16=True), "stylegan2_small"),
        (Facts(images=50_000, size=32, labelled=True, minutes=60, bfloat16=True), "stylegan2_small"),
    ],
)
def test_many_photographs_of_several_kinds_have_a_row_of_their_own(facts: Facts, recipe: str) -> None:
    assert defaults().row(facts).recipe == recipe


def test_every_fact_has_a_row_and_a_size() -> None:
    table = defaults()
    seen = {id(table.row(facts)) for facts in EVERY}
    assert seen == {id(row) for row in table.rows}, "a row that nothing reaches"
    reached = {id(table.sizes_for(facts)) for facts in EVERY}
    assert reached == {id(row) for row in table.sizes}


@pytest.mark.parametrize("number", range(len(defaults().rows)))
def test_a_row_is_a_recipe_for_any_images_with_settings_that_it_takes(number: int) -> None:
    row = defaults().rows[number]
    assert row.recipe in catalog.names("recipes")
    assert "data" not in row.settings, "a size stands in `sizes`"
    recipe = from_recipe(row.recipe)
    assert "data" not in recipe.values
    experiment = complete(resolve([recipe, Layer("default", row.settings)])[0])
    assert 1_000 <= experiment.images <= 10**8
    said = row.reason(Facts(size=32))
    assert said
    assert not said.endswith(".")


def test_bfloat16_is_left_out_where_it_is_emulated() -> None:
    row = Row(recipe="dcgan", why="x", settings={"precision": "bfloat16", "batch": 8})
    assert row.settings_for(Facts(bfloat16=False)) == {"batch": 8}
    assert row.settings_for(Facts(bfloat16=True)) == row.settings
    assert row.settings_for(Facts(device="cuda")) == row.settings


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("minutes: 15\nsizes: [{of: [32]}]\nrows: []", "rows"),
        ("minutes: 15\nsizes: [{of: [32]}]\nrows: [{recipe: dcgan}]", "rows.0.why"),
        ("minutes: 15\nsizes: [{of: [32]}]\nrows: [{recipe: a, why: b, when: {imges: {}}}]", "imges"),
    ],
)
def test_a_table_that_is_none_is_refused(text: str, fact: str, tmp_path: Path) -> None:
    (tmp_path / "table.yaml").write_text(text)
    with pytest.raises(ExperimentError, match=fact):
        read_table(tmp_path / "table.yaml")


def test_facts_without_a_row() -> None:
    row = {"recipe": "dcgan", "why": "x", "when": {"device": "cuda"}}
    table = Defaults.model_validate({"minutes": 15, "sizes": [{"of": [32]}], "rows": [row]})
    with pytest.raises(ExperimentError, match="--recipe"):
        table.row(Facts(device="cpu"))
