"""What a newcomer meets: one run alone, names of any kind, a broken image, a run that goes away."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
import pytest
from driving import click_on, one, require_clean, state, until, visit
from pages import end_page, start_page
from PIL import Image
from shell_folder import let_in

pytestmark = pytest.mark.prove
NAME = 'o\'brien <b>"two" ' + "x" * 90


@pytest.mark.parametrize("width", [1200, 400])
def test_names_of_any_kind_and_a_run_that_goes_away(own_runs: Path, width: int) -> None:
    shutil.copytree(own_runs / "toy", own_runs / NAME)
    served = start_page(own_runs)
    try:
        with let_in(served, width) as screen:
            visit(screen, served.url, "runs")
            titles = "[...document.querySelectorAll('.runs-card h3')]"
            until(screen, f"return {titles}.map((h) => h.textContent)", [NAME, "toy"])
            assert "2 runs in " in one(screen, ".head p").text
            bar = "return document.querySelector('#nav a[href^=\"#/translate\"][data-needs]')?.title"
            assert "one set" in screen.execute_script(bar)  # type: ignore[no-untyped-call]  (no run here translates)
            inside = f"return {titles}.every((h) => h.scrollWidth <= h.parentElement.clientWidth)"
            assert screen.execute_script(inside)  # type: ignore[no-untyped-call]
            click_on(screen, ".runs-card h3 a")
            until(screen, "return document.querySelector('.runs-sheet img')?.naturalWidth > 0")
            assert state(screen)["run"] == NAME
            require_clean(screen)
            visit(screen, served.url, "runs?run=toy")  # the long name is among the runs that may stand beside it
            until(screen, "return document.querySelector('.head select')?.options.length", 2)
            require_clean(screen)
            visit(screen, served.url, f"runs?{urlencode({'run': NAME})}")
            until(screen, "return document.querySelector('.runs-sheet img')?.naturalWidth > 0")
            shutil.rmtree(own_runs / NAME)
            said = until(screen, "return document.querySelector('#view .empty')?.innerText")
            assert NAME in said
            assert "no longer there" in said
            click_on(screen, "#view .empty a")
            until(screen, f"return {titles}.map((h) => h.textContent)", ["toy"])
            require_clean(screen)
    finally:
        end_page(served)


def test_one_run_alone_opens_at_once(own_runs: Path) -> None:
    served = start_page(own_runs / "toy")
    try:
        with let_in(served) as screen:
            until(screen, "return document.querySelector('.runs-sheet img')?.naturalWidth > 0")
            assert state(screen) == {"run": "toy"}
            require_clean(screen)
    finally:
        end_page(served)


def test_a_broken_image_is_named_and_left_out_by_a_box(own_runs: Path, tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    for number, areas in enumerate(np.random.default_rng(0).integers(0, 256, (40, 4, 4, 3), dtype=np.uint8)):
        Image.fromarray(areas.repeat(4, 0).repeat(4, 1)).save(photos / f"{number:02}.png")
    (photos / "holiday.jpg").write_bytes(b"no image")
    served = start_page(Path(shutil.copytree(own_runs, tmp_path / "my runs")), "--images", photos)
    try:
        with let_in(served) as screen:
            visit(screen, served.url, "begin?time=1m")
            said = until(screen, "return document.querySelector('.begin-check')?.innerText", seconds=120)
            assert "One image of 41 cannot be read" in said
            assert "holiday.jpg" in said
            assert "--skip" not in said
            until(screen, "return document.querySelector('.begin-why').innerText.includes('leave them out')")
            assert not one(screen, ".begin-start").is_enabled()
            click_on(screen, ".begin-check input")
            until(screen, "return document.querySelector('.begin-start').disabled", False, seconds=120)
            assert one(screen, ".begin-check input").is_selected()
            until(screen, "return document.querySelector('#command code').textContent.includes('--skip-unreadable')")
            field = one(screen, ".begin-form input")
            field.clear()
            field.send_keys("other")
            out = shlex.split(one(screen, "#command code").text)[-1]  # the folder keeps its quotes
            assert out.endswith("/my runs/other")
            require_clean(screen)
    finally:
        end_page(served)
