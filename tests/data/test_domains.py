"""Two domains: every layout, sizes and channels, and a first view before training."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from two_domains import b_of, every, held, numbered, photograph, prepared, settings, write

from gansmith import catalog
from gansmith.data import domain_names
from gansmith.data.array_source import ArraySource
from gansmith.data.check_domains import check_domains, domain_settings
from gansmith.data.decode import conform
from gansmith.data.open import open_dataset, open_domains
from gansmith.data.prepare import prepare
from gansmith.data.prepared import Prepared
from gansmith.data.side_by_side import Half
from gansmith.data.stages.resolve import resolve
from gansmith.data.true_pairs import holdout_pairs
from gansmith.errors import DataError, OptionError, UnreadableImageError

pytestmark = pytest.mark.usefixtures("own_cache")


def zipped(place: Path, out: Path) -> Path:
    with zipfile.ZipFile(out, "w") as archive:
        for file in sorted(place.rglob("*.png")):
            archive.write(file, file.relative_to(place).as_posix())
    return out


# ---- layouts


def test_two_places(tmp_path: Path) -> None:
    """Each is whatever can be opened: a folder, a zip, a built-in set; their counts differ."""
    a = write(tmp_path / "horses", ["x/h1.png", "y/h2.png", "y/h3.png"])
    b = zipped(write(tmp_path / "z", ["z1.png", "z2.png"], first=10), tmp_path / "zebras.zip")
    found = prepared(a, b, holdout=0)
    assert found.name == "horses | zebras"
    assert (found.count, b_of(found).count) == (3, 2)
    assert found.amounts() == ("3 + 2", "0 + 0")
    assert (found.keys, b_of(found).keys) == (("x/h1.png", "y/h2.png", "y/h3.png"), ("z1.png", "z2.png"))
    assert (found.classes, b_of(found).classes) == (("x", "y"), None)
    assert (found.paired, b_of(found).name) == (False, "zebras")
    for number, image in enumerate(every(found)):
        np.testing.assert_array_equal(image, np.asarray(photograph(number)))
    np.testing.assert_array_equal(every(b_of(found))[1], np.asarray(photograph(11)))
    small = prepared("digits", b, size=8, channels=1, fraction=0.5)
    assert (small.name, small.count, b_of(small).count) == ("digits | zebras", 898, 1)


@pytest.mark.parametrize("style", [("a", "b"), ("A", "B"), ("trainA", "trainB")])
@pytest.mark.parametrize("archives", [False, True])
def test_one_folder_that_holds_both(style: tuple[str, str], archives: bool, tmp_path: Path) -> None:
    place = tmp_path / "horse2zebra"
    for number, name in enumerate(style):
        folder = write(place / name, [f"{name}{number}.png" for number in range(2 + number)], first=10 * number)
        if archives:
            zipped(folder, place / f"{name}.zip")
            for file in folder.iterdir():
                file.unlink()
            folder.rmdir()
    (place / "readme.txt").write_text("not an image")
    (place / ".hidden").mkdir()
    found = prepared(place, holdout=0)
    assert (found.name, found.count, b_of(found).count) == ("horse2zebra", 2, 3)
    assert b_of(found).keys[2] == f"{style[1]}2.png"
    swapped = prepared(place, holdout=0, options={"order": "ba"})
    assert (swapped.count, b_of(swapped).count) == (3, 2)
    np.testing.assert_array_equal(every(swapped), every(b_of(found)))


def test_parts_for_tests_are_left_out_with_a_note(tmp_path: Path) -> None:
    place = tmp_path / "apples"
    for name in ("trainA", "trainB", "testA", "testB"):
        write(place / name, numbered(2))
    found = prepared(place, holdout=0)
    assert (found.count, b_of(found).count) == (2, 2)
    assert f"left out of {place}: testA, testB" in found.warnings


@pytest.mark.parametrize("beside", ["c/x.png", "x.png", "trainB/x.png"])
def test_a_folder_of_classes_is_not_two_domains(beside: str, tmp_path: Path) -> None:
    write(tmp_path / "set", ["a/1.png", "b/1.png", beside])
    with pytest.raises(DataError, match=r"/set holds one set of images"):
        prepared(tmp_path / "set")


def test_pairs_by_name(tmp_path: Path) -> None:
    """Suffixes do not matter, nor the order in which the sets are listed, nor a folder round all of one."""
    a = write(tmp_path / "photos", ["x/2.png", "x/10.bmp", "y/1.png"])
    b = write(tmp_path / "maps", ["all/y/1.bmp", "all/x/10.png", "all/x/2.webp"], first=20)
    found = prepared(a, b, paired=True, holdout=0)
    assert found.paired
    assert found.keys == ("x/2.png", "x/10.bmp", "y/1.png")
    assert b_of(found).keys == ("all/x/2.webp", "all/x/10.png", "all/y/1.bmp")
    source = open_dataset(b)
    for key, image in zip(b_of(found).keys, every(b_of(found)), strict=True):
        np.testing.assert_array_equal(image, source.one(list(source.keys).index(key)).image)


def test_pairs_in_one_folder_with_two(tmp_path: Path) -> None:
    write(tmp_path / "set" / "A", numbered(3))
    write(tmp_path / "set" / "B", numbered(3), first=10)
    found = prepared(tmp_path / "set", paired=True, holdout=0)
    assert found.keys == b_of(found).keys == tuple(numbered(3))
    np.testing.assert_array_equal(every(found)[0], np.asarray(photograph(0)))
    np.testing.assert_array_equal(every(b_of(found))[0], np.asarray(photograph(10)))


def test_names_of_accents_are_equal_however_they_are_stored() -> None:
    one, other = domain_names.names_of(["e\u0301.png"], ["\u00e9.JPG"])
    assert one == other == ["\u00e9"]
    assert domain_names.names_of(["1.5", "a.b.png"], ["1", "2"]) == (["1.5", "a.b"], ["1", "2"])


def test_those_without_a_partner_are_left_out_with_a_warning(tmp_path: Path) -> None:
    a = write(tmp_path / "left", numbered(7))
    b = write(tmp_path / "right", ["05.png", "06.png", "99.png"], first=20)
    found = prepared(a, b, paired=True, holdout=0)
    assert found.keys == b_of(found).keys == ("05.png", "06.png")
    assert "5 of left (00.png, 01.png, 02.png ...), 1 of right (99.png)" in found.warnings[0]


def test_no_partners_at_all(tmp_path: Path) -> None:
    a, b = write(tmp_path / "left", numbered(5)), write(tmp_path / "right", [f"r{n}.png" for n in range(2)])
    with pytest.raises(DataError, match=r"left.*\n +left: 00.png, 01.png, 02.png .*\n +right: r0.png, r1.png"):
        prepared(a, b, paired=True)


def test_two_images_of_one_name(tmp_path: Path) -> None:
    a, b = write(tmp_path / "left", ["1.png", "1.bmp"]), write(tmp_path / "right", ["1.png"])
    for one, other in ((a, b), (b, a)):
        with pytest.raises(DataError, match=r"^left: 1\.bmp and 1\.png"):
            prepared(one, other, paired=True)


def side_by_side(place: Path, count: int, height: int = 16) -> Path:
    """Left a, right b; image i of a has the seed i, its partner 100 + i."""
    place.mkdir(parents=True)
    for number in range(count):
        whole = Image.new("RGB", (2 * height, height))
        for left, seed in ((0, number), (height, 100 + number)):
            whole.paste(photograph(seed, height, height), (left, 0))
        whole.save(place / f"{number}.png")
    return place


def test_side_by_side(tmp_path: Path) -> None:
    place = side_by_side(tmp_path / "facades", 4)
    found = prepared(place, paired=True, holdout=0)
    assert (found.name, found.shape) == ("facades", (3, 16, 16))
    for number in range(4):
        np.testing.assert_array_equal(every(found)[number], np.asarray(photograph(number, 16, 16)))
        np.testing.assert_array_equal(every(b_of(found))[number], np.asarray(photograph(100 + number, 16, 16)))
    swapped = prepared(place, paired=True, holdout=0, options={"order": "ba"})
    np.testing.assert_array_equal(every(swapped), every(b_of(found)))
    np.testing.assert_array_equal(every(b_of(swapped)), every(found))
    archive = zipped(place, tmp_path / "facades.zip")
    np.testing.assert_array_equal(every(prepared(archive, paired=True, holdout=0)), every(found))
    with pytest.raises(OptionError, match=r"formats/paired: order = 'cd' is not allowed"):
        prepared(place, paired=True, options={"order": "cd"})


def test_side_by_side_as_published(tmp_path: Path) -> None:
    """train/, with val/ and test/ beside it."""
    side_by_side(tmp_path / "facades" / "train", 3)
    side_by_side(tmp_path / "facades" / "test", 2)
    found = prepared(tmp_path / "facades", paired=True, holdout=0)
    assert (found.count, found.warnings[0]) == (3, f"left out of {tmp_path / 'facades'}: test")


def test_panoramas_are_pairs_only_for_a_game_of_pairs(tmp_path: Path) -> None:
    place = side_by_side(tmp_path / "views", 3)
    with pytest.raises(DataError, match="views holds one set of images"):
        prepared(place)
    forced = prepared(place, format="paired", holdout=0)  # pairs, streamed as if they were none
    assert (forced.paired, forced.count) == (False, 3)


def test_images_of_another_aspect(tmp_path: Path) -> None:
    place = side_by_side(tmp_path / "set", 3)
    photograph(0, 10, 21).save(place / "odd.png")
    with pytest.raises(DataError) as raised:
        prepared(place, paired=True)
    first, other, folder, wide, cut = str(raised.value).splitlines()
    assert str(place) in first
    assert "--set data.other=PATH" in other
    assert "trainA and trainB" in folder
    assert {"4", "3"} <= {*wide.split()} | {*wide.split(", ")[-1].split()}
    assert "--set data.format=paired" in cut
    with pytest.raises(DataError, match=r"odd\.png is 21 pixels wide"):
        prepared(place, paired=True, format="paired")
    forced = prepared(place, paired=True, format="paired", skip_unreadable=True, holdout=0)
    assert (forced.count, b_of(forced).count) == (3, 3)
    with pytest.raises(UnreadableImageError):
        Half(open_dataset(place), right=False).one(3)


@pytest.mark.parametrize("paired", [False, True])
def test_one_set_alone(paired: bool, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"(?s)^digits holds one set.*data\.other"):
        prepared("digits", paired=paired)
    with pytest.raises(DataError, match=r"^no file or folder .*nowhere, and no built-in dataset"):
        prepared(tmp_path / "nowhere", paired=paired)
    write(tmp_path / "x" / "c", ["1.png"])
    zipped(tmp_path / "x" / "c", tmp_path / "y.zip")
    (tmp_path / "z").mkdir()
    (tmp_path / "y.zip").rename(tmp_path / "z" / "y.zip")
    with pytest.raises(DataError, match=r"(?s)^no images in .*z: .*data\.other"):
        prepared(tmp_path / "z", paired=paired)
    write(tmp_path / "set", ["a/1.png", "b/1.png"])
    with pytest.raises(DataError, match="set holds one set of images"):  # the format is of one
        prepared(tmp_path / "set", paired=paired, format="folder")


def test_a_layout_of_one_place_beside_a_second() -> None:
    with pytest.raises(OptionError, match=r"data\.format = paired .*data\.other"):
        prepared("digits", "ring", format="paired")


def test_a_layout_that_is_not_there(tmp_path: Path) -> None:
    place = write(tmp_path / "set", ["1.png"])
    with pytest.raises(DataError, match=r"/set .* a and b .*trainA and trainB"):
        prepared(place, format="unpaired")
    with pytest.raises(DataError, match=r"^ring is a set of points"):
        open_domains(settings("ring", format="paired", options={}))


def test_points_and_images_do_not_mix(tmp_path: Path) -> None:
    place = write(tmp_path / "set", ["1.png"])
    with pytest.raises(DataError, match=r"^ring \| set: .*points.*images"):
        prepared("ring", place)
    found = prepared("ring", "grid", options={"count": 100}, holdout=0.1)
    assert (found.shape, b_of(found).points, len(found.holdout_indices)) == ((2, 1, 1), True, 10)


def test_the_layouts_are_no_formats_of_one_set(tmp_path: Path) -> None:
    """Recognition of one set is what it was: these two are only asked by a translation."""
    assert {"paired", "unpaired"} <= {*catalog.names("formats", "domains")}
    assert catalog.names("formats", "domains") == catalog.names("formats", "accepts_domains")
    assert not {"paired", "unpaired"} & {*catalog.names("formats", "accepts"), *catalog.names("formats", "build")}
    for name in ("paired", "unpaired"):
        assert catalog.find("formats", name, "accepts_domains")(tmp_path / "missing") is False
        with pytest.raises(OptionError, match=rf"formats/{name} has no build; formats with one: .*csv"):
            open_dataset(tmp_path, format=name)
    write(tmp_path / "set", ["a/1.png", "b/1.png"])
    assert prepare(settings(tmp_path / "set", holdout=0), workers=0).classes == ("a", "b")


# ---- one size, one number of channels


def test_grey_beside_colour_becomes_colour(tmp_path: Path) -> None:
    grey = write(tmp_path / "grey", numbered(3), channels=1)
    colour = write(tmp_path / "colour", [f"c{n}.png" for n in range(3)], first=10)
    found = prepared(grey, colour, holdout=0)
    assert found.shape == b_of(found).shape == (3, 24, 24)
    assert prepared(grey, grey, holdout=0).shape == (1, 24, 24)
    assert prepared(grey, colour, holdout=0, channels=1).shape == (1, 24, 24)
    assert (found.settings.size, found.settings.channels) == ((24, 24), 3)
    np.testing.assert_array_equal(every(found)[0][..., 0], np.asarray(photograph(0, channels=1)))


def test_the_size_is_found_over_both(tmp_path: Path) -> None:
    small = write(tmp_path / "small", numbered(2), height=20, width=20)
    large = write(tmp_path / "large", [f"l{n}.png" for n in range(6)], height=90, width=90)
    assert prepared(small, large, holdout=0).shape == (3, 64, 64)  # the median is of the eight
    assert prepared(large, small, holdout=0).shape == (3, 64, 64)
    assert prepared(small, small, holdout=0).shape == (3, 20, 20)
    assert prepared("digits", small, holdout=0).shape[1:] == (32, 32)
    assert prepared("digits", "digits", holdout=0).shape == (1, 32, 32)  # what the set itself says


def test_sets_that_know_sizes_of_their_own() -> None:
    pixels = np.zeros((2, 70, 70, 3), np.uint8)
    small, middle = (ArraySource(pixels, name="set", size=(side, side)) for side in (20, 24))
    assert resolve([small, small], settings("x")).size == (20, 20)
    assert resolve([small, middle], settings("x")).size == (64, 64)
    with pytest.raises(DataError, match=r"no images in none$"):
        resolve([small, ArraySource(pixels[:0], name="none")], settings("x"))


def test_a_set_that_is_empty_or_broken_is_named(tmp_path: Path) -> None:
    good, bad = write(tmp_path / "good", ["1.png"]), tmp_path / "bad"
    bad.mkdir()
    (bad / "x.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"^none of the images in bad "):
        prepared(good, bad)
    with pytest.raises(DataError, match=r"1 image of 1 .*bad/x\.png is empty"):
        prepared(good, bad, size=8, channels=3)


def test_few_images_are_a_warning_for_each_domain(tmp_path: Path) -> None:
    found = prepared(write(tmp_path / "one", ["x.png"]), write(tmp_path / "two", ["y.png", "z.png"]), holdout=0)
    assert [warning.split(":")[0] for warning in found.warnings] == ["domain a, one", "domain b, two"]
    assert "only 1 image" in found.warnings[0]


# ---- a look before training


def test_a_look(tmp_path: Path) -> None:
    a, b = write(tmp_path / "set" / "A", numbered(6)), write(tmp_path / "set" / "B", numbered(5), first=50)
    found = check_domains(settings(tmp_path / "set"))
    assert (found.images, found.pairs, found.shared, found.failure) == ((6, 5), 5, True, None)
    rows = [line.split(maxsplit=1) for line in found.as_text().replace("domain ", "domain-").splitlines()]
    assert [row[0] for row in rows] == ["together", "domain-a", "domain-b", "names", "hold-out", "train", "verdict"]
    for row, fact in zip(
        rows, ("set", "6", "5", "5 in both", "20 % of each", "24x24, 3 channel", "ready"), strict=True
    ):
        assert fact in row[1]
    pair = check_domains(settings(tmp_path / "set"), paired=True)
    assert "1 of A (05.png)" in pair.as_text()
    both = domain_settings(settings(tmp_path / "set"))
    assert {name: side.path for name, side in both.items()} == {"a": str(a), "b": str(b)}
    assert domain_settings(settings(a)) == {}
    assert {name: side.path for name, side in domain_settings(settings(a), paired=True).items()} == {"pairs": str(a)}
    both = domain_settings(settings(a, b, format="folder"))
    assert [(side.path, side.other, side.format) for side in both.values()] == [
        (str(a), None, "folder"),
        (str(b), None, "folder"),
    ]
    assert domain_settings(settings(a, format="paired"))["pairs"].format is None
    strangers = write(tmp_path / "c", ["x.png"])
    bad = check_domains(settings(a, strangers), paired=True)
    assert bad.failure is not None
    assert "A: 00.png" in bad.failure
    assert f"verdict     training would stop: {bad.failure}" in bad.as_text()


# ---- real images


def test_the_emoji_of_two_artists(test_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trained without pairs, and with them, the same emoji are held out: one can be measured by the other."""
    monkeypatch.setattr("gansmith.data.similar.pairs", lambda *_, **__: iter(()))  # the search takes seconds
    places = [test_data / f"emoji_{artist}.zip" for artist in ("google", "twitter")]
    found: Callable[[bool], Prepared] = lambda paired: prepared(  # noqa: E731
        *places, paired=paired, fraction=0.1, size=16, holdout=0.05
    )
    unpaired, paired = found(False), found(True)
    assert unpaired.name == paired.name == "emoji_google | emoji_twitter"
    assert unpaired.count == b_of(unpaired).count == 161
    assert held(unpaired) == held(b_of(unpaired)) == held(paired) == held(b_of(paired))
    assert len(held(paired)) == 8
    for one in (unpaired, paired):
        first, second = holdout_pairs(one)
        assert first.tolist() == second.tolist() == list(range(8))
    source = open_dataset(places[1])
    expected = conform(source.one(list(source.keys).index(held(paired)[3])).image, size=(16, 16), channels=3)
    assert b_of(paired).holdout is not None
    np.testing.assert_array_equal(b_of(paired).holdout[3].image, expected)  # type: ignore[index]
