"""`data.disjoint`: no name is trained on in both domains, and the pairs that are held out stay whole."""

from __future__ import annotations

from pathlib import Path

import pytest
from two_domains import numbered, prepared, write

from gansmith.data.prepared import Prepared
from gansmith.data.true_pairs import holdout_pairs
from gansmith.errors import DataError

pytestmark = pytest.mark.usefixtures("own_cache")


def trained(data: Prepared) -> set[str]:
    """The names of the images to train on, by their pixels' places in the whole set."""
    return {data.keys[index] for index in data.train.indices.tolist()}


def both(tmp_path: Path, names_a: list[str], names_b: list[str], **options: object) -> tuple[Prepared, Prepared]:
    a, b = write(tmp_path / "one", names_a), write(tmp_path / "two", names_b, first=500)
    found = prepared(a, b, disjoint=True, **options)
    assert found.other is not None
    return found, found.other


def test_halves_of_the_names_and_whole_pairs_held_out(tmp_path: Path) -> None:
    a, b = both(tmp_path, numbered(60), numbered(60), holdout=0.3, holdout_by="file")
    assert not trained(a) & trained(b)
    held = {a.keys[index] for index in a.holdout_indices.tolist()}
    assert held == {b.keys[index] for index in b.holdout_indices.tolist()}
    assert len(held) == 18
    assert not held & (trained(a) | trained(b))
    assert len(trained(a)) == len(trained(b)) == 21
    assert len(holdout_pairs(a)[0]) == 18
    assert a.amounts() == ("21 + 21", "18 + 18")
    again, _ = both(tmp_path, numbered(60), numbered(60), holdout=0.3, holdout_by="file")
    assert again.digest == a.digest


def test_without_it_every_name_that_is_not_held_out_is_trained_on(tmp_path: Path) -> None:
    disjoint, _ = both(tmp_path, numbered(40), numbered(40), holdout=0.2, holdout_by="file")
    found = prepared(tmp_path / "one", tmp_path / "two", holdout=0.2, holdout_by="file")
    assert len(trained(found)) == 32
    assert found.holdout_indices.tolist() == disjoint.holdout_indices.tolist()
    assert found.digest != disjoint.digest


def test_groups_stay_in_one_domain(tmp_path: Path) -> None:
    """Ten things of four views each: no thing is trained on in both domains."""
    names = [f"{thing:02}_{view}.png" for thing in range(10) for view in range(4)]
    a, b = both(tmp_path, names, names, holdout=0.2, holdout_by=r"name:^(\d+)_")
    things = [{name[:2] for name in trained(side)} for side in (a, b)]
    assert not things[0] & things[1]
    assert len(things[0]) == len(things[1]) == 4


def test_it_needs_common_names_and_no_pairs(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"data\.disjoint.*no two images"):
        both(tmp_path / "apart", numbered(30), [f"x{name}" for name in numbered(30)], holdout_by="file")
    a, b = write(tmp_path / "one", numbered(30)), write(tmp_path / "two", numbered(30), first=500)
    with pytest.raises(DataError, match=r"data\.disjoint.*reads the pairs"):
        prepared(a, b, disjoint=True, paired=True)
