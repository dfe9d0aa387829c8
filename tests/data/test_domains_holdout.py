"""Two domains: one hold-out over both, broken files, shares and digests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from two_domains import b_of, every, held, numbered, photograph, prepared, settings, write

from gansmith.data import domain_names
from gansmith.data.group_files import similar_groups
from gansmith.data.holdout import split, split_domains
from gansmith.data.open import open_dataset
from gansmith.data.prepare import prepare
from gansmith.data.true_pairs import holdout_pairs
from gansmith.errors import DataError, OptionError

# ---- hold-out

pytestmark = pytest.mark.usefixtures("own_cache")


def test_equal_names_are_held_out_on_both_sides(tmp_path: Path) -> None:
    """60 of 70 and 66 names are in both, listed in different orders; each side has some alone."""
    a = write(tmp_path / "one", [f"{n:02}.png" for n in range(70)])
    b = write(tmp_path / "two", [f"{n:02}.bmp" for n in range(10, 76)], first=200)
    found = prepared(a, b, holdout=0.2, holdout_by="file")
    out_a = {key.split(".")[0] for key in held(found)}
    out_b = {key.split(".")[0] for key in held(b_of(found))}
    common = {f"{n:02}" for n in range(10, 70)}
    assert out_a & common == out_b & common
    assert len(out_a | out_b) == round(0.2 * 76)
    first, second = holdout_pairs(found)
    assert len(first) == len(out_a & common) > 5
    assert [held(found)[i][:2] for i in first] == [held(b_of(found))[i][:2] for i in second]
    assert found.holdout is not None
    sources = open_dataset(a), open_dataset(b)
    for i, j in zip(first, second, strict=True):  # positions in the hold-outs themselves
        name = held(found)[i][:2]
        for side, position, source in ((found, i, sources[0]), (b_of(found), j, sources[1])):
            assert side.holdout is not None
            at = [key[:2] for key in source.keys].index(name)
            np.testing.assert_array_equal(side.holdout[int(position)].image, source.one(at).image)


def test_names_that_are_mostly_strangers_are_held_out_apart(tmp_path: Path) -> None:
    a = write(tmp_path / "one", [f"{n:02}.png" for n in range(40)])
    b = write(tmp_path / "two", [f"{n:02}.png" for n in range(25, 55)], first=200)
    found = prepared(a, b, holdout=0.2, holdout_by="file")  # 15 of 30: not more than half
    assert (len(held(found)), len(held(b_of(found)))) == (8, 6)
    for side, place in ((found, a), (b_of(found), b)):
        alone = prepare(settings(place, holdout=0.2, holdout_by="file"), workers=0)
        np.testing.assert_array_equal(side.holdout_indices, alone.holdout_indices)
    assert [len(part) for part in holdout_pairs(found)] == [0, 0]
    with pytest.raises(DataError, match=r"^two is one set"):
        holdout_pairs(alone)


def test_running_numbers_are_no_names() -> None:
    assert not domain_names.most_are_shared(["0", "1", "2"], ["0", "1", "2"])
    assert domain_names.most_are_shared(
        ["0.png", "1.png"], ["0.png", "1.png"]
    )  # but numbers that somebody gave to files are
    assert domain_names.most_are_shared(["00", "01"], ["00", "01"])
    assert domain_names.most_are_shared(["x", "y", "z"], ["x", "y", "1", "2", "3", "4"])
    assert not domain_names.most_are_shared(["x", "1"], ["x", "2"])


def test_things_are_numbered_in_order() -> None:
    one, other = domain_names.subjects(["x", "y"], ["z", "y"], shared=True)
    assert (one.tolist(), other.tolist()) == ([0, 1], [2, 1])
    one, other = domain_names.subjects(["x", "y", "x"], ["z", "y"], shared=False)
    assert (one.tolist(), other.tolist()) == ([0, 1, 0], [2, 3])


@pytest.mark.parametrize("paired", [False, True])
@pytest.mark.parametrize("cache", [True, False])
def test_lookalikes_of_either_side_stay_together(paired: bool, cache: bool, tmp_path: Path) -> None:
    """On side a, 0 looks like 1; on side b, 1 like 2: all three are one group on both sides."""
    a = write(tmp_path / "one", numbered(30))
    b = write(tmp_path / "two", numbered(30), first=100)
    photograph(0).save(a / "01.png")
    photograph(101).save(b / "02.png")
    seen = set()
    for share in (0.1, 0.5, 0.8, 0.9):
        found = prepared(a, b, paired=paired, holdout=share, cache=cache)
        assert held(found) == held(b_of(found))
        assert len(held(found)) == round(30 * share)
        together = {key in held(found) for key in ("00.png", "01.png", "02.png")}
        assert len(together) == 1
        seen |= together
    assert seen == {False, True}


def test_a_rule_by_name_holds_over_both_sides(tmp_path: Path) -> None:
    """Persons are in both sets, under names that are in one only."""
    a = write(tmp_path / "photos", [f"{person}_{n}.png" for person in "pqrstuvwxy" for n in range(3)])
    b = write(tmp_path / "drawn", [f"d{n}_{person}.png" for person in "pqrstuvwxy" for n in range(2)], first=100)
    rule = r"name:(?:^|_)([p-y])(?:_|\.)"
    found = prepared(a, b, holdout=0.3, holdout_by=rule)
    people = {key[0] for key in held(found)}
    assert people == {key[-5] for key in held(b_of(found))}
    assert (len(people), len(held(found)), len(held(b_of(found)))) == (3, 9, 6)
    with pytest.raises(OptionError, match="matches no name; names look like 'p_0"):
        prepared(a, b, holdout_by="name:nobody")


def test_classes_are_those_of_a_name(tmp_path: Path) -> None:
    a = write(tmp_path / "one", [f"{kind}/a{n}.png" for kind in ("cat", "dog", "elk") for n in range(4)])
    b = write(
        tmp_path / "two", [f"{kind}/b{n}.png" for kind in ("bee", "cat", "dog", "elk") for n in range(3)], first=50
    )
    found = prepared(a, b, holdout=0.3, holdout_by="class")
    kinds = {key.split("/")[0] for key in held(b_of(found))}
    assert kinds - {"bee"} == {key.split("/")[0] for key in held(found)} != set()
    plain = write(tmp_path / "three", [f"{n}.png" for n in range(20)])
    for sets in ((a, plain), (plain, a)):
        with pytest.raises(OptionError, match=r"class.*--holdout-by similar, file or name:REGEX"):
            prepared(*sets, holdout_by="class")


def test_nothing_left_of_one_side(tmp_path: Path) -> None:
    a, b = write(tmp_path / "one", ["v/1.png", "x/2.png"]), write(tmp_path / "two", ["x/3.png", "x/4.png"], first=9)
    with pytest.raises(DataError, match=r"2 images in 1 groups.*--holdout"):
        prepared(a, b, holdout=0.75, holdout_by="name:^x/")


def test_splitting_both() -> None:
    things = np.array([0, 1, 2, 3]), np.array([3, 4, 5, 0])
    groups = np.array([0, 0, 1, 2]), np.array([10, 11, 11, 12])  # 0 and 1 belong together, and 4 and 5
    for share in (0.2, 0.35, 0.5, 0.7):
        for seed in range(10):
            (kept_a, held_a), (kept_b, held_b) = split_domains(share, things, groups, seed)
            assert sorted([*kept_a, *held_a]) == sorted([*kept_b, *held_b]) == [0, 1, 2, 3]
            out = {*things[0][held_a].tolist(), *things[1][held_b].tolist()}
            assert out == {*split(6, share, np.array([0, 0, 1, 2, 3, 3]), seed)[1].tolist()}
            assert not out & {*things[0][kept_a].tolist(), *things[1][kept_b].tolist()}
    same = np.arange(50), np.arange(50)
    alone = split(50, 0.2, np.arange(50), 3)
    (_, one), (_, other) = split_domains(0.2, same, (np.arange(50), np.arange(50, 100)), 3)
    np.testing.assert_array_equal(one, alone[1])
    np.testing.assert_array_equal(other, alone[1])


# ---- what may go wrong with files, shares and digests


def test_an_unreadable_image_takes_its_partner_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = write(tmp_path / "one", numbered(30)), write(tmp_path / "two", numbered(30), first=100)
    photograph(7).save(a / "20.png")  # 7 and 20 are one group, whatever is left out before them
    (a / "03.png").write_bytes(b"no image")
    (b / "05.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"1 image of 30 .*03\.png"):
        prepared(a, b, paired=True, size=24, channels=3)
    alike: list[list[str]] = []

    def spy(share: float, things: Any, groups: Any, seed: int) -> Any:
        names = [f"{n:02}" for n in range(30) if n not in (3, 5)]
        for own in groups if len(groups[0]) == 28 else ():
            number, count = np.unique(own, return_counts=True)
            alike.append([names[index] for index in np.flatnonzero(np.isin(own, number[count > 1]))])
        return split_domains(share, things, groups, seed)

    monkeypatch.setattr("gansmith.data.holdout.split_domains", spy)
    for cache in (True, False):
        for share in (0.1, 0.5):
            found = prepared(a, b, paired=True, skip_unreadable=True, holdout=share, cache=cache)
            assert found.count == b_of(found).count == 28
            assert found.keys == b_of(found).keys
            assert not {"03.png", "05.png"} & {*found.keys}
            assert held(found) == held(b_of(found))
            assert ("07.png" in held(found)) == ("20.png" in held(found))
            for index in (3, 10, 27):
                number = int(found.keys[index][:2])
                np.testing.assert_array_equal(every(b_of(found))[index], np.asarray(photograph(100 + number)))
        assert found.warnings[0].startswith("domain a, one: left out 1 image")
        assert any(warning.startswith("domain b, two: left out 1 image") for warning in found.warnings)
    assert alike == [["07", "20"], []] * 4
    unpaired = prepared(a, b, skip_unreadable=True, holdout=0.5)
    assert (unpaired.count, b_of(unpaired).count) == (29, 29)
    assert {*held(unpaired)} - {"05.png"} == {*held(b_of(unpaired))} - {"03.png"}
    whole = prepare(settings(a, size=24, channels=3, skip_unreadable=True), workers=0)
    assert similar_groups(whole.train, tmp_path / "none", flips=False).shape == (len(whole.train),)


def test_no_pair_is_left(tmp_path: Path) -> None:
    a, b = write(tmp_path / "one", numbered(2)), write(tmp_path / "two", numbered(2))
    (a / "00.png").write_bytes(b"")
    (b / "01.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"^one \| two: .* no pair "):
        prepared(a, b, paired=True, skip_unreadable=True)


@pytest.mark.parametrize("paired", [False, True])
def test_a_share_keeps_partners(paired: bool, tmp_path: Path) -> None:
    a = write(tmp_path / "one", numbered(20))
    b = write(tmp_path / "two", [f"{n:02}.bmp" for n in range(20)], first=100)
    found = prepared(a, b, paired=paired, fraction=0.5, holdout=0)
    assert found.count == 10
    assert [key[:2] for key in found.keys] == [key[:2] for key in b_of(found).keys]
    assert found.keys == prepare(settings(a, fraction=0.5, holdout=0), workers=0).keys
    few = write(tmp_path / "few", ["00.png", "01.png", "02.png"])
    with pytest.raises(DataError, match=r"fraction of 0\.03 .* one \| few"):
        prepared(a, few, fraction=0.03)


def test_the_digest_knows_both_domains(tmp_path: Path) -> None:
    a, b = write(tmp_path / "one", numbered(20)), write(tmp_path / "two", numbered(20), first=100)
    digests = [
        prepared(a, b, size=24, channels=3, **options).digest
        for options in ({}, {"paired": True}, {"holdout": 0.2}, {"fit": "pad"}, {"fraction": 0.5})
    ]
    digests.append(prepared(b, a, size=24, channels=3).digest)
    photograph(999).save(b / "07.png")
    digests.append(prepared(a, b, size=24, channels=3).digest)
    photograph(998).save(a / "07.png")
    digests.append(prepared(a, b, size=24, channels=3).digest)
    assert len({*digests}) == len(digests) - 1  # pad is crop where all have the size already ...
    assert digests[3] == digests[0]
    assert prepared(a, b, size=24, channels=3).digest == digests[-1]  # ... and the same files are the same data
