"""`gansmith explore` as a process: its first line, its log, its end, what it refuses to begin with."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import time
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from pages import end_page, start_page
from PIL import Image

from gansmith.evaluation import plane
from gansmith.judge import image_map
from gansmith.web import serve
from gansmith.web.routes import map as routes_map
from small import MAIN


def test_the_token_is_in_the_first_line_and_nowhere_else(runs: Path) -> None:
    page = start_page(runs)
    try:
        assert re.fullmatch(r"http://127\.0\.0\.1:[0-9]+", page.url)
        assert len(page.token) >= 32
        with page.client() as client:
            for path in (
                f"/?token={page.token}",
                f"/no?token={page.token}",
                "/?token=wrong",
                "/api/runs/toy/image?seed=x",
            ):
                client.get(path)
                client.get(path, headers={"Host": f"{page.token}.example"})
        page.process.send_signal(signal.SIGTERM)
        out, err = page.process.communicate(timeout=240)
    finally:
        end_page(page)
    assert page.token not in out + err
    assert page.process.returncode == 143


def test_it_ends_within_two_seconds_whatever_it_does(own_runs: Path) -> None:
    page = start_page(own_runs)
    file = BytesIO()
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(file, "PNG")
    try:
        address, headers = "/api/runs/toy/invert?steps=2000&restarts=32", {"Accept": "text/event-stream"}
        with (
            page.client() as client,
            client.stream("POST", address, content=file.getvalue(), headers=headers) as answer,
        ):
            assert "preview" in next(answer.iter_text())
            before = time.monotonic()
            page.process.send_signal(signal.SIGTERM)
            page.process.wait(timeout=240)
            assert time.monotonic() - before < 20  # of the minutes that the search would take
            assert serve.LAST < 2.0  # after which it ends, whatever it does
            assert page.process.returncode == 143
            assert page.process.stderr is not None
            said = page.process.stderr.read()
            assert "Traceback" not in said, said
    finally:
        end_page(page)
    assert not list((own_runs / "toy").glob("latents/*.safetensors"))


def refusal(*words: object) -> str:
    """What a command line that cannot serve says."""
    line = [sys.executable, "-c", MAIN, "explore", *map(str, words), "--no-browser"]
    done = subprocess.run(line, check=False, capture_output=True, text=True, timeout=240)
    assert done.returncode in (1, 2), done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    return done.stderr


def test_it_says_why_it_cannot_begin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "nowhere" in refusal("nowhere")
    assert "--images nothing" in refusal("--images", "nothing")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"port {port}" in refusal("--port", port)
    assert "--port" in refusal("--host", "256.256.256.256")


def test_it_says_something_before_it_loads_anything(tmp_path: Path) -> None:
    """The server's code is not there to be imported: what was said before that is on standard error."""
    code = f"import sys; sys.modules['gansmith.web.serve'] = None\n{MAIN}"
    line = [sys.executable, "-c", code, "explore", str(tmp_path), "--no-browser"]
    done = subprocess.run(line, check=False, capture_output=True, text=True, timeout=240)
    assert done.stdout == ""
    assert "loading" in done.stderr.splitlines()[0]


def test_the_page_opens_without_what_only_trainings_and_evaluations_need(tmp_path: Path) -> None:
    """Each of these takes half a second or more to import, many times that from a slow disk."""
    code = (
        "import sys; from pathlib import Path\n"
        "from gansmith.web.serve import create_app; from gansmith.web.settings import Settings\n"
        "create_app(Settings(Path(sys.argv[1])))\n"
        "print([name for name in ('ignite', 'scipy', 'sympy', 'sklearn') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


def test_the_map_is_asked_for_as_it_is_made() -> None:
    assert (routes_map.MOST, routes_map.Method) == (plane.MOST, plane.Method)
    assert routes_map.COUNT == image_map.COUNT


def test_without_the_extra_it_names_it(tmp_path: Path) -> None:
    code = (
        "import importlib.util as u; f = u.find_spec; u.find_spec = lambda n, *a: None if n == 'fastapi' else f(n, *a)"
    )
    line = [sys.executable, "-c", f"{code}\n{MAIN}", "explore", str(tmp_path)]
    done = subprocess.run(line, check=False, capture_output=True, text=True, timeout=240)
    assert done.returncode == 1
    assert "fastapi" in done.stderr
    assert "pip install" in done.stderr
