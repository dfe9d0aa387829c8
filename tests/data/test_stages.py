"""The stages of preparation: one file each, which knows no other, and a function from values to values."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gansmith.data.prepare as pipeline
from gansmith.data.array_source import ArraySource
from gansmith.data.settings import DataSettings
from gansmith.data.stages.choose import choose
from gansmith.data.stages.complete import keep_complete_pairs
from gansmith.data.stages.group import group
from gansmith.data.stages.read import read
from gansmith.data.stages.resolve import resolve
from gansmith.data.stages.split import split
from gansmith.data.stages.values import Chosen, Grouped, Images, Opened
from gansmith.errors import DataError

STAGES = Path(pipeline.__file__).with_name("stages")
pytestmark = pytest.mark.usefixtures("own_cache")


def source(name: str, labels: list[int], classes: tuple[str, ...], keys: list[str] | None = None) -> ArraySource:
    """One grey image of 16 x 16 for each label; image i has the level i, and the key i.png."""
    levels = np.arange(len(labels), dtype=np.uint8)[:, None, None, None]
    result = ArraySource(np.tile(levels, (1, 16, 16, 1)), np.array(labels), name=name, classes=classes)
    result.keys = [f"{index}.png" for index in range(len(labels))] if keys is None else keys
    return result


def settings(**options: Any) -> DataSettings:
    return DataSettings(**{"path": "a", "size": 16, "channels": 1, "cache": False, "holdout_by": "file", **options})


def pair(*, paired: bool = False) -> Opened:
    """Two domains: eight images of the classes cat and dog, and six of dog and elk under other keys."""
    a = source("a", [0, 0, 0, 0, 1, 1, 1, 1], ("cat", "dog"))
    b = source("b", [0, 0, 0, 1, 1, 1], ("dog", "elk"), [f"{index}.png" for index in (7, 6, 5, 0, 20, 21)])
    return Opened((a, b), "a | b", paired)


def grouped(opened: Opened, **options: Any) -> tuple[Grouped, ...]:
    """The values after grouping."""
    chosen = choose(opened, settings(**options))
    return group(opened, chosen, read(opened, chosen, settings(**options)), settings(**options))


@pytest.mark.parametrize("path", sorted(STAGES.glob("[a-z]*.py")), ids=lambda path: path.stem)
def test_a_stage_knows_no_other(path: Path) -> None:
    imports = [node.module or "" for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom)]
    stages = {name for name in imports if name.startswith("gansmith.data.stages.")}
    assert stages <= {"gansmith.data.stages.values"}
    assert "gansmith.data.prepare" not in imports


def test_the_pipeline_calls_every_stage_once() -> None:
    text = Path(pipeline.__file__).read_text()
    assert len(text.splitlines()) <= 150
    body = next(node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef) and node.name == "_pipeline")
    called = [node.func.id for node in ast.walk(body) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
    imported = {
        alias.name
        for node in ast.parse(text).body
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("gansmith.data.stages.")
        for alias in node.names
    } - {"Opened"}
    assert sorted(called) == sorted(imported)
    assert len(called) == len(list(STAGES.glob("[a-z]*.py"))) - 1  # all but values.py


def test_resolve_asks_only_for_what_is_open() -> None:
    a = source("a", [0] * 4, ("cat",))
    assert (resolve([a], DataSettings(path="a")).size, resolve([a], DataSettings(path="a")).channels) == ((16, 16), 1)
    assert resolve([a], settings(size=24, channels=3)).size == (24, 24)
    a.one = lambda index: pytest.fail("decoded")  # type: ignore[method-assign]
    assert resolve([a], settings(size=24, channels=3)).channels == 3


def test_choose_pairs_by_name_and_shares_of_names() -> None:
    paired = choose(pair(paired=True), settings())
    assert [positions.tolist() for positions in paired.positions] == [[0, 5, 6, 7], [3, 2, 1, 0]]
    assert [subjects.tolist() for subjects in paired.subjects] == [[0, 1, 2, 3]] * 2
    assert len(paired.notes) == 1  # about those without a partner
    unpaired = choose(pair(), settings(fraction=0.5))  # four of six names are in both: the share is of the ten
    a, b = (
        {f"{source.keys[i]}" for i in part} for source, part in zip(pair().sources, unpaired.positions, strict=True)
    )
    shared = {"0.png", "5.png", "6.png", "7.png"}
    assert a & shared == b & shared
    assert len(a | b) == 5


def test_group_numbers_are_apart_within_domains_and_together_across_them() -> None:
    a, b = grouped(pair(), holdout_by="file", holdout=0.5)
    assert not {*a.groups.tolist()} & {*b.groups.tolist()}
    a, b = grouped(pair(), holdout_by="class", holdout=0.5)
    assert {*a.groups[4:].tolist()} == {*b.groups[:3].tolist()}  # dog, which is 1 of a and 0 of b
    assert len({*a.groups.tolist(), *b.groups.tolist()}) == 3
    a, b = grouped(pair(), holdout_by="class", holdout=0)
    assert len({*a.groups.tolist(), *b.groups.tolist()}) == 14  # where nothing is held out, each for itself


def images(count: int) -> Images:
    """The readable images of a source, with keys of their number."""
    a = source("a", [0] * count, ("cat",))
    kept = np.arange(count, dtype=np.int64)
    return Images(a, tuple(a.keys), kept, a.labels, "digest", Path("nowhere"), ())


def test_only_complete_pairs_are_kept() -> None:
    numbers = np.arange(4, dtype=np.int64)
    a, b = Grouped(images(4), np.array([0, 2, 3, 5]), numbers), Grouped(images(3), np.array([2, 4, 5]), numbers[:3] + 9)
    one, other = keep_complete_pairs(pair(paired=True), (a, b))
    assert one.subjects.tolist() == other.subjects.tolist() == [2, 5]
    assert (one.images.keys, other.images.keys) == (("1.png", "3.png"), ("0.png", "2.png"))
    assert (one.groups.tolist(), other.groups.tolist()) == ([1, 3], [9, 11])
    assert [int(item.image[0, 0, 0]) for item in other.images.data] == [0, 2]
    assert one.images.digest != a.images.digest
    assert keep_complete_pairs(pair(), (a, b)) == (a, b)
    assert keep_complete_pairs(pair(paired=True), (a, a)) == (a, a)  # nothing to leave out, nothing changes


def test_a_subject_and_a_group_stay_on_one_side() -> None:
    opened = pair()
    chosen = Chosen((np.arange(8), np.arange(6)), (np.arange(8), np.arange(6)), ())
    both = group(opened, chosen, read(opened, chosen, settings(holdout=0.4)), settings(holdout=0.4))
    (train_a, held_a), (train_b, held_b) = split(opened, both, settings(holdout=0.4))
    assert {*held_a.tolist()} & {*range(6)} == {*held_b.tolist()}
    assert sorted([*train_a, *held_a]) == list(range(8))
    assert sorted([*train_b, *held_b]) == list(range(6))
    all_but_one = settings(holdout=0.9)
    one = tuple(Grouped(domain.images, 0 * domain.subjects, 0 * domain.groups) for domain in both)
    with pytest.raises(DataError, match="--holdout"):
        split(opened, one, all_but_one)
