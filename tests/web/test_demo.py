"""The command that `make demo` prints at its end opens the page on the run that it has trained."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import httpx
import pytest
from pages import Served, end_page
from PIL import Image

from small import MAIN

MAKEFILE = (Path(__file__).parents[2] / "Makefile").read_text()


def recipe(target: str) -> list[str]:
    """The lines of a target, with make's variables in them."""
    match = re.search(rf"^{re.escape(target)}:.*\n((?:\t.*\n)+)", MAKEFILE, re.MULTILINE)
    assert match is not None
    variables = dict(re.findall(r"^(\w+) \??= (.*)$", MAKEFILE, re.MULTILINE))
    lines = [re.sub(r"\$\((\w+)\)", lambda name: variables[name[1]], line) for line in match[1].splitlines()]
    return [line.lstrip("\t@") for line in lines]


def printed() -> list[str]:
    """The words of the command in the last line, as a shell prints that line."""
    done = subprocess.run(["/bin/sh", "-c", recipe("demo")[-1]], check=True, capture_output=True, text=True)
    return shlex.split(done.stdout[done.stdout.index(".venv/") :])


@pytest.mark.parametrize("extra", ["explore"])
def test_the_demo_installs_what_its_page_needs(extra: str) -> None:
    (needs,) = re.findall(r"^demo: (\S+)$", MAKEFILE, re.MULTILINE)
    assert any(f"'.[{extra}]'" in line and "--constraint constraints.txt" in line for line in recipe(needs))


def test_the_printed_command_opens_the_run_that_was_trained(runs: Path, tmp_path: Path) -> None:
    program, *words = printed()
    assert program == ".venv/bin/gansmith"
    trained = shlex.split(recipe("demo")[0])
    shutil.copytree(runs / "toy", tmp_path / trained[trained.index("--out") + 1])
    process = subprocess.Popen(
        [sys.executable, "-c", MAIN, *words, "--no-browser"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert process.stdout is not None
    match = re.fullmatch(r"(http://127\.0\.0\.1:[0-9]+)/\?token=(.+)\n", process.stdout.readline())
    assert match is not None, process.communicate()[1]
    page = Served(match[1], match[2], process)
    try:
        with page.client() as client:
            (run,) = client.get("/api/runs").json()
            answer = client.get(f"/api/runs/{run['name']}/image?seed=0")
        assert answer.status_code == httpx.codes.OK
        with Image.open(BytesIO(answer.content)) as image:
            assert image.format == "PNG"
            assert image.size == (8, 8)
    finally:
        end_page(page)
