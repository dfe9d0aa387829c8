"""Films as MP4."""

from __future__ import annotations

import sys
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest
from PIL import Image

from gansmith.errors import MissingExtraError
from gansmith.records.films import require_film, save_film

if TYPE_CHECKING:
    from selenium.webdriver.chrome.webdriver import WebDriver

LEVELS = (20, 90, 160, 230)


def plain(*levels: int, size: tuple[int, int] = (32, 24)) -> list[Image.Image]:
    return [Image.new("RGB", size, (level, level // 2, 255 - level)) for level in levels]


def frames_of(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def test_the_frames_and_how_long_they_are_shown(tmp_path: Path) -> None:
    """Four frames over .9 seconds: .3 seconds each, and the last one 1.5, so five times."""
    path = save_film(plain(*LEVELS), tmp_path / "a.mp4", seconds=0.9)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert stream.codec_context.pix_fmt == "yuv420p"
        assert stream.average_rate == Fraction(1000, 300)
    frames = frames_of(path)
    assert len(frames) == 3 + 5
    for frame, image in zip(frames, plain(*LEVELS, *LEVELS[-1:] * 4), strict=True):
        np.testing.assert_allclose(frame.astype(int), np.asarray(image).astype(int), atol=4)


def test_a_film_that_goes_round_does_not_stay_on_its_last_frame(tmp_path: Path) -> None:
    assert len(frames_of(save_film(plain(*LEVELS), tmp_path / "a.mp4", loop=True))) == 4
    with Image.open(save_film(plain(*LEVELS), tmp_path / "a.webp", loop=True)) as film:
        film.seek(3)
        film.load()
        assert film.info["duration"] == 100


def test_odd_sides_get_a_line_more_and_nothing_is_resized(tmp_path: Path) -> None:
    left = np.zeros((7, 9, 3), np.uint8)
    left[:, :4] = 200
    frame = frames_of(save_film([Image.fromarray(left)] * 2, tmp_path / "a.mp4"))[0]
    assert frame.shape == (8, 10, 3)
    np.testing.assert_allclose(frame[1:6, [1, 2]], 200, atol=12)
    np.testing.assert_allclose(frame[1:6, [6, 7]], 0, atol=12)
    assert (frame[7, 2:6] > 150).all()


def test_the_same_frames_are_the_same_bytes(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    noise = [Image.fromarray(rng.integers(0, 256, (32, 32, 3), dtype=np.uint8)) for _ in range(5)]
    one, other = (save_film(noise, tmp_path / name).read_bytes() for name in ("a.mp4", "b.mp4"))
    assert one == other


def test_without_the_package_it_is_said_before_any_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(MissingExtraError, match=r"film.*\.webp"):
        require_film(tmp_path / "a.mp4")
    with pytest.raises(MissingExtraError):
        save_film(plain(1, 2), tmp_path / "a.mp4")
    assert not list(tmp_path.iterdir())
    require_film(tmp_path / "a.webp")


@pytest.mark.prove
def test_a_browser_plays_it(browser: WebDriver, tmp_path: Path) -> None:
    """It is decoded, and jumps to its middle."""
    save_film(plain(*LEVELS, size=(33, 25)), tmp_path / "a.mp4", seconds=3)
    (tmp_path / "page.html").write_text("<video id=film muted preload=auto></video>")
    browser.get((tmp_path / "page.html").as_uri())
    said = browser.execute_async_script("""
const [done] = arguments;
film.onloadeddata = () => { film.currentTime = 1.5; };
film.onseeked = () => done(`${film.videoWidth}x${film.videoHeight} at ${film.currentTime}`);
film.onerror = () => done(film.error.message);
film.src = "a.mp4";
""")
    assert said == "34x26 at 1.5"
